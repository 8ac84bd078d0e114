//! Comparing definitions: what is defined in another way than in a snapshot is found, and what a restore makes is the same.

use crate::reach::Target;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::postgres::compare::definitions::{Differences, compare};
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::load::Told;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::{PostgresError, Session, restore, verify, whole};
use crate::snapshot::{Effect, Obstacle, VerificationLevel};

/// Compares a database with a snapshot of it.
fn compared(snapshot: &Snapshot, target: &Target) -> Differences {
    snapshot.restoring(target, |restoration| {
        let whole = whole::of(restoration).unwrap();
        let script = whole.read(&Waiting::default()).unwrap();
        let session = Session::connect(Connection::new(target, &environment()).unwrap()).unwrap();
        let loaded = (&script, &Told::default());
        compare(&session.connection, &session.identity, &whole, loaded, &Waiting::default()).unwrap()
    })
}

fn restored(snapshot: &Snapshot, target: &Target) -> Vec<String> {
    snapshot.restoring(target, |restoration| restore(restoration, &Waiting::default())).unwrap().notes
}

/// A change of what a database defines, how it is taken back, and what is said of it.
type Change = (&'static str, &'static str, &'static str);

const MADE: &str = "\
    CREATE ROLE def_other; CREATE EXTENSION hstore; CREATE SCHEMA s; CREATE TYPE s.mood AS ENUM ('a', 'b'); CREATE TYPE pair AS (x int, y text); \
    CREATE DOMAIN odd AS int CHECK (VALUE % 2 = 1); CREATE COLLATION de (locale = 'C'); \
    CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT a + 1'; CREATE FUNCTION atomic(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a + 1; END; \
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
    CREATE TABLE t (id serial PRIMARY KEY, a int DEFAULT 1 CHECK (a > 0), status varchar(9) CHECK (status IN ('new', 'old')), m s.mood, up int REFERENCES t); \
    CREATE UNLOGGED TABLE u (a int); CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9); \
    CREATE VIEW v AS SELECT id, status FROM t WHERE status NOT IN ('x', 'y') OR a > 1 AND a < 5; CREATE MATERIALIZED VIEW mv AS SELECT 1 AS one; \
    CREATE INDEX i ON t (lower(status)) WHERE status IN ('new', 'old'); CREATE STATISTICS st ON a, status FROM t; \
    CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW WHEN (NEW.status IN ('new', 'old')) EXECUTE FUNCTION touch(); \
    CREATE RULE r AS ON DELETE TO u DO INSTEAD NOTHING; ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY pol ON t USING (status IN ('new', 'old')); \
    CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int); CREATE PUBLICATION pub FOR TABLE t; CREATE SEQUENCE q; \
    CREATE TEXT SEARCH CONFIGURATION c (COPY = simple); GRANT SELECT ON t TO def_other; COMMENT ON COLUMN t.a IS 'how many'; \
    ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO def_other; SELECT lo_create(4711); INSERT INTO t (a, status) VALUES (1, 'new')";

const CHANGES: [Change; 30] = [
    ("ALTER TABLE t ALTER a SET DEFAULT 2", "ALTER TABLE t ALTER a SET DEFAULT 1", "public.t (TABLE) differs"),
    ("ALTER TABLE t ALTER a SET NOT NULL", "ALTER TABLE t ALTER a DROP NOT NULL", "public.t (TABLE) differs"),
    (
        "ALTER TABLE t DROP CONSTRAINT t_a_check",
        "ALTER TABLE t ADD CONSTRAINT t_a_check CHECK (a > 0)",
        "public.t (TABLE) differs",
    ),
    ("ALTER TABLE u ALTER a TYPE bigint", "ALTER TABLE u ALTER a TYPE int", "public.u (TABLE) differs"),
    (
        "ALTER TABLE t DROP CONSTRAINT t_up_fkey",
        "ALTER TABLE t ADD CONSTRAINT t_up_fkey FOREIGN KEY (up) REFERENCES t (id)",
        "public.t t_up_fkey (FK CONSTRAINT) is missing, wholly or in part",
    ),
    (
        "ALTER TABLE t ALTER CONSTRAINT t_up_fkey DEFERRABLE",
        "ALTER TABLE t ALTER CONSTRAINT t_up_fkey NOT DEFERRABLE",
        "public.t t_up_fkey (FK CONSTRAINT) differs",
    ),
    ("ALTER VIEW v OWNER TO def_other", "ALTER VIEW v OWNER TO postgres", "public.v (VIEW) differs"),
    ("GRANT UPDATE ON t TO def_other", "REVOKE UPDATE ON t FROM def_other", "public.TABLE t (ACL) differs"),
    (
        "REVOKE SELECT ON t FROM def_other",
        "GRANT SELECT ON t TO def_other",
        "public.TABLE t (ACL) is missing, wholly or in part",
    ),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA s REVOKE SELECT ON TABLES FROM def_other",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO def_other",
        "(DEFAULT ACL) is missing, wholly or in part",
    ),
    (
        "COMMENT ON COLUMN t.a IS 'how much'",
        "COMMENT ON COLUMN t.a IS 'how many'",
        "public.COLUMN t.a (COMMENT) differs",
    ),
    (
        "CREATE OR REPLACE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT (a + 1)'",
        "CREATE OR REPLACE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT a + 1'",
        "public.f(integer) (FUNCTION) differs",
    ),
    ("ALTER FUNCTION f(int) COST 7", "ALTER FUNCTION f(int) COST 100", "public.f(integer) (FUNCTION) differs"),
    (
        "CREATE OR REPLACE FUNCTION atomic(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a + 2; END",
        "CREATE OR REPLACE FUNCTION atomic(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a + 1; END",
        "public.atomic(integer) (FUNCTION) differs",
    ),
    (
        "CREATE OR REPLACE VIEW v AS SELECT id, status FROM t WHERE status NOT IN ('x') OR a > 1 AND a < 5",
        "CREATE OR REPLACE VIEW v AS SELECT id, status FROM t WHERE status NOT IN ('x', 'y') OR a > 1 AND a < 5",
        "public.v (VIEW) differs",
    ),
    (
        "ALTER TABLE t DISABLE TRIGGER tr",
        "ALTER TABLE t ENABLE TRIGGER tr",
        "public.t tr (TRIGGER) was not there, wholly or in part",
    ),
    (
        "DROP INDEX i",
        "CREATE INDEX i ON t (lower(status)) WHERE status IN ('new', 'old')",
        "public.i (INDEX) is missing, wholly or in part",
    ),
    (
        "DROP INDEX i; CREATE INDEX i ON t (upper(status)) WHERE status IN ('new', 'old')",
        "DROP INDEX i; CREATE INDEX i ON t (lower(status)) WHERE status IN ('new', 'old')",
        "public.i (INDEX) differs",
    ),
    (
        "ALTER POLICY pol ON t USING (true)",
        "ALTER POLICY pol ON t USING (status IN ('new', 'old'))",
        "public.t pol (POLICY) differs",
    ),
    (
        "ALTER TABLE t DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "public.t (ROW SECURITY) is missing, wholly or in part",
    ),
    ("ALTER TYPE s.mood RENAME VALUE 'b' TO 'c'", "ALTER TYPE s.mood RENAME VALUE 'c' TO 'b'", "s.mood (TYPE) differs"),
    (
        "ALTER TYPE pair ALTER ATTRIBUTE x TYPE bigint",
        "ALTER TYPE pair ALTER ATTRIBUTE x TYPE int",
        "public.pair (TYPE) differs",
    ),
    ("ALTER DOMAIN odd SET DEFAULT 3", "ALTER DOMAIN odd DROP DEFAULT", "public.odd (DOMAIN) differs"),
    ("ALTER TABLE u SET LOGGED", "ALTER TABLE u SET UNLOGGED", "public.u (TABLE) differs"),
    (
        "ALTER TABLE p DETACH PARTITION p1",
        "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (9)",
        "public.p1 (TABLE ATTACH) is missing, wholly or in part",
    ),
    (
        "DROP RULE r ON u",
        "CREATE RULE r AS ON DELETE TO u DO INSTEAD NOTHING",
        "public.u r (RULE) is missing, wholly or in part",
    ),
    ("ALTER SEQUENCE q INCREMENT 2", "ALTER SEQUENCE q INCREMENT 1", "public.q (SEQUENCE) differs"),
    (
        "ALTER PUBLICATION pub SET (publish = 'insert')",
        "ALTER PUBLICATION pub SET (publish = 'insert, update, delete, truncate')",
        "pub (PUBLICATION) differs",
    ),
    (
        "CREATE CAST (int AS pair) WITH INOUT",
        "DROP CAST (int AS pair)",
        "CAST (integer AS public.pair) (CAST) was not there, wholly or in part",
    ),
    ("ALTER EXTENSION hstore SET SCHEMA s", "ALTER EXTENSION hstore SET SCHEMA public", "hstore (EXTENSION) differs"),
];

#[test]
fn one_other_definition_is_found() {
    for server in [Server::shared(), Server::shared_version(17), Server::shared_version(18)] {
        let major = server.major();
        let target = server.database("defining", MADE);
        let snapshot = Snapshot::take(&target);
        let same = compared(&snapshot, &target);
        assert_eq!((same.faults, same.notes), (Vec::new(), Vec::<String>::new()), "{major}");
        for (change, back, expected) in CHANGES {
            server.run("defining", change);
            let found = compared(&snapshot, &target);
            assert!(found.faults.len() == 1 && found.faults[0].ends_with(expected), "{major}: {change}: {found:?}");
            assert!(found.notes.is_empty(), "{found:?}");
            server.run("defining", back);
            let same = compared(&snapshot, &target);
            assert_eq!(same.faults, Vec::<String>::new(), "{major}: {back}");
        }
        // What was restored once is written as it was read, and no longer as it was first written.
        assert_eq!(restored(&snapshot, &target), Vec::<String>::new(), "{major}");
        assert_eq!(restored(&Snapshot::take(&target), &target), Vec::<String>::new(), "{major}");
    }
}

#[test]
fn a_restore_that_defines_otherwise_leaves_the_database_as_it_is() {
    let server = Server::shared();
    // A view that changes a definition whenever it is filled.
    let target = server.database(
        "redefined",
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE FUNCTION comments() RETURNS int LANGUAGE plpgsql AS \
         $$ BEGIN EXECUTE 'COMMENT ON TABLE public.t IS ''filled'''; RETURN 1; END $$; \
         CREATE MATERIALIZED VIEW mv AS SELECT comments(); COMMENT ON TABLE t IS NULL",
    );
    let mut snapshot = Snapshot::take(&target);
    server.run("redefined", "UPDATE t SET a = 2");
    let restore_it =
        |snapshot: &Snapshot| snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()));
    let error = restore_it(&snapshot).unwrap_err();
    let PostgresError::NotRestored { remains, source, .. } = &error else { panic!("{error}") };
    assert_eq!(remains, "`redefined` is as it was");
    assert!(
        source.to_string().ends_with("is not whole: public.TABLE t (COMMENT) was not there, wholly or in part"),
        "{source}"
    );
    assert_eq!(server.run("redefined", "SELECT a FROM t"), "2");
    let checked =
        snapshot.restoring(&target, |restoration| verify(restoration, VerificationLevel::Restore, &Waiting::default()));
    assert!(matches!(checked, Err(PostgresError::Dump(DumpError::NotWhole { .. }))), "{checked:?}");
    // Where it was said beforehand that not all comes back, what does not is told.
    let what = "something".to_owned();
    snapshot.manifest.obstacles = vec![Obstacle { effect: Effect::LeftOut, what, remedy: "none".to_owned() }];
    let notes = restore_it(&snapshot).unwrap().notes;
    assert_eq!(
        notes,
        ["Not all is defined as it was saved: public.TABLE t (COMMENT) was not there, wholly or in part."]
    );
}

#[test]
fn definitions_of_another_version_of_the_tools_are_not_compared_strictly() {
    let server = Server::shared();
    let target = server.database("minor", "CREATE TABLE t (a int)");
    let mut snapshot = Snapshot::take(&target);
    server.run("minor", "ALTER TABLE t ADD b int");
    snapshot.manifest.server.as_mut().unwrap().version = "15.1".to_owned();
    let found = compared(&snapshot, &target);
    assert_eq!(found.faults, Vec::<String>::new());
    assert_eq!(found.notes, ["Not all is defined as it was saved: public.t (TABLE) differs."]);
}
