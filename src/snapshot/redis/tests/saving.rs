//! What a snapshot holds, and what it says of itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::own_tools::containers::container::Container;
use crate::reach::Place;
use crate::snapshot::containers::Inside;
use crate::snapshot::engine::{Found, SnapshotEngine};
use crate::snapshot::redis::Redis;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::connection::Connection;
use crate::snapshot::redis::installed::LISTING;
use crate::snapshot::redis::session::{Session, ask, open};
use crate::snapshot::redis::testing::{Server, Snapshot, Waiting, environment, environment_of, manifest_of, save};
use crate::snapshot::{Effect, worst};

#[test]
fn a_snapshot_holds_the_whole_server_and_says_so() {
    let server = Server::start();
    server.fill();
    let snapshot = Snapshot::take(&server.target());
    let tables: Vec<_> = snapshot.manifest.tables.iter().map(|one| (one.name.as_str(), one.rows.unwrap())).collect();
    assert_eq!(
        tables,
        [("database 0", 24), ("database 3", 1), ("database 15", 1), ("functions", 1)],
        "{}",
        server.cli(&["INFO", "keyspace"])
    );
    assert!(snapshot.manifest.notes[0].contains("the whole server"));
    // Others than the target's come back as well.
    let obstacles = &snapshot.manifest.obstacles;
    assert_eq!((worst(obstacles), obstacles.len()), (Some(Effect::InPlace), 1), "{obstacles:?}");
    assert!(obstacles[0].what.ends_with("also 3, 15"), "{obstacles:?}");
    // A person reads it with nothing of ours.
    let plain = tempfile::tempdir().unwrap();
    let file = plain.path().join("back.rdb");
    fs::write(&file, zstd::decode_all(fs::File::open(snapshot.file()).unwrap()).unwrap()).unwrap();
    let checked = Command::new("redis-check-rdb").arg(&file).output().unwrap();
    assert!(checked.status.success());
    assert_eq!(fs::metadata(snapshot.file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_longer_file_that_is_there_leaves_no_tail() {
    let server = Server::start();
    server.run("SET a 1\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump");
    fs::write(&file, vec![b'x'; 100_000]).unwrap();
    let taken = save(&server.target(), &environment(), &file, &Waiting::default()).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().len(), taken.size);
    assert!(taken.size < 1000);
}

#[test]
fn a_socket_and_a_server_that_sends_from_a_file_are_saved_alike() {
    let server = Server::start_with(&["--repl-diskless-sync", "no"]);
    server.fill();
    let mut target = server.target();
    let expected = Snapshot::take(&target).manifest.tables;
    target.places = vec![Place::Socket { path: server.folder().join("redis.sock"), port: None }];
    assert_eq!(Snapshot::take(&target).manifest.tables, expected);
}

#[test]
fn an_empty_server_is_saved_too() {
    let server = Server::start();
    let snapshot = Snapshot::take(&server.target());
    assert!(snapshot.manifest.tables.is_empty() && snapshot.manifest.obstacles.is_empty());
}

fn is_unchanged(server: &Server, earlier: &crate::snapshot::Manifest) -> bool {
    match Redis.open(&server.target(), &environment()).unwrap() {
        Found::Database(mut database) => database.is_unchanged_since(earlier).unwrap(),
        Found::NothingToLose(reason) => panic!("{reason}"),
    }
}

#[test]
fn a_server_is_known_to_be_unchanged_until_something_is_written() {
    let server = Server::start();
    server.fill();
    let snapshot = Snapshot::take(&server.target());
    assert!(snapshot.manifest.state.is_some());
    assert!(is_unchanged(&server, &snapshot.manifest));
    // Reading changes nothing.
    server.run("GET text\nSCARD ints\nEXISTS nothing\nDEL nothing\n");
    assert!(is_unchanged(&server, &snapshot.manifest));
    for (what, lines) in [
        ("a key", "SET text it\n"),
        ("another database", "SELECT 9\nSET a 1\n"),
        ("a time", "EXPIRE number 1000\n"),
        (
            "a script that keeps its changes from replicas",
            "EVAL \"redis.set_repl(redis.REPL_NONE); return redis.call('SET', 'hidden', 1)\" 0\n",
        ),
        (
            "a function",
            "FUNCTION LOAD REPLACE \"#!lua name=shop\\nredis.register_function('f', function() return 2 end)\"\n",
        ),
        ("all of it", "FLUSHALL\n"),
    ] {
        let before = Snapshot::take(&server.target());
        assert!(is_unchanged(&server, &before.manifest), "{what}");
        server.run(lines);
        assert!(!is_unchanged(&server, &before.manifest), "{what}");
    }
    // Another life of the server, even with the same content.
    let other = Server::start();
    assert!(!is_unchanged(&other, &snapshot.manifest));
    // A key whose time is over is taken away at some time.
    server.run("SET short 1 PX 200\n");
    let before = Snapshot::take(&server.target());
    let begun = Instant::now();
    while server.cli(&["INFO", "keyspace"]).contains("expires=1") {
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
    assert!(!is_unchanged(&server, &before.manifest));
}

#[test]
fn a_file_is_of_the_moment_at_which_it_was_begun() {
    let server = Server::start();
    server.run("SET a 1\n");
    let taken = {
        let target = server.target();
        let session = open(&target, &environment()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let command = session.connection.dump(&folder.path().join("dump"));
        server.run("SET a 2\n");
        crate::snapshot::redis::take::take(&session, "0", &environment(), &command, &Waiting::default()).unwrap()
    };
    // It is of the moment at which the file was begun, not of that at which the server was looked at.
    let manifest = manifest_of(taken);
    assert!(is_unchanged(&server, &manifest));
    server.run("SET a 3\n");
    assert!(!is_unchanged(&server, &manifest));
}

#[test]
fn where_no_server_program_is_at_hand_no_undo_is_promised() {
    let server = Server::start();
    server.run("SET a 1\n");
    let folder = tempfile::tempdir().unwrap();
    let client = which("redis-cli");
    std::os::unix::fs::symlink(&client, folder.path().join("redis-cli")).unwrap();
    let own = environment_of(&[folder.path().to_owned()], &folder.path().join("state"));
    let Found::Database(mut database) = Redis.open(&server.target(), &own).unwrap() else { panic!("it is there") };
    let obstacles = database.obstacles().unwrap();
    assert_eq!(worst(&obstacles), Some(Effect::NothingComesBack));
    assert!(obstacles[0].what.contains("there is no redis-server here"), "{obstacles:?}");
    // Saved it is all the same.
    let file = folder.path().join("dump");
    let taken = database.plan(&file).unwrap().carry_out(None, &Waiting::default()).unwrap();
    assert!(taken.by_hand.iter().any(|line| line.contains("REPLICAOF 127.0.0.1")), "{:?}", taken.by_hand);
    assert_eq!(worst(&taken.obstacles), Some(Effect::NothingComesBack));
    // With no client at all nothing is saved.
    fs::remove_file(folder.path().join("redis-cli")).unwrap();
    let error = open(&server.target(), &own).unwrap_err();
    assert!(matches!(error, RedisError::NoTools), "{error}");
}

fn which(name: &str) -> std::path::PathBuf {
    let folders = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|file| file.exists()).unwrap()
}

/// The programs of this machine, reached as those inside a container are.
#[test]
fn the_tools_inside_a_container_save_and_no_undo_is_promised() {
    let mut server = Server::start();
    server.fill();
    server.lock();
    let inside = Inside { container: Container::with_programs_of(Path::new("/usr/bin")), port: server.port };
    let tools = LISTING.of(&inside).unwrap().remove(0);
    assert_eq!((tools.client.file_name(), &tools.inside), (Some("redis-cli".as_ref()), &Some(inside.clone())));
    let target = server.target();
    // What is published elsewhere is dialled inside at the server's own port.
    let connection = Connection::new(&target, &Place::Host { name: "localhost".into(), port: Some(1) }, &tools);
    let info = ask(&connection).unwrap();
    let session = Session { connection, info, fingerprint: "redis:here:1".to_owned(), inside: Some(inside) };
    let folder = tempfile::tempdir().unwrap();
    let command = session.connection.dump(&folder.path().join("dump"));
    let taken =
        crate::snapshot::redis::take::take(&session, "0", &environment(), &command, &Waiting::default()).unwrap();
    assert_eq!(taken.tables, Snapshot::take(&target).manifest.tables);
    assert_eq!(worst(&taken.obstacles), Some(Effect::NothingComesBack));
    assert!(taken.obstacles[0].what.starts_with("the server runs inside the container"), "{:?}", taken.obstacles);
    assert!(taken.by_hand[1].contains("cat > /tmp/back.rdb"), "{:?}", taken.by_hand);
}
