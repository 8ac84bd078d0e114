//! Runs without a name: unverified for nothing but that no database is named, or something was not read. The guard holds
//! them, the SQLite files that lie in the project are saved; what the guard does not see keeps them refused.

use crate::support::{Judged, Outcome, Sandbox};
use crate::terminal::Terminal;

/// A project whose `package.json` names these packages and nothing names a database; its suite does what `script` says.
fn project(packages: &[&str], script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.project().join(".git")).unwrap();
    let packages: Vec<String> = packages.iter().map(|name| format!("\n  \"{name}\": \"1\"")).collect();
    sandbox.write("package.json", format!("{{\"dependencies\": {{{}}}}}\n", packages.join(",")));
    sandbox.suite(script);
    sandbox
}

fn run_of(judged: &Judged) -> &str {
    judged.json["run"].as_str().unwrap()
}

#[test]
fn a_run_without_a_name_goes_on_in_one_quiet_line_for_everybody() {
    for caller in [None, Some("CLAUDECODE"), Some("GITHUB_ACTIONS"), Some("PRE_COMMIT")] {
        let mut sandbox = project(&["pg"], "exit 4");
        caller.map(|variable| sandbox.set(variable, "true"));
        let judged = Judged::of(&sandbox, &["./suite"]);
        assert_eq!((judged.verdict(), run_of(&judged)), ("unverified", "goes"), "{:#}", judged.json);
        let outcome = sandbox.guarded().expect_code(4);
        let said = "safe-test: unverified: no database is named, although package.json:2 depends on `pg`; \
                    guarded: a database that was not saved is refused\n";
        assert_eq!(outcome.stderr, said);
        assert!(sandbox.has_run());
        let log = sandbox.log();
        let started = log.iter().find(|entry| entry["event"] == "run-started").unwrap();
        assert_eq!(started["verdict"], "unverified", "{started:#}");
        assert!(started["notes"].to_string().contains("nothing names what it uses"), "{started:#}");
        assert!(started.get("consent").is_none_or(serde_json::Value::is_null), "{started:#}");
    }
}

#[test]
fn a_check_says_what_a_run_would_come_to() {
    let sandbox = project(&["pg"], "");
    let text = sandbox.run(&["check", "--", "./suite"]).expect_code(120).stdout;
    let last = "  a run goes on all the same, guarded: a database that was not saved is refused";
    assert_eq!(text.lines().last(), Some(last), "{text}");
    let mut terminal = Terminal::start(sandbox.command().args(["check", "--format", "json", "--", "./suite"]));
    terminal.read_until("\"run\":\"goes\"");
    terminal.end();

    let cases =
        [("sqlite::memory:", "goes"), ("postgres://db.example.org/app", "refused"), ("postgres://db/app", "refused")];
    for (url, expected) in cases {
        sandbox.write(".env", format!("DATABASE_URL={url}\n"));
        assert_eq!(run_of(&Judged::of(&sandbox, &["./suite"])), expected, "{url}");
    }
    let mut terminal = Terminal::start(sandbox.command().args(["check", "--format", "json", "--", "./suite"]));
    terminal.read_until("\"run\":\"asks\"");
    terminal.end();
}

#[test]
fn the_sqlite_files_of_the_project_are_saved_and_come_back() {
    let sandbox = project(&["better-sqlite3"], "rm data/shop.db");
    std::fs::create_dir_all(sandbox.project().join("data")).unwrap();
    sandbox.sqlite("data/shop.db", "CREATE TABLE t(a); INSERT INTO t VALUES (7);");
    sandbox.sqlite("data/other", "CREATE TABLE t(a);");
    let judged = Judged::of(&sandbox, &["./suite"]);
    assert_eq!((judged.verdict(), run_of(&judged)), ("unverified", "goes"), "{:#}", judged.json);
    assert_eq!(judged.rules(), ["no-database"]);
    assert_eq!(judged.places(), ["-/data/other", "-/data/shop.db"]);
    let outcome = sandbox.guarded().expect_code(0);
    let why =
        "safe-test: unverified: no database is named, although package.json:2 depends on `better-sqlite3`; sqlite ";
    assert!(outcome.stderr.starts_with(why), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("shop.db` saved ("), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("; guarded: a database that was not saved is refused\n"), "{}", outcome.stderr);
    assert!(!sandbox.project().join("data/shop.db").exists());
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(sandbox.sqlite("data/shop.db", "SELECT a FROM t"), "7");
}

#[test]
fn what_was_not_read_goes_on_beside_a_database_that_is_named() {
    let sandbox = project(&["pg"], "exit 4");
    sandbox.write(".env", "DATABASE_URL=sqlite:./app_test.db\n");
    sandbox.sqlite("app_test.db", "CREATE TABLE t(a)");
    sandbox.sqlite("other.db", "CREATE TABLE t(a)");
    sandbox.write("config/database.yml", "test: {adapter: [\n");
    sandbox.write("Gemfile", "gem \"pg\"\n");
    let judged = Judged::of(&sandbox, &["ruby", "./suite"]);
    assert_eq!((judged.rules(), run_of(&judged)), (vec!["not-followed"], "goes"), "{:#}", judged.json);
    assert_eq!(judged.places(), ["-/./app_test.db", "-/other.db"], "{:#}", judged.json);
}

#[test]
fn what_the_guard_does_not_see_keeps_a_run_refused_and_is_named() {
    let table: [(&[&str], &[&str], &str); 5] = [
        (&["pg", "duckdb"], &["./suite"], "`duckdb` (package.json:3) keeps data in files that are not saved"),
        (
            &["pg", "@neondatabase/serverless"],
            &["./suite"],
            "`@neondatabase/serverless` (package.json:3) reaches data by HTTPS",
        ),
        (&["@prisma/client", "@prisma/adapter-d1"], &["./suite"], "`@prisma/adapter-d1` (package.json:3) reaches"),
        (
            &["pg"],
            &["sh", "-c", "docker compose down && ./suite"],
            "`docker compose down` removes containers or volumes, and the databases in them",
        ),
        (&["pg"], &["npx", "wrangler", "d1", "migrations", "apply"], "`wrangler d1` acts on data through"),
    ];
    for (packages, command, why) in table {
        let sandbox = project(packages, "");
        let judged = Judged::of(&sandbox, command);
        assert_eq!((judged.verdict(), run_of(&judged)), ("unverified", "refused"), "{command:?} {:#}", judged.json);
        assert!(judged.json["hindrance"].as_str().unwrap().starts_with(why), "{why} {:#}", judged.json);
        let text = sandbox.run(&[&["check", "--"], command].concat()).expect_code(120).stdout;
        assert!(text.lines().last().unwrap().starts_with(&format!("    the guard does not help: {why}")), "{text}");
        if command == ["./suite"] {
            let refused = sandbox.guarded().expect_code(120).stderr;
            assert!(refused.contains(&format!("the guard does not help: {why}")), "{refused}");
            assert!(!sandbox.has_run(), "{refused}");
        }
    }
}

#[test]
fn every_driver_counts_however_many_there_are() {
    let packages = [
        "pg",
        "mysql",
        "mysql2",
        "mongodb",
        "mongoose",
        "redis",
        "ioredis",
        "knex",
        "sequelize",
        "typeorm",
        "prisma",
        "kysely",
        "objection",
        "bookshelf",
        "massive",
        "slonik",
        "pg-promise",
        "pg-boss",
        "bull",
        "bullmq",
        "agenda",
        "monk",
        "umzug",
        "snowflake-sdk",
    ];
    let judged = Judged::of(&project(&packages, ""), &["./suite"]);
    assert_eq!(run_of(&judged), "refused");
    assert!(judged.json["hindrance"].to_string().contains("`snowflake-sdk` (package.json:25)"), "{:#}", judged.json);
}

#[test]
fn without_a_guard_it_is_as_strict_as_before() {
    let mut sandbox = project(&["pg"], "");
    sandbox.write(".safe-test.toml", "[guard]\nmode = \"off\"\n");
    let mut terminal = Terminal::start(sandbox.command().arg("trust"));
    terminal.read_until("exactly this content:");
    terminal.type_in("trust\n");
    assert_eq!(terminal.end().1, (0, -1));
    let judged = Judged::of(&sandbox, &["./suite"]);
    assert_eq!(run_of(&judged), "refused", "{:#}", judged.json);
    let refused = sandbox.guarded().expect_code(120).stderr;
    assert!(refused.contains("the guard does not help: what the command connects to is not watched: "), "{refused}");
    assert!(!sandbox.has_run());
    sandbox.set("CLAUDECODE", "1");
    sandbox.guarded().expect_code(120);
    assert!(!sandbox.has_run());
}

#[test]
fn a_production_file_that_lies_there_is_a_production_target() {
    let sandbox = project(&["better-sqlite3"], "");
    sandbox.sqlite("production.sqlite3", "CREATE TABLE t(a)");
    let judged = Judged::of(&sandbox, &["./suite"]);
    assert_eq!((judged.verdict(), run_of(&judged)), ("production", "refused"), "{:#}", judged.json);
    sandbox.guarded().expect_code(120);
    assert!(!sandbox.has_run());
}

#[test]
fn a_dry_run_ends_as_the_run_would() {
    project(&["pg"], "").run(&["--dry-run", "./suite"]).expect_code(0);
    project(&["duckdb"], "").run(&["--dry-run", "./suite"]).expect_code(120);
}

#[test]
fn a_database_that_was_not_saved_is_refused() {
    let sandbox = project(&["pg"], "(: >/dev/tcp/10.0.0.1/5432) 2>/dev/null; exit 0");
    let suite = sandbox.read("suite").replace("#!/bin/sh", "#!/bin/bash");
    sandbox.write("suite", suite);
    // In a network namespace of its own, out of which nothing leads.
    let own = if rustix::process::geteuid().is_root() { "-n" } else { "-rn" };
    let mut command = sandbox.program("unshare");
    let outcome = Outcome::of(command.args([own, env!("CARGO_BIN_EXE_safe-test"), "./suite"])).expect_code(120);
    assert!(outcome.stderr.contains("to 10.0.0.1:5432: "), "{}", outcome.stderr);
    assert!(sandbox.has_run(), "{}", outcome.stderr);
}

#[test]
fn the_files_of_a_project_without_a_name_are_saved_on_request() {
    let sandbox = project(&["better-sqlite3"], "");
    sandbox.run(&["snapshot"]).expect_code(120);
    sandbox.sqlite("app.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1);");
    let outcome = sandbox.run(&["snapshot"]).expect_code(0);
    assert_eq!(sandbox.ids(), outcome.stdout.lines().collect::<Vec<_>>(), "{}", outcome.stderr);
    // One of production stays one.
    sandbox.sqlite("production.db", "CREATE TABLE t(a); INSERT INTO t VALUES (1);");
    sandbox.run(&["snapshot"]).expect_code(120);
    assert_eq!(sandbox.ids().len(), 1);
}

#[test]
fn what_loosens_is_told_to_a_person_at_a_terminal_only() {
    let loosens = ["safe-test trust", "[allow]"];
    let stop = "what to do: stop and tell the person who asked for this run, or ";
    for url in ["", "DATABASE_URL=postgres://db.northwind-shop.net:5432/app\n"] {
        let mut sandbox = project(&["duckdb"], "");
        sandbox.write(".env", url);
        let mut terminal = Terminal::start(sandbox.command().args(["check", "--", "./suite"]));
        terminal.read_until("safe-test trust");
        terminal.end();
        for caller in [None, Some("CLAUDECODE"), Some("GITHUB_ACTIONS"), Some("PRE_COMMIT")] {
            caller.map(|variable| sandbox.set(variable, "true"));
            let said = [sandbox.guarded().expect_code(120).stderr, sandbox.run(&["check", "--", "./suite"]).stdout];
            for said in said {
                assert!(said.contains(stop), "{caller:?} {said}");
                assert!(!loosens.iter().any(|part| said.contains(part)), "{caller:?} {said}");
            }
        }
    }
}

#[test]
fn how_to_do_without_a_snapshot_is_told_to_a_person_at_a_terminal_only() {
    let mut sandbox = project(&["mssql"], "");
    sandbox.write(".env", "DATABASE_URL=sqlserver://127.0.0.1:1433;database=shop_test;user=app\n");
    for arguments in [&["./suite"] as &[&str], &["doctor"]] {
        let mut terminal = Terminal::start(sandbox.command().args(arguments));
        terminal.read_until("below [[snapshots.command]], and run `safe-test trust`");
        terminal.end();
    }
    for caller in [None, Some("CLAUDECODE"), Some("GITHUB_ACTIONS"), Some("PRE_COMMIT")] {
        caller.map(|variable| sandbox.set(variable, "true"));
        let outcome = sandbox.guarded().expect_code(121);
        let said = [outcome.stderr, sandbox.run(&["doctor"]).expect_code(125).stdout];
        for said in said {
            assert!(said.contains("hint: stop and tell the person who asked for this run\n"), "{caller:?} {said}");
            assert!(!said.contains("safe-test trust"), "{caller:?} {said}");
        }
    }
}
