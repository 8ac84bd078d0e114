//! The weaker way, for a role that may not create databases: dropped and loaded in one transaction.

use std::process::Stdio;
use std::time::Duration;

use crate::reach::Target;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::Session;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::in_place;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::whole;
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::testing::wait_for;

/// One of each kind of object, in the schema `public` and in one of the role's own.
const RICH: &str = "CREATE EXTENSION hstore SCHEMA public; CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('a', 'b'); \
    CREATE DOMAIN app.pos AS int CHECK (VALUE > 0); CREATE TYPE pair AS (a int, b text); \
    CREATE TYPE rng AS RANGE (subtype = float8); CREATE TABLE t (id serial PRIMARY KEY, m app.mood, p app.pos, h hstore, x pair, r rng); \
    INSERT INTO t (m, p, h) SELECT 'a', g, 'k=>v' FROM generate_series(1, 100) g; \
    CREATE TABLE i (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t int REFERENCES t); INSERT INTO i (t) VALUES (1), (2); \
    CREATE TABLE app.part (a int) PARTITION BY RANGE (a); CREATE TABLE app.part1 PARTITION OF app.part FOR VALUES FROM (0) TO (10); \
    INSERT INTO app.part VALUES (1); CREATE VIEW v AS SELECT * FROM t; CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM t; \
    CREATE SEQUENCE s; SELECT nextval('s'); CREATE FUNCTION f(app.mood) RETURNS int LANGUAGE sql AS 'select 1'; \
    CREATE PROCEDURE pr(int) LANGUAGE sql AS 'select 1'; CREATE AGGREGATE agg(int) (SFUNC = int4pl, STYPE = int4); \
    CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end'; \
    CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION trg(); \
    CREATE OPERATOR ### (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl); CREATE COLLATION col (provider = libc, locale = 'C'); \
    CREATE TEXT SEARCH DICTIONARY td (TEMPLATE = simple); CREATE TEXT SEARCH CONFIGURATION tc (COPY = english); \
    CREATE STATISTICS st ON id, m FROM t; CREATE PUBLICATION own_pub FOR TABLE t; SELECT lo_from_bytea(0, 'large'); \
    CREATE TABLE \"Odd \"\"N\" (\"a'b\" int); ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; \
    CREATE RULE ru AS ON INSERT TO v DO INSTEAD NOTHING; CREATE POLICY po ON i USING (true); COMMENT ON TABLE t IS 'the table'";

/// What a run could do to it: change rows, drop, add what a dump does not know, give rights.
const WRECKED: &str = "UPDATE t SET p = p + 1; DROP TABLE i; DROP SCHEMA app CASCADE; CREATE VIEW added AS SELECT 1 AS a; \
    CREATE SCHEMA other CREATE TABLE more (a int); SELECT lo_from_bytea(0, 'more'); CREATE PUBLICATION more; \
    GRANT CREATE ON SCHEMA public TO PUBLIC; ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC; \
    CREATE FUNCTION added() RETURNS int LANGUAGE sql AS 'select 1'; SELECT setval('s', 100); CREATE EXTENSION citext";

/// A database that belongs to a role which may not create any, filled by that role; and the role's own target.
fn modest(server: &Server, name: &str, script: &str) -> Target {
    server.run("postgres", &format!("CREATE ROLE {name} LOGIN PASSWORD '{name}'"));
    server.database(name, &format!("ALTER DATABASE {name} OWNER TO {name}"));
    as_role(server, name, script);
    server.target_as(name, name)
}

fn as_role(server: &Server, name: &str, script: &str) -> String {
    let mut psql = server.psql(name);
    let output = psql.env("PGUSER", name).env("PGPASSWORD", name).arg("-c").arg(script).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn replace(snapshot: &Snapshot, target: &Target, watch: &Waiting) -> Result<Vec<String>, PostgresError> {
    replace_by(snapshot, target, watch, |_| ())
}

fn replace_by(
    snapshot: &Snapshot,
    target: &Target,
    watch: &Waiting,
    alter: impl FnOnce(&mut Whole<'_>),
) -> Result<Vec<String>, PostgresError> {
    snapshot.restoring(target, |restoration| {
        let mut whole = whole::of(restoration).unwrap();
        alter(&mut whole);
        let connection = Connection::new(target, &environment()).unwrap();
        in_place::replace(&connection, &whole, Duration::from_millis(500), watch).map(|compared| compared.notes)
    })
}

/// The database as a dump tells it, without what differs between two dumps of the same.
fn text_of(server: &Server, name: &str) -> String {
    let tools = Session::open(&server.target(name), &environment()).unwrap().tools;
    let mut dump = std::process::Command::new(tools.program("pg_dump"));
    dump.env_clear().env("PGHOST", "127.0.0.1").env("PGPORT", server.port.to_string()).env("PGUSER", name);
    let output = dump.env("PGPASSWORD", name).arg("--create").arg(name).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let large = regex::Regex::new(r"(LARGE OBJECT |lo_open\('|BLOB |lo_create\('|Name: |lo_unlink\(')\d+").unwrap();
    let text = large.replace_all(&text, "$1");
    text.lines()
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn everything_comes_back_in_place_also_what_belongs_to_no_schema() {
    let server = Server::start();
    let settings = "ALTER DATABASE inplace SET work_mem = '5MB'; ALTER DATABASE inplace SET \"DateStyle\" = 'German'";
    let target = modest(&server, "inplace", &format!("{RICH}; {settings}; COMMENT ON DATABASE inplace IS 'mine'"));
    server.run("postgres", "ALTER DATABASE inplace SET app.tenant = 'one'");
    let before = text_of(&server, "inplace");
    let snapshot = Snapshot::take(&target);
    for wreck in [
        WRECKED,
        "ALTER DATABASE inplace SET work_mem = '6MB'; ALTER DATABASE inplace SET \"TimeZone\" = 'UTC'; REVOKE CONNECT ON DATABASE inplace FROM PUBLIC; \
         COMMENT ON DATABASE inplace IS 'yours'; ALTER DATABASE inplace CONNECTION LIMIT 3",
        "DROP SCHEMA public CASCADE",
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC",
    ] {
        as_role(&server, "inplace", wreck);
        let notes = replace(&snapshot, &target, &Waiting::default()).unwrap();
        let after = text_of(&server, "inplace");
        let other: Vec<&str> = after.lines().filter(|line| !before.contains(line)).collect();
        assert!(after == before, "{wreck}: {other:?}");
        let expected = "It was replaced where it stands, since `inplace` may not exchange it: what was there before is in the \
                        safety snapshot only.";
        assert_eq!(notes[0], expected);
        assert_eq!(notes.len(), 1, "{wreck}: {notes:?}");
    }
}

#[test]
fn what_belongs_to_others_is_named_before_anything_is_touched() {
    let server = Server::shared();
    let target = modest(&server, "guest", "CREATE TABLE t AS SELECT 1 AS a");
    let snapshot = Snapshot::take(&target);
    as_role(&server, "guest", "UPDATE t SET a = 2");
    for (made, dropped, named) in [
        ("CREATE TABLE alien (a int)", "DROP TABLE alien", "table "),
        ("CREATE SCHEMA alien", "DROP SCHEMA alien", "schema alien"),
        ("CREATE FUNCTION alien() RETURNS int LANGUAGE sql AS 'select 1'", "DROP FUNCTION alien()", "function "),
        ("CREATE PUBLICATION alien", "DROP PUBLICATION alien", "publication alien"),
        ("SELECT lo_create(4711)", "SELECT lo_unlink(4711)", "large object 4711"),
        ("CREATE TYPE alien AS ENUM ('a')", "DROP TYPE alien", "type "),
    ] {
        server.run("guest", made);
        let mut session = Session::open(&target, &environment()).unwrap();
        let error = in_place::expect_own(&mut session).unwrap_err();
        assert!(
            matches!(&error, PostgresError::NotItsOwn { objects, .. } if objects.contains(named) && objects.ends_with(" of postgres")),
            "{error}"
        );
        // Where it was made in between, the transaction finds it.
        let error = replace(&snapshot, &target, &Waiting::default()).unwrap_err();
        let PostgresError::NotRestored { remains, source, .. } = &error else { panic!("{error}") };
        assert!(remains.ends_with("is as it was") && source.to_string().contains(named), "{remains} {source}");
        server.run("guest", dropped);
        assert_eq!(as_role(&server, "guest", "SELECT a FROM t"), "2");
    }
    // An extension that a superuser has made stays, with what belongs to it.
    server.run("guest", "CREATE EXTENSION file_fdw");
    in_place::expect_own(&mut Session::open(&target, &environment()).unwrap()).unwrap();
}

#[test]
fn an_extension_of_a_superuser_stays_as_it_is() {
    let server = Server::shared();
    let target = modest(&server, "extended_guest", "CREATE TABLE t AS SELECT 1 AS a");
    server.run("extended_guest", "CREATE EXTENSION pageinspect");
    let snapshot = Snapshot::take(&target);
    as_role(&server, "extended_guest", "DROP TABLE t");
    replace(&snapshot, &target, &Waiting::default()).unwrap();
    assert_eq!(as_role(&server, "extended_guest", "SELECT a FROM t"), "1");
    assert_eq!(server.run("extended_guest", "SELECT count(*) FROM pg_extension WHERE extname = 'pageinspect'"), "1");
}

#[test]
fn who_uses_a_table_is_named_and_nothing_has_changed() {
    let server = Server::shared();
    let target = modest(&server, "used", "CREATE TABLE t AS SELECT 1 AS a");
    let snapshot = Snapshot::take(&target);
    as_role(&server, "used", "UPDATE t SET a = 2");
    let mut reader = server.psql("used");
    reader.env("PGUSER", "used").env("PGPASSWORD", "used").env("PGAPPNAME", "reader");
    reader.args(["-c", "BEGIN; SELECT * FROM t; SELECT pg_sleep(600)"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut reader = reader.spawn().unwrap();
    let locks = "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass";
    wait_for("the reader reads", || as_role(&server, "used", locks) == "1");
    let error = replace(&snapshot, &target, &Waiting::default()).unwrap_err();
    let PostgresError::NotRestored { source, .. } = &error else { panic!("{error}") };
    let is_named = matches!(&**source, PostgresError::InUse { users, .. } if users.contains("(reader, used)"));
    assert!(is_named, "{source}");
    assert_eq!(as_role(&server, "used", "SELECT a FROM t"), "2");
    reader.kill().unwrap();
    reader.wait().unwrap();
    server.run("used", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'reader'");
    wait_for("the reader is gone", || as_role(&server, "used", locks) == "0");
    replace(&snapshot, &target, &Waiting::default()).unwrap();
    assert_eq!(as_role(&server, "used", "SELECT a FROM t"), "1");
}

#[test]
fn what_fails_or_is_interrupted_leaves_the_database_as_it_was() {
    let server = Server::shared();
    let target = modest(
        &server,
        "firm",
        "CREATE TABLE t AS SELECT md5(g::text) AS a FROM generate_series(1, 50000) g; CREATE SEQUENCE s",
    );
    let snapshot = Snapshot::take(&target);
    as_role(&server, "firm", "DELETE FROM t WHERE a < '8'; CREATE TABLE more (a int)");
    let before = text_of(&server, "firm");
    let stopped = replace(&snapshot, &target, &Waiting { stop_after: Some(300_000), ..Waiting::default() });
    assert!(matches!(&stopped, Err(PostgresError::NotRestored { .. })), "{stopped:?}");
    assert_eq!(text_of(&server, "firm"), before);
    // The comparison comes before the end of the transaction.
    let error = replace_by(&snapshot, &target, &Waiting::default(), |whole| whole.promised.foreign_tables = 9);
    let error = error.unwrap_err();
    let PostgresError::NotRestored { source, .. } = &error else { panic!("{error}") };
    assert!(matches!(&**source, PostgresError::Dump(DumpError::NotWhole { .. })), "{source}");
    assert_eq!(text_of(&server, "firm"), before);
}

#[test]
fn a_session_that_is_lost_on_the_way_changes_nothing() {
    let server = Server::shared();
    let target =
        modest(&server, "lost", "CREATE TABLE t AS SELECT md5(g::text) AS a FROM generate_series(1, 200000) g");
    let snapshot = Snapshot::take(&target);
    as_role(&server, "lost", "DELETE FROM t WHERE a < '8'");
    let before = text_of(&server, "lost");
    let error = std::thread::scope(|scope| {
        let restoring = scope.spawn(|| replace(&snapshot, &target, &Waiting::default()));
        let end = "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid \
                   WHERE a.datname = 'lost' AND l.mode = 'AccessExclusiveLock' AND l.locktype = 'relation'";
        wait_for("it is under way", || server.run("postgres", end) != "0");
        restoring.join().unwrap().unwrap_err()
    });
    assert!(
        matches!(&error, PostgresError::NotRestored { remains, .. } if remains == "`lost` is as it was"),
        "{error}"
    );
    assert_eq!(text_of(&server, "lost"), before);
}
