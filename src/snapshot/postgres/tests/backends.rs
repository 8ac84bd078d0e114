//! The server ends the sessions of a restore, or crashes, at any moment of it: the database is the old one or the new one, whole.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::{PostgresError, drop_leftover, leftovers, restore};
use crate::snapshot::testing::{AllKnown, wait_for};

/// How often; the long form takes more of them.
fn steps() -> u32 {
    if std::env::var_os("SAFE_TEST_LONG").is_some() { 60 } else { 6 }
}

fn sum(server: &Server) -> String {
    let mut found = String::new();
    wait_for("the server takes sessions again", || {
        let output = server.psql("ended").args(["-c", "SELECT sum(a) FROM t"]).output().unwrap();
        found = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        output.status.success()
    });
    found
}

/// Ends one session of a restore after some time: the server ends it cleanly, or its process is killed, upon which the whole
/// server starts anew.
fn end_a_session_after(server: &Server, delay: Duration, crash: bool, over: &AtomicBool) {
    thread::sleep(delay);
    let others = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random()";
    let started = Instant::now();
    while !over.load(Ordering::Relaxed) && started.elapsed() < Duration::from_secs(2) {
        let output = server.psql("postgres").args(["-c", others]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let Some(pid) = text.lines().next().and_then(|pid| pid.trim().parse::<i32>().ok()) else { continue };
        if crash {
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        } else {
            let _ = server.psql("postgres").args(["-c", &format!("SELECT pg_terminate_backend({pid})")]).output();
        }
        return;
    }
}

#[test]
fn a_session_that_is_ended_at_any_moment_leaves_the_old_database_or_the_new_one() {
    let server = Server::start();
    let target = server.database("ended", "CREATE TABLE t AS SELECT 1 AS a FROM generate_series(1, 20000)");
    let snapshot = Snapshot::take(&target);
    let put_back = || snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()));
    let started = Instant::now();
    put_back().unwrap();
    let lasts = started.elapsed();
    let (mut failed, mut done) = (0, 0);
    for step in 0..steps() {
        server.run("ended", "UPDATE t SET a = 2");
        let over = AtomicBool::new(false);
        let (server, over, delay) = (&server, &over, lasts * (step * 7919 % steps()) / steps());
        let outcome = thread::scope(|scope| {
            scope.spawn(move || end_a_session_after(server, delay, step % 3 == 2, over));
            let outcome = put_back();
            over.store(true, Ordering::Relaxed);
            outcome
        });
        let sum = sum(server);
        match &outcome {
            Ok(_) => {
                assert_eq!(sum, "20000", "step {step}: said to be back");
                done += 1;
            }
            Err(PostgresError::Unsettled { .. }) => panic!("step {step}: the server came back"),
            Err(error) => {
                assert_eq!(sum, "40000", "step {step}: said to be as it was: {error}");
                failed += 1;
            }
        }
        // What is left is known, and goes.
        for leftover in leftovers(&target, &environment(), &AllKnown).unwrap() {
            assert!(leftover.ours, "step {step}: {leftover:?}");
            wait_for("it is dropped", || {
                drop_leftover(&target, &environment(), &leftover.name, &AllKnown).unwrap_or(false)
            });
        }
    }
    assert!(failed > 0, "no session was ended early enough ({done} were restored)");
    put_back().unwrap();
    assert_eq!(sum(&server), "20000");
}
