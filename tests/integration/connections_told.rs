//! What a run tells and writes down of the connections that it refuses, and how it ends then.
//!
//! The runs are in a network namespace of their own, out of which nothing leads: an address outside is refused by the
//! guard (`EACCES`), or cannot be reached.

use std::process::Command;

use serde_json::Value;

use crate::support::{Outcome, Sandbox};

/// Runs safe-test where there is no network.
fn run(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    let mut command: Command = sandbox.program("unshare");
    let own = if rustix::process::geteuid().is_root() { "-n" } else { "-rn" };
    Outcome::of(command.arg(own).arg(env!("CARGO_BIN_EXE_safe-test")).args(arguments))
}

/// A project whose suite does what `script` says, in bash, where `dial HOST PORT` connects and says nothing.
fn project(script: &str) -> Sandbox {
    let sandbox = Sandbox::with_sqlite();
    let dial = "dial() { (: >\"/dev/tcp/$1/$2\") 2>/dev/null; }\n";
    crate::support::write_program(&sandbox.project().join("suite"), &format!("#!/bin/bash\n{dial}{script}\n"), 0o755);
    sandbox
}

fn lines_with<'t>(text: &'t str, part: &str) -> Vec<&'t str> {
    text.lines().filter(|line| line.contains(part)).collect()
}

fn events<'l>(log: &'l [Value], event: &str) -> Vec<&'l Value> {
    log.iter().filter(|entry| entry["event"] == event).collect()
}

#[test]
fn a_refused_connection_is_said_at_once_recorded_and_makes_success_a_refusal() {
    let sandbox = project("dial 10.0.0.1 5432; cp backups/audit.log meanwhile; exit 0");
    let outcome = run(&sandbox, &["./suite"]).expect_code(120);
    let told = lines_with(&outcome.stderr, "safe-test: refused: bash (process ");
    assert_eq!(told.len(), 1, "{}", outcome.stderr);
    assert!(told[0].contains(") to 10.0.0.1:5432: "), "{}", outcome.stderr);
    let last = outcome.stderr.lines().last().unwrap();
    assert!(last.contains("the command succeeded, but a connection of it was refused, to 10.0.0.1:5432"), "{last}");

    let log = sandbox.log();
    let refused = events(&log, "connection-refused");
    assert_eq!(refused.len(), 1, "{log:#?}");
    assert_eq!((&refused[0]["address"], &refused[0]["program"]), (&"10.0.0.1:5432".into(), &"bash".into()));
    assert!(refused[0]["why"].as_str().is_some_and(|why| !why.is_empty()), "{}", refused[0]);
    let finished = events(&log, "run-finished")[0];
    assert_eq!((&finished["guard"], &finished["outcome"]["status"]), (&"held".into(), &0.into()));
    assert_eq!(
        (&finished["refused"][0]["address"], &finished["refused"][0]["times"]),
        (&"10.0.0.1:5432".into(), &1.into())
    );
    assert_eq!(
        (&refused[0]["run"], &refused[0]["seq"]),
        (&finished["run"], &(finished["seq"].as_u64().unwrap() - 1).into())
    );
    let shown = sandbox.run(&["log", "-v"]).expect_code(0).stdout;
    assert!(shown.contains("kept from") && shown.contains("bash was kept from 10.0.0.1:5432"), "{shown}");
    sandbox.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn a_command_that_failed_by_itself_keeps_its_status_and_the_last_line_still_tells() {
    for (script, code) in [("dial 10.0.0.1 5432 || exit 3", 3), ("dial 10.0.0.1 5432; exit 1", 1)] {
        let outcome = run(&project(script), &["-q", "./suite"]).expect_code(code);
        let last = outcome.stderr.lines().last().unwrap();
        assert!(last.contains(&format!("the command ended with {code}, and a connection of it was refused")), "{last}");
    }
    let outcome = run(&project("dial 10.0.0.1 5432; kill -TERM $$"), &["./suite"]);
    assert_eq!(outcome.signal(), Some(libc::SIGTERM));
    assert!(outcome.stderr.lines().last().unwrap().contains("was ended by signal 15"), "{}", outcome.stderr);
}

#[test]
fn a_flood_of_refusals_prints_one_line_an_address_and_is_counted() {
    let sandbox =
        project("for i in $(seq 200); do dial 10.0.0.1 5432; done; for i in $(seq 150); do dial 10.0.1.$i 5432; done");
    let outcome = run(&sandbox, &["./suite"]).expect_code(120);
    assert_eq!(lines_with(&outcome.stderr, "to 10.0.0.1:5432: ").len(), 1, "{}", outcome.stderr);
    assert_eq!(lines_with(&outcome.stderr, "safe-test: refused: ").len(), 64, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("but 350 connections of it were refused"), "{}", outcome.stderr);
    let log = sandbox.log();
    assert_eq!(events(&log, "connection-refused").len(), 64);
    let finished = events(&log, "run-finished")[0];
    assert_eq!((&finished["refused"][0]["times"], &finished["refused_besides"]), (&200.into(), &87.into()));
}

#[test]
fn programs_are_told_in_json_line_by_line() {
    let sandbox = project("dial 10.0.0.1 5432; exit 0");
    let outcome = run(&sandbox, &["--format", "json", "./suite"]).expect_code(120);
    let told: Vec<Value> = outcome.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = told.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["run-started", "connection-refused", "run-finished"]);
    assert_eq!((&told[1]["address"], &told[1]["schema"]), (&"10.0.0.1:5432".into(), &1.into()));
    assert!(told[1]["remedy"].is_string(), "{}", told[1]);
    assert_eq!((&told[2]["exit"], &told[2]["guard"]), (&120.into(), &"held".into()));
    assert!(told[2]["message"].as_str().unwrap().contains("refused"), "{}", told[2]);
}

#[test]
fn databases_are_put_back_after_a_run_whose_connections_were_refused() {
    let sandbox = project("sqlite3 app_test.db 'UPDATE t SET a = 2'; dial 10.0.0.1 5432; exit 0");
    run(&sandbox, &["--restore", "failure", "./suite"]).expect_code(120);
    assert_eq!(sandbox.sqlite("app_test.db", "SELECT a FROM t"), "1");
}

#[test]
fn a_run_that_is_not_watched_says_so_and_writes_it_down() {
    let sandbox = project("");
    sandbox.write(".safe-test.toml", "[guard]\nmode = \"off\"\n");
    sandbox.git_init();
    let mut trusted = sandbox.program("unshare");
    let own = if rustix::process::geteuid().is_root() { "-n" } else { "-rn" };
    trusted
        .arg(own)
        .arg(env!("CARGO_BIN_EXE_safe-test"))
        .arg("./suite")
        .env("CI", "true")
        .env("GITHUB_ACTIONS", "true");
    let outcome = Outcome::of(&mut trusted).expect_code(0);
    assert!(outcome.stderr.contains("is not watched: .safe-test.toml says"), "{}", outcome.stderr);
    assert_eq!(events(&sandbox.log(), "run-finished")[0]["guard"], "off");
}
