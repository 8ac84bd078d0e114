//! What a run tells and writes down of the connections that it refuses, and how it ends then.
//!
//! The runs are in a network namespace of their own, out of which nothing leads: an address outside is refused by the
//! guard (`EACCES`), or cannot be reached.

use std::process::Command;

use serde_json::Value;

use crate::support::{Outcome, Postgres, Sandbox};

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
    let sandbox = project(
        "for i in $(seq 200); do dial 10.0.0.1 5432; done; for i in $(seq 150); do dial 10.0.1.$i 5432; done; exit 0",
    );
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
    trusted.arg(own).arg(env!("CARGO_BIN_EXE_safe-test")).arg("./suite").env("CI", "true").env("GITHUB_RUN_ID", "7");
    let outcome = Outcome::of(&mut trusted).expect_code(0);
    assert!(outcome.stderr.contains("is not watched: .safe-test.toml says"), "{}", outcome.stderr);
    assert_eq!(events(&sandbox.log(), "run-finished")[0]["guard"], "off");
}

#[test]
fn what_was_reached_is_recorded_by_program_and_told_by_the_next_check() {
    let database = "reached_test";
    let sandbox = Sandbox::with_postgres(database);
    let url = Postgres::server().url(database);
    sandbox.suite(&format!("psql -X -q -c 'UPDATE t SET a = 2' '{url}'"));
    sandbox.run(&["./suite"]).expect_code(0);
    let log = sandbox.log();
    let finished = events(&log, "run-finished")[0];
    let reached = finished["reached"].as_array().unwrap();
    assert_eq!(reached.len(), 1, "{finished:#}");
    let place = format!("127.0.0.1:{}", Postgres::server().port());
    assert_eq!((&reached[0]["address"], &reached[0]["target"]), (&place.as_str().into(), &0.into()));
    assert_eq!(reached[0]["program"], "psql", "{finished:#}");
    assert!(reached[0]["process"].as_u64().is_some_and(|process| process > 1));

    let checked = sandbox.run(&["check", "-v", "--", "./suite"]).expect_code(0).stdout;
    assert!(
        checked.contains(") this command used\n") && checked.contains(&format!("psql reached {place}")),
        "{checked}"
    );
    let json = sandbox.run(&["check", "-v", "--format", "json", "--", "./suite"]).expect_code(0).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["last_time"]["reached"], &json["verdict"]), (&finished["reached"], &"safe".into()));
    // Not of another command, and only where more was asked for.
    for arguments in [&["check", "--", "./suite"][..], &["check", "-v", "--", "./suite", "x"], &["check", "-v"]] {
        let checked = sandbox.run(arguments).expect_code(0).stdout;
        assert!(!checked.contains("the last time"), "{arguments:?}: {checked}");
    }
}

#[test]
fn a_database_beside_that_changed_is_told_after_the_run() {
    let (saved, beside) = ("beside_saved_test", "beside_not_saved_test");
    let sandbox = Sandbox::with_postgres(saved);
    let server = Postgres::server();
    server.replace_database(beside);
    server.psql(beside, "CREATE TABLE t AS SELECT 1 AS a");
    let told = format!("also changed, and not saved: `{beside}`");
    // In a language that is not read: what the suite itself dials would be judged and saved.
    let dialling = "import subprocess, sys\nfor url in URLS[:int(sys.argv[1])]:\n    \
                    subprocess.run(['psql', '-X', '-q', '-c', 'UPDATE t SET a = a + 1', url], check=True)\n";
    let urls = format!("URLS = ['{}', '{}']\n", server.url(saved), server.url(beside));
    sandbox.write("dialling.py", urls + dialling);

    sandbox.suite("python3 dialling.py 1");
    let quiet = sandbox.run(&["./suite"]).expect_code(0).stderr;
    assert!(!quiet.contains(beside), "{quiet}");
    // A session that has just ended may not be counted yet: the suite waits.
    sandbox.suite("python3 dialling.py 2; sleep 1");
    let outcome = sandbox.run(&["./suite"]).expect_code(0);
    assert!(outcome.stderr.contains(&told), "{}", outcome.stderr);
    let log = sandbox.log();
    let notes = events(&log, "run-finished")[1]["notes"].to_string();
    assert!(notes.contains(&told), "{notes}");
    // What was not reached is not asked for.
    sandbox.suite("");
    let unused = sandbox.run(&["./suite"]).expect_code(0).stderr;
    assert!(!unused.contains("also changed"), "{unused}");
}

/// A line with what differs from run to run as the README has it.
fn as_in_the_readme(line: &str) -> String {
    let words = line.split(' ').map(|word| match word.trim_end_matches(')') {
        number if word.ends_with(')') && number.bytes().all(|byte| byte.is_ascii_digit()) => "4711)".to_owned(),
        id if id.starts_with("app_test_2") => "app_test_20261121_143022".to_owned(),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_readme_shows_what_a_refused_connection_prints() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let section = readme.split("## While it runs").nth(1).unwrap();
    let example = section.split("```text\n$ safe-test ./suite\n").nth(1).unwrap().split("```").next().unwrap();
    let project = project("dial 10.0.0.1 5432; exit 0");
    let outcome = run(&project, &["./suite"]).expect_code(120);
    let printed = outcome.stderr.replace(&*project.project().to_string_lossy(), "/srv/shop");
    let printed: Vec<String> = printed.lines().map(as_in_the_readme).collect();
    assert_eq!(printed, example.lines().collect::<Vec<_>>());
}

#[test]
fn what_is_behind_an_engine_of_containers_or_a_proxy_is_named_as_not_seen() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap().to_string();
    let mut sandbox = Sandbox::with_sqlite();
    sandbox.set("HTTPS_PROXY", format!("http://{proxy}"));
    let dial = "import socket, sys\nsocket.create_connection(('127.0.0.1', int(sys.argv[1])))\n\
                try:\n    socket.socket(socket.AF_UNIX).connect('docker.sock')\nexcept OSError:\n    pass\n";
    sandbox.write("dial.py", dial);
    sandbox.suite(&format!("python3 dial.py {}", listener.local_addr().unwrap().port()));
    let told = sandbox.guarded().expect_code(0).stderr;
    assert!(told.contains(&format!("connected to {proxy}: what is reached through this proxy is not seen")), "{told}");
    assert!(told.contains("connected to docker.sock: what containers connect to is not seen"), "{told}");
    let log = sandbox.log();
    let reached = events(&log, "run-finished")[0]["reached"].as_array().unwrap();
    assert_eq!(reached.len(), 2, "{reached:?}");
    assert!(
        reached.iter().all(|one| one["program"].as_str().unwrap().starts_with("python") && one["note"].is_string())
    );
}

#[test]
fn a_reader_that_reads_nothing_holds_no_connection() {
    let sandbox = project("dial 10.0.0.1 5432; dial 10.0.0.2 5432; { : >done; }; exit 0");
    let (mut reader, writer) = std::io::pipe().unwrap();
    // Filled to the brim.
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, &[b'.'; 4096]).is_ok() {}
    while rustix::io::write(&writer, b".").is_ok() {}
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::empty()).unwrap();
    let mut command = sandbox.program("unshare");
    let own = if rustix::process::geteuid().is_root() { "-n" } else { "-rn" };
    command.arg(own).arg(env!("CARGO_BIN_EXE_safe-test")).args(["-q", "./suite"]).stderr(writer);
    let mut running = command.spawn().unwrap();
    drop(command);
    crate::support::wait_for("the end of the suite", || sandbox.project().join("done").exists());
    let mut said = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut said).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(120));
    let said = String::from_utf8_lossy(&said);
    assert_eq!(lines_with(&said, "safe-test: refused: bash (process ").len(), 2, "{said}");
    let finished = sandbox.log().pop().unwrap();
    assert_eq!(finished["refused"].as_array().unwrap().len(), 2, "{finished}");
}
