//! Denials stand in the log of the project; where they cannot, they go out all the same.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{INSTEAD, TOUCHING, answer, ask, from_claude, payload, reason, rows};
use crate::support::Sandbox;

fn denials(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.log().into_iter().filter(|entry| entry["event"] == "command-denied").collect()
}

#[test]
fn a_denial_is_written_down_with_who_asked_and_what() {
    let mut sandbox = Sandbox::new();
    ask(&sandbox, &["hook"], from_claude(&sandbox, TOUCHING)).expect_code(0);
    sandbox.set("CLAUDECODE", "1");
    ask(&sandbox, &["hook", "--agent", "cursor"], from_claude(&sandbox, TOUCHING)).expect_code(0);
    let denials = denials(&sandbox);
    let [first, second] = denials.as_slice() else { panic!("{denials:#?}") };
    for (key, expected) in [
        ("agent", json!("claude")),
        ("class", json!("reset")),
        ("words", json!("prisma migrate reset")),
        ("replaced", json!(true)),
    ] {
        assert_eq!(first[key], expected, "{first:#}");
    }
    assert_eq!(first["what"]["command"], json!([TOUCHING]));
    assert_eq!(first["what"]["folder"], sandbox.project().to_str().unwrap());
    assert_eq!(first["who"]["caller"], json!({ "kind": "agent", "name": "claude" }));
    assert_eq!(second["agent"], "cursor");
    assert_eq!(second["who"]["caller"], json!({ "kind": "agent", "name": "claude-code", "by": "CLAUDECODE" }));
    let shown = sandbox.run(&["log"]).expect_code(0).stdout;
    assert!(shown.contains("denied") && shown.contains("prisma migrate reset (reset)"), "{shown}");
    assert!(sandbox.run(&["log", "-v"]).expect_code(0).stdout.contains("told by CLAUDECODE"));
    sandbox.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn passwords_are_the_agents_own_and_are_not_written_down() {
    let sandbox = Sandbox::new();
    let line = "PGPASSWORD=hunter2 psql -h localhost shop -c 'DROP TABLE orders'";
    let told = reason(&ask(&sandbox, &["hook"], from_claude(&sandbox, line)).expect_code(0));
    assert!(told.contains("\nPGPASSWORD=hunter2 safe-test psql -h localhost shop -c 'DROP TABLE orders'\n"), "{told}");
    assert_eq!(denials(&sandbox).len(), 1);
    let log = fs::read_to_string(sandbox.backups().join("audit.log")).unwrap();
    assert!(log.contains("DROP TABLE orders") && !log.contains("hunter2"), "{log}");
}

#[test]
fn a_long_command_is_written_down_in_part() {
    let sandbox = Sandbox::new();
    let line = format!("{TOUCHING} # {}", "x".repeat(50_000));
    ask(&sandbox, &["hook"], from_claude(&sandbox, &line)).expect_code(0);
    let denials = denials(&sandbox);
    let command = denials[0]["what"]["command"][0].as_str().unwrap();
    assert!(command.starts_with(TOUCHING) && command.len() < 5_000, "{} bytes", command.len());
    assert!(command.ends_with(&format!("… ({} bytes)", line.len())), "{}", &command[4_000..]);
    sandbox.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn a_denial_goes_out_where_the_log_cannot_be_written() {
    for row in rows() {
        let sandbox = Sandbox::new();
        sandbox.write("backups", "a file in the place of the folder");
        let arguments = ["hook", "--agent", row["agent"].as_str().unwrap()];
        let outcome = ask(&sandbox, &arguments, payload(&row, &sandbox, TOUCHING));
        assert_eq!(outcome.code(), Some(row["status"].as_i64().unwrap_or(0) as i32), "{outcome:?}");
        assert!(outcome.stdout.contains("was not run") || outcome.stderr.contains("was not run"), "{outcome:?}");
        assert!(outcome.stderr.contains("safe-test: not recorded: "), "{outcome:?}");
    }
}

#[test]
fn a_denial_goes_out_without_a_state_directory() {
    let mut sandbox = Sandbox::new();
    let place = sandbox.write("no-folder", "");
    sandbox.set("XDG_STATE_HOME", place);
    let outcome = ask(&sandbox, &["hook"], from_claude(&sandbox, TOUCHING)).expect_code(0);
    assert!(reason(&outcome).contains(INSTEAD), "{outcome:?}");
}

#[test]
fn a_log_that_somebody_holds_is_not_waited_for_as_long_as_an_agent_waits() {
    let sandbox = Sandbox::new();
    ask(&sandbox, &["hook"], from_claude(&sandbox, TOUCHING)).expect_code(0);
    let held = fs::File::open(sandbox.backups().join("audit.log")).unwrap();
    held.lock().unwrap();
    let started = Instant::now();
    let outcome = ask(&sandbox, &["hook"], from_claude(&sandbox, TOUCHING)).expect_code(0);
    assert!(reason(&outcome).contains(INSTEAD), "{outcome:?}");
    assert!(outcome.stderr.contains("not recorded: ") && outcome.stderr.contains("locked"), "{}", outcome.stderr);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    drop(held);
    assert_eq!(answer(&ask(&sandbox, &["hook"], from_claude(&sandbox, "ls"))), Value::Null);
    assert_eq!(denials(&sandbox).len(), 1);
}

#[test]
fn what_one_project_is_denied_stands_in_that_projects_log() {
    let (here, there) = (Sandbox::new(), Sandbox::new());
    ask(&here, &["hook"], from_claude(&there, TOUCHING)).expect_code(0);
    assert!(!here.backups().exists());
    assert!(there.backups().join("audit.log").exists());
}
