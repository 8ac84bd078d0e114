//! Snapshots by other tools, of servers of other versions.

use crate::snapshot::engine::OpenDatabase;
use crate::snapshot::postgres::restore::restore;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::{PostgresError, Session};

#[test]
fn a_snapshot_that_these_tools_could_not_put_back_is_not_taken_over() {
    let server = Server::start();
    let target = server.database("shop", "CREATE TABLE t AS SELECT 1 AS a");
    let mut manifest = Snapshot::take(&target).manifest;
    let mut session = Session::open(&target, &environment()).unwrap();
    assert!(OpenDatabase::is_unchanged_since(&mut session, &manifest).unwrap());
    // Of a version that is not installed, and whose dumps nobody has restored into this server.
    manifest.tool.version = "99.1".into();
    assert!(!OpenDatabase::is_unchanged_since(&mut session, &manifest).unwrap());
}

#[test]
fn a_server_that_was_upgraded_since_is_another_and_told_by_its_version() {
    let [old, new] = [17, 18].map(Server::shared_version);
    let snapshot = Snapshot::take(&old.database("upgraded", "CREATE TABLE t AS SELECT 1 AS a"));
    let target = new.database("upgraded", "CREATE TABLE t AS SELECT 2 AS a");
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap_err();
    let PostgresError::OtherServer { snapshot, here } = &error else { panic!("{error}") };
    assert!(snapshot.contains(" (version 17.") && here.contains(" (version 18."), "{error}");
    assert_eq!(new.run("upgraded", "SELECT a FROM t"), "2");
}
