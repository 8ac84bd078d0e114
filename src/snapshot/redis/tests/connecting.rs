//! Who is spoken to, who is not, and what is said then.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use crate::error::Explain;
use crate::exit::Exit;
use crate::reach::{Place, Target};
use crate::secret::Secret;
use crate::snapshot::engine_error::EngineFailure;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::error::Refusal;
use crate::snapshot::redis::restore::restore;
use crate::snapshot::redis::session::open;
use crate::snapshot::redis::testing::{PASSWORD, Server, Snapshot, Waiting, environment};
use crate::snapshot::{Effect, worst};

fn why(error: &RedisError) -> Refusal {
    match error {
        RedisError::CannotConnect { why, .. } => *why,
        other => panic!("{other}"),
    }
}

fn with(target: &Target, user: Option<&str>, password: Option<&str>) -> Target {
    Target { user: user.map(str::to_owned), password: password.map(Secret::new), ..target.clone() }
}

#[test]
fn who_does_not_log_in_is_told_to_and_the_password_stands_nowhere() {
    let mut server = Server::start();
    server.run("SET a 1\n");
    server.lock();
    let target = server.target();
    let environment = environment();
    let session = open(&target, &environment).unwrap();
    let snapshot = Snapshot::take(&target);
    let written = serde_json::to_string(&snapshot.manifest).unwrap();
    for told in [written, format!("{session:?}")] {
        assert!(!told.contains("p\\\"w") && !told.contains("#%=[x]"), "{told}");
    }
    for wrong in
        [with(&target, None, None), with(&target, None, Some("wrong")), with(&target, Some("nobody"), Some(PASSWORD))]
    {
        let error = open(&wrong, &environment).unwrap_err();
        assert_eq!(why(&error), Refusal::Denied, "{error}");
        assert!(error.asks_for_password() && error.exit() == Exit::NoSnapshot && error.hint().is_some());
    }
    // The password is given although the server asks for none: a driver would fail, and so do we.
    let open_to_all = Server::start();
    let error = open(&with(&open_to_all.target(), None, Some("x")), &environment).unwrap_err();
    assert_eq!(why(&error), Refusal::Denied, "{error}");
    server.cli(&["SET", "a", "2"]);
    snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap());
    assert_eq!(server.cli(&["GET", "a"]), "1");
}

#[test]
fn a_user_without_the_right_to_copy_is_told_which() {
    let server = Server::start();
    server.run("SET a 1\n");
    server.run("ACL SETUSER reader on >pw ~* +@all -sync -psync\nACL SETUSER blind on >pw ~* +@all -info\n");
    let reader = with(&server.target(), Some("reader"), Some("pw"));
    let error = Snapshot::try_take(&reader, &Waiting::default()).err().unwrap();
    assert_eq!((why(&error), error.exit()), (Refusal::NotPermitted, Exit::NoSnapshot), "{error}");
    assert!(error.to_string().contains("no permissions to run the 'sync' command"), "{error}");
    assert!(error.hint().unwrap().contains("+sync"));
    let error = open(&with(&server.target(), Some("blind"), Some("pw")), &environment()).unwrap_err();
    assert_eq!(error.exit(), Exit::NoSnapshot);
    // One who may copy, and may not change settings, is saved; that nothing comes back by itself is said before.
    server.run("ACL SETUSER saver on >pw ~* +@all -config\n");
    let saver = with(&server.target(), Some("saver"), Some("pw"));
    let snapshot = Snapshot::take(&saver);
    assert_eq!(worst(&snapshot.manifest.obstacles), Some(Effect::NothingComesBack));
    server.run("SET a 2\n");
    let error = snapshot.restoring(&saver, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert_eq!(error.exit(), Exit::NoSnapshot, "{error}");
    assert_eq!(server.cli(&["GET", "a"]), "2");
    // An account that may everything, by its name.
    server.run("ACL SETUSER boss on >pw ~* &* +@all\n");
    let boss = with(&server.target(), Some("boss"), Some("pw"));
    let snapshot = Snapshot::take(&boss);
    snapshot.restoring(&boss, |restoration| restore(restoration, &Waiting::default()).unwrap());
}

#[test]
fn a_command_that_was_renamed_is_an_obstacle() {
    let server = Server::start_with(&["--repl-diskless-sync-delay", "0", "--rename-command", "REPLICAOF", ""]);
    server.run("SET a 1\n");
    let snapshot = Snapshot::take(&server.target());
    assert!(snapshot.manifest.obstacles.iter().any(|one| one.what.contains("rename-command")));
    let error =
        snapshot.restoring(&server.target(), |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert_eq!(
        (error.exit(), error.consequence()),
        (Exit::Failed, crate::snapshot::engine_error::Consequence::Untouched)
    );
    assert_eq!(server.cli(&["CONFIG", "GET", "masterauth"]), "masterauth");
    let server = Server::start_with(&["--rename-command", "SYNC", ""]);
    let error = Snapshot::try_take(&server.target(), &Waiting::default()).err().unwrap();
    assert_eq!(error.exit(), Exit::NoSnapshot, "{error}");
    assert!(error.to_string().contains("unknown command"), "{error}");
}

#[test]
fn replicas_clusters_and_sentinels_are_refused() {
    let server = Server::start();
    let port = server.port.to_string();
    let replica = Server::start_with(&["--replicaof", &format!("127.0.0.1 {port}")]);
    let cluster = Server::start_with(&["--cluster-enabled", "yes"]);
    for (server, expected) in [(&replica, "it is a replica, of 127.0.0.1"), (&cluster, "it is one of a cluster")] {
        let error = open(&server.target(), &environment()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.exit(), Exit::NoSnapshot);
    }
    // Nor is one that somebody else made a replica taken for one of ours when something is put back.
    let mut snapshot = Snapshot::take(&server.target());
    snapshot.manifest.server.as_mut().unwrap().fingerprint = format!("redis:here:{}", replica.port);
    let error =
        snapshot.restoring(&replica.target(), |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert!(matches!(error, RedisError::NotSavable { .. }), "{error}");
    assert!(replica.cli(&["ROLE"]).starts_with("slave"));
}

#[test]
fn a_server_that_reads_its_data_yet_is_waited_for_by_who_asks() {
    let mut folder = None;
    {
        let server = Server::start_with(&["--enable-debug-command", "yes"]);
        server.run("DEBUG POPULATE 20000\nSAVE\n");
        folder.replace(std::fs::read(server.folder().join("dump.rdb")).unwrap());
    }
    let kept = tempfile::tempdir().unwrap();
    std::fs::write(kept.path().join("slow.rdb"), folder.unwrap()).unwrap();
    let slow = kept.path().to_str().unwrap();
    // A thousandth of a second for each key.
    let server = Server::start_loading(&[
        "--dir",
        slow,
        "--dbfilename",
        "slow.rdb",
        "--key-load-delay",
        "1000",
        "--loading-process-events-interval-bytes",
        "1024",
    ]);
    let error = open(&server.target(), &environment()).unwrap_err();
    assert_eq!(why(&error), Refusal::Loading, "{error}");
    assert!(error.found_it_starting() && !error.found_no_server());
}

#[test]
fn one_that_is_no_redis_server_or_does_not_answer_is_told_from_one_that_is_not_there() {
    let environment = environment();
    let target = |port: u16| Target {
        places: vec![Place::Host { name: "127.0.0.1".into(), port: Some(port) }],
        ..Server::start().target()
    };
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = open(&target(closed), &environment).unwrap_err();
    assert!(why(&error) == Refusal::NoServer && error.found_no_server(), "{error}");
    let answering = |answer: &'static [u8]| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let _ = stream.read(&mut [0; 1000]);
                let _ = stream.write_all(answer);
            }
        });
        port
    };
    let error = open(&target(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")), &environment).unwrap_err();
    assert_eq!(why(&error), Refusal::NotRedis, "{error}");
    let error = open(&target(answering(b"+PONG\r\n")), &environment).unwrap_err();
    assert!(matches!(error, RedisError::NotDialable { .. }), "{error}");
    let error = open(&target(answering(b"")), &environment).unwrap_err();
    assert_eq!(why(&error), Refusal::Closed, "{error}");
}

/// A certificate for a server, and the authority's that it is signed by.
fn certificate(folder: &std::path::Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout"])
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .output()
        .unwrap();
    assert!(made.status.success());
}

#[test]
fn a_server_that_wants_tls_is_saved_and_put_back() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (key, cert, tls_port) = (file("key.pem"), file("cert.pem"), port.to_string());
    let server = Server::start_with(&[
        "--repl-diskless-sync-delay",
        "0",
        "--tls-port",
        &tls_port,
        "--tls-auth-clients",
        "no",
        "--tls-key-file",
        &key,
        "--tls-cert-file",
        &cert,
        "--tls-ca-cert-file",
        &cert,
    ]);
    server.run("SET a 1\n");
    let encrypted = |parameters: &[(&str, &str)]| Target {
        places: vec![Place::Host { name: "127.0.0.1".into(), port: Some(port) }],
        parameters: parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ..server.target()
    };
    for target in [encrypted(&[("tls", "true")]), encrypted(&[("tls", "true"), ("ssl_ca_certs", &cert)])] {
        let snapshot = Snapshot::take(&target);
        assert!(snapshot.manifest.obstacles.is_empty(), "{:?}", snapshot.manifest.obstacles);
        server.run("SET a 2\n");
        snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap());
        assert_eq!(server.cli(&["GET", "a"]), "1");
    }
    // Another authority than the server's.
    let other = tempfile::tempdir().unwrap();
    certificate(other.path());
    let wrong = other.path().join("cert.pem").to_str().unwrap().to_owned();
    assert!(open(&encrypted(&[("tls", "true"), ("ssl_ca_certs", &wrong)]), &environment()).is_err());
    // Without TLS it closes the connection.
    let error = open(&encrypted(&[]), &environment()).unwrap_err();
    assert_eq!(why(&error), Refusal::Closed, "{error}");
    // One that copies others by TLS only does not come back by itself.
    assert_eq!(server.cli(&["CONFIG", "SET", "tls-replication", "yes"]), "OK");
    let snapshot = Snapshot::take(&encrypted(&[("tls", "true")]));
    assert!(snapshot.manifest.obstacles[0].what.contains("tls-replication"));
}
