//! Logical replication: nothing of it goes away with a database that is replaced.

use crate::error::Explain;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::{PostgresError, drop_leftover, leftovers, restore};
use crate::snapshot::testing::AllKnown;

#[test]
fn a_slot_keeps_a_database_from_being_replaced_until_somebody_drops_it() {
    let server = Server::shared();
    let target = server.database(
        "published",
        "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE PUBLICATION p FOR TABLE t",
    );
    server.run("published", "SELECT pg_create_logical_replication_slot('of_published', 'pgoutput')");
    let snapshot = Snapshot::take(&target);
    server.run("published", "UPDATE t SET a = 2");
    let obstacles = &snapshot.manifest.obstacles;
    assert!(obstacles.iter().any(|one| one.what.contains("`of_published`")), "said before the run: {obstacles:?}");
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap_err();
    assert!(matches!(&error, PostgresError::Replicates { what, .. } if what == "the slot of_published"), "{error}");
    assert!(error.hint().unwrap().contains("pg_drop_replication_slot"));
    let slot = "SELECT database FROM pg_replication_slots WHERE slot_name = 'of_published'";
    assert_eq!(
        (server.run("published", "SELECT a FROM t"), server.run("postgres", slot)),
        ("2".into(), "published".into())
    );
    assert_eq!(leftovers(&target, &environment(), &AllKnown).unwrap(), []);
    server.run("postgres", "SELECT pg_drop_replication_slot('of_published')");
    snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap();
    assert_eq!(server.run("published", "SELECT a, pubname FROM t, pg_publication"), "1|p");
}

#[test]
fn a_subscription_is_restored_disabled_and_does_not_keep_what_was_replaced_from_being_dropped() {
    let server = Server::shared();
    let target = server.database("subscribed", "CREATE TABLE t AS SELECT 1 AS a");
    let subscribe = format!(
        "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port={} dbname=nowhere' PUBLICATION p \
         WITH (connect = false, slot_name = 'elsewhere')",
        server.port
    );
    server.run("subscribed", &subscribe);
    let snapshot = Snapshot::take(&target);
    server.run("subscribed", "UPDATE t SET a = 2");
    server.run("subscribed", "ALTER SUBSCRIPTION s ENABLE");
    let put_back = || snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()));
    let error = put_back().unwrap_err();
    assert!(matches!(&error, PostgresError::Replicates { what, .. } if what == "the subscription s"), "{error}");
    assert!(error.hint().unwrap().contains("DISABLE"));
    // Subscriptions stand in one catalog of the whole server.
    let enabled = "SELECT a, subenabled FROM t, pg_subscription s JOIN pg_database d ON d.oid = s.subdbid \
                   WHERE d.datname = current_database()";
    assert_eq!(server.run("subscribed", enabled), "2|t");
    server.run("subscribed", "ALTER SUBSCRIPTION s DISABLE");
    let restored = put_back().unwrap();
    assert!(restored.notes.iter().any(|note| note.contains("The subscription `s` is back disabled")), "{restored:?}");
    let all = "SELECT d.datname, s.subenabled, s.subslotname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid \
               WHERE datname LIKE 'subscribed%' ORDER BY 1";
    let replaced = restored.replaced.unwrap();
    assert_eq!(server.run("postgres", all), format!("subscribed|f|elsewhere\n{replaced}|f|elsewhere"));
    assert!(drop_leftover(&target, &environment(), &replaced, &AllKnown).unwrap());
    assert_eq!(server.run("postgres", all), "subscribed|f|elsewhere");
    assert_eq!(server.run("subscribed", "SELECT a FROM t"), "1");
    server.run("subscribed", "ALTER SUBSCRIPTION s SET (slot_name = NONE)");
    server.run("subscribed", "DROP SUBSCRIPTION s");
}
