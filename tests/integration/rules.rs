//! Every rule from the outside: a project in which it fires, and its nearest neighbour in which it does not.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::{Outcome, Sandbox};

/// Files of a project (name, content), variables (`NAME=value`), and the command that is judged.
type Project = (&'static [(&'static str, &'static str)], &'static [&'static str], &'static [&'static str]);

const LOCAL: (&str, &str) = (".env", "DATABASE_URL=postgres://localhost/app_test\n");
const RAILS: [(&str, &str); 2] = [("Gemfile", "gem \"rails\"\ngem \"pg\"\n"), LOCAL];

/// A rule, a project in which it fires, and one in which it does not.
const PAIRS: &[(&str, Project, Project)] = &[
    (
        "environment-production",
        (&[LOCAL], &["APP_ENV= Production "], &[]),
        (&[LOCAL], &["APP_ENV=testing", "SENTRY_ENVIRONMENT=production", "DD_ENV=prod"], &[]),
    ),
    ("platform-production", (&[LOCAL], &["DYNO=web.1"], &[]), (&[LOCAL], &["DYNO_COUNT=1", "RENDERER=gl"], &[])),
    (
        "database-name-production",
        (&[], &["DB_HOST=localhost", "DB_CONNECTION=pgsql", "DB_DATABASE=agoraLive"], &[]),
        (&[], &["DB_HOST=localhost", "DB_CONNECTION=pgsql", "DB_DATABASE=reproduction"], &[]),
    ),
    (
        "host-remote",
        (&[(".env", "DATABASE_URL=postgres://10.2.3.4/app_test\n")], &[], &[]),
        (&[(".env", "DATABASE_URL=postgres://127.1/app_test\n")], &[], &[]),
    ),
    (
        "host-managed",
        (&[(".env", "DATABASE_URL=postgres://app.abc.eu-west-1.rds.amazonaws.com/app_test\n")], &[], &[]),
        (&[(".env", "DATABASE_URL=postgres://rds.localhost/app_test\n")], &[], &[]),
    ),
    (
        "host-production-word",
        (&[(".env", "DATABASE_URL=postgres://db-prod/app_test\n")], &[], &[]),
        (&[(".env", "DATABASE_URL=postgres://db-products/app_test\n")], &[], &[]),
    ),
    (
        "replica-or-cluster",
        (&[(".env", "MONGO_URL=mongodb+srv://cluster0.abcde.northwind-shop.net/app_test\n")], &[], &[]),
        (&[(".env", "DATABASE_URL=postgres://localhost:5432,127.0.0.1:5433/app_test\n")], &[], &[]),
    ),
    (
        "certificate-authentication",
        (&[(".env", "DATABASE_URL=postgres://localhost/app_test?sslcert=me.crt&sslkey=me.key\n")], &[], &[]),
        (&[(".env", "DATABASE_URL=postgres://localhost/app_test?sslmode=verify-full&sslrootcert=ca.crt\n")], &[], &[]),
    ),
    (
        "host-unknown",
        (&[(".env", "DATABASE_URL=postgres://pgbox/shop\n")], &[], &[]),
        (&[(".env", "DATABASE_URL=postgres://pgbox/shop_test\n")], &[], &[]),
    ),
    (
        "value-unclear",
        (&[(".env", "DATABASE_URL=postgres://localhost:54x3/app_test\n")], &[], &[]),
        (&[(".env", "DATABASE_URL=postgres://localhost:5433/app_test\n")], &[], &[]),
    ),
    (
        "one-database-two-names",
        (
            &[(
                ".env",
                "TEST_DATABASE_URL=postgres://localhost/shop\nPRODUCTION_DATABASE_URL=postgres://localhost/shop\n",
            )],
            &[],
            &[],
        ),
        (
            &[(".env", "TEST_DATABASE_URL=postgres://localhost/shop\nDEV_DATABASE_URL=postgres://localhost/shop\n")],
            &[],
            &[],
        ),
    ),
    (
        "shadow-database",
        (
            &[LOCAL, (".env.local", "")],
            &["DATABASE_URL=postgres://localhost/a_test", "SHADOW_DATABASE_URL=postgres://localhost/a_test"],
            &[],
        ),
        (&[], &["DATABASE_URL=postgres://localhost/a_test", "SHADOW_DATABASE_URL=postgres://localhost/b_test"], &[]),
    ),
    (
        "cached-configuration",
        (
            &[
                ("composer.json", "{\"require\": {\"laravel/framework\": \"^11\"}}"),
                ("artisan", ""),
                LOCAL,
                ("bootstrap/cache/config.php", "<?php return [];"),
            ],
            &[],
            &["php", "artisan", "migrate"],
        ),
        (
            &[
                ("composer.json", "{\"require\": {\"laravel/framework\": \"^11\"}}"),
                ("artisan", ""),
                LOCAL,
                ("bootstrap/cache/services.php", "<?php return [];"),
            ],
            &[],
            &["php", "artisan", "migrate"],
        ),
    ),
    (
        "injected-environment",
        (&[LOCAL], &[], &["railway", "run", "npm", "test"]),
        (&[LOCAL], &[], &["npm", "run", "railway"]),
    ),
    (
        "container-environment",
        (&[LOCAL], &[], &["docker", "compose", "exec", "web", "npm", "test"]),
        (&[LOCAL], &[], &["npm", "exec", "jest"]),
    ),
    (
        "removes-volumes",
        (&[LOCAL], &[], &["docker", "compose", "down", "--volumes"]),
        (&[LOCAL], &[], &["docker", "compose", "down"]),
    ),
    (
        "protection-disabled",
        (&RAILS, &["DISABLE_DATABASE_ENVIRONMENT_CHECK=1"], &["bin/rails", "db:drop"]),
        (&RAILS, &["DISABLE_SPRING=1"], &["bin/rails", "db:drop"]),
    ),
    (
        "file-unreadable",
        (&[(".env/kept", ""), ("package.json", "{\"dependencies\": {\"pg\": \"8\", \"dotenv\": \"16\"}}")], &[], &[]),
        (&[LOCAL, (".env.d/kept", "")], &[], &[]),
    ),
    (
        "not-followed",
        (&[LOCAL, ("package.json", "{\"scripts\": {\n\"test\": jest}}")], &[], &["npm", "test"]),
        (&[LOCAL, ("package.json", "{\"scripts\": {\n\"test\": \"jest\",}}")], &[], &["npm", "test"]),
    ),
    (
        "no-database",
        (&[("package.json", "{\"dependencies\": {\"pg\": \"8\"}}")], &[], &["npm", "test"]),
        (&[("package.json", "{\"dependencies\": {\"pg\": \"8\"}}"), LOCAL], &[], &["npm", "test"]),
    ),
    (
        "broken-file",
        (&[(".env", "DATABASE_URL=postgres://localhost/app_test\nthis is no line\n")], &[], &[]),
        (&[(".env", "# a comment\n\nexport DATABASE_URL=postgres://localhost/app_test\n")], &[], &[]),
    ),
    (
        "environment-file-missing",
        (
            &[("composer.json", "{\"require\": {\"laravel/framework\": \"^11\"}}"), ("artisan", ""), LOCAL],
            &[],
            &["php", "artisan", "test"],
        ),
        (
            &[
                ("composer.json", "{\"require\": {\"laravel/framework\": \"^11\"}}"),
                ("artisan", ""),
                LOCAL,
                (".env.testing", "DATABASE_URL=postgres://localhost/app_test\n"),
            ],
            &[],
            &["php", "artisan", "test"],
        ),
    ),
    (
        "duplicate-key",
        (
            &[
                ("package.json", "{\"dependencies\": {\"prisma\": \"6\"}}"),
                LOCAL,
                ("prisma/schema.prisma", ""),
                ("prisma/.env", "DATABASE_URL=postgres://localhost/other_test\n"),
            ],
            &[],
            &["npx", "prisma", "migrate", "dev"],
        ),
        (
            &[
                ("package.json", "{\"dependencies\": {\"prisma\": \"6\"}}"),
                LOCAL,
                ("prisma/schema.prisma", ""),
                ("prisma/.env", "LOG_LEVEL=info\n"),
            ],
            &[],
            &["npx", "prisma", "migrate", "dev"],
        ),
    ),
];

/// The rules that were found in a project, notes among them.
fn found(project: &Project) -> BTreeSet<String> {
    let (files, variables, command) = project;
    let mut sandbox = Sandbox::new();
    for (name, content) in *files {
        sandbox.write(name, content);
    }
    for variable in *variables {
        let (name, value) = variable.split_once('=').unwrap();
        sandbox.set(name, value);
    }
    let mut arguments = vec!["check", "--format", "json", "--"];
    arguments.extend(*command);
    if command.is_empty() {
        arguments.pop();
    }
    rules(&sandbox.run(&arguments))
}

#[track_caller]
fn rules(outcome: &Outcome) -> BTreeSet<String> {
    let judged: Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {}", outcome.stderr));
    judged["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let weighs = finding["level"] != "note";
            assert!(!weighs || !finding["remedy"].as_str().unwrap().is_empty(), "{finding:#}");
            finding["rule"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn every_rule_fires_where_it_should_and_not_next_to_it() {
    let mut wrong = Vec::new();
    for (rule, fires, silent) in PAIRS {
        let (there, beside) = (found(fires), found(silent));
        if !there.contains(*rule) {
            wrong.push(format!("{rule} does not fire: {there:?}"));
        }
        if beside.contains(*rule) {
            wrong.push(format!("{rule} fires beside: {beside:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A machine is known by its name, which only a namespace of its own lets a test choose.
#[cfg(target_os = "linux")]
#[test]
fn a_machine_is_known_by_its_name() {
    for (name, fires) in [("shop-prod-2", true), ("delivery-laptop", false)] {
        let sandbox = Sandbox::new();
        sandbox.write(LOCAL.0, LOCAL.1);
        let script = "import os, socket, sys; socket.sethostname(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])";
        let mut command = sandbox.program("unshare");
        command.args(["--user", "--map-root-user", "--uts", "python3", "-c", script, name]);
        command.args([env!("CARGO_BIN_EXE_safe-test"), "check", "--format", "json"]);
        let found = rules(&Outcome::of(&mut command));
        assert_eq!(found.contains("machine-production"), fires, "{name}: {found:?}");
    }
}

#[test]
fn no_rule_is_forgotten_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verdict/rules");
    let rules: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().replace('_', "-"))
        .filter(|name| name != "mod" && name != "machine-production")
        .collect();
    let here: BTreeSet<String> = PAIRS.iter().map(|(rule, ..)| (*rule).to_owned()).collect();
    assert_eq!(rules, here);
}
