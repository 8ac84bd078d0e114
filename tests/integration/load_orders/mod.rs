//! Which file counts: for each framework, the traps of its load order, seen from outside by what is judged.

mod containers_wrappers;
mod elixir_go_rust;
mod jvm_dotnet;
mod laravel_symfony;
mod node;
mod python;
mod ruby;

use crate::support::{Judged, Sandbox};

/// A URL that nothing lets through, and one that everything does.
const REMOTE: &str = "postgres://app@db.northwind-shop.net/shop";
const LOCAL: &str = "postgres://app@localhost/shop_test";

/// Files, the process environment, the command, and what has to come of it.
struct Case<'a> {
    trap: &'a str,
    files: &'a [(&'a str, &'a str)],
    environment: &'a [(&'a str, &'a str)],
    command: &'a [&'a str],
    verdict: &'a str,
    /// A rule that has to be among the findings; empty where none is wanted.
    rule: &'a str,
}

/// A case in one line.
const fn case<'a>(
    trap: &'a str,
    files: &'a [(&'a str, &'a str)],
    environment: &'a [(&'a str, &'a str)],
    command: &'a [&'a str],
    verdict: &'a str,
    rule: &'a str,
) -> Case<'a> {
    Case { trap, files, environment, command, verdict, rule }
}

#[track_caller]
fn check(cases: &[Case<'_>]) {
    for Case { trap, files, environment, command, verdict, rule } in cases {
        let mut sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.project().join(".git")).unwrap();
        for (path, text) in *files {
            sandbox.write(path, filled(text));
        }
        for (name, value) in *environment {
            sandbox.set(name, filled(value));
        }
        let judged = Judged::of(&sandbox, command);
        assert_eq!(judged.verdict(), *verdict, "{trap}: {:#}", judged.json);
        assert!(rule.is_empty() || judged.rules().contains(rule), "{trap}: {:#}", judged.json);
    }
}

fn filled(text: &str) -> String {
    text.replace("@REMOTE", REMOTE).replace("@LOCAL", LOCAL)
}

#[test]
fn what_is_odd_about_the_files_is_noted() {
    let cases = [
        (
            "environment-file-missing",
            "artisan",
            ".env",
            &["php", "artisan", "migrate:fresh", "--env=testing"][..],
            ".env.testing",
        ),
        (
            "duplicate-key",
            "prisma/schema.prisma",
            "prisma/.env",
            &["npx", "prisma", "migrate", "reset"],
            "DATABASE_URL",
        ),
    ];
    for (rule, mark, file, command, told) in cases {
        let sandbox = Sandbox::new();
        sandbox.write(mark, "");
        sandbox.write(".env", filled("DATABASE_URL=@LOCAL\n"));
        sandbox.write(
            file,
            if file == ".env" { filled("DATABASE_URL=@LOCAL\n") } else { filled("DATABASE_URL=@LOCAL2\n") },
        );
        let judged = Judged::of(&sandbox, command);
        assert!(judged.finding(rule)["message"].as_str().unwrap().contains(told), "{:#}", judged.json);
    }
}

#[test]
fn files_above_the_folder_count_for_loaders_that_climb() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.project().join(".git")).unwrap();
    sandbox.write(".env", filled("DATABASE_URL=@REMOTE\n"));
    sandbox.write("crates/store/Cargo.toml", "[package]\nname = \"store\"\n");
    let judged = Judged::with(&sandbox, &["-C", "crates/store", "check", "--format", "json", "--", "cargo", "test"]);
    assert_eq!((judged.verdict(), judged.origins()), ("production", vec![".env:1".to_owned()]));
}
