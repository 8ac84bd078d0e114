//! First the snapshot, then the command, then its outcome in the log; and what `--restore` does after it.

use std::fs;

use crate::support::{Outcome, Sandbox};

/// The events of the log, the first one left out: it only opens it.
fn events(sandbox: &Sandbox) -> Vec<String> {
    sandbox.log()[1..].iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn snapshot_then_command_then_outcome() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.suite("ls backups >seen; cat backups/audit.log >log-seen; exit 7");
    sandbox.guarded().expect_code(7);
    let id = sandbox.ids().remove(0);
    let seen = sandbox.read("seen");
    for file in [format!("{id}.dump"), format!("{id}.json")] {
        assert!(seen.lines().any(|line| line == file), "{seen}");
    }
    let log = sandbox.read("log-seen");
    let started: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(started["event"], "run-started");
    assert_eq!(started["snapshots"][0], id.as_str());
    assert_eq!(started["what"]["command"][0], "./suite");
    assert_eq!(events(&sandbox), ["run-started", "run-finished"]);
    assert_eq!(sandbox.log()[2]["outcome"]["status"], 7);
    assert_eq!(sandbox.log()[1]["run"], sandbox.log()[2]["run"]);
}

#[test]
fn a_signal_and_a_refusal_are_recorded() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.suite("kill -TERM $$");
    assert_eq!(sandbox.guarded().signal(), Some(libc::SIGTERM));
    sandbox.write(".env", "DATABASE_URL=postgres://app@127.0.0.1/shop_prod\n");
    sandbox.guarded().expect_code(120);
    assert_eq!(events(&sandbox), ["run-started", "run-finished", "refused"]);
    assert_eq!(sandbox.log()[2]["outcome"]["signal"], libc::SIGTERM);
    assert_eq!((&sandbox.log()[3]["exit"], &sandbox.log()[3]["verdict"]), (&120.into(), &"production".into()));
}

#[test]
fn a_snapshot_that_fails_is_recorded_with_its_cause() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.write("app_test.db", "this is text, and more than a hundred bytes of it. ".repeat(4));
    sandbox.guarded().expect_code(121);
    assert_eq!(events(&sandbox), ["refused"]);
    let reason = sandbox.log()[1]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("app_test.db") && reason.contains("is not a SQLite database"), "{reason}");
}

#[test]
fn looking_appends_nothing_and_a_dry_run_does_nothing() {
    let sandbox = Sandbox::with_sqlite();
    let outcome = sandbox.run(&["--dry-run", "./suite"]).expect_code(0);
    assert!(outcome.stderr.contains("would be saved"), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().last(), Some("safe-test: dry run: the command was not run"));
    assert!(!sandbox.has_run() && !sandbox.backups().exists());
    sandbox.guarded().expect_code(0);
    let before = fs::read(sandbox.backups().join("audit.log")).unwrap();
    for arguments in
        [&["check"][..], &["list"], &["verify"], &["verify", "--all"], &["log"], &["log", "verify"], &["doctor"]]
    {
        sandbox.run(arguments).expect_code(0);
        sandbox.run(&[arguments, &["--format", "json"]].concat()).expect_code(0);
    }
    assert_eq!(fs::read(sandbox.backups().join("audit.log")).unwrap(), before);
}

/// Runs a suite that changes the database, with `--restore when`; gives what the database then holds.
fn restored(when: &str, ending: &str) -> (Outcome, String) {
    let sandbox = Sandbox::with_sqlite();
    sandbox.suite(&format!("sqlite3 app_test.db 'UPDATE t SET a = 2'; {ending}"));
    let outcome = sandbox.run(&["--restore", when, "./suite"]);
    assert!(sandbox.has_run());
    (outcome, sandbox.sqlite("app_test.db", "SELECT a FROM t"))
}

#[test]
fn restore_after_the_command_keeps_its_status() {
    for (when, status, holds) in [
        ("never", 0, "2"),
        ("never", 3, "2"),
        ("failure", 0, "2"),
        ("failure", 3, "1"),
        ("always", 0, "1"),
        ("always", 3, "1"),
    ] {
        let (outcome, held) = restored(when, &format!("exit {status}"));
        assert_eq!((outcome.code(), held.as_str()), (Some(status), holds), "{when} {status}: {}", outcome.stderr);
    }
    for (when, holds) in [("never", "2"), ("failure", "1"), ("always", "1")] {
        let (outcome, held) = restored(when, "kill -KILL $$");
        assert_eq!((outcome.signal(), held.as_str()), (Some(libc::SIGKILL), holds), "{when}: {}", outcome.stderr);
    }
}

#[test]
fn a_restore_that_fails_is_122_only_after_success() {
    for (status, expected) in [(0, 122), (3, 3)] {
        let (outcome, held) = restored("always", &format!("for f in backups/*.dump; do : >$f; done; exit {status}"));
        assert_eq!((outcome.code(), held.as_str()), (Some(expected), "2"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("its manifest says"), "{}", outcome.stderr);
        let last = outcome.stderr.lines().last().unwrap();
        assert_eq!(last, "  the databases were not put back; `safe-test restore` does it");
    }
}

#[test]
fn a_snapshot_that_a_running_command_needs_is_not_pruned() {
    let sandbox = Sandbox::with_sqlite();
    let safe_test = env!("CARGO_BIN_EXE_safe-test");
    sandbox.suite(&format!(
        "ls backups/*.json >needed
         for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
             sqlite3 app_test.db 'UPDATE t SET a = a + 1' && {safe_test} snapshot || exit 9
         done
         {safe_test} prune"
    ));
    sandbox.guarded().expect_code(0);
    let needed = sandbox.read("needed");
    assert!(sandbox.project().join(needed.trim()).exists(), "{:?}", sandbox.stored());
    assert_eq!(sandbox.ids().len(), 11);
    // Afterwards it goes like any other.
    sandbox.run(&["prune"]).expect_code(0);
    assert_eq!(sandbox.ids().len(), 10);
    assert!(!sandbox.project().join(needed.trim()).exists());
    sandbox.run(&["log", "verify"]).expect_code(0);
}
