//! Snapshots that other tools wrote.

use crate::snapshot::engine::OpenDatabase;
use crate::snapshot::postgres::Session;
use crate::snapshot::postgres::testing::{Server, Snapshot, environment};

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
