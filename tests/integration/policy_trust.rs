//! `.safe-test.toml`: what tightens counts at once; what loosens only once a person has approved exactly that text.

use serde_json::Value;

use crate::support::{Judged, Outcome, Sandbox};
use crate::terminal::Terminal;

const POLICY: &str = ".safe-test.toml";

/// A project with a policy and an environment.
fn project(policy: &str, environment: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(POLICY, policy);
    sandbox.write(".env", environment);
    sandbox
}

/// Approves the policy as a person does.
#[track_caller]
fn approve(sandbox: &Sandbox) -> String {
    let mut terminal = Terminal::start(sandbox.command().arg("trust"));
    let said = terminal.read_until("exactly this content:");
    terminal.type_in("trust\n");
    let (rest, ended) = terminal.end();
    assert_eq!(ended, (0, -1), "{said}{rest}");
    said
}

fn verdict(sandbox: &Sandbox) -> String {
    Judged::of(sandbox, &[]).verdict().to_owned()
}

#[test]
fn what_tightens_counts_at_once() {
    let cases = [
        (
            "[production]\nwords = [\"shopmain\"]\n",
            "DATABASE_URL=postgres://localhost/shopmain_test\n",
            "database-name-production",
        ),
        (
            "[production]\nwords = [\"shopmain\"]\n",
            "APP_ENV=shopmain\nDATABASE_URL=postgres://localhost/a\n",
            "environment-production",
        ),
        (
            "[production]\nhosts = [\"*.northwind-shop.test\"]\n",
            "DATABASE_URL=postgres://db.northwind-shop.test/a_test\n",
            "host-production-word",
        ),
        ("[production]\nhosts = [\"postgres\"]\n", "DATABASE_URL=postgres://postgres/a_test\n", "host-production-word"),
        (
            "[production]\ndatabases = [\"ledger\"]\n",
            "DATABASE_URL=postgres://localhost/Ledger\n",
            "database-name-production",
        ),
    ];
    for (policy, environment, rule) in cases {
        let sandbox = project("", environment);
        assert_ne!(verdict(&sandbox), "production", "{environment}");
        sandbox.write(POLICY, policy);
        let judged = Judged::of(&sandbox, &[]);
        assert_eq!(
            (judged.verdict(), judged.rules().contains(&rule)),
            ("production", true),
            "{policy}{:#}",
            judged.json
        );
        let text = sandbox.run(&["check"]).expect_code(120).stdout;
        assert!(text.contains(".safe-test.toml tightens"), "{text}");
    }
}

#[test]
fn the_guards_settings_are_told_where_they_are_in_force() {
    let policy = "[guard]\nmode = \"strict\"\nallow = [\"10.1.2.3:5432\"]\nports = [5555, 5556]\n";
    let sandbox = project(policy, "DATABASE_URL=postgres://localhost/a_test\n");
    let guard = |sandbox: &Sandbox| Judged::of(sandbox, &[]).json["policy"]["guard"].clone();
    assert_eq!(guard(&sandbox), serde_json::json!({ "mode": "strict", "ports": [5555, 5556] }));
    let text = sandbox.run(&["check"]).expect_code(0).stdout;
    for said in [
        ".safe-test.toml tightens: off this machine the command reaches only name servers and what is allowed",
        ".safe-test.toml tightens: 5555, 5556 count as ports of databases",
        ".safe-test.toml:3 is not in force until a person runs `safe-test trust`: guard.allow = [\"10.1.2.3:5432\"]",
    ] {
        assert!(text.contains(said), "{text}");
    }
    sandbox.write(POLICY, "[guard]\nmode = \"off\"\n");
    assert_eq!(guard(&sandbox)["mode"], "databases");
    approve(&sandbox);
    assert_eq!(guard(&sandbox)["mode"], "off");
}

#[test]
fn what_loosens_counts_once_a_person_approves_it() {
    // A policy, an environment, and the verdicts before and after.
    let cases = [
        (
            "[allow]\nhosts = [\"ci-db.internal:5432\"]\n",
            "DATABASE_URL=postgres://ci-db.internal/a_test\n",
            "production",
            "safe",
        ),
        (
            "[allow]\nhosts = [\"ci-db.internal:5433\"]\n",
            "DATABASE_URL=postgres://ci-db.internal/a_test\n",
            "production",
            "production",
        ),
        (
            "[allow]\nhosts = [\"ci-db.internal:5432\"]\n",
            "DATABASE_URL=postgres://ci-db.internal/shop_prod\n",
            "production",
            "production",
        ),
        (
            "[allow]\ndatabases = [\"live_lessons\"]\n",
            "DATABASE_URL=postgres://localhost/live_lessons\n",
            "production",
            "safe",
        ),
        (
            "[allow]\ndatabases = [\"live_lessons\"]\n",
            "DATABASE_URL=postgres://localhost/live_lessons2\n",
            "production",
            "production",
        ),
        ("[allow]\nno_database = true\n", "MAIL_HOST=localhost\n", "unverified", "safe"),
        ("[allow]\nno_database = true\n", "DATABASE_URL=postgres://warehouse/shop\n", "unverified", "unverified"),
        (
            "[allow]\nenvironments = [\"NODE_ENV=production\"]\n",
            "NODE_ENV=production\nDATABASE_URL=postgres://localhost/a_test\n",
            "production",
            "safe",
        ),
        (
            "[allow]\nenvironments = [\"NODE_ENV=production\"]\n",
            "NODE_ENV=production\nDATABASE_URL=postgres://localhost/shop\n",
            "production",
            "production",
        ),
        (
            "[allow]\nenvironments = [\"NODE_ENV=production\"]\n",
            "NODE_ENV=production\nDATABASE_URL=postgres://db.shop.net/a_test\n",
            "production",
            "production",
        ),
        (
            "[environment]\nfiles = [\".env.testing\"]\n",
            "DATABASE_URL=postgres://db.shop.net/shop\n",
            "production",
            "safe",
        ),
    ];
    for (policy, environment, before, after) in cases {
        let sandbox = project(policy, environment);
        sandbox.write(".env.testing", "DATABASE_URL=postgres://localhost/a_test\n");
        if !policy.contains("files") {
            std::fs::remove_file(sandbox.project().join(".env.testing")).unwrap();
        }
        assert_eq!(verdict(&sandbox), before, "{policy}{environment}");
        let text = sandbox.run(&["check"]).stdout;
        assert!(text.contains(".safe-test.toml:2 is not in force until a person runs `safe-test trust`"), "{text}");
        let said = approve(&sandbox);
        assert!(said.contains("line 2: "), "{said}");
        assert_eq!(verdict(&sandbox), after, "{policy}{environment}");
        let text = sandbox.run(&["check"]).stdout;
        assert!(text.contains(".safe-test.toml:2 loosens (approved)"), "{text}");
    }
}

#[test]
fn a_platform_is_allowed_only_with_test_databases_on_this_machine() {
    for (database, after) in [("a_test", "safe"), ("shop", "production")] {
        let mut sandbox =
            project("[allow]\nplatforms = [\"DYNO\"]\n", &format!("DATABASE_URL=postgres://localhost/{database}\n"));
        sandbox.set("DYNO", "run.1");
        assert_eq!(verdict(&sandbox), "production");
        approve(&sandbox);
        assert_eq!(verdict(&sandbox), after, "{database}");
    }
}

#[test]
fn any_edit_voids_an_approval_and_the_old_text_has_it_again() {
    let policy = "[allow]\ndatabases = [\"live_lessons\"]\n";
    let sandbox = project(policy, "DATABASE_URL=postgres://localhost/live_lessons\n");
    approve(&sandbox);
    assert_eq!(verdict(&sandbox), "safe");
    for edited in
        [format!("{policy}\n"), format!("# mine\n{policy}"), policy.replace("live_lessons", "live_lessons\", \"x")]
    {
        sandbox.write(POLICY, edited);
        assert_eq!(verdict(&sandbox), "production");
    }
    sandbox.write(POLICY, policy);
    assert_eq!(verdict(&sandbox), "safe");
}

#[test]
fn an_approval_is_of_one_projects_policy() {
    let policy = "[allow]\ndatabases = [\"live_lessons\"]\n";
    let sandbox = project(policy, "DATABASE_URL=postgres://localhost/live_lessons\n");
    approve(&sandbox);
    sandbox.write("other/.safe-test.toml", policy);
    sandbox.write("other/.env", "DATABASE_URL=postgres://localhost/live_lessons\n");
    let judged = Judged::with(&sandbox, &["-C", "other", "check", "--format", "json"]);
    assert_eq!(judged.verdict(), "production");
}

#[test]
fn only_a_person_at_a_terminal_approves() {
    let policy = "[allow]\nno_database = true\n";
    for (name, value) in [("CLAUDECODE", "1"), ("CI", "true"), ("GITHUB_RUN_ID", "7"), ("PRE_COMMIT", "1")] {
        let sandbox = project(policy, "");
        let mut command = sandbox.command();
        if name == "GITHUB_RUN_ID" {
            command.env("GITHUB_ACTIONS", "true");
        }
        let (said, ended) = Terminal::start(command.arg("trust").env(name, value)).end();
        assert_eq!(ended, (125, -1), "{name} {said}");
        assert_eq!(verdict(&sandbox), "unverified", "{name}");
    }
    let sandbox = project(policy, "");
    let script = format!("yes trust | '{}' trust", env!("CARGO_BIN_EXE_safe-test"));
    Outcome::of(sandbox.program("sh").args(["-c", &script])).expect_code(125);
    sandbox.run(&["trust"]).expect_code(125);
    assert_eq!(verdict(&sandbox), "unverified");
}

#[test]
fn anything_but_the_word_approves_nothing() {
    for typed in ["yes\n", "\n", "TRUST\n", "\x04\n"] {
        let sandbox = project("[allow]\nno_database = true\n", "");
        let mut terminal = Terminal::start(sandbox.command().arg("trust"));
        terminal.read_until("exactly this content:");
        terminal.type_in(typed);
        assert_eq!(terminal.end().1, (125, -1), "{typed:?}");
        assert_eq!(verdict(&sandbox), "unverified", "{typed:?}");
    }
}

#[test]
fn a_ci_job_takes_the_committed_policy_and_no_other() {
    let mut sandbox = project("[allow]\nno_database = true\n", "");
    sandbox.git_init();
    sandbox.set("CI", "true");
    assert_eq!(verdict(&sandbox), "unverified", "bare CI proves nothing");
    for (provider, run) in [("GITHUB_ACTIONS", "GITHUB_RUN_ID"), ("GITLAB_CI", "CI_JOB_ID")] {
        let mut command = sandbox.command();
        let outcome = Outcome::of(command.args(["check", "--format", "json"]).env(provider, "true").env(run, "71"));
        let json: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!((&json["verdict"], &json["policy"]["trust"]), (&"safe".into(), &"reviewed".into()), "{provider}");
    }
    sandbox.set("GITHUB_ACTIONS", "true").set("GITHUB_RUN_ID", "71");
    assert_eq!(verdict(&sandbox), "safe");
    let agent = Outcome::of(sandbox.command().arg("check").env("CODEX_CI", "1"));
    assert_eq!(agent.code(), Some(120), "an agent in CI: {}", agent.stdout);
    sandbox.write(POLICY, "[allow]\nno_database = true\n# and more\n");
    assert_eq!(verdict(&sandbox), "unverified", "edited after the checkout");
}

#[test]
fn a_git_in_a_relative_folder_of_the_path_is_not_run() {
    let mut sandbox = Sandbox::new();
    sandbox.write(POLICY, "[allow]\nno_database = true\n");
    sandbox.git_init();
    sandbox.set("GITHUB_ACTIONS", "true").set("GITHUB_RUN_ID", "71");
    // One that says what the policy wants to hear, as a cloned repository could bring it along.
    let obedient = sandbox.tool("git", &format!("#!/bin/sh\n: >\"$HOME/ran\"\nexec cat '{POLICY}'\n"));
    let inside = sandbox.project().join("bin");
    std::fs::create_dir(&inside).unwrap();
    std::fs::rename(obedient, inside.join("git")).unwrap();
    sandbox.write(POLICY, "[allow]\nno_database = true\n# and more\n");
    for (path, expected) in [("bin:.:/usr/bin:/bin".to_owned(), "unverified"), ("bin:".to_owned(), "unverified")] {
        sandbox.set("PATH", &path);
        assert_eq!(verdict(&sandbox), expected, "{path}");
        assert!(!sandbox.home().join("ran").exists(), "{path}");
    }
}

#[test]
fn a_policy_below_the_top_of_the_repository_is_the_commits_too() {
    let mut sandbox = Sandbox::new();
    sandbox.write("services/shop/.safe-test.toml", "[allow]\nno_database = true\n");
    sandbox.git_init();
    sandbox.set("GITHUB_ACTIONS", "true").set("GITHUB_RUN_ID", "71");
    let arguments = ["-C", "services/shop", "check", "--format", "json"];
    assert_eq!(Judged::with(&sandbox, &arguments).verdict(), "safe");
    sandbox.write("services/shop/.safe-test.toml", "[allow]\nno_database = true\nhosts = [\"db.shop.net:5432\"]\n");
    assert_eq!(Judged::with(&sandbox, &arguments).verdict(), "unverified");
}

#[test]
fn a_broken_policy_runs_nothing_and_is_named_with_its_line() {
    let cases = [
        ("[prodution]\nwords = []\n", ":1: unknown key `prodution`", "did you mean `production`?"),
        ("[production]\n\nword = [\"x\"]\n", ":3: unknown key `word` in [production]", "did you mean `words`?"),
        ("[allow]\nhost = [\"a:1\"]\n", ":2: unknown key `host` in [allow]", "did you mean `hosts`?"),
        ("[snapshots]\nkeep = 3\n", ":2: unknown key `keep` in [snapshots]", "did you mean `keep_last`?"),
        (
            "[[snapshots.external]]\ntarget = \"x\"\nwho = \"y\"\n",
            ":3: unknown key `who` in [snapshots.external]",
            "knows `target`, `how`",
        ),
        ("[allow]\nhosts = [\"*:5432\"]\n", ":2: `allow.hosts` takes a list of exact `host:port` pairs", "every key"),
        (
            "[allow]\nhosts = [\"db.shop.net\"]\n",
            ":2: `allow.hosts` takes a list of exact `host:port` pairs",
            "every key",
        ),
        ("[allow]\nno_database = \"yes\"\n", ":2: `allow.no_database` takes true or false", "every key"),
        ("[snapshots]\nkeep_last = 0\n", ":2: `snapshots.keep_last` takes a whole number", "every key"),
        ("[run]\nrestore = \"sometimes\"\n", ":2: `run.restore` takes", "every key"),
        ("[production]\nwords = [\"x\"\nhosts = []\n", ":3: ", "correct the file"),
        ("hosts = [\"a:1\"]\n", ":1: unknown key `hosts`", "below the header of its table"),
        ("[guards]\nmode = \"strict\"\n", ":1: unknown key `guards`", "did you mean `guard`?"),
        ("[notify]\non = \"failure\"\n", ":1: unknown key `notify`", "`environment`, `production`, `allow`"),
        ("[guard]\nmode = \"on\"\n", ":2: `guard.mode` takes \"databases\", \"strict\" or \"off\"", "every key"),
        ("[guard]\nports = [0]\n", ":2: `guard.ports` takes a list of ports between 1 and 65535", "every key"),
        ("[snapshots]\nkeep_last = 3\nkeep_last = 4\n", ":3: ", "correct the file"),
        ("allow = 3\n", ":1: `allow` takes a table", "every key"),
    ];
    for (policy, message, hint) in cases {
        let sandbox = project(policy, "DATABASE_URL=sqlite::memory:\n");
        sandbox.recording_tool("tests", "exit 0");
        for arguments in [&["check"][..], &["tests"]] {
            let outcome = sandbox.run(arguments).expect_code(125);
            assert!(outcome.stderr.contains(&format!("{POLICY}{message}")), "{policy}{}", outcome.stderr);
            assert!(outcome.stderr.contains(hint), "{policy}{}", outcome.stderr);
        }
        assert!(sandbox.calls("tests").is_empty(), "{policy}");
    }
}

#[test]
fn what_a_policy_silences_stays_as_a_note() {
    let cases = [
        (
            "[allow]\ndatabases = [\"live_lessons\"]\n",
            "DATABASE_URL=postgres://localhost/live_lessons\n",
            "database-name-production",
        ),
        (
            "[allow]\nenvironments = [\"APP_ENV=production\"]\n",
            "APP_ENV=production\nDATABASE_URL=postgres://localhost/a_test\n",
            "environment-production",
        ),
        ("[allow]\nhosts = [\"10.1.2.3:5432\"]\n", "DATABASE_URL=postgres://10.1.2.3/a_test\n", "host-remote"),
        (
            "[allow]\nhosts = [\"x.c1.eu-west-1.rds.amazonaws.com:5432\"]\n",
            "DATABASE_URL=postgres://x.c1.eu-west-1.rds.amazonaws.com/a_test\n",
            "host-managed",
        ),
        ("[allow]\nno_database = true\n", "", "no-database"),
    ];
    for (policy, environment, rule) in cases {
        let sandbox = project(policy, environment);
        approve(&sandbox);
        let judged = Judged::of(&sandbox, &[]);
        assert_eq!(judged.verdict(), "safe", "{policy} {:#}", judged.json);
        let note = judged.finding(rule);
        assert_eq!(note["level"], "note", "{note:#}");
        assert!(note["message"].as_str().unwrap().contains("policy"), "{note:#}");
    }
}

#[test]
fn nothing_silences_the_mark_of_a_production_machine_or_a_word_in_the_host() {
    let policy = "[allow]\nhosts = [\"db.prod.shop.net:5432\"]\n";
    let sandbox = project(policy, "DATABASE_URL=postgres://db.prod.shop.net/a_test\n");
    approve(&sandbox);
    let judged = Judged::of(&sandbox, &[]);
    assert_eq!((judged.verdict(), judged.rules()), ("production", vec!["host-production-word"]));
}

#[test]
fn environment_files_replace_what_would_be_found() {
    let sandbox = project(
        "[environment]\nfiles = [\"config/test.env\", \"config/more.env\"]\n",
        "DATABASE_URL=postgres://db.shop.net/shop\n",
    );
    sandbox.write("config/test.env", "DATABASE_URL=sqlite:first.db\n");
    sandbox.write("config/more.env", "OTHER_URL=sqlite:second.db\n");
    approve(&sandbox);
    for command in [&[][..], &["npm", "test"]] {
        let judged = Judged::of(&sandbox, command);
        assert_eq!(judged.verdict(), "safe", "{:#}", judged.json);
        assert_eq!(judged.origins(), ["config/more.env:1", "config/test.env:1"]);
    }
    let shell = Outcome::of(sandbox.command().arg("check").env("DATABASE_URL", "postgres://db.shop.net/shop"));
    assert_eq!(shell.code(), Some(120), "the process environment counts whatever files are named: {}", shell.stdout);
}

/// A project with a SQLite database that the command deletes from.
fn with_database(policy: &str) -> Sandbox {
    let sandbox = project(policy, "DATABASE_URL=sqlite:shop_test.db\n");
    rows(&sandbox, "CREATE TABLE orders(id); INSERT INTO orders VALUES (1), (2), (3);");
    sandbox
}

fn rows(sandbox: &Sandbox, sql: &str) -> i64 {
    let connection = rusqlite::Connection::open(sandbox.project().join("shop_test.db")).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.query_row("SELECT count(*) FROM orders", [], |row| row.get(0)).unwrap()
}

fn snapshots(sandbox: &Sandbox, folder: &str) -> usize {
    let names = std::fs::read_dir(sandbox.project().join(folder)).into_iter().flatten().flatten();
    names.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "json")).count()
}

#[test]
fn snapshots_go_where_the_policy_says() {
    let sandbox = with_database("[snapshots]\ndirectory = \"var/saved\"\n");
    sandbox.run(&["true"]).expect_code(0);
    assert_eq!((snapshots(&sandbox, "var/saved"), snapshots(&sandbox, "backups")), (1, 0));
    let outside = sandbox.project().parent().unwrap().join("elsewhere");
    let sandbox = with_database(&format!("[snapshots]\ndirectory = \"{}\"\n", outside.display()));
    sandbox.run(&["true"]).expect_code(0);
    assert_eq!(snapshots(&sandbox, "backups"), 1, "outside the project needs approval");
}

#[test]
fn fewer_snapshots_are_kept_only_with_approval() {
    for (keep, approved, left) in [(12, false, 12), (2, false, 10), (2, true, 2)] {
        let sandbox = with_database(&format!("[snapshots]\nkeep_last = {keep}\n"));
        if approved {
            approve(&sandbox);
        }
        for run in 0..13 {
            rows(&sandbox, &format!("INSERT INTO orders VALUES ({run})"));
            sandbox.run(&["true"]).expect_code(0);
        }
        assert_eq!(snapshots(&sandbox, "backups"), left, "{keep} {approved}");
    }
}

#[test]
fn a_database_is_skipped_or_left_to_others_only_with_approval() {
    let cases = [
        ("[snapshots]\nskip = [\"mongodb://localhost:27017/shop\"]\n", "MONGODB_URI=mongodb://localhost:27017/shop\n"),
        (
            "[[snapshots.external]]\ntarget = \"mysql://localhost:3306/shop\"\nhow = \"the hourly dump of db1\"\n",
            "DATABASE_URL=mysql://localhost:3306/shop\n",
        ),
        (
            "[[snapshots.external]]\ntarget = \"sqlserver://localhost:1433/shop\"\nhow = \"nightly\"\n",
            "DATABASE_URL=sqlserver://localhost:1433/shop\n",
        ),
    ];
    for (policy, environment) in cases {
        let sandbox = project(policy, environment);
        sandbox.recording_tool("tests", "exit 0");
        if !policy.contains("mongodb") && !policy.contains("mysql") {
            sandbox.run(&["tests"]).expect_code(121);
            assert!(sandbox.calls("tests").is_empty());
        }
        approve(&sandbox);
        let outcome = sandbox.run(&["tests"]).expect_code(0);
        assert!(outcome.stderr.contains("not saved"), "{}", outcome.stderr);
        assert_eq!(sandbox.calls("tests"), [""]);
        let log = sandbox.read("backups/audit.log");
        assert!(log.contains("not saved"), "{log}");
    }
}

#[test]
fn a_remote_database_is_never_skipped() {
    let policy = "[allow]\nhosts = [\"ci-db.internal:1433\"]\n[snapshots]\nskip = [\"sqlserver://ci-db.internal:1433/a_test\"]\n";
    let sandbox = project(policy, "DATABASE_URL=sqlserver://ci-db.internal:1433/a_test\n");
    approve(&sandbox);
    assert_eq!(verdict(&sandbox), "safe");
    sandbox.run(&["true"]).expect_code(121);
}

#[test]
fn the_policy_puts_databases_back_after_a_run() {
    for (when, status, left) in [("always", 0, 3), ("failure", 0, 0), ("failure", 1, 3), ("never", 1, 0)] {
        let sandbox = with_database(&format!("[run]\nrestore = \"{when}\"\n"));
        let script = format!("sqlite3 shop_test.db 'DELETE FROM orders'; exit {status}");
        sandbox.run(&["sh", "-c", &script]).expect_code(status);
        assert_eq!(rows(&sandbox, ""), left, "{when} {status}");
    }
}

#[test]
fn the_log_says_which_policy_was_in_force() {
    let sandbox = with_database("[allow]\ndatabases = [\"live_lessons\"]\n");
    sandbox.run(&["true"]).expect_code(0);
    let before = sandbox.read("backups/audit.log");
    assert!(before.contains("\"trusted\":false"), "{before}");
    approve(&sandbox);
    sandbox.run(&["true"]).expect_code(0);
    let log = sandbox.read("backups/audit.log");
    assert!(log[before.len()..].contains("\"trusted\":true"), "{log}");
}
