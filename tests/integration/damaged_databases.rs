//! Whatever a command did to a PostgreSQL database, the restore does not depend on saving that first: it is kept as it is.

use std::process::Stdio;

use crate::support::{Postgres, Sandbox, awaited, wait_for};

/// A project whose database belongs to a role with CREATEDB and nothing more.
fn project(database: &str) -> (Sandbox, String) {
    let sandbox = Sandbox::with_postgres(database);
    let (server, role) = (Postgres::server(), format!("{database}_owner"));
    let left = format!("SELECT datname FROM pg_database WHERE datname LIKE '{database}\\_re%'");
    for name in server.psql("postgres", &left).lines() {
        server.psql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
    server.psql("postgres", &format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN PASSWORD 'app' CREATEDB"));
    server.psql(
        database,
        &format!(
            "ALTER DATABASE {database} OWNER TO {role}; ALTER SCHEMA public OWNER TO {role}; ALTER TABLE t OWNER TO {role}; \
             INSERT INTO t SELECT g FROM generate_series(2, 5000) g"
        ),
    );
    let url = format!("postgres://{role}:app@127.0.0.1:{}/{database}", server.port());
    sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={url}\n"));
    (sandbox, role)
}

#[test]
fn what_cannot_be_saved_any_more_is_replaced_and_kept() {
    let server = Postgres::server();
    let other = "CREATE TABLE theirs AS SELECT 1 AS a; REVOKE ALL ON theirs FROM PUBLIC";
    let damages = [
        (
            "rls",
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (false)",
        ),
        ("revoked", "REVOKE ALL ON t FROM {role}; ALTER TABLE t OWNER TO tester"),
        ("closed", "\\connect postgres\nALTER DATABASE {database} ALLOW_CONNECTIONS false"),
        ("limited", "ALTER DATABASE {database} CONNECTION LIMIT 0"),
        ("template", "ALTER DATABASE {database} IS_TEMPLATE true"),
        ("theirs", other),
        ("unlogged", "DROP TABLE t; CREATE UNLOGGED TABLE t (b text)"),
        ("no_schema", "DROP SCHEMA public CASCADE"),
        ("dropped", "\\connect postgres\nDROP DATABASE {database}"),
    ];
    for (what, sql) in damages {
        let database = format!("damage_{what}_test");
        let (sandbox, role) = project(&database);
        sandbox.guarded().expect_code(0);
        server.psql(&database, &sql.replace("{role}", &role).replace("{database}", &database));
        let restored = sandbox.run(&["restore"]).expect_code(0);
        assert_eq!(server.psql(&database, "SELECT count(*), sum(a) FROM t"), "5000|12502500", "{what}");
        let facts =
            format!("SELECT datallowconn, datistemplate, datconnlimit FROM pg_database WHERE datname = '{database}'");
        assert_eq!(server.psql("postgres", &facts), "t|f|-1", "{what}: as the snapshot has it");
        assert!(!sandbox.manifests().iter().any(|one| one["kind"] == "safety"), "{what}");
        assert_eq!(
            restored.stdout.contains("to undo: safe-test restore "),
            what != "dropped",
            "{what}: {}",
            restored.stdout
        );
    }
}

#[test]
fn a_table_that_is_locked_and_one_that_cannot_be_read_are_replaced_too() {
    let database = "damage_locked_test";
    let (sandbox, role) = project(database);
    let server = Postgres::server();
    sandbox.guarded().expect_code(0);
    let url = format!("postgres://{role}:app@127.0.0.1:{}/{database}", server.port());
    let mut holder = sandbox.program(server.program("psql"));
    holder
        .args(["-Xqc", "BEGIN; LOCK TABLE t; SELECT pg_sleep(600)", &url])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut holder = holder.spawn().unwrap();
    let locks =
        "SELECT count(*) > 0 FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND granted";
    wait_for("the table is locked", || server.psql(database, locks) == "t");
    sandbox.run(&["restore"]).expect_code(0);
    assert!(!awaited("psql", &mut holder).success(), "its session was sent away");
    assert_eq!(server.psql(database, "SELECT count(*) FROM t"), "5000");

    // Every page of the table is overwritten on the disk.
    let file = server.psql(database, "CHECKPOINT; SELECT pg_relation_filepath('t')");
    let path = server.socket_folder().join("data").join(file);
    let pages = std::fs::metadata(&path).unwrap().len() as usize;
    server.psql(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"),
    );
    std::fs::write(&path, vec![0x5a; pages]).unwrap();
    sandbox.run(&["restore"]).expect_code(0);
    assert_eq!(server.psql(database, "SELECT count(*), sum(a) FROM t"), "5000|12502500");
}
