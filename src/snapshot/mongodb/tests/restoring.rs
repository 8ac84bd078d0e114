//! Restores: what was there is as it was afterwards, and nothing else is.

use std::thread;

use crate::snapshot::VerificationLevel::Restore;
use crate::snapshot::beside_names::{Purpose, related};
use crate::snapshot::engine_error::{Consequence, EngineFailure};
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::bson::Writing;
use crate::snapshot::mongodb::leftovers::{drop_leftover, leftovers};
use crate::snapshot::mongodb::restore::{prepare_restore, restore};
use crate::snapshot::mongodb::session::open_server;
use crate::snapshot::mongodb::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::mongodb::verify::verify;
use crate::snapshot::testing::AllKnown;
use crate::snapshot::tool_process::ToolError;
use crate::snapshot::turn::Turn;
use crate::snapshot::{LeftoverKind, Provenance, Standing};

fn put_back(server: &Server, snapshot: &Snapshot, database: &str) {
    let target = server.target(database);
    snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap());
}

#[test]
fn a_wrecked_database_comes_back_and_what_came_later_goes() {
    for server in [Server::shared(), Server::start(true).into()] {
        let target = server.rich("wrecked");
        let before = server.content("wrecked");
        let snapshot = Snapshot::take(&target);
        server.wreck("wrecked");
        assert!(server.content("wrecked") != before);
        put_back(&server, &snapshot, "wrecked");
        assert!(server.content("wrecked") == before);
        assert_eq!(server.databases("wrecked"), ["wrecked"], "nothing is left");
        // And one that was dropped.
        server.client().drop_database("wrecked").unwrap();
        put_back(&server, &snapshot, "wrecked");
        assert!(server.content("wrecked") == before);
    }
}

#[test]
fn functions_that_a_server_keeps_come_back_though_it_cannot_drop_them() {
    let server = Server::shared();
    let target = server.rich("functions");
    server.insert("functions", "system.js", [Writing::new().text("_id", "plus_one").text("value", "x => x + 1")]);
    let before = server.content("functions");
    let snapshot = Snapshot::take(&target);
    server.insert("functions", "system.js", [Writing::new().text("_id", "plus_two").text("value", "x => x + 2")]);
    put_back(&server, &snapshot, "functions");
    assert!(server.content("functions") == before);
}

#[test]
fn a_snapshot_is_put_back_to_its_own_database_on_its_own_server_only() {
    let server = Server::shared();
    let target = server.rich("own");
    let mut snapshot = Snapshot::take(&target);
    let other = server.target("another");
    let error = snapshot.restoring(&other, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert!(matches!(error, MongoError::SnapshotOfOtherDatabase { .. }), "{error}");
    snapshot.manifest.server.as_mut().unwrap().fingerprint = "mongodb:elsewhere".to_owned();
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert!(matches!(error, MongoError::OtherServer { .. }), "{error}");
    assert_eq!(error.consequence(), Consequence::Untouched);
}

#[test]
fn a_restore_that_is_stopped_beside_leaves_the_database_as_it_was_and_nothing_else() {
    let server = Server::shared();
    let target = server.rich("halted");
    let snapshot = Snapshot::take(&target);
    server.wreck("halted");
    let before = server.content("halted");
    let error = snapshot.restoring(&target, |restoration| {
        let prepared = prepare_restore(restoration, &Waiting::default()).unwrap();
        prepared.carry_out(&Waiting { stop_after: Some(1), ..Waiting::default() }).unwrap_err()
    });
    assert!(
        matches!(&error, MongoError::NotRestored { source, .. } if matches!(**source, MongoError::Tool(ToolError::Interrupted))),
        "{error}"
    );
    assert!(server.content("halted") == before);
    assert_eq!(server.databases("halted"), ["halted"]);
}

#[test]
fn two_at_once_wait_for_one_another() {
    let server = Server::shared();
    let target = server.rich("busy");
    let before = server.content("busy");
    let snapshot = Snapshot::take(&target);
    server.wreck("busy");
    thread::scope(|scope| {
        let restoring = scope.spawn(|| put_back(&server, &snapshot, "busy"));
        let checking = scope.spawn(|| {
            snapshot.restoring(&target, |restoration| verify(restoration, Restore, &Waiting::default()).unwrap());
        });
        restoring.join().unwrap();
        checking.join().unwrap();
    });
    assert!(server.content("busy") == before);
    assert_eq!(server.databases("busy"), ["busy"]);
}

/// Remembers every name as one that was written down.
struct AllMade;

impl Provenance for AllMade {
    fn standing_of(&self, _id: &str, _hash: &crate::hash::Hash) -> Standing {
        Standing::Known
    }

    fn was_given(&self, _id: &str, _taken_at: chrono::DateTime<chrono::Utc>) -> bool {
        false
    }

    fn was_made(&self, _server: &str, _database: &str, _at: chrono::DateTime<chrono::Utc>) -> bool {
        true
    }
}

#[test]
fn what_a_killed_restore_left_is_dropped_and_nothing_of_anybody_else() {
    let server = Server::shared();
    let target = server.rich("cleared");
    let at = "2026-11-21T14:30:22Z".parse().unwrap();
    let name = related("cleared", Purpose::Restoring, at, 1);
    server.insert(&name, "orders", [Writing::new().integer("_id", 1)]);
    server.insert("cleared_restoring_soon", "orders", [Writing::new().integer("_id", 1)]);
    let own = environment();
    let found = leftovers(&target, &own, &AllMade).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].name == name && found[0].ours && found[0].kind == LeftoverKind::Unfinished && !found[0].at_work);
    assert!(!leftovers(&target, &own, &AllKnown).unwrap()[0].ours);
    let error = drop_leftover(&target, &own, &name, &AllKnown).unwrap_err();
    assert!(matches!(error, MongoError::NotDropped { .. }), "{error}");
    let error = drop_leftover(&target, &own, "cleared", &AllMade).unwrap_err();
    assert!(matches!(error, MongoError::NotDropped { .. }), "{error}");
    // As long as somebody is at work, it stays.
    let fingerprint = open_server(&target, &own).unwrap().identity.fingerprint;
    let turn = Turn::take(&own, &fingerprint, "cleared").unwrap();
    assert!(leftovers(&target, &own, &AllMade).unwrap()[0].at_work);
    assert!(!drop_leftover(&target, &own, &name, &AllMade).unwrap());
    drop(turn);
    assert!(drop_leftover(&target, &own, &name, &AllMade).unwrap());
    assert!(drop_leftover(&target, &own, &name, &AllMade).unwrap(), "it is gone");
    assert_eq!(server.databases("cleared").len(), 2);
}
