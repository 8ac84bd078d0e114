//! Servers that fail on the way: what was begun ends, and nothing is lost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::error::Explain;
use crate::exit::Exit;
use crate::snapshot::engine::SnapshotEngine;
use crate::snapshot::engine_error::{Consequence, EngineFailure};
use crate::snapshot::mysql::leftovers::leftovers;
use crate::snapshot::mysql::restore::restore;
use crate::snapshot::mysql::testing::{Server, Snapshot, WRECK, Waiting, assert_same, bring_back, environment, save};
use crate::snapshot::mysql::{Mysql, MysqlError, Session};
use crate::snapshot::testing::AllKnown;
use crate::snapshot::{LeftoverKind, Watch};

/// Ends the server once so many bytes were read or written.
struct Crashing<'s> {
    server: &'s Server,
    after: u64,
    seen: AtomicU64,
}

impl Watch for Crashing<'_> {
    fn advance(&self, bytes: u64) {
        if self.seen.fetch_add(bytes, Ordering::Relaxed) + bytes >= self.after {
            self.server.crash();
        }
    }

    fn interrupted(&self) -> bool {
        false
    }
}

const LARGE: &str = "CREATE TABLE t (a TEXT); INSERT INTO t SELECT REPEAT(MD5(seq), 30) FROM seq_1_to_30000;
                     CREATE TABLE u (a INT); INSERT INTO u VALUES (1)";

#[test]
fn a_server_that_dies_while_it_is_saved_leaves_no_snapshot() {
    let server = Server::start();
    let mut session = Session::open(&server.database("dying", LARGE), &environment()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let watch = Crashing { server: &server, after: 1_000_000, seen: AtomicU64::new(0) };
    let error = save(&mut session, &folder.path().join("dump"), &watch).unwrap_err();
    assert_eq!((error.exit(), error.consequence()), (Exit::NoSnapshot, Consequence::Untouched), "{error}");
    assert!(!error.to_string().is_empty() && error.hint().is_some(), "{error}");
}

#[test]
fn a_server_that_dies_while_it_is_put_back_has_what_it_had() {
    let mut server = Server::start();
    // What was committed is on the disk: it is not safe-test that could lose it.
    server.run("", "SET GLOBAL innodb_flush_log_at_trx_commit = 1");
    let target = server.database("dying", LARGE);
    let snapshot = Snapshot::take(&target);
    server.run("dying", "DELETE FROM t LIMIT 5; UPDATE u SET a = 2");
    let before = server.content("dying");
    for part in [0, 1, 2] {
        // While the file is hashed, while it is loaded, while what was loaded is compared.
        let after = [1, snapshot.manifest.size + 5_000_000, snapshot.manifest.size + 35_000_000][part];
        let error = {
            let watch = Crashing { server: &server, after, seen: AtomicU64::new(0) };
            snapshot.restoring(&target, |restoration| restore(restoration, &watch).unwrap_err())
        };
        assert_eq!(error.consequence(), Consequence::Untouched, "{part}: {error}");
        server.restart();
        server.run("", "SET GLOBAL innodb_flush_log_at_trx_commit = 1");
        assert_same(&server.content("dying"), &before);
        let target = server.target("dying");
        let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()));
        assert!(restored.is_ok(), "{part}: {restored:?}");
        server.run("dying", "DELETE FROM t LIMIT 5; UPDATE u SET a = 2");
    }
}

#[test]
fn a_server_whose_disk_is_full_has_what_it_had() {
    // What all tables are in does not grow.
    let server = Server::start_with(&["--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M;ibdata2:28M"]);
    let target = server.database(
        "crowded",
        "CREATE TABLE t (a TEXT); INSERT INTO t SELECT REPEAT(MD5(seq), 30) FROM seq_1_to_3000; CREATE TABLE u (a INT);
         INSERT INTO u VALUES (1); CREATE VIEW v AS SELECT a FROM u; CREATE TRIGGER r BEFORE INSERT ON u FOR EACH ROW SET NEW.a = 7",
    );
    let saved = server.content("crowded");
    let snapshot = Snapshot::take(&target);
    server.database("filler", "");
    let mut outcomes = Vec::new();
    for step in 0..10 {
        // Ever less is left. What the server has dropped it gives back later, so in the end this goes on until nothing fits.
        let fill =
            format!("CREATE TABLE f{step} (a TEXT); INSERT INTO f{step} SELECT REPEAT('x', 1000) FROM seq_1_to_1500");
        let fits = |statement: &str| {
            server.client().args(["--database=filler", "-e", statement]).output().unwrap().status.success()
        };
        let again = format!("INSERT INTO f{step} SELECT REPEAT('x', 1000) FROM seq_1_to_300");
        let mut goes_on = fits(&fill) && step >= 5;
        while goes_on {
            goes_on = fits(&again);
        }
        server.run("crowded", "UPDATE u SET a = 2");
        let before = server.content("crowded");
        match snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())) {
            Ok(restored) => {
                assert_same(&server.content("crowded"), &saved);
                server.run("", &format!("DROP DATABASE {}", restored.replaced.unwrap()));
                outcomes.push(true);
            }
            Err(error) => {
                assert_eq!(error.consequence(), Consequence::Untouched, "{step}: {error}");
                assert_same(&server.content("crowded"), &before);
                outcomes.push(false);
                let there = server.run("", "SHOW DATABASES LIKE 'crowded%'");
                if let Some(left) = there.strip_prefix("crowded\n") {
                    // To drop something needs room as well: no step would find more of it.
                    assert!(error.to_string().contains(&format!("`{left}` was left behind")), "{step}: {error}");
                    break;
                }
                assert_eq!(server.run("", "SHOW DATABASES LIKE 'crowded%'"), "crowded", "{step}: {error}");
            }
        }
    }
    assert!(outcomes[0] && outcomes.contains(&false), "{outcomes:?}");
}

#[test]
fn a_server_without_connections_or_that_may_not_be_written_to_is_left_as_it_is() {
    let server = Server::start();
    let target = server.rich("denied");
    server.target_as("denied", "writer", &["ALL ON *.*"]);
    server.run("", "REVOKE READ ONLY ADMIN ON *.* FROM writer@'%'; REVOKE SUPER ON *.* FROM writer@'%'");
    let writer = crate::reach::Target {
        user: Some("writer".to_owned()),
        password: Some(crate::secret::Secret::new("writer")),
        ..target.clone()
    };
    let snapshot = Snapshot::try_take(&writer, &environment()).unwrap();
    let before = server.content("denied");
    server.run("", "SET GLOBAL read_only = 1");
    // Saved it can be.
    Snapshot::try_take(&writer, &environment()).unwrap();
    let error = snapshot.restoring(&writer, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert!(error.to_string().contains("read-only") || format!("{error:?}").contains("read-only"), "{error:?}");
    assert_eq!(error.consequence(), Consequence::Untouched, "{error}");
    server.run("", "SET GLOBAL read_only = 0");
    assert_same(&server.content("denied"), &before);
    server.run("", "ALTER USER tester@'%' WITH MAX_USER_CONNECTIONS 1");
    let taken = Session::open(&target, &environment()).unwrap();
    let Err(error) = Mysql.open(&target, &environment()) else { panic!("there was a connection left") };
    assert!(error.hint().unwrap().contains("max_connections") && !error.found_no_server(), "{error}");
    // One is enough to look, and not to save: the dump program needs its own.
    let mut taken = taken;
    let folder = tempfile::tempdir().unwrap();
    let error = save(&mut taken, &folder.path().join("dump"), &Waiting::default()).unwrap_err();
    assert!(matches!(error, MysqlError::Tool(_)), "{error}");
}

#[test]
fn a_server_that_begins_to_refuse_in_the_middle_of_a_restore_loses_nothing() {
    let server = Server::start();
    server.rich("refusing");
    let writer = server.target_as("refusing", "writer", &["ALL ON *.*"]);
    server.run("", "REVOKE READ ONLY ADMIN, SUPER ON *.* FROM writer@'%'");
    let saved = server.content("refusing");
    let snapshot = Snapshot::try_take(&writer, &environment()).unwrap();
    let put_back = || snapshot.restoring(&writer, |restoration| restore(restoration, &Waiting::default()));
    server.run("refusing", WRECK);
    let wrecked = server.content("refusing");
    let started = Instant::now();
    bring_back(&writer, &put_back().unwrap().replaced.unwrap()).unwrap();
    let lasts = started.elapsed() * 2 / 3;
    let steps = if std::env::var_os("SAFE_TEST_LONG").is_some() { 60 } else { 6 };
    for (fault, remedy) in [
        ("SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"),
        ("ALTER USER writer@'%' WITH MAX_USER_CONNECTIONS 1", "ALTER USER writer@'%' WITH MAX_USER_CONNECTIONS 0"),
    ] {
        let mut counts = [0; 3];
        for step in 0..steps {
            let outcome = thread::scope(|scope| {
                let restoring = scope.spawn(put_back);
                thread::sleep(lasts * step / steps);
                server.run("", fault);
                restoring.join().unwrap()
            });
            server.run("", remedy);
            let told = format!("{fault}, step {step}: {outcome:?}");
            let kept = match &outcome {
                Ok(restored) => {
                    assert_same(&server.content("refusing"), &saved);
                    counts[0] += 1;
                    restored.replaced.clone()
                }
                Err(error) if error.consequence() == Consequence::Untouched => {
                    counts[1] += 1;
                    None
                }
                Err(_) => {
                    counts[2] += 1;
                    let left = leftovers(&writer, &environment(), &AllKnown).unwrap();
                    Some(left.into_iter().rfind(|one| one.kind == LeftoverKind::Replaced).expect(&told).name)
                }
            };
            if let Some(kept) = kept {
                bring_back(&writer, &kept).unwrap_or_else(|error| panic!("{error}; {told}"));
            }
            assert_same(&server.content("refusing"), &wrecked);
            for name in server.run("", "SHOW DATABASES LIKE 'refusing\\_%'").lines() {
                server.run("", &format!("DROP DATABASE {name}"));
            }
        }
        eprintln!("{fault}: {steps} restores; done, untouched, brought back by what was kept: {counts:?}");
        assert!(counts[1] > 0, "{counts:?}");
    }
}
