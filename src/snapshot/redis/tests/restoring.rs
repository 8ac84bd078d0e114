//! Servers come back as they were.

use crate::snapshot::VerificationLevel::Restore;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::restore::restore;
use crate::snapshot::redis::testing::{Server, Snapshot, Waiting};
use crate::snapshot::redis::verify::verify;
use crate::snapshot::testing::wait_for;

fn put_back(server: &Server, snapshot: &Snapshot) {
    let restored = snapshot.restoring(&server.target(), |restoration| restore(restoration, &Waiting::default()));
    let restored = restored.unwrap();
    assert!(restored.notes[0].contains("whole server") && restored.replaced.is_none(), "{restored:?}");
    assert!(server.cli(&["ROLE"]).starts_with("master"));
    assert!(snapshot.left().is_empty());
}

#[test]
fn a_wrecked_server_comes_back_whole() {
    let server = Server::start();
    server.fill();
    let saved = server.content();
    let snapshot = Snapshot::take(&server.target());
    snapshot.restoring(&server.target(), |restoration| verify(restoration, Restore, &Waiting::default()).unwrap());
    server.wreck();
    assert!(server.content() != saved);
    put_back(&server, &snapshot);
    assert!(server.content() == saved, "{:?} {saved:?}", server.content());
    server.cli(&["FLUSHALL"]);
    server.cli(&["FUNCTION", "FLUSH"]);
    put_back(&server, &snapshot);
    assert!(server.content() == saved);
    assert_eq!(server.cli(&["FCALL", "f", "0"]), "1");
    // Settings are as they were, and it takes writes.
    for name in ["masterauth", "masteruser"] {
        assert_eq!(server.cli(&["CONFIG", "GET", name]), name);
    }
    assert_eq!(server.cli(&["SET", "after", "1"]), "OK");
}

#[test]
fn what_an_empty_server_was_given_goes_again() {
    let server = Server::start();
    let snapshot = Snapshot::take(&server.target());
    server.fill();
    put_back(&server, &snapshot);
    assert_eq!(server.cli(&["INFO", "keyspace"]), "# Keyspace");
}

#[test]
fn times_are_those_that_were_set_and_what_was_due_stays_gone() {
    let server = Server::start();
    server.run("SET due 1 PX 1500\nSET later 1 EX 5000\nSET ever 1\n");
    let due: u64 = server.cli(&["PEXPIRETIME", "later"]).parse().unwrap();
    let snapshot = Snapshot::take(&server.target());
    assert_eq!(snapshot.manifest.tables[0].rows, Some(3));
    wait_for("its time is over", || server.cli(&["EXISTS", "due"]) == "0");
    server.cli(&["FLUSHALL"]);
    put_back(&server, &snapshot);
    assert_eq!(server.cli(&["PEXPIRETIME", "later"]).parse::<u64>().unwrap(), due);
    assert_eq!((server.cli(&["GET", "due"]).as_str(), server.cli(&["GET", "ever"]).as_str()), ("", "1"));
}

#[test]
fn a_log_of_commands_is_written_anew() {
    let mut server = Server::start_with(&["--repl-diskless-sync-delay", "0", "--appendonly", "yes"]);
    server.fill();
    let saved = server.content();
    let snapshot = Snapshot::take(&server.target());
    server.cli(&["FLUSHALL"]);
    put_back(&server, &snapshot);
    assert_eq!(server.cli(&["CONFIG", "GET", "appendonly"]), "appendonly\nyes");
    wait_for("the log is written", || server.cli(&["INFO", "persistence"]).contains("aof_rewrite_in_progress:0"));
    server.run("SET after 1\n");
    // What it reads when it starts again is what was put back, and what came later.
    server.restart();
    assert_eq!(server.cli(&["GET", "after"]), "1");
    server.cli(&["DEL", "after"]);
    assert!(server.content() == saved);
}

#[test]
fn a_server_that_would_log_in_to_a_master_keeps_its_password() {
    for user in ["", "copier"] {
        let server = Server::start_with(&[
            "--repl-diskless-sync-delay",
            "0",
            "--masterauth",
            "own \"pass\\word",
            "--masteruser",
            user,
        ]);
        server.run("SET a 1\n");
        let snapshot = Snapshot::take(&server.target());
        server.run("SET a 2\n");
        put_back(&server, &snapshot);
        assert_eq!(server.cli(&["GET", "a"]), "1");
        assert_eq!(server.cli(&["CONFIG", "GET", "masterauth"]), "masterauth\nown \"pass\\word");
        assert_eq!(server.cli(&["CONFIG", "GET", "masteruser"]).trim(), format!("masteruser\n{user}").trim());
    }
}

#[test]
fn its_own_replicas_follow() {
    let server = Server::start();
    server.run("SET a 1\n");
    let replica = Server::start_with(&["--replicaof", &format!("127.0.0.1 {}", server.port)]);
    wait_for("it follows", || replica.cli(&["GET", "a"]) == "1");
    let snapshot = Snapshot::take(&server.target());
    server.run("SET a 2\n");
    put_back(&server, &snapshot);
    wait_for("it follows again", || replica.cli(&["GET", "a"]) == "1");
}

#[test]
fn a_server_whose_save_is_under_way_is_saved_and_put_back() {
    let server = Server::start_with(&["--enable-debug-command", "yes", "--rdb-key-save-delay", "500"]);
    server.run("CONFIG SET repl-diskless-sync-delay 0\nDEBUG POPULATE 3000\nBGSAVE\n");
    assert!(server.cli(&["INFO", "persistence"]).contains("rdb_bgsave_in_progress:1"));
    let snapshot = Snapshot::take(&server.target());
    server.run("FLUSHALL\nDEBUG POPULATE 3000 other\n");
    let saving = || server.cli(&["INFO", "persistence"]).contains("rdb_bgsave_in_progress:1");
    wait_for("nobody saves", || !saving());
    server.run("BGSAVE\n");
    assert!(saving());
    put_back(&server, &snapshot);
    assert_eq!((server.cli(&["DBSIZE"]).as_str(), server.cli(&["EXISTS", "key:7"]).as_str()), ("3000", "1"));
}

#[test]
fn another_server_is_not_put_back_into() {
    let (server, other) = (Server::start(), Server::start());
    let snapshot = Snapshot::take(&server.target());
    other.run("SET a 1\n");
    let error =
        snapshot.restoring(&other.target(), |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert!(matches!(error, RedisError::OtherServer { .. }), "{error}");
    assert_eq!(other.cli(&["GET", "a"]), "1");
}

#[test]
fn two_restores_of_one_server_take_turns() {
    let server = Server::start();
    server.fill();
    let saved = server.content();
    let snapshot = Snapshot::take(&server.target());
    server.wreck();
    let target = server.target();
    std::thread::scope(|scope| {
        let both: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).map(drop))
                })
            })
            .collect();
        both.into_iter().for_each(|one| one.join().unwrap().unwrap());
    });
    assert!(server.content() == saved);
    assert_eq!(server.cli(&["CONFIG", "GET", "masterauth"]), "masterauth");
}

/// Where `tests/servers` puts the programs of another version.
#[cfg(target_arch = "x86_64")]
fn fetched(name: &str) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers").join(name).join("bin");
    assert!(folder.exists(), "{} is missing: `tests/run --prepare` fetches it", folder.display());
    folder
}

#[cfg(target_arch = "x86_64")]
#[test]
fn servers_of_other_versions_come_back_by_their_own_programs_and_no_others() {
    for (name, program, client) in
        [("redis-6.2", "redis-server", "redis-cli"), ("valkey-8.1", "valkey-server", "valkey-cli")]
    {
        let own = fetched(name);
        let server = Server::of(&own.join(program), &["--repl-diskless-sync-delay", "0"]);
        server.fill();
        let saved = server.content();
        // The machine's own client asks first who is there.
        let both = ["/usr/bin".into(), own.clone()];
        let folders = if client == "valkey-cli" { &both[..] } else { &both[1..] };
        let snapshot = Snapshot::take_by(&server.target(), folders, &Waiting::default()).unwrap();
        assert_eq!(snapshot.manifest.tool.program, client);
        assert!(snapshot.manifest.server.as_ref().unwrap().version.starts_with(&name.replace('-', " ")));
        snapshot.restoring(&server.target(), |restoration| verify(restoration, Restore, &Waiting::default()).unwrap());
        server.wreck();
        put_back(&server, &snapshot);
        assert!(server.content() == saved, "{name}");
        // By the machine's own programs it is saved, and does not come back.
        let snapshot = Snapshot::take(&server.target());
        assert!(
            snapshot.manifest.obstacles.iter().any(|one| one.what.contains("reads what a server of version")),
            "{name}"
        );
        server.wreck();
        let error =
            snapshot.restoring(&server.target(), |restoration| restore(restoration, &Waiting::default()).unwrap_err());
        assert!(matches!(error, RedisError::NoServerProgram { .. }), "{name}: {error}");
    }
}
