//! `[run] fast_undo`: a copy in the server beside the dump, by which a database is put back at once.

use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Outcome, Postgres, Sandbox, ended, wait_for};

/// A server that nobody else writes to: what is written anywhere on a server is taken for a change. One test at a time has it.
fn server() -> (&'static Postgres, MutexGuard<'static, ()>) {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (SERVER.get_or_init(Postgres::alone), turn)
}

/// A project that asks for copies; `suite` is what its tests say to its database.
fn project(server: &Postgres, database: &str, suite: &str) -> Sandbox {
    for name in beside(server, database) {
        server.psql("postgres", &format!("DROP DATABASE \"{name}\" WITH (FORCE)"));
    }
    let sandbox = Sandbox::with_postgres_on(server, database);
    sandbox.write(".safe-test.toml", "[run]\nfast_undo = true\n");
    sandbox.suite(&format!("psql -Xq '{}' -c '{suite}'", server.url(database)));
    sandbox
}

fn beside(server: &Postgres, database: &str) -> Vec<String> {
    let all = format!("SELECT datname FROM pg_database WHERE datname LIKE '{database}\\_%' ORDER BY 1");
    server.psql("postgres", &all).lines().map(str::to_owned).collect()
}

fn copies(server: &Postgres, database: &str) -> Vec<String> {
    beside(server, database).into_iter().filter(|name| name.contains("_undo_")).collect()
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

#[test]
fn a_run_is_undone_by_the_copy_which_is_told_wherever_somebody_looks() {
    let (server, _turn) = server();
    let database = "copied_test";
    let sandbox = project(server, database, "DELETE FROM t");
    let run = sandbox.guarded().expect_code(0).stderr;
    assert!(run.contains("verified, with a copy in the server)") && !run.contains("also "), "{run}");
    let [copy] = &copies(server, database)[..] else { panic!("{:?}", beside(server, database)) };
    let making = sandbox.log().into_iter().find(|entry| entry["event"] == "making").unwrap();
    assert_eq!(making["making"], serde_json::json!([copy]));

    let list = sandbox.run(&["list"]).expect_code(0).stdout;
    assert!(
        list.contains("  copy  ") && list.contains(&format!("{copy}  database beside {database}: a copy")),
        "{list}"
    );
    let listed = json(&sandbox.run(&["list", "--format", "json"]).expect_code(0));
    let row = listed.as_array().unwrap().iter().find(|row| row["id"] == copy.as_str()).unwrap();
    let id = sandbox.ids().remove(0);
    assert_eq!((&row["kind"], &row["snapshot"], &row["fate"]), (&"copy".into(), &id.as_str().into(), &"stays".into()));
    let doctor = sandbox.run(&["doctor"]).expect_code(0).stdout;
    assert!(
        doctor.contains(&format!("{copy} (")) && doctor.contains(&format!("a copy for a fast undo of {id}")),
        "{doctor}"
    );
    let pruned = sandbox.run(&["prune"]).expect_code(0).stdout;
    assert!(pruned.contains(&format!("keep {copy}")), "{pruned}");
    let by_name = sandbox.run(&["restore", copy, "--yes"]).expect_code(125).stderr;
    assert!(by_name.contains(&format!("it is the copy that is kept for `{id}`: restore that")), "{by_name}");

    let restored = sandbox.run(&["restore", "--yes"]).expect_code(0).stdout;
    assert!(restored.contains(&format!("It is the copy that the server kept as `{copy}`.")), "{restored}");
    assert_eq!((server.psql(database, "SELECT a FROM t").as_str(), copies(server, database).len()), ("1", 0));
    // A second time by the dump, and why is said where it is asked for.
    server.psql(database, "DELETE FROM t");
    let again = sandbox.run(&["restore", "--yes"]).expect_code(0).stdout;
    assert!(!again.contains("copy") && !again.contains("loaded"), "{again}");
    server.psql(database, "DELETE FROM t");
    let again = sandbox.run(&["restore", "--yes", "-v"]).expect_code(0).stdout;
    assert!(again.contains("It was loaded from the dump: ") && again.contains("is gone"), "{again}");
    let again = json(&sandbox.run(&["restore", "--yes", "--format", "json"]).expect_code(0));
    assert!(again["restored"][0]["copy"]["not_used"].is_string(), "{again}");
    assert_eq!(server.psql(database, "SELECT a FROM t"), "1");

    // In one go with the run, for programs.
    let told = Outcome::of(sandbox.command().args(["--restore", "always", "--format", "json", "./suite"]));
    let told = told.expect_code(0).stderr;
    let started: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert!(started["copies"][0]["copy"].as_str().unwrap().contains("_undo_"), "{told}");
    assert_eq!((server.psql(database, "SELECT a FROM t").as_str(), copies(server, database).len()), ("1", 0));
}

#[test]
fn what_a_copy_brought_back_is_not_dumped_anew() {
    let (server, _turn) = server();
    let database = "again_test";
    let sandbox = project(server, database, "DELETE FROM t");
    let told = sandbox.run(&["--dry-run", "./suite"]).expect_code(0).stderr;
    assert!(told.contains("(pg_dump), with a copy in the server if that can be"), "{told}");
    sandbox.guarded().expect_code(0);
    let ids = sandbox.ids();
    for _ in 0..3 {
        let restored = sandbox.run(&["restore", "--yes"]).expect_code(0).stdout;
        assert!(restored.contains("It is the copy that the server kept as "), "{restored}");
        assert_eq!(server.psql(database, "SELECT a FROM t"), "1");
        let run = sandbox.guarded().expect_code(0).stderr;
        let expected = format!("unchanged since {}, with a copy in the server", ids[0]);
        assert!(run.contains(&expected), "{run}");
        assert_eq!(
            (server.psql(database, "SELECT count(*) FROM t").as_str(), copies(server, database).len()),
            ("0", 1)
        );
    }
    sandbox.run(&["restore", "--yes"]).expect_code(0);
    // Also in one go with the run.
    for _ in 0..2 {
        let told = Outcome::of(sandbox.command().args(["--restore", "always", "./suite"])).expect_code(0).stderr;
        assert!(told.contains(&format!("unchanged since {}, with a copy in the server", ids[0])), "{told}");
        assert!(told.contains("It is the copy that the server kept as "), "{told}");
    }
    assert_eq!(sandbox.ids(), ids);
    // What was written since counts.
    server.psql(database, "UPDATE t SET a = 2");
    let run = sandbox.guarded().expect_code(0).stderr;
    assert!(run.contains("verified, with a copy in the server)"), "{run}");
    sandbox.run(&["restore", "--yes"]).expect_code(0);
    assert_eq!(server.psql(database, "SELECT a FROM t"), "2");
    let log = sandbox.run(&["log"]).expect_code(0).stdout;
    assert!(log.contains(&format!("how {} stands to its database", ids[0])), "{log}");
    sandbox.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn there_is_one_copy_a_database_and_it_goes_with_its_snapshot() {
    let (server, _turn) = server();
    let database = "one_copy_test";
    let sandbox = project(server, database, "UPDATE t SET a = a + 1");
    sandbox.guarded().expect_code(0);
    let first = copies(server, database);
    sandbox.guarded().expect_code(0);
    let second = copies(server, database);
    assert!(first.len() == 1 && second.len() == 1 && first != second, "{first:?} {second:?}");
    // Nothing is written: the snapshot serves again, and so does its copy.
    sandbox.suite("");
    let saved = sandbox.run(&["snapshot"]).expect_code(0).stderr;
    assert!(!saved.contains("without a copy"), "{saved}");
    let third = copies(server, database);
    for _ in 0..2 {
        let run = sandbox.guarded().expect_code(0).stderr;
        assert!(run.contains("unchanged since") && run.contains(&format!("beside it is {} (", third[0])), "{run}");
        assert_eq!(copies(server, database), third);
    }
    // One that somebody dropped is made again, though nothing was written to the database.
    server.psql("postgres", &format!("DROP DATABASE \"{}\"", third[0]));
    let run = sandbox.guarded().expect_code(0).stderr;
    assert!(run.contains("with a copy in the server"), "{run}");
    // Where somebody is connected, the next snapshot has none, says so in its one line, and takes the earlier one's away.
    let mut psql = std::process::Command::new(server.program("psql"));
    psql.args(["-X", "-c", "SELECT pg_sleep(600)"]).arg(server.url(database));
    let mut client = psql.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the client is connected", || {
        let asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'";
        server.psql("postgres", asked) == "1"
    });
    server.psql(database, "UPDATE t SET a = 0");
    let run = sandbox.guarded().expect_code(0).stderr;
    assert!(run.contains("without a copy in the server: others are connected to the database: pid "), "{run}");
    assert!(!run.contains("dropped") && copies(server, database).is_empty(), "{run}\n{:?}", copies(server, database));
    // As long as that lasts, each run says so; once nobody is there the next one makes it, and dumps nothing anew.
    for is_unchanged in [false, true] {
        let run = sandbox.guarded().expect_code(0).stderr;
        // That the earlier one was dropped counts as written.
        assert_eq!(run.contains("unchanged since"), is_unchanged, "{run}");
        assert!(run.contains("without a copy in the server: others are connected"), "{run}");
    }
    assert!(client.try_wait().unwrap().is_none(), "it is not sent away");
    server
        .psql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'");
    client.wait().unwrap();
    let run = sandbox.guarded().expect_code(0).stderr;
    assert!(run.contains("unchanged since") && run.contains("with a copy in the server"), "{run}");
    assert_eq!(copies(server, database).len(), 1);
    // Whoever asks for copies no more keeps none.
    server.psql(database, "UPDATE t SET a = 1");
    sandbox.run(&["snapshot"]).expect_code(0);
    assert_eq!(copies(server, database).len(), 1);
    sandbox.write(".safe-test.toml", "");
    assert!(sandbox.run(&["prune", "-v"]).expect_code(0).stdout.contains("keep "));
    server.psql(database, "UPDATE t SET a = 2");
    let run = Outcome::of(sandbox.command().args(["-v", "./suite"])).expect_code(0).stderr;
    assert!(run.contains("_undo_") && run.contains(" dropped: a copy for a fast undo of"), "{run}");
    assert_eq!(copies(server, database), [""; 0]);
    sandbox.run(&["log", "verify"]).expect_code(0);
}

#[test]
fn a_run_that_is_killed_at_any_moment_leaves_no_copy_behind_for_long() {
    let (server, _turn) = server();
    let database = "killed_copy_test";
    let sandbox = project(server, database, "UPDATE t SET a = a + 1");
    server.psql(database, "INSERT INTO t SELECT 1 FROM generate_series(1, 200000)");
    let started = Instant::now();
    sandbox.guarded().expect_code(0);
    let lasts = started.elapsed().as_micros() as u64;
    let steps = if std::env::var_os("SAFE_TEST_LONG").is_some() { 100 } else { 8 };
    let mut left = 0;
    for step in 1..=steps {
        let mut command = sandbox.command();
        command.arg("snapshot").process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_micros(lasts * step / steps));
        // SAFETY: sends a signal to a process that this test has started; it may have ended by itself.
        unsafe { libc::kill(child.id().cast_signed(), libc::SIGKILL) };
        let group = child.id();
        drop(ended("a killed snapshot", child));
        wait_for("its tools end", || {
            // SAFETY: as above, of the group that it led.
            unsafe { libc::kill(-group.cast_signed(), 0) != 0 }
        });
        let asked = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'");
        wait_for("its sessions end", || server.psql("postgres", &asked) == "0");
        let there = copies(server, database);
        left += there.len() - 1;
        let list = sandbox.run(&["list"]).expect_code(0).stdout;
        assert!(there.iter().all(|name| list.contains(name.as_str())), "{list}\n{there:?}");
        let next = sandbox.run(&["snapshot"]).expect_code(0);
        assert!(!next.stderr.contains("without a copy"), "{}", next.stderr);
        let there = copies(server, database);
        assert_eq!(there.len(), 1, "{there:?}\n{}", next.stderr);
        server.psql(database, "UPDATE t SET a = 3");
        let restored = sandbox.run(&["restore", "--yes"]).expect_code(0).stdout;
        assert!(restored.contains(&there[0]), "{restored}");
        sandbox.guarded().expect_code(0);
        for name in beside(server, database).iter().filter(|name| name.contains("_replaced_")) {
            server.psql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
    eprintln!("{steps} snapshots killed, {left} copies left and dropped");
    sandbox.run(&["log", "verify"]).expect_code(0);
}
