//! The proof that nothing was written does not outlive the server's life: after a crash, or with a data folder that was
//! put back, numbers of transactions are given away twice.

use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::snapshot::postgres::Session;
use crate::snapshot::postgres::recorded;
use crate::snapshot::postgres::testing::{Server, Snapshot, environment};
use crate::snapshot::testing::wait_for;

/// Transactions are acknowledged long before they are written to the log.
const LAZY: &str =
    "ALTER SYSTEM SET synchronous_commit = off; ALTER SYSTEM SET wal_writer_delay = '10s'; SELECT pg_reload_conf()";

const OWN_PROCESSES: &str = "SELECT pid FROM pg_stat_activity WHERE backend_type = ";

/// The highest number of a finished transaction, as the proof has it.
fn finished(server: &Server) -> String {
    let proof = Session::open(&server.target("shop"), &environment()).unwrap().state().unwrap();
    proof.unwrap().finished
}

fn is_unchanged(server: &Server, snapshot: &Snapshot) -> bool {
    Session::open(&server.target("shop"), &environment()).unwrap().is_unchanged_since(&snapshot.manifest).unwrap()
}

/// Kills one process of the server, which ends all others and starts anew by itself.
fn kill_one(server: &Server, kind: &str) {
    let started = server.run("postgres", "SELECT pg_postmaster_start_time()");
    let mut session = None;
    if kind == "client backend" {
        let mut psql = server.psql("postgres");
        session = Some(psql.arg("-c").arg("SELECT pg_sleep(600)").stderr(std::process::Stdio::null()).spawn().unwrap());
    }
    let question = format!("{OWN_PROCESSES}'{kind}' AND pid <> pg_backend_pid()");
    let mut process = String::new();
    wait_for("the process is there", || {
        process = server.run("postgres", &question);
        !process.is_empty()
    });
    let walwriter = server.run("postgres", &format!("{OWN_PROCESSES}'walwriter'"));
    kill_process(Pid::from_raw(process.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
    wait_for("the server is back", || {
        let output = server.psql("postgres").args(["-c", &format!("{OWN_PROCESSES}'walwriter'")]).output().unwrap();
        let now = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        !now.is_empty() && now != walwriter
    });
    session.map(|mut session| session.wait());
    assert_eq!(server.run("postgres", "SELECT pg_postmaster_start_time()"), started);
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg("--").args([from, to]).status().unwrap().success());
}

#[test]
fn a_transaction_that_a_crash_lost_is_not_taken_for_the_one_that_got_its_number() {
    for mut server in [Server::start(), Server::start_version(18)] {
        lose_transactions(&mut server);
    }
}

fn lose_transactions(server: &mut Server) {
    server.database("shop", "CREATE TABLE t (a int)");
    for setting in LAZY.split("; ") {
        server.run("postgres", setting);
    }
    let mut lost = 0;
    for (round, victim) in ["walwriter", "checkpointer", "client backend", "all"].into_iter().enumerate() {
        server.run("shop", "CHECKPOINT");
        server.run("shop", &format!("INSERT INTO t VALUES ({round})"));
        let snapshot = Snapshot::take(&server.target("shop"));
        let promised = recorded::proof(&snapshot.manifest).unwrap().finished;
        assert!(is_unchanged(server, &snapshot), "{victim}");
        match victim {
            "all" => server.restart(Signal::KILL, |_| ()),
            one => kill_one(server, one),
        }
        assert!(!is_unchanged(server, &snapshot), "{victim}: right after the crash");
        // Whoever writes next gets the number of the transaction that is lost.
        server.run("shop", &format!("INSERT INTO t VALUES ({round} + 100)"));
        let rows = server.run("shop", &format!("SELECT count(*) FROM t WHERE a = {round}"));
        lost += u32::from(rows == "0" && finished(server) == promised);
        assert!(!is_unchanged(server, &snapshot), "{victim}: the same number, other rows");
    }
    assert!(lost > 0, "no crash lost a transaction: the trap was not there");
}

#[test]
fn an_unlogged_table_that_a_crash_emptied_is_not_unchanged() {
    let server = Server::start();
    server.database("shop", "CREATE UNLOGGED TABLE u (a int)");
    server.run("shop", "INSERT INTO u VALUES (1); CHECKPOINT");
    let snapshot = Snapshot::take(&server.target("shop"));
    assert!(is_unchanged(&server, &snapshot));
    let before = finished(&server);
    kill_one(&server, "walwriter");
    assert_eq!(server.run("shop", "SELECT count(*) FROM u"), "0");
    assert_eq!(finished(&server), before);
    assert!(!is_unchanged(&server, &snapshot));
}

#[test]
fn a_data_folder_that_was_put_back_is_not_unchanged() {
    let mut server = Server::start();
    server.database("shop", "CREATE TABLE t (a int)");
    let kept = tempfile::tempdir().unwrap();
    let image = kept.path().join("data");
    server.restart(Signal::INT, |data| copy(data, &image));
    server.run("shop", "INSERT INTO t VALUES (1)");
    let snapshot = Snapshot::take(&server.target("shop"));
    let promised = finished(&server);
    assert!(is_unchanged(&server, &snapshot));
    server.restart(Signal::INT, |data| {
        std::fs::remove_dir_all(data).unwrap();
        copy(&image, data);
    });
    server.run("shop", "INSERT INTO t VALUES (2)");
    assert_eq!(finished(&server), promised, "the trap is there");
    assert!(!is_unchanged(&server, &snapshot));
}

#[test]
fn a_promotion_begins_another_timeline() {
    let mut server = Server::start();
    server.database("shop", "CREATE TABLE t (a int)");
    let before = Snapshot::take(&server.target("shop"));
    let timeline = |snapshot: &Snapshot| recorded::proof(&snapshot.manifest).unwrap().timeline;
    server.restart(Signal::INT, |data| {
        // As a standby of nobody, owned by whom the folder is.
        copy(&data.join("PG_VERSION"), &data.join("standby.signal"));
        std::fs::write(data.join("standby.signal"), "").unwrap();
    });
    assert_eq!(Session::open(&server.target("shop"), &environment()).unwrap().state().unwrap(), None, "a standby");
    server.run("postgres", "SELECT pg_promote()");
    let after = Snapshot::take(&server.target("shop"));
    assert_ne!(timeline(&before), timeline(&after));
    assert!(!is_unchanged(&server, &before) && is_unchanged(&server, &after));
}
