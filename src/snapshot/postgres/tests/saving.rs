//! Taking snapshots: all of it is in the file, and nobody sees a password.

use std::os::unix::fs::PermissionsExt;

use crate::snapshot::postgres::testing::{PASSWORD, Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::tests::rich::RICH;
use crate::snapshot::postgres::{Session, verify};
use crate::snapshot::testing::wait_for;
use crate::snapshot::{VerificationLevel, Watch};

#[test]
fn a_snapshot_holds_every_kind_of_object_and_counts_its_rows() {
    let server = Server::shared();
    let snapshot = Snapshot::take(&server.database("rich", RICH));
    let rows = |name: &str| snapshot.manifest.tables.iter().find(|table| table.name == name).map(|table| table.rows);
    let expected = [
        ("public.users", Some(500)),
        ("public.nothing", Some(2)),
        ("public.order_2025", Some(30)),
        ("public.order_rest", Some(30)),
        ("public.parent", Some(1)),
        ("public.child", Some(2)),
        ("public.cache", Some(1)),
        ("public.totals", Some(1)),
        ("public.unfilled", None),
        ("\"Über Shop\".\"select \"\"x\"\".y\nCOPY public.z FROM stdin;\"", Some(4)),
    ];
    for (name, count) in expected {
        assert_eq!(rows(name), Some(count), "{name}");
    }
    assert_eq!(snapshot.manifest.tables.len(), expected.len());
    let contents = &snapshot.manifest.state.as_ref().unwrap()["contents"];
    assert_eq!((contents["extensions"].as_u64(), contents["large_objects"].as_u64()), (Some(3), Some(2)));
    assert!(snapshot.manifest.tool.version.starts_with(|first: char| first.is_ascii_digit()));
    let file = std::fs::metadata(snapshot.file()).unwrap();
    assert_eq!((file.permissions().mode() & 0o777, file.len()), (0o600, snapshot.manifest.size));
}

#[test]
fn an_empty_database_and_odd_names_are_saved() {
    let server = Server::shared();
    let long = "ü".repeat(31) + "x";
    for name in ["empty", "host=x dbname=postgres", "postgres://x/y", r#"it's "a" \ name"#, &long] {
        let snapshot = Snapshot::take(&server.database(name, "CREATE TABLE t(); INSERT INTO t DEFAULT VALUES"));
        assert_eq!(snapshot.manifest.tables[0].rows, Some(1), "{name}");
        snapshot
            .restoring(&server.target(name), |restoration| {
                verify(restoration, VerificationLevel::Read, &Waiting::default())
            })
            .unwrap();
    }
}

#[test]
fn three_hundred_tables_and_an_encoding_that_is_not_utf8() {
    let server = Server::shared();
    let many =
        "DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE format('CREATE TABLE t%s AS SELECT 1 AS a', i); END LOOP; END $$";
    assert_eq!(Snapshot::take(&server.database("wide", many)).manifest.tables.len(), 300);
    server.run("postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    server.run("latin", "CREATE TABLE \"cafés\" AS SELECT 'é'::text AS a");
    let snapshot = Snapshot::take(&server.target("latin"));
    assert_eq!(snapshot.manifest.tables[0].name, "public.\"caf\\xE9s\"");
}

#[test]
fn foreign_tables_are_noted() {
    let server = Server::shared();
    let target = server.database(
        "foreign",
        "CREATE EXTENSION file_fdw; CREATE SERVER f FOREIGN DATA WRAPPER file_fdw; \
         CREATE FOREIGN TABLE far (a text) SERVER f OPTIONS (filename '/nonexistent')",
    );
    assert!(Snapshot::take(&target).manifest.notes[0].contains("1 foreign tables"));
}

#[test]
fn the_servers_own_settings_for_the_role_and_database_do_not_cut_a_dump_short() {
    let server = Server::shared();
    let target = server.database(
        "hasty",
        "CREATE TABLE t AS SELECT generate_series(1, 10) AS a; ALTER DATABASE hasty SET statement_timeout = '1ms'; \
         ALTER DATABASE hasty SET default_transaction_read_only = on; ALTER DATABASE hasty SET search_path = pg_temp; \
         ALTER DATABASE hasty SET standard_conforming_strings = off; ALTER DATABASE hasty SET row_security = off; \
         ALTER DATABASE hasty SET idle_in_transaction_session_timeout = '1ms'",
    );
    assert_eq!(Snapshot::take(&target).manifest.tables[0].rows, Some(10));
}

#[test]
fn no_password_is_in_arguments_or_environments() {
    let server = Server::shared();
    let session = Session::open(&server.target("postgres"), &environment()).unwrap();
    let mut children = 0;
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let status = std::fs::read_to_string(process.path().join("status")).unwrap_or_default();
        if !status.contains(&format!("\nPPid:\t{}\n", std::process::id())) || !status.starts_with("Name:\tpsql\n") {
            continue;
        }
        let [arguments, environment] = ["cmdline", "environ"].map(|file| {
            String::from_utf8_lossy(&std::fs::read(process.path().join(file)).unwrap_or_default()).into_owned()
        });
        // Other tests of this process ask the server by a `psql` of their own.
        if !environment.contains("safe_test.session") {
            continue;
        }
        children += 1;
        assert!(!arguments.contains("p:w") && !environment.contains("p:w"), "{arguments} {environment}");
    }
    assert!(children > 0);
    assert!(!format!("{session:?}").contains(PASSWORD));
}

#[test]
fn an_interrupted_snapshot_leaves_nothing_running() {
    let server = Server::shared();
    let target = server.database("big", "CREATE TABLE t AS SELECT md5(g::text) AS a FROM generate_series(1, 200000) g");
    let folder = tempfile::tempdir().unwrap();
    let mut session = Session::open(&target, &environment()).unwrap();
    let watch = Waiting { stop_after: Some(1), ..Waiting::default() };
    let error = crate::snapshot::postgres::testing::save(
        &mut session,
        &folder.path().join("dump"),
        crate::snapshot::postgres::take::Limits::default(),
        &watch,
    );
    assert!(
        matches!(
            error,
            Err(crate::snapshot::postgres::PostgresError::Tool(crate::snapshot::tool_process::ToolError::Interrupted))
        ),
        "{error:?}"
    );
    assert!(watch.interrupted());
    drop(session);
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'big'";
    wait_for("nothing of ours is on the server", || server.run("postgres", connected) == "0");
}
