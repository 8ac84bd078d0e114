//! The proof that nothing was written: it holds while nothing is, and fails for every kind of write.

use crate::snapshot::postgres::Session;
use crate::snapshot::postgres::testing::{Server, Snapshot, environment};

const START: &str = "CREATE TABLE t (a serial, b text); INSERT INTO t (b) VALUES ('x'); CREATE UNLOGGED TABLE u (a int); \
    CREATE SEQUENCE s; SELECT nextval('s'), nextval('s'); CREATE SEQUENCE fresh; CREATE TABLE full_table AS SELECT 1 AS a; \
    ANALYZE; CHECKPOINT";

#[test]
fn every_write_ends_the_proof_and_reading_does_not() {
    let server = Server::start();
    let target = server.database("shop", START);
    server.run("shop", "SELECT count(*) FROM t, u, full_table");
    let writes = [
        "INSERT INTO t (b) VALUES ('y')",
        "UPDATE t SET b = b",
        "DELETE FROM t WHERE b = 'y'",
        "SELECT nextval('s')",
        "SELECT nextval('s')",
        "SELECT nextval('s')",
        "SELECT nextval('fresh')",
        "SELECT setval('s', 3)",
        "SELECT setval('s', 3, false)",
        "INSERT INTO u VALUES (1)",
        "TRUNCATE u",
        "CREATE TABLE v (a int)",
        "ALTER TABLE t ADD c int",
        "COMMENT ON TABLE t IS 'x'",
        "GRANT SELECT ON t TO PUBLIC",
        "SELECT lo_from_bytea(0, 'x')",
        "BEGIN; INSERT INTO t (b) VALUES ('r'); ROLLBACK",
        "ALTER DATABASE shop SET work_mem = '5MB'",
        "BEGIN; SELECT nextval('s'); ROLLBACK",
        "CREATE STATISTICS st ON a, b FROM t",
        "ALTER TABLE t SET (fillfactor = 50)",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        "ALTER ROLE postgres IN DATABASE shop SET work_mem = '6MB'",
        "BEGIN; TRUNCATE t; COPY t (b) FROM PROGRAM 'echo x' (FREEZE); COMMIT",
    ];
    let mut snapshot = Snapshot::take(&target);
    for write in writes {
        let unchanged =
            || Session::open(&target, &environment()).unwrap().is_unchanged_since(&snapshot.manifest).unwrap();
        server.run("shop", "SELECT count(*) FROM t; SELECT * FROM s; CHECKPOINT");
        server.run("shop", "VACUUM");
        assert!(unchanged(), "before {write}");
        assert!(unchanged(), "asked again before {write}");
        server.run("shop", write);
        assert!(!unchanged(), "after {write}");
        snapshot = Snapshot::take(&target);
    }
}

#[test]
fn where_it_cannot_be_proven_there_is_no_proof() {
    let server = Server::start();
    let target = server.database("shop", START);
    let state = |target| Session::open(&target, &environment()).unwrap().state().unwrap();
    assert!(state(target.clone()).is_some());
    server.run("postgres", "CREATE ROLE app LOGIN PASSWORD 'app'");
    assert_eq!(state(server.target_as("shop", "app")), None, "sequences that cannot be read");
    server.run("shop", "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app");
    assert!(state(server.target_as("shop", "app")).is_some());

    server.run("shop", "BEGIN; INSERT INTO t (b) VALUES ('p'); PREPARE TRANSACTION 'later'");
    assert_eq!(state(target.clone()), None, "a transaction that has written and may commit");
    let snapshot = Snapshot::take(&target);
    server.run("shop", "COMMIT PREPARED 'later'");
    assert!(!Session::open(&target, &environment()).unwrap().is_unchanged_since(&snapshot.manifest).unwrap());

    server.run("shop", "CREATE UNLOGGED SEQUENCE loose");
    assert_eq!(state(target), None, "a sequence that can be set without a trace");
}

#[test]
fn a_snapshot_of_another_database_proves_nothing() {
    let server = Server::start();
    let (one, other) = (server.database("one", ""), server.database("other", ""));
    let snapshot = Snapshot::take(&one);
    assert!(!Session::open(&other, &environment()).unwrap().is_unchanged_since(&snapshot.manifest).unwrap());
    assert!(Session::open(&one, &environment()).unwrap().is_unchanged_since(&snapshot.manifest).unwrap());
}

#[test]
fn what_a_role_or_provider_may_not_see_proves_nothing() {
    let server = Server::start();
    let target = server.database("shop", "CREATE ROLE app LOGIN PASSWORD 'app'; CREATE TABLE t AS SELECT 1 AS a");
    let app = server.target_as("shop", "app");
    let proof = || Session::open(&app, &environment()).unwrap().state().unwrap();
    for hidden in [
        "EXECUTE ON FUNCTION pg_control_system()",
        "SELECT ON pg_stat_bgwriter",
        "SELECT ON pg_stat_activity",
        "EXECUTE ON FUNCTION pg_current_wal_lsn()",
    ] {
        assert!(proof().is_some(), "before {hidden}");
        server.run("shop", &format!("REVOKE {hidden} FROM PUBLIC"));
        assert_eq!(proof(), None, "{hidden}");
        server.run("shop", &format!("GRANT {hidden} TO PUBLIC"));
    }
    // It needs no more than every role has.
    server.run("shop", "GRANT SELECT ON t TO app");
    let snapshot = Snapshot::take(&app);
    let unchanged =
        |target| Session::open(target, &environment()).unwrap().is_unchanged_since(&snapshot.manifest).unwrap();
    assert!(unchanged(&app) && unchanged(&target), "whoever asks");
}
