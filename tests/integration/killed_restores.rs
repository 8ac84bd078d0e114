//! Restores of PostgreSQL that are ended at any moment, by whatever signal, and several at once: the database is the old one or
//! the new one, whole; what was left is told, and goes with the next restore; nothing of somebody else's is dropped.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Outcome, Postgres, Sandbox, ended, output, wait_for};

/// How many restores are ended; the long form ends some hundreds.
fn steps() -> u64 {
    if std::env::var_os("SAFE_TEST_LONG").is_some() { 200 } else { 12 }
}

/// A number that looks like chance, the same in every run of the tests.
fn scattered(step: u64) -> u64 {
    let mut number = step.wrapping_add(0x9e37_79b9_7f4a_7c15);
    for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb_u64] {
        number = (number ^ (number >> 30)).wrapping_mul(factor);
    }
    number ^ (number >> 31)
}

fn send(process: i32, signal: i32) {
    // SAFETY: sends a signal to a process that this test has started; it may have ended by itself.
    unsafe { libc::kill(process, signal) };
}

/// The processes of the group that a restore leads, besides itself; those that nobody collects are gone all the same.
fn tools_of(restore: &Child) -> Vec<i32> {
    let group = restore.id().to_string();
    let listed = output(Command::new("ps").args(["-A", "-o", "pid=,pgid=,stat="]).stdout(Stdio::piped()));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let rows = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let own = rows.filter(|row| row[1] == group && row[0] != group && !row[2].starts_with('Z'));
    own.map(|row| row[0].parse().unwrap()).collect()
}

fn start(sandbox: &Sandbox, arguments: &[&str]) -> Child {
    let mut command = sandbox.command();
    command.args(arguments).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The databases whose names begin as this one's, but for itself.
fn beside(database: &str) -> Vec<String> {
    let all = format!("SELECT datname FROM pg_database WHERE datname LIKE '{database}\\_%' ORDER BY 1");
    Postgres::server().psql("postgres", &all).lines().map(str::to_owned).collect()
}

fn with_rows(database: &str) -> (Sandbox, String) {
    let server = Postgres::server();
    beside(database)
        .iter()
        .for_each(|name| drop(server.psql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"))));
    let sandbox = Sandbox::with_postgres(database);
    server.psql(database, "INSERT INTO t SELECT 1 FROM generate_series(1, 999)");
    sandbox.run(&["snapshot"]).expect_code(0);
    let id = sandbox.ids().remove(0);
    (sandbox, id)
}

#[test]
fn a_restore_that_is_ended_at_any_moment_leaves_the_old_database_or_the_new_one() {
    let database = "ended_restore_test";
    let (sandbox, id) = with_rows(database);
    let server = Postgres::server();
    let theirs = format!("{database}_restoring_20200101_000000");
    server.create_database(&theirs);
    let sum = || server.psql(database, "SELECT sum(a) FROM t");
    let started = Instant::now();
    sandbox.run(&["restore", &id]).expect_code(0);
    let lasts = started.elapsed().as_micros() as u64;
    let mut counts: BTreeMap<(&str, bool), u32> = BTreeMap::new();
    let mut left = 0;
    for step in 0..steps() {
        server.psql(database, "UPDATE t SET a = 2");
        let child = start(&sandbox, &["restore", &id]);
        std::thread::sleep(Duration::from_micros(scattered(step) % (lasts * 11 / 10)));
        let way = ["kill", "kill", "term", "interrupt", "tool"][(step % 5) as usize];
        let tools = tools_of(&child);
        match way {
            "kill" => send(child.id().cast_signed(), libc::SIGKILL),
            "term" => send(child.id().cast_signed(), libc::SIGTERM),
            "interrupt" => send(-child.id().cast_signed(), libc::SIGINT),
            _ => tools
                .get(scattered(step + 1) as usize % tools.len().max(1))
                .into_iter()
                .for_each(|tool| send(*tool, libc::SIGKILL)),
        }
        let group = child.id();
        let outcome = Outcome::from(ended("an ended restore", child));
        wait_for("the tools of an ended restore end", || {
            let listed = output(Command::new("ps").args(["-A", "-o", "pgid=,stat="]).stdout(Stdio::piped()));
            let listed = String::from_utf8(listed.stdout).unwrap();
            let mut rows = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            !rows.any(|row| row[0] == group.to_string() && !row[1].starts_with('Z'))
        });
        let told = format!("step {step}, {way}: {outcome:?}");
        let now = sum();
        assert!(now == "1000" || now == "2000", "half a restore: {now}; {told}");
        *counts.entry((way, now == "1000")).or_default() += 1;
        if outcome.code() == Some(0) {
            assert_eq!(now, "1000", "{told}");
        } else if way != "kill" {
            let last = outcome.stderr.lines().last().unwrap_or_default().trim();
            assert!(last == "nothing was changed" || now == "1000", "{told}");
        }
        sandbox.run(&["log", "verify"]).expect_code(0);
        // A tool's last statement may still be at work on the server for a moment.
        let there: Vec<String> = beside(database).into_iter().filter(|name| name.contains("_restoring_")).collect();
        left += there.len() - 1;
        let list = sandbox.run(&["list"]).expect_code(0).stdout;
        let gone = |name: &String| !beside(database).contains(name);
        assert!(there.iter().all(|name| list.contains(name.as_str()) || gone(name)), "{list}\n{told}");
        wait_for("the next restore puts it back and drops what was left", || {
            let next = sandbox.run(&["restore", &id]);
            let is_done = next.code() == Some(0) && sum() == "1000";
            is_done && beside(database).iter().filter(|name| name.contains("_restoring_")).count() == 1
        });
        // What was replaced is kept for a day: not by this test.
        for name in beside(database).iter().filter(|name| name.contains("_replaced_")) {
            server.psql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
    eprintln!("{} restores ended, {left} databases left and dropped; (how, is the new one): {counts:?}", steps());
    assert!(beside(database).contains(&theirs), "it was not ours");
    server.psql("postgres", &format!("DROP DATABASE {theirs}"));
    sandbox.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn several_restores_runs_and_prunes_at_once_get_along() {
    let database = "crowded_test";
    let (sandbox, id) = with_rows(database);
    let server = Postgres::server();
    for round in 0..3 {
        server.psql(database, "UPDATE t SET a = 2");
        let restores = [start(&sandbox, &["restore", &id]), start(&sandbox, &["restore", &id])];
        let prunes = [start(&sandbox, &["prune"]), start(&sandbox, &["list"])];
        let [one, other] = restores.map(|child| Outcome::from(ended("a restore", child)));
        prunes.into_iter().for_each(|child| drop(Outcome::from(ended("a prune", child)).expect_code(0)));
        let done = [&one, &other].iter().filter(|outcome| outcome.code() == Some(0)).count();
        assert!(done >= 1, "{one:?}\n{other:?}");
        assert_eq!(server.psql(database, "SELECT sum(a) FROM t"), "1000", "round {round}");
        assert!(!beside(database).iter().any(|name| name.contains("_restoring_")), "{:?}", beside(database));
        // What the first of them replaced can be had back.
        assert!(beside(database).iter().filter(|name| name.contains("_replaced_")).count() > round, "{round}");
    }
    // While a guarded command runs, which is not ended by that.
    sandbox.suite("touch begun; while [ ! -e go ]; do sleep 0.02; done");
    let run = start(&sandbox, &["./suite"]);
    wait_for("the suite runs", || sandbox.project().join("begun").exists());
    server.psql(database, "UPDATE t SET a = 3");
    sandbox.run(&["restore", "latest"]).expect_code(0);
    assert_eq!(server.psql(database, "SELECT sum(a) FROM t"), "1000");
    sandbox.write("go", "");
    Outcome::from(ended("the run", run)).expect_code(0);
    sandbox.run(&["log", "verify"]).expect_code(0);
}
