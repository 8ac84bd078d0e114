//! Who is asked, what has to be typed, and that rephrasing a refused command changes nothing.

use std::process::Command;

use serde_json::Value;

use crate::support::{Outcome, Sandbox};
use crate::terminal::Terminal;

/// A project whose database cannot be shown to be local, and a command that leaves a mark.
fn unverified() -> Sandbox {
    let sandbox = Sandbox::new();
    // A cache beside a database that is not there yet, so that a run that is let through needs no server to be saved.
    sandbox.write(".env", "REDIS_URL=redis://warehouse:6379/7\nDATABASE_URL=sqlite:shop.db\n");
    sandbox.write("Cargo.toml", "[package]\nname = \"shop\"\n");
    sandbox.recording_tool("tests", "exit 3");
    sandbox
}

fn guarded(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.command();
    command.arg("tests");
    command
}

fn log(sandbox: &Sandbox) -> Vec<Value> {
    let text = std::fs::read_to_string(sandbox.project().join("backups/audit.log")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The entries of one kind.
fn entries(sandbox: &Sandbox, event: &str) -> Vec<Value> {
    log(sandbox).into_iter().filter(|entry| entry.to_string().contains(event)).collect()
}

#[test]
fn a_person_who_types_the_databases_name_goes_on() {
    let sandbox = unverified();
    let mut terminal = Terminal::start(&mut guarded(&sandbox));
    let said = terminal.read_until("type the name 7:");
    for part in ["not shown to be safe", "warehouse", "host-unknown", ".env:1", "what to do"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    terminal.type_in("7\n");
    assert_eq!(terminal.end().1, (3, -1));
    assert_eq!(sandbox.calls("tests"), [""]);
    let answers = entries(&sandbox, "\"answer\"");
    assert_eq!(answers.len(), 1, "{:#?}", log(&sandbox));
    assert!(answers[0].to_string().contains("\"permitted\":true"), "{}", answers[0]);
    let started = entries(&sandbox, "\"run-started\"");
    assert_eq!(started[0]["consent"], serde_json::json!(["7"]), "{}", started[0]);
    let shown = sandbox.run(&["log"]).expect_code(0).stdout;
    assert!(shown.contains("unverified, vouched for by typing 7"), "{shown}");
    let verbose = sandbox.run(&["log", "-v"]).expect_code(0).stdout;
    assert!(
        verbose.contains("    redis database `7` on warehouse:6379 (unknown): unverified, from REDIS_URL (.env:1)"),
        "{verbose}"
    );
    assert!(verbose.contains("    unverified host-unknown: "), "{verbose}");
}

#[test]
fn a_password_that_is_typed_by_mistake_is_not_kept() {
    let sandbox = unverified();
    sandbox.write(".env", "REDIS_URL=redis://:t0psecret@warehouse:6379/7\nDATABASE_URL=sqlite:shop.db\n");
    let mut terminal = Terminal::start(&mut guarded(&sandbox));
    terminal.read_until("type the name 7:");
    terminal.type_in("t0psecret\n");
    assert_eq!(terminal.end().1, (120, -1));
    let answers = entries(&sandbox, "\"answer\"");
    assert_eq!(answers[0]["answer"], "***", "{:#?}", log(&sandbox));
    assert!(!sandbox.read("backups/audit.log").contains("t0psecret"));
}

#[test]
fn a_wrong_name_nothing_or_the_end_of_input_is_a_refusal() {
    for typed in ["8\n", "\n", "yes\n", "7 7\n", "\x04\n"] {
        let sandbox = unverified();
        let mut terminal = Terminal::start(&mut guarded(&sandbox));
        terminal.read_until("type the name 7:");
        terminal.type_in(typed);
        let (said, ended) = terminal.end();
        assert_eq!(ended, (120, -1), "{typed:?} {said}");
        assert!(said.trim_end().ends_with("the command was not run"), "{typed:?} {said}");
        assert!(sandbox.calls("tests").is_empty(), "{typed:?}");
        let answers = entries(&sandbox, "\"answer\"");
        assert!(answers[0].to_string().contains("\"permitted\":false"), "{typed:?} {answers:#?}");
        assert_eq!(entries(&sandbox, "\"refused\"").len(), 1, "{typed:?} {:#?}", log(&sandbox));
    }
}

#[test]
fn ctrl_c_at_the_question_ends_by_the_signal_and_leaves_the_terminal_as_it_was() {
    let sandbox = unverified();
    let mut shell = Terminal::shell_in(&sandbox);
    shell.type_in(&format!("{} tests\n", env!("CARGO_BIN_EXE_safe-test")));
    shell.read_until("type the name 7:");
    shell.type_in("\x03");
    shell.read_until("the command was not run");
    shell.read_until("READY>");
    shell.type_in("echo \"status $?\"; stty -a | tr ' ;' '\\n\\n' | grep -cxE 'icanon|echo|isig|icrnl'; exit\n");
    let said = shell.read_until("status 130");
    assert!(!said.contains("\x1b[?25l"), "{said:?}");
    let (said, _) = shell.end();
    assert!(said.contains("\n4\n"), "{said:?}");
    assert!(sandbox.calls("tests").is_empty());
    assert_eq!(entries(&sandbox, "\"refused\"").len(), 1, "{:#?}", log(&sandbox));
}

#[test]
fn a_request_to_end_at_the_question_is_heeded() {
    let sandbox = unverified();
    let mut terminal = Terminal::start(&mut guarded(&sandbox));
    terminal.read_until("type the name 7:");
    terminal.kill(libc::SIGTERM);
    assert_eq!(terminal.end().1, (-1, libc::SIGTERM));
    assert!(sandbox.calls("tests").is_empty());
}

#[test]
fn agents_hooks_and_ci_at_a_terminal_are_not_asked() {
    for (name, value) in
        [("CLAUDECODE", "1"), ("AI_AGENT", "any"), ("CI", "true"), ("GITHUB_ACTIONS", "true"), ("PRE_COMMIT", "1")]
    {
        let sandbox = unverified();
        let mut command = guarded(&sandbox);
        let terminal = Terminal::start(command.env(name, value));
        let (said, ended) = terminal.end();
        assert_eq!(ended, (120, -1), "{name}: {said}");
        assert!(!said.contains("type the name") && said.contains("what to do"), "{name}: {said}");
        assert!(sandbox.calls("tests").is_empty(), "{name}");
    }
}

#[test]
fn a_pipe_is_not_asked_and_what_it_holds_answers_nothing() {
    let sandbox = unverified();
    let script = format!("printf '7\\n7\\n' | '{}' tests", env!("CARGO_BIN_EXE_safe-test"));
    let outcome = Outcome::of(sandbox.program("sh").args(["-c", &script])).expect_code(120);
    assert!(outcome.stderr.trim_end().ends_with("the command was not run"), "{}", outcome.stderr);
    assert!(outcome.stdout.is_empty() && sandbox.calls("tests").is_empty());
}

#[test]
fn production_is_never_asked_about() {
    let sandbox = unverified();
    sandbox.write(".env", "REDIS_URL=redis://warehouse:6379/7\nAPP_ENV=production\n");
    let (said, ended) = Terminal::start(&mut guarded(&sandbox)).end();
    assert_eq!(ended, (120, -1));
    assert!(!said.contains("type the name") && said.contains("environment-production"), "{said}");
    assert!(sandbox.calls("tests").is_empty());
}

#[test]
fn the_projects_folder_is_asked_for_where_there_is_no_database() {
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.toml", "[package]\nname = \"shop\"\n[dependencies]\nsnowflake-api = \"0.8\"\n");
    sandbox.recording_tool("tests", "exit 0");
    let mut terminal = Terminal::start(&mut guarded(&sandbox));
    let said = terminal.read_until("type the name project:");
    assert!(said.contains("Cargo.toml:4"), "{said}");
    assert!(said.contains("the guard does not help: `snowflake-api` (Cargo.toml:4) reaches data by HTTPS"), "{said}");
    terminal.type_in("project\n");
    assert_eq!(terminal.end().1, (0, -1));
    assert_eq!(sandbox.calls("tests"), [""]);
}

#[test]
fn json_and_dry_runs_ask_nothing() {
    for option in [&["--format", "json"][..], &["--dry-run"]] {
        let sandbox = unverified();
        let (said, ended) = Terminal::start(sandbox.command().args(option).arg("tests")).end();
        assert_eq!(ended, (120, -1), "{said}");
        assert!(!said.contains("type the name"), "{said}");
    }
}

#[test]
fn rephrasing_changes_nothing_and_the_log_shows_the_series() {
    let sandbox = Sandbox::new();
    sandbox.write(".env", "DATABASE_URL=postgres://app@db.northwind-shop.net/shop\n");
    sandbox.write("package.json", "{\"scripts\": {\"test\": \"tests --all\"}, \"dependencies\": {\"pg\": \"8\"}}");
    let tests = sandbox.recording_tool("tests", "exit 0");
    sandbox.tool("npm", "#!/bin/sh\nexec tests --all\n");
    let tests = tests.to_str().unwrap();
    let phrasings: [&[&str]; 12] = [
        &["tests"],
        &["env", "NODE_ENV=test", "tests"],
        &["env", "DB_SAFE=1", "FORCE=1", "tests"],
        &["sh", "-c", "tests --all"],
        &["bash", "-c", "NODE_ENV=test exec tests"],
        &["npm", "test"],
        &["npm", "run", "test", "--", "--force"],
        &[tests],
        &["xargs", "tests"],
        &["timeout", "60", "tests"],
        &["nice", "-n", "5", "tests"],
        &["sh", "-c", "cd . && env -u CLAUDECODE tests"],
    ];
    let mut reasons = Vec::new();
    for phrasing in phrasings {
        let outcome = Outcome::of(sandbox.command().args(phrasing).env("CLAUDECODE", "1"));
        assert_eq!(outcome.code(), Some(120), "{phrasing:?}\n{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("host-remote") && outcome.stderr.contains("db.northwind-shop.net"),
            "{phrasing:?}"
        );
        reasons.push(outcome.stderr);
    }
    assert!(reasons.iter().all(|said| *said == reasons[0]), "{reasons:#?}");
    assert!(sandbox.calls("tests").is_empty());
    let refusals = entries(&sandbox, "\"refused\"");
    assert_eq!(refusals.len(), phrasings.len());
    assert!(refusals.iter().all(|entry| entry.to_string().contains("claude-code")));
    sandbox.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn who_vouches_for_a_restore_is_asked_and_written_down_too() {
    for (typed, expected) in [("project\n", 0), ("no\n", 120)] {
        let mut sandbox = Sandbox::with_sqlite();
        Outcome::of(sandbox.command().arg("snapshot")).expect_code(0);
        sandbox.sqlite("app_test.db", "DELETE FROM t");
        sandbox.set("DISABLE_DATABASE_ENVIRONMENT_CHECK", "1");
        let mut terminal = Terminal::start(sandbox.command().args(["restore", "--yes"]));
        terminal.read_until("type the name project:");
        terminal.type_in(typed);
        let (said, ended) = terminal.end();
        assert_eq!(ended, (expected, -1), "{said}");
        assert_eq!(said.contains("is back as of"), expected == 0, "{said}");
        let answers = entries(&sandbox, "\"answer\"");
        assert_eq!(answers.len(), 1, "{:#?}", log(&sandbox));
        assert!(answers[0].to_string().contains(&format!("\"permitted\":{}", expected == 0)), "{}", answers[0]);
        let started = entries(&sandbox, "\"restore-started\"");
        let consents: Vec<_> = started.iter().map(|entry| entry["consent"].to_string()).collect();
        assert_eq!(consents, if expected == 0 { vec!["[\"project\"]"] } else { vec![] });
    }
}
