//! A safe-test that the command starts itself: what it saves is reached.

use serde_json::Value;

use crate::support::{Outcome, Postgres, Sandbox, wait_for};

/// A project that names a file, and in its folder `inner` another one that names a database of the server.
fn project(database: &str) -> Sandbox {
    let server = Postgres::server();
    server.replace_database(database);
    server.psql(database, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    let sandbox = Sandbox::with_sqlite();
    sandbox.write("inner/.safe-test.toml", "");
    sandbox.write("inner/.env", format!("APP_ENV=testing\nDATABASE_URL={}\n", server.url(database)));
    sandbox
}

/// Runs a script under safe-test that nobody reads beforehand, in the folder `inner`. `ask` asks the database.
fn guarded(sandbox: &Sandbox, database: &str, script: &str) -> Outcome {
    let server = Postgres::server();
    let psql = server.program("psql");
    sandbox.tool("ask", &format!("#!/bin/sh\n'{}' -XAtq -c \"$1\" '{}'\n", psql.display(), server.url(database)));
    sandbox.write("script", format!("cd inner\n{script}"));
    sandbox.tool("unread", "#!/usr/bin/env python3\nimport os\nos.execvp('sh', ['sh', 'script'])\n");
    sandbox.run(&["unread"])
}

fn events(log: &str) -> Vec<String> {
    let entry = |line: &str| serde_json::from_str::<Value>(line).unwrap()["event"].as_str().unwrap().to_owned();
    log.lines().map(entry).collect()
}

#[test]
fn what_only_the_inner_one_saves_is_reached_once_it_is_saved() {
    let database = "within_saved_test";
    let sandbox = project(database);
    let inner = format!("'{}' sh -c 'ask \"DELETE FROM t\"; ask \"SELECT 7\"'", env!("CARGO_BIN_EXE_safe-test"));
    let outcome = guarded(&sandbox, database, &format!("{inner} && ask 'SELECT 8'")).expect_code(0);
    assert_eq!(outcome.stdout, "7\n8\n", "{}", outcome.stderr);
    assert_eq!(events(&sandbox.read("inner/backups/audit.log")), ["opened", "run-started", "run-finished"]);
    let said = "saved by the safe-test within this run";
    let finished = sandbox.log().pop().unwrap();
    assert!(finished["reached"].as_array().unwrap().iter().any(|reached| reached["note"] == said), "{finished}");
    // And it comes back.
    assert_eq!(Postgres::server().psql(database, "SELECT count(*) FROM t"), "0");
    let restore = ["-C", "inner", "restore", "latest"];
    sandbox.run(&restore).expect_code(0);
    assert_eq!(Postgres::server().psql(database, "SELECT count(*) FROM t"), "1");
}

#[test]
fn what_outlives_the_command_reaches_what_the_inner_one_has_saved() {
    let database = "within_outlived_test";
    let sandbox = project(database);
    let daemon = "setsid sh -c 'until [ -e go ] || ! [ -e \"$PWD\" ]; do sleep 0.01; done; \
        { ask \"SELECT 8\"; } >left.out 2>&1; : >left.done' </dev/null >/dev/null 2>&1 &";
    let script = format!("'{}' true || exit\n{daemon}", env!("CARGO_BIN_EXE_safe-test"));
    guarded(&sandbox, database, &script).expect_code(0);
    // By then the outer one is over, and another process watches.
    sandbox.write("inner/go", "");
    wait_for("the daemon", || sandbox.project().join("inner/left.done").exists());
    assert_eq!(sandbox.read("inner/left.out"), "8\n");
}

#[test]
fn an_inner_one_that_outlives_the_command_goes_on_saving() {
    let database = "within_outliving_test";
    let sandbox = project(database);
    // The outer one ends at whatever moment: before the inner one has spoken, while it saves, or after.
    for pause in ["0", "0.1", "0.2", "0.4"] {
        Postgres::server().psql(database, "UPDATE t SET a = a + 1");
        let script = format!(
            "{{ '{}' ask 'SELECT 8' >left.out 2>left.err; echo $? >>left.out; : >left.done; }} </dev/null >/dev/null 2>&1 &\nsleep {pause}",
            env!("CARGO_BIN_EXE_safe-test")
        );
        guarded(&sandbox, database, &script).expect_code(0);
        wait_for("the inner one", || sandbox.project().join("inner/left.done").exists());
        assert_eq!(sandbox.read("inner/left.out"), "8\n0\n", "{pause}: {}", sandbox.read("inner/left.err"));
        std::fs::remove_file(sandbox.project().join("inner/left.done")).unwrap();
    }
}

#[test]
fn subcommands_within_reach_what_they_work_on_and_the_command_what_they_have_saved() {
    let database = "within_subcommands_test";
    let sandbox = project(database);
    sandbox.run(&["-C", "inner", "snapshot"]).expect_code(0);
    let server = Postgres::server();
    let program = env!("CARGO_BIN_EXE_safe-test");
    for (words, opens) in [
        ("snapshot", true),
        ("restore latest --yes", true),
        ("verify latest --level restore", false),
        ("prune", false),
        ("doctor", false),
    ] {
        server.psql(database, "UPDATE t SET a = 5");
        let alone = guarded(&sandbox, database, &format!("'{program}' {words} >../said 2>&1")).expect_code(0);
        assert!(!alone.stderr.contains("refused"), "{words}: {}\n{}", alone.stderr, sandbox.read("said"));
        assert!(!sandbox.read("said").contains("not shown"), "{words}: {}", sandbox.read("said"));
        let then = guarded(&sandbox, database, &format!("'{program}' {words} >../said 2>&1; ask 'SELECT 7'; true"));
        assert_eq!(then.code(), Some(if opens { 0 } else { 120 }), "{words}: {}", then.stderr);
        assert_eq!(then.stdout, if opens { "7\n" } else { "" }, "{words}: {}", then.stderr);
    }
}

#[test]
fn what_it_does_not_save_stays_closed() {
    let database = "within_unsaved_test";
    let sandbox = project(database);
    let other = Postgres::server().url("postgres");
    for (env, why) in [
        // It names another server's port, at which nobody listens; another one's name; and nothing at all.
        ("DATABASE_URL=postgres://127.0.0.1:1/shop_test\n".to_owned(), "not up"),
        (format!("DATABASE_URL={}\n", other.replace("/postgres", "/shop_prod")), "production"),
        ("DATABASE_URL=sqlite::memory:\n".to_owned(), "memory"),
    ] {
        sandbox.write("inner/.env", format!("APP_ENV=testing\n{env}"));
        let inner = format!("'{}' ask 'DELETE FROM t'", env!("CARGO_BIN_EXE_safe-test"));
        let outcome = guarded(&sandbox, database, &format!("{inner}; ask 'DELETE FROM t'; true")).expect_code(120);
        assert!(outcome.stderr.contains("refused: psql"), "{why}: {}", outcome.stderr);
        assert_eq!(Postgres::server().psql(database, "SELECT count(*) FROM t"), "1", "{why}");
    }
}

#[test]
fn while_it_saves_only_it_and_its_tools_reach_the_database() {
    let database = "within_meanwhile_test";
    let sandbox = project(database);
    // Somebody holds the table, so that the dump waits, until we have seen that another program does not get there.
    let (locked, go) = (sandbox.temporary().join("locked"), sandbox.temporary().join("go"));
    let hold = format!(
        "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE;\n\\! : >'{}'; until [ -e '{}' ]; do sleep 0.01; done\nCOMMIT;",
        locked.display(),
        go.display(),
    );
    let holder = std::thread::spawn(move || Postgres::server().psql(database, &hold));
    wait_for("the lock", || locked.exists());
    let script = format!(
        "'{}' true & inner=$!\nuntil ls backups 2>/dev/null | grep -q partial || ! kill -0 $inner; do sleep 0.01; done\n\
         ask 'SELECT 1'; : >'{}'; wait $inner && ask 'SELECT 2'",
        env!("CARGO_BIN_EXE_safe-test"),
        go.display(),
    );
    let outcome = guarded(&sandbox, database, &script);
    holder.join().unwrap();
    let outcome = outcome.expect_code(120);
    assert_eq!(outcome.stdout, "2\n", "{}", outcome.stderr);
}

#[test]
fn a_program_that_claims_to_be_one_gets_nothing() {
    let database = "within_claimed_test";
    let sandbox = project(database);
    let port = Postgres::server().port();
    let claim = sandbox.write(
        "claim.py",
        format!(
            "import json, socket\n\
             for stage in ('Saving', 'Saved'):\n    \
                 word = {{'stage': stage, 'places': [{{'hosts': [['127.0.0.1', {port}]], 'sockets': [], 'ports': [{port}]}}],\n            \
                         'names': {{'found': {{}}}}}}\n    \
                 try:\n        \
                     socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(json.dumps(word).encode(), b'\\0safe-test/within')\n        \
                     print('heard')\n    \
                 except PermissionError:\n        \
                     print('not heard')\n"
        ),
    );
    let script = format!("python3 '{}'; ask 'DELETE FROM t'; true", claim.display());
    let outcome = guarded(&sandbox, database, &script).expect_code(120);
    assert_eq!(outcome.stdout, "not heard\nnot heard\n", "{}", outcome.stderr);
    assert_eq!(Postgres::server().psql(database, "SELECT count(*) FROM t"), "1");
}
