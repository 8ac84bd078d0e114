//! Taking snapshots: all of it, or an error.

use super::super::testing::{Server, Snapshot};

#[test]
fn a_snapshot_holds_every_row() {
    let server = Server::start();
    let target = server.database("shop", "CREATE TABLE t(a int); INSERT INTO t SELECT generate_series(1, 1000)");
    let snapshot = Snapshot::take(&target);
    assert_eq!(snapshot.manifest.tables.len(), 1);
    assert_eq!(snapshot.manifest.tables[0].rows, Some(1000));
}
