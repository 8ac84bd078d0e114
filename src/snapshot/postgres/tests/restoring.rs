//! Putting databases back: exactly what was saved, or what was there before.

use std::process::Stdio;

use crate::reach::Target;
use crate::snapshot::LeftoverKind;
use crate::snapshot::beside_names::Purpose;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::engine::Restored;
use crate::snapshot::postgres::beside;
use crate::snapshot::postgres::beside::Marker;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::tests::rich::{RICH, text_of};
use crate::snapshot::postgres::{PostgresError, Session, drop_leftover, leftovers, restore, verify};
use crate::snapshot::testing::AllKnown;
use crate::snapshot::tool_process::ToolError;
use crate::snapshot::{VerificationLevel, not_whole_in_full};

fn put_back(snapshot: &Snapshot, target: &Target) -> Result<Restored, PostgresError> {
    snapshot.restoring(target, |restoration| restore(restoration, &Waiting::default()))
}

#[test]
fn everything_comes_back_as_it_was() {
    let server = Server::shared();
    let target = server.database("everything", RICH);
    let before = text_of(&server, "everything");
    let snapshot = Snapshot::take(&target);
    // What makes a restore in place fail or double the rows: a view on a table, a table of its own.
    server.run("everything", "CREATE VIEW added AS SELECT * FROM users; CREATE TABLE new_one (a int); DELETE FROM users; DROP TABLE parent CASCADE");
    let restored = put_back(&snapshot, &target).unwrap();
    assert_eq!((restored.computed.refreshed, restored.notes), (vec!["public.totals".to_owned()], Vec::new()));
    assert_eq!(text_of(&server, "everything"), before);
    let replaced = restored.replaced.unwrap();
    assert_eq!(replaced, "everything_replaced_20261121_143022");
    assert_eq!(server.run(&replaced, "SELECT count(*) FROM added"), "0");
    // Once more, within the same second and of the same snapshot.
    assert_eq!(put_back(&snapshot, &target).unwrap().replaced.unwrap(), "everything_replaced_20261121_143022_2");
    assert_eq!(text_of(&server, "everything"), before);
}

#[test]
fn settings_grants_owner_and_comment_are_carried_over() {
    let server = Server::shared();
    server.run("postgres", "CREATE ROLE keeper; CREATE ROLE visitor");
    let target = server.database(
        "settled",
        "ALTER DATABASE settled OWNER TO keeper; ALTER DATABASE settled SET work_mem = '5MB'; \
         ALTER DATABASE settled SET search_path = \"$user\", public; ALTER ROLE visitor IN DATABASE settled SET app.x = 'it''s'; \
         REVOKE CONNECT ON DATABASE settled FROM PUBLIC; GRANT CONNECT ON DATABASE settled TO visitor WITH GRANT OPTION; \
         ALTER DATABASE settled CONNECTION LIMIT 7; COMMENT ON DATABASE settled IS 'the ''shop'''",
    );
    let facts = "SELECT d.datdba::regrole, d.datacl, d.datconnlimit, d.datcollate, shobj_description(d.oid, 'pg_database'), \
                 (SELECT string_agg(s.setrole || s.setconfig::text, ';' ORDER BY s.setrole) FROM pg_db_role_setting s \
                 WHERE s.setdatabase = d.oid) FROM pg_database d WHERE datname = 'settled'";
    let before = server.run("postgres", facts);
    assert!(before.contains("visitor=c*/keeper") && before.contains("work_mem=5MB"), "{before}");
    let snapshot = Snapshot::take(&target);
    assert_eq!(put_back(&snapshot, &target).unwrap().notes, Vec::<String>::new());
    assert_eq!(server.run("postgres", facts), before);
}

#[test]
fn a_database_that_was_dropped_and_odd_names_are_restored() {
    let server = Server::shared();
    let long = "ü".repeat(31) + "r";
    for name in ["gone", "host=r dbname=x", r#"r's "a" \ name"#, &long] {
        let target = server.database(name, "CREATE TABLE t AS SELECT 1 AS a");
        let snapshot = Snapshot::take(&target);
        let replaced = put_back(&snapshot, &target).unwrap().replaced.unwrap();
        assert!(replaced.len() <= 63 && server.run(&replaced, "SELECT count(*) FROM t") == "1", "{replaced}");
        server.run("postgres", &format!("DROP DATABASE {}", crate::snapshot::postgres::psql::identifier(name)));
        assert_eq!(put_back(&snapshot, &target).unwrap().replaced, None);
        assert_eq!(server.run(name, "SELECT count(*) FROM t"), "1");
    }
}

#[test]
fn a_role_that_is_gone_is_noted() {
    let server = Server::shared();
    server.run("postgres", "CREATE ROLE leaver");
    let target = server.database(
        "left",
        "CREATE TABLE t (a int); ALTER TABLE t OWNER TO leaver; ALTER DATABASE left SET work_mem = '6MB'"
            .replace("DATABASE left", "DATABASE \"left\"")
            .as_str(),
    );
    server.run("postgres", "GRANT CONNECT ON DATABASE \"left\" TO leaver");
    let snapshot = Snapshot::take(&target);
    server.run("left", "REASSIGN OWNED BY leaver TO postgres; DROP OWNED BY leaver; DROP ROLE leaver");
    let restored = put_back(&snapshot, &target).unwrap();
    assert!(restored.notes.iter().any(|note| note.contains("leaver")), "{restored:?}");
    assert_eq!(server.run("left", "SHOW work_mem"), "6MB");
}

#[test]
fn clients_that_reconnect_without_pause_do_not_hinder_the_exchange() {
    let server = Server::shared();
    let target = server.database("busy", "CREATE TABLE t AS SELECT 1 AS a");
    let snapshot = Snapshot::take(&target);
    server.run("busy", "INSERT INTO t VALUES (2)");
    let mut sleeper = server.psql("busy").arg("-c").arg("SELECT pg_sleep(600)").stderr(Stdio::null()).spawn().unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let _ = server.psql("busy").arg("-c").arg("SELECT count(*) FROM t").output();
                }
            });
        }
        let restored = put_back(&snapshot, &target);
        // Where they were not exchanged, its client is still there.
        if restored.is_err() {
            sleeper.kill().unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        restored.unwrap();
    });
    assert!(!sleeper.wait().unwrap().success());
    assert_eq!(server.run("busy", "SELECT count(*) FROM t"), "1");
}

#[test]
fn what_cannot_be_exchanged_leaves_the_database_as_it_was() {
    let server = Server::shared();
    let target = server.database("held", "CREATE TABLE t AS SELECT 1 AS a");
    let snapshot = Snapshot::take(&target);
    server.run("held", "BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION 'held'");
    let error = put_back(&snapshot, &target).unwrap_err();
    let PostgresError::NotRestored { remains, source, .. } = &error else { panic!("{error}") };
    assert_eq!(remains, "`held` is as it was");
    assert!(source.to_string().contains("1 prepared transactions"), "{source}");
    server.run("held", "COMMIT PREPARED 'held'");
    assert_eq!(server.run("held", "SELECT count(*) FROM t"), "2");
    assert_eq!(server.run("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'held\\_%'"), "0");
}

#[test]
fn a_role_that_may_not_exchange_databases_restores_in_place_or_is_told_why_not() {
    let server = Server::shared();
    server.run(
        "postgres",
        "CREATE ROLE modest LOGIN PASSWORD 'modest'; CREATE ROLE maker LOGIN PASSWORD 'maker' CREATEDB",
    );
    let target = server.database(
        "modest",
        "ALTER DATABASE modest OWNER TO modest; CREATE TABLE t (a int); ALTER TABLE t OWNER TO modest",
    );
    let snapshot = Snapshot::take(&target);
    assert_eq!(snapshot.manifest.obstacles, Vec::new());
    // It is said when the snapshot is taken, before the command that it is to undo.
    let noted = |user: &str| {
        let manifest = Snapshot::take(&server.target_as("modest", user)).manifest;
        not_whole_in_full(&manifest.obstacles).unwrap_or_default()
    };
    let in_place = "can be restored in place only, with a safety snapshot as the way back, since the role `modest` may not create databases";
    assert_eq!(noted("modest"), in_place);
    server.run("modest", "GRANT SELECT ON t TO maker");
    let nothing =
        "nothing comes back, since the role `maker` may not drop what belongs to others: table public.t of modest";
    assert!(noted("maker").contains(nothing), "{}", noted("maker"));
    server.run("modest", "REVOKE SELECT ON t FROM maker; INSERT INTO t VALUES (1)");
    // The right alone is not enough for the exchange of a database of somebody else's.
    let error = put_back(&snapshot, &server.target_as("modest", "maker")).unwrap_err();
    assert!(matches!(error, PostgresError::NotItsOwn { .. }), "{error}");
    let restored = put_back(&snapshot, &server.target_as("modest", "modest")).unwrap();
    assert_eq!(restored.replaced, None);
    assert_eq!(server.run("modest", "SELECT count(*) FROM t"), "0");
    // What is gone cannot be replaced in place.
    server.run("postgres", "ALTER DATABASE modest RENAME TO modest_away");
    let error = put_back(&snapshot, &server.target_as("modest", "modest")).unwrap_err();
    assert!(matches!(error, PostgresError::MayNotCreate { .. }), "{error}");
    server.run("postgres", "ALTER DATABASE modest_away RENAME TO modest; ALTER ROLE modest CREATEDB");
    assert_eq!(noted("modest"), "");
    server.run("modest", "CREATE EXTENSION file_fdw");
    assert!(noted("modest").contains("only a superuser creates the extensions `file_fdw`"), "{}", noted("modest"));
    assert!(put_back(&snapshot, &server.target_as("modest", "modest")).unwrap().replaced.is_some());
    assert_eq!(server.run("modest", "SELECT tableowner FROM pg_tables WHERE tablename = 't'"), "modest");
}

#[test]
fn a_tablespace_that_is_gone_or_closed_does_not_keep_a_database_from_coming_back() {
    let server = Server::shared();
    server.run("postgres", "CREATE ROLE spacer LOGIN PASSWORD 'spacer' CREATEDB");
    let make = || {
        let mut psql = server.psql("postgres");
        psql.env("PGOPTIONS", "-c allow_in_place_tablespaces=on").args(["-c", "CREATE TABLESPACE fast LOCATION ''"]);
        assert!(psql.status().unwrap().success());
    };
    make();
    let target = server.database(
        "spaced",
        "ALTER DATABASE spaced OWNER TO spacer; ALTER SCHEMA public OWNER TO spacer; CREATE TABLE t (a int) TABLESPACE fast; \
         INSERT INTO t VALUES (1); CREATE INDEX i ON t (a) TABLESPACE fast; ALTER TABLE t OWNER TO spacer",
    );
    let snapshot = Snapshot::take(&target);
    assert_eq!(put_back(&snapshot, &target).unwrap().notes, Vec::<String>::new());
    let spaces = || server.run("spaced", "SELECT a, (SELECT tablespace FROM pg_tables WHERE tablename = 't') FROM t");
    assert_eq!(spaces(), "1|fast");
    // It is there, and this role may not use it.
    let restored = put_back(&snapshot, &server.target_as("spaced", "spacer")).unwrap();
    assert!(restored.notes[0].contains("own tablespace now"), "{:?}", restored.notes);
    assert_eq!(spaces(), "1|");
    for leftover in
        leftovers(&target, &environment(), &AllKnown).unwrap().iter().filter(|leftover| leftover.of == "spaced")
    {
        drop_leftover(&target, &environment(), &leftover.name, &AllKnown).unwrap();
    }
    server.run("postgres", "DROP TABLESPACE fast");
    server.run("spaced", "UPDATE t SET a = 2");
    let restored = put_back(&snapshot, &target).unwrap();
    assert!(restored.notes[0].contains("own tablespace now"), "{:?}", restored.notes);
    assert_eq!(spaces(), "1|");
}

#[test]
fn another_database_or_server_is_refused() {
    let server = Server::shared();
    let (one, other) = (server.database("this", "CREATE TABLE t (a int)"), server.database("that", ""));
    let mut snapshot = Snapshot::take(&one);
    assert!(matches!(put_back(&snapshot, &other), Err(PostgresError::SnapshotOfOtherDatabase { .. })));
    snapshot.manifest.server.as_mut().unwrap().fingerprint = "postgres:1".into();
    assert!(matches!(put_back(&snapshot, &one), Err(PostgresError::OtherServer { .. })));
}

#[test]
fn a_scratch_restore_proves_a_snapshot_and_leaves_nothing() {
    let server = Server::shared();
    let target = server.database("proven", RICH);
    let mut snapshot = Snapshot::take(&target);
    let check = |snapshot: &Snapshot| {
        snapshot.restoring(&target, |restoration| verify(restoration, VerificationLevel::Restore, &Waiting::default()))
    };
    check(&snapshot).unwrap();
    snapshot.manifest.state.as_mut().unwrap()["contents"]["sequences"] = 1.into();
    assert!(matches!(check(&snapshot), Err(PostgresError::Dump(DumpError::NotWhole { .. }))));
    assert_eq!(server.run("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'proven\\_%'"), "0");
}

#[test]
fn an_interrupted_restore_leaves_the_database_as_it_was() {
    let server = Server::shared();
    let target =
        server.database("patient", "CREATE TABLE t AS SELECT md5(g::text) AS a FROM generate_series(1, 100000) g");
    let snapshot = Snapshot::take(&target);
    // The file's hash comes first: it has less than two million bytes.
    let watch = Waiting { stop_after: Some(3_000_000), ..Waiting::default() };
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &watch)).unwrap_err();
    assert!(
        matches!(&error, PostgresError::NotRestored { source, .. } if matches!(**source, PostgresError::Tool(ToolError::Interrupted))),
        "{error}"
    );
    assert_eq!(server.run("patient", "SELECT count(*) FROM t"), "100000");
    assert_eq!(server.run("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'patient\\_%'"), "0");
}

#[test]
fn only_databases_that_we_made_are_listed_and_dropped() {
    let server = Server::shared();
    let target = server.database("pruned", "CREATE TABLE t (a int)");
    server.database("pruned_replaced_20250101_000000", "");
    let replaced = put_back(&Snapshot::take(&target), &target).unwrap().replaced.unwrap();
    let ours = || -> Vec<_> {
        leftovers(&target, &environment(), &AllKnown).unwrap().into_iter().filter(|leftover| leftover.ours).collect()
    };
    assert_eq!(ours().len(), 1);
    assert_eq!((&ours()[0].name, ours()[0].kind), (&replaced, LeftoverKind::Replaced));
    for name in ["pruned", "pruned_replaced_20250101_000000"] {
        assert!(
            matches!(drop_leftover(&target, &environment(), name, &AllKnown), Err(PostgresError::NotDropped { .. })),
            "{name}"
        );
    }
    // Two at once: both find in the end that it is gone, or leave it to the other.
    std::thread::scope(|scope| {
        let drop_it = || drop_leftover(&target, &environment(), &replaced, &AllKnown).unwrap();
        let (one, other) = (scope.spawn(drop_it), scope.spawn(drop_it));
        assert!(one.join().unwrap() | other.join().unwrap());
    });
    assert!(ours().is_empty());
    assert!(drop_leftover(&target, &environment(), &replaced, &AllKnown).unwrap(), "gone is what was wanted");
}

#[test]
fn a_missing_extension_is_told_apart_from_a_bad_snapshot() {
    let server = Server::shared();
    let target = server.database("extended", "CREATE TABLE t (a int)");
    let snapshot = Snapshot::take(&target);
    let error = snapshot.restoring(&target, |restoration| {
        let mut whole = crate::snapshot::postgres::whole::of(restoration).unwrap();
        whole.facts.extensions.insert("no_such_extension".to_owned(), "1.0".to_owned());
        let connection = Connection::new(&target, &environment()).unwrap();
        let mut maintenance = Session::open_maintenance(&connection, None).unwrap();
        beside::build(
            &mut maintenance,
            &whole,
            "never_made",
            &Marker::of(restoration, Purpose::Verifying),
            &Waiting::default(),
        )
        .unwrap_err()
    });
    assert!(matches!(&error, PostgresError::MissingExtensions { names } if names == "no_such_extension"), "{error}");
}

#[test]
fn the_statistics_of_every_table_are_gathered() {
    let server = Server::shared();
    let target = server.database(
        "planned",
        "CREATE TABLE \"T 1\" AS SELECT n FROM generate_series(1, 9) n; CREATE MATERIALIZED VIEW m AS SELECT 1 AS n; \
         CREATE TABLE p (n int) PARTITION BY RANGE (n); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); \
         INSERT INTO p VALUES (1), (2)",
    );
    let snapshot = Snapshot::take(&target);
    let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap();
    assert!(restored.notes.iter().all(|note| !note.contains("tatistics")), "{:?}", restored.notes);
    let known =
        "SELECT string_agg(DISTINCT tablename, ', ' ORDER BY tablename) FROM pg_stats WHERE schemaname = 'public'";
    assert_eq!(server.run("planned", known), "T 1, m, p, p1");
}
