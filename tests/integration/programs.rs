//! What programs read of safe-test's answers, and what a pipe gets of them.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{Outcome, Sandbox, output};

#[track_caller]
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Standard error is one JSON object a line; gives the last one.
#[track_caller]
fn last_event(outcome: &Outcome) -> Value {
    assert!(outcome.stdout.is_empty(), "{}", outcome.stdout);
    outcome.stderr.lines().map(parsed).next_back().expect("an event")
}

#[test]
fn every_way_not_to_run_says_so_in_json_too() {
    let sandbox = Sandbox::with_sqlite();
    let shown = last_event(&sandbox.run(&["--format", "json", "--dry-run", "./suite"]).expect_code(0));
    assert_eq!((&shown["event"], &shown["judgement"]["verdict"]), (&"dry-run".into(), &"safe".into()));
    let row = &shown["plan"][0];
    assert_eq!((&row["target"], &row["saved"], &row["how"]), (&0.into(), &true.into(), &"built-in SQLite".into()));
    assert_eq!(shown["message"], "the command was not run");

    sandbox.write("app_test.db", "this is no database, however long one looks at it");
    let failed = last_event(&sandbox.run(&["--format", "json", "./suite"]).expect_code(121));
    assert_eq!((&failed["event"], &failed["exit"]), (&"failed".into(), &121.into()));
    assert_eq!(failed["message"], "the command was not run");
    assert!(failed["error"].as_str().unwrap().contains("app_test.db"), "{failed}");

    sandbox.write(".env", "DATABASE_URL=postgres://db.northwind-shop.net/shop\n");
    let refused = last_event(&sandbox.run(&["--format", "json", "./suite"]).expect_code(120));
    assert_eq!(
        (&refused["event"], &refused["exit"], &refused["verdict"]),
        (&"refused".into(), &120.into(), &"production".into())
    );
    assert_eq!(refused["message"], "the command was not run");
    assert!(!sandbox.has_run());
}

#[test]
fn a_database_file_is_told_by_its_path_as_well() {
    let sandbox = Sandbox::with_sqlite();
    let judged = parsed(&sandbox.run(&["check", "--format", "json"]).expect_code(0).stdout);
    let target = &judged["targets"][0];
    assert_eq!(target["database"], "./app_test.db");
    assert_eq!(target["path"], sandbox.project().join("app_test.db").to_str().unwrap());
}

#[test]
fn log_verify_names_the_line_for_programs() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    let whole = parsed(&sandbox.run(&["log", "verify", "--format", "json"]).expect_code(0).stdout);
    assert_eq!((&whole["ok"], &whole["lines"], &whole["damage"]), (&true.into(), &3.into(), &Value::Null));
    let log = sandbox.read("backups/audit.log").replacen("\"safe\"", "\"evil\"", 1);
    sandbox.write("backups/audit.log", log);
    let damaged = parsed(&sandbox.run(&["log", "verify", "--format", "json"]).expect_code(125).stdout);
    assert_eq!(
        (&damaged["ok"], &damaged["damage"]["line"], &damaged["damage"]["kind"]),
        (&false.into(), &2.into(), &"edited".into())
    );
}

#[test]
fn verify_says_how_far_it_went() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    for level in ["read", "restore"] {
        let verified = parsed(&sandbox.run(&["verify", "--format", "json", "--level", level]).expect_code(0).stdout);
        assert_eq!(verified["level"], level);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    for arguments in [&["log"][..], &["list"], &["check", "-v"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = sandbox.command();
        command.args(arguments).stdout(writer).stderr(Stdio::piped());
        let output = output(&mut command);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(output.stderr.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_refused_restore_and_a_refused_snapshot_are_in_the_log() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    let before = sandbox.read("backups/audit.log").lines().count();
    sandbox.write(".env", "APP_ENV=production\nDATABASE_URL=sqlite:./app_test.db\n");
    sandbox.run(&["restore", "latest"]).expect_code(120);
    sandbox.run(&["snapshot"]).expect_code(120);
    let log = sandbox.read("backups/audit.log");
    let events: Vec<Value> = log.lines().skip(before).map(parsed).collect();
    let told: Vec<_> = events.iter().map(|event| (&event["event"], &event["what"]["command"][1])).collect();
    assert_eq!(told, [(&"refused".into(), &"restore".into()), (&"refused".into(), &"snapshot".into())]);
}

#[test]
fn a_restore_of_a_bad_snapshot_is_in_the_log() {
    let sandbox = Sandbox::with_sqlite();
    sandbox.guarded().expect_code(0);
    let dump = sandbox.manifests()[0]["file"].as_str().unwrap().to_owned();
    sandbox.write(format!("backups/{dump}"), "cut short");
    sandbox.run(&["restore", "latest"]).expect_code(121);
    let log = sandbox.read("backups/audit.log");
    let last = parsed(log.lines().last().unwrap());
    assert_eq!((&last["event"], &last["snapshots"]), (&"restore".into(), &serde_json::json!([])));
    assert!(!last["failure"].is_null(), "{last}");
}

#[test]
fn nothing_there_is_said() {
    let sandbox = Sandbox::with_sqlite();
    for arguments in [&["list"][..], &["prune"], &["prune", "--dry-run"], &["verify", "--all"]] {
        let stdout = sandbox.run(arguments).expect_code(0).stdout;
        assert!(stdout.starts_with("no snapshots in "), "{arguments:?}: {stdout}");
    }
    for arguments in [&["restore"][..], &["verify"]] {
        let stderr = sandbox.run(arguments).expect_code(125).stderr;
        assert!(stderr.contains("there is no snapshot in ") && stderr.contains("hint: a guarded run"), "{stderr}");
        assert_eq!(stderr.lines().last(), Some("  nothing was changed"));
    }
    let stderr = sandbox.run(&["./"]).expect_code(126).stderr;
    assert!(stderr.contains("hint: ./ is a folder"), "{stderr}");
}
