//! Servers and programs that fail on the way: what was begun ends, and nothing is lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::Signal;

use crate::error::Explain;
use crate::exit::Exit;
use crate::snapshot::Watch;
use crate::snapshot::engine_error::{Consequence, EngineFailure};
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::restore::{prepare_restore, restore};
use crate::snapshot::redis::testing::{Server, Snapshot, Waiting, environment_of};
use crate::snapshot::redis::verify::verify;
use crate::snapshot::testing::{wait_for, write_program};

/// Does something once so many bytes were read or written.
struct At<F: Fn() + Sync> {
    after: u64,
    seen: AtomicU64,
    act: F,
}

impl<F: Fn() + Sync> Watch for At<F> {
    fn advance(&self, bytes: u64) {
        let before = self.seen.fetch_add(bytes, Ordering::Relaxed);
        if before < self.after && before + bytes >= self.after {
            (self.act)();
        }
    }

    fn interrupted(&self) -> bool {
        false
    }
}

fn large() -> Server {
    let server = Server::start_with(&[
        "--repl-diskless-sync-delay",
        "0",
        "--enable-debug-command",
        "yes",
        "--rdbcompression",
        "no",
    ]);
    server.run("DEBUG POPULATE 5000 key 2000\nSET a 1\n");
    server
}

#[test]
fn a_server_that_dies_while_it_is_saved_leaves_no_snapshot() {
    for after in [1, 3_000_000] {
        let server = large();
        let watch = At { after, seen: AtomicU64::new(0), act: || server.crash() };
        let taken = Snapshot::try_take(&server.target(), &watch);
        // What it had sent before may be all of it only where it was asked for no more.
        let error = taken.err().unwrap();
        assert_eq!((error.exit(), error.consequence()), (Exit::NoSnapshot, Consequence::Untouched), "{error}");
        assert!(!error.to_string().is_empty() && error.hint().is_some(), "{error}");
    }
}

#[test]
fn who_asks_to_stop_is_heard_while_it_is_saved_and_while_it_is_put_back() {
    let server = large();
    let target = server.target();
    let stopped = Waiting { stop_after: Some(1_000_000), ..Waiting::default() };
    let error = Snapshot::try_take(&target, &stopped).err().unwrap();
    assert_eq!(error.to_string(), "interrupted");
    let snapshot = Snapshot::take(&target);
    server.run("SET a 2\n");
    for after in [1, 15_000_000, 25_000_000] {
        let stopped = Waiting { stop_after: Some(after), ..Waiting::default() };
        let error = snapshot.restoring(&target, |restoration| restore(restoration, &stopped).unwrap_err());
        assert_eq!(error.consequence(), Consequence::Untouched, "{after}: {error}");
        assert_eq!(server.cli(&["GET", "a"]), "2");
        assert!(snapshot.left().is_empty(), "{after}");
    }
}

#[test]
fn a_server_that_dies_while_it_is_put_back_may_have_changed_only_once_it_was_told_to() {
    for when in ["while the file is read", "when it is told"] {
        let server = large();
        let target = server.target();
        let snapshot = Snapshot::take(&target);
        let at_the_remark = Remarked { act: || server.crash() };
        let error = match when {
            "while the file is read" => {
                let watch = At { after: 1_000, seen: AtomicU64::new(0), act: || server.crash() };
                snapshot.restoring(&target, |restoration| restore(restoration, &watch).unwrap_err())
            }
            _ => snapshot.restoring(&target, |restoration| restore(restoration, &at_the_remark).unwrap_err()),
        };
        assert_eq!(error.consequence(), Consequence::Untouched, "{when}: {error}");
        assert!(error.hint().is_some(), "{when}: {error}");
        assert!(snapshot.left().is_empty(), "{when}");
    }
}

/// Does something when it is said that the server is put back now.
struct Remarked<F: Fn() + Sync> {
    act: F,
}

impl<F: Fn() + Sync> Watch for Remarked<F> {
    fn advance(&self, _bytes: u64) {}

    fn interrupted(&self) -> bool {
        false
    }

    fn remark(&self, what: &str) {
        if what.starts_with("the whole server") {
            (self.act)();
        }
    }
}

/// What a killed restore leaves: a server that copies nobody any more, by a password of ours.
#[test]
fn a_restore_that_was_broken_off_is_mended_and_begun_anew() {
    let server = Server::start();
    server.fill();
    let saved = server.content();
    let target = server.target();
    let snapshot = Snapshot::take(&target);
    server.wreck();
    server.cli(&["CONFIG", "SET", "masterauth", "safe-test-restoring-0123"]);
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    assert!(server.cli(&["SET", "x", "1"]).starts_with("READONLY"));
    // Nothing is saved, and so nothing is run, until it is mended.
    let error = Snapshot::try_take(&target, &Waiting::default()).err().unwrap();
    assert!(error.hint().unwrap().contains("restore again"), "{error}");
    snapshot.restoring(&target, |restoration| {
        let prepared = prepare_restore(restoration, &Waiting::default()).unwrap();
        // It can be saved before it is changed.
        assert!(server.cli(&["ROLE"]).starts_with("master"));
        Snapshot::take(&target);
        prepared.carry_out(&Waiting::default()).unwrap();
    });
    assert!(server.content() == saved);
    assert_eq!(server.cli(&["CONFIG", "GET", "masterauth"]), "masterauth");
}

fn which(name: &str) -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|file| file.exists()).unwrap()
}

/// Programs of which the server is this script.
fn programs(folder: &Path, server: &str) {
    for name in ["redis-cli", "redis-check-rdb"] {
        std::os::unix::fs::symlink(which(name), folder.join(name)).unwrap();
    }
    write_program(&folder.join("redis-server"), server);
}

#[test]
fn a_temporary_server_that_does_not_do_what_it_is_for_leaves_the_server_alone() {
    let server = Server::start();
    server.run("SET a 1\n");
    let target = server.target();
    let mut snapshot = Snapshot::take(&target);
    server.run("SET a 2\n");
    let real = which("redis-server");
    let real = real.to_str().unwrap();
    let version = format!("#!/bin/sh\n[ \"$1\" = --version ] && exec {real} --version\n");
    for (script, expected) in [
        ("exit 1", "does not start"),
        (
            "folder=$(dirname \"$1\"); echo '# Fatal error loading the DB: x. Exiting.' >\"$folder/log\"; exit 1",
            "cannot read the file",
        ),
        // One that holds something else.
        ("folder=$(dirname \"$1\"); rm \"$folder/dump.rdb\"; exec REAL \"$1\"", "has 0 keys in place of 1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        programs(folder.path(), &format!("{version}{}\n", script.replace("REAL", real)));
        snapshot.environment = environment_of(&[folder.path().to_owned()], &folder.path().join("state"));
        let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
        assert_eq!(
            (error.exit(), error.consequence()),
            (
                match expected {
                    "has 0 keys in place of 1" => Exit::NoSnapshot,
                    _ => Exit::Failed,
                },
                Consequence::Untouched
            ),
            "{error}"
        );
        let told = format!("{error}: {}", std::error::Error::source(&error).unwrap());
        assert!(told.contains(expected), "{told}");
        assert_eq!(server.cli(&["GET", "a"]), "2");
        assert!(server.cli(&["ROLE"]).starts_with("master"));
        assert_eq!(server.cli(&["CONFIG", "GET", "masterauth"]), "masterauth");
    }
    // A program of another version is none that fits.
    let folder = tempfile::tempdir().unwrap();
    programs(folder.path(), "#!/bin/sh\necho 'Redis server v=6.0.16 sha=0'\n");
    snapshot.environment = environment_of(&[folder.path().to_owned()], &folder.path().join("state"));
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert!(matches!(error, RedisError::NoServerProgram { .. }), "{error}");
    let error = snapshot.restoring(&target, |restoration| {
        verify(restoration, crate::snapshot::VerificationLevel::Restore, &Waiting::default()).unwrap_err()
    });
    assert!(matches!(error, RedisError::NoServerProgram { .. }), "{error}");
}

/// The temporary server goes when the server was told to copy it.
#[test]
fn a_temporary_server_that_goes_too_early_leaves_a_server_that_takes_writes() {
    let server = large();
    let target = server.target();
    let snapshot = Snapshot::take(&target);
    server.run("SET a 2\n");
    let folder = snapshot.file().with_file_name("state").join("safe-test/servers");
    let kill = || {
        let settings = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path().join("settings");
        let text = fs::read_to_string(settings).unwrap();
        let port = text.split("\"port\" \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let password = text.split("\"requirepass\" \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let mut client = std::process::Command::new("redis-cli");
        client.args(["-p", &port, "SHUTDOWN", "NOSAVE"]).env("REDISCLI_AUTH", password).output().unwrap();
    };
    let watch = Remarked { act: kill };
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &watch).unwrap_err());
    assert_eq!((error.exit(), error.consequence()), (Exit::Failed, Consequence::MayHaveChanged), "{error}");
    assert!(!error.to_string().contains("takes no writes"), "{error}");
    assert_eq!(server.cli(&["SET", "b", "1"]), "OK");
    assert_eq!(server.cli(&["CONFIG", "GET", "masterauth"]), "masterauth");
    snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap());
    assert_eq!(server.cli(&["GET", "a"]), "1");
}

#[test]
fn a_server_that_stops_answering_is_given_up() {
    let server = Server::start();
    server.run("SET a 1\n");
    server.signal(Signal::STOP);
    let error = Snapshot::try_take(&server.target(), &Waiting::default()).err().unwrap();
    server.signal(Signal::CONT);
    assert!(error.to_string().contains("does not answer"), "{error}");
    wait_for("it answers again", || server.cli(&["GET", "a"]) == "1");
}

#[test]
fn where_the_file_cannot_be_unpacked_the_server_is_left_alone() {
    let server = large();
    let target = server.target();
    let mut snapshot = Snapshot::take(&target);
    server.run("SET a 2\n");
    let blocked = snapshot.file().with_file_name("blocked");
    fs::write(&blocked, "").unwrap();
    snapshot.environment = environment_of(&[PathBuf::from("/usr/bin")], &blocked);
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert_eq!(error.consequence(), Consequence::Untouched, "{error}");
    assert_eq!(server.cli(&["GET", "a"]), "2");
}
