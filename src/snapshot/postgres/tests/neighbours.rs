//! What a server counts of its other databases shows which of them were written.

use crate::snapshot::Change;
use crate::snapshot::postgres::Session;
use crate::snapshot::postgres::neighbours::neighbours;
use crate::snapshot::postgres::testing::{Server, environment};
use crate::snapshot::testing::wait_for;

#[test]
fn a_database_that_was_written_or_dropped_is_told_and_one_that_was_read_is_not() {
    for server in [Server::shared(), Server::shared_version(17)] {
        let target = server.database("counted", "CREATE TABLE t AS SELECT 1 AS a");
        for name in ["counted_written", "counted_read", "counted_dropped"] {
            server.database(name, "CREATE TABLE t AS SELECT 1 AS a");
        }
        let before = Session::open(&target, &environment()).unwrap().neighbours().unwrap();
        assert_eq!(before.own, "counted");
        assert!(before.counted.contains_key("counted_written") && !before.counted.contains_key("counted"));
        server.run("counted_read", "SELECT count(*) FROM t");
        server.run("counted_written", "UPDATE t SET a = 2");
        server.run("postgres", "DROP DATABASE counted_dropped");
        wait_for("what a session wrote is counted once it has ended", || {
            let changed = neighbours(&target, &environment()).unwrap().changed_since(&before);
            assert!(changed.iter().all(|(name, _)| name != "counted_read"), "{changed:?}");
            let has = |name: &str, change| changed.contains(&(name.to_owned(), change));
            has("counted_written", Change::Written) && has("counted_dropped", Change::Dropped)
        });
        // Also where the command has dropped the database itself.
        server.run("postgres", "DROP DATABASE counted");
        assert_eq!(neighbours(&target, &environment()).unwrap().life, before.life);
    }
}
