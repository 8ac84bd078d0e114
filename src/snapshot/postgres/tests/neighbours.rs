//! What a server counts of its other databases shows which of them were written.

use crate::reach::Place;
use crate::snapshot::Change;
use crate::snapshot::engine::SnapshotEngine;
use crate::snapshot::postgres::Session;
use crate::snapshot::postgres::engine::Postgres;
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

#[test]
fn databases_beside_one_are_listed_by_name_though_it_is_not_there_itself() {
    let server = Server::shared();
    let mut target = server.database("beside_gone", "");
    server.database("beside_gone_1", "");
    server.run("postgres", "DROP DATABASE beside_gone");
    let is_wanted = |name: &str| name.starts_with("beside_gone");
    let found = |target: &_| Postgres.names_beside(target, &environment(), &is_wanted);
    assert_eq!(found(&target).unwrap(), ["beside_gone_1"]);
    target.places = vec![Place::Host { name: "127.0.0.1".to_owned(), port: Some(1) }];
    assert!(found(&target).is_err(), "nobody listens there");
}
