//! Comparing by content: what differs from a snapshot in one value is found, and what a restore makes is the same.

use crate::reach::Target;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::postgres::compare::Compared;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::postgres::{PostgresError, Session, compare, restore, verify, whole};
use crate::snapshot::{Computed, VerificationLevel};

/// Compares a database with a snapshot of it: the notes.
pub(crate) fn compared(snapshot: &Snapshot, target: &Target) -> Result<Compared, PostgresError> {
    snapshot.restoring(target, |restoration| {
        let whole = whole::of(restoration)?;
        let script = whole.read(&Waiting::default())?;
        let server = Session::open_maintenance(&Connection::new(target, &environment())?, None)?;
        let name = target.database.as_deref().unwrap();
        let mut restored = Session::connect(server.connection_to(name))?;
        compare::data(&mut restored.psql, restored.identity.major, &whole, &script.data, name, &Waiting::default())
    })
}

/// Restores it into a scratch database, which compares it.
fn rehearsed(snapshot: &Snapshot, target: &Target) -> Result<(), PostgresError> {
    snapshot.restoring(target, |restoration| verify(restoration, VerificationLevel::Restore, &Waiting::default()))
}

/// A table, a change of one value of it, and back.
type Change = (&'static str, &'static str, &'static str);

const CHANGES: [Change; 25] = [
    (
        "CREATE TABLE v1 AS SELECT g AS a, 'x' || g AS b FROM generate_series(1, 100) g",
        "UPDATE v1 SET b = 'y' WHERE a = 50",
        "UPDATE v1 SET b = 'x50' WHERE a = 50",
    ),
    ("CREATE TABLE v2 (a money); INSERT INTO v2 VALUES (12.34)", "UPDATE v2 SET a = 1234", "UPDATE v2 SET a = 12.34"),
    (
        "CREATE TABLE v3 (a text[]); INSERT INTO v3 VALUES (ARRAY['NULL', NULL])",
        "UPDATE v3 SET a = ARRAY['NULL', 'NULL']",
        "UPDATE v3 SET a = ARRAY['NULL', NULL]",
    ),
    (
        "CREATE TABLE v4 (a timestamptz); INSERT INTO v4 VALUES ('2026-03-01 12:00+00'), ('infinity'), ('-infinity')",
        "UPDATE v4 SET a = a + interval '1 us'",
        "UPDATE v4 SET a = a - interval '1 us'",
    ),
    (
        "CREATE TABLE v5 (a bytea); INSERT INTO v5 VALUES ('\\x00ff5c'), ('')",
        "UPDATE v5 SET a = '\\x00' WHERE a = ''",
        "UPDATE v5 SET a = '' WHERE a = '\\x00'",
    ),
    (
        "CREATE TABLE v6 (a float8, b float4); INSERT INTO v6 VALUES (0.1, 0.1), ('NaN', '-0'), ('Infinity', '1e-40')",
        "UPDATE v6 SET a = 0.1::float8 + 1e-17::float8 * 2 WHERE b = 0.1::float4",
        "UPDATE v6 SET a = 0.1 WHERE b = 0.1::float4",
    ),
    (
        "CREATE TABLE v7 (a json, b jsonb); INSERT INTO v7 VALUES ('{ \"a\":1, \"a\":2 }', '{\"b\": [1, null]}')",
        "UPDATE v7 SET a = '{\"a\":1, \"a\":2 }'",
        "UPDATE v7 SET a = '{ \"a\":1, \"a\":2 }'",
    ),
    (
        "CREATE TABLE v8 (a xml); INSERT INTO v8 VALUES ('<a>é</a>'), (XMLPARSE(CONTENT 'x<b/>'))",
        "UPDATE v8 SET a = '<a>e</a>' WHERE a::text = '<a>é</a>'",
        "UPDATE v8 SET a = '<a>é</a>' WHERE a::text = '<a>e</a>'",
    ),
    (
        "CREATE TYPE pair AS (x int, y text); CREATE TABLE v9 (a pair, b pair[]); INSERT INTO v9 VALUES ((1, 'a,\"b'), ARRAY[(2, NULL)::pair])",
        "UPDATE v9 SET a.x = 2",
        "UPDATE v9 SET a.x = 1",
    ),
    (
        "CREATE DOMAIN odd AS int CHECK (VALUE % 2 = 1); CREATE TABLE v10 (a odd, b numeric); INSERT INTO v10 VALUES (1, 'NaN'), (3, 1.10)",
        "UPDATE v10 SET b = 1.1 WHERE a = 3",
        "UPDATE v10 SET b = 1.10 WHERE a = 3",
    ),
    (
        "CREATE TABLE v11 (gone int, a int, b int); ALTER TABLE v11 DROP COLUMN gone; ALTER TABLE v11 ADD c int DEFAULT 7; INSERT INTO v11 VALUES (1, 2)",
        "UPDATE v11 SET c = 8",
        "UPDATE v11 SET c = 7",
    ),
    (
        "CREATE TABLE v12 (a int, b int GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO v12 VALUES (1)",
        "UPDATE v12 SET a = 2",
        "UPDATE v12 SET a = 1",
    ),
    (
        "CREATE TABLE v13 (id int GENERATED ALWAYS AS IDENTITY, a text); INSERT INTO v13 (a) VALUES ('x')",
        "ALTER TABLE v13 ALTER id RESTART WITH 9",
        "SELECT setval('v13_id_seq', 1)",
    ),
    (
        "CREATE SEQUENCE \"odd '\"\" one\" INCREMENT -3; SELECT nextval('\"odd ''\"\" one\"')",
        "SELECT nextval('\"odd ''\"\" one\"')",
        "SELECT setval('\"odd ''\"\" one\"', -1)",
    ),
    ("CREATE SEQUENCE never START 5", "SELECT nextval('never')", "SELECT setval('never', 5, false)"),
    (
        "CREATE TABLE v16 (a int, b text) PARTITION BY LIST (a); CREATE TABLE v16a PARTITION OF v16 FOR VALUES IN (1); CREATE TABLE v16b PARTITION OF v16 FOR VALUES IN (2) PARTITION BY HASH (b); CREATE TABLE v16c PARTITION OF v16b FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE v16d PARTITION OF v16b FOR VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO v16 SELECT 1 + g % 2, 'x' || g FROM generate_series(1, 40) g",
        "UPDATE v16 SET a = 2 WHERE b = 'x2'",
        "UPDATE v16 SET a = 1 WHERE b = 'x2'",
    ),
    (
        "CREATE TABLE v17 (a int); CREATE TABLE v17_child (b int) INHERITS (v17); INSERT INTO v17 VALUES (1); INSERT INTO v17_child VALUES (1, 2)",
        "WITH m AS (DELETE FROM ONLY v17 RETURNING a) INSERT INTO v17_child SELECT a, 0 FROM m",
        "WITH m AS (DELETE FROM v17_child WHERE b = 0 RETURNING a) INSERT INTO v17 SELECT a FROM m",
    ),
    (
        "CREATE UNLOGGED TABLE v18 (a text); INSERT INTO v18 VALUES (E'tab\\tnew\\nline\\\\.'), ('\\.'), (NULL), (''), ('\\N')",
        "UPDATE v18 SET a = NULL WHERE a = '\\N'",
        "UPDATE v18 SET a = '\\N' WHERE ctid = (SELECT max(ctid) FROM v18)",
    ),
    (
        "SELECT lo_from_bytea(70001, decode(repeat('abcdef', 20000), 'hex')), lo_create(70002); GRANT SELECT ON LARGE OBJECT 70001 TO PUBLIC",
        "SELECT lo_put(70001, 40000, '\\x00')",
        "SELECT lo_put(70001, 40000, substr(decode('abcdef', 'hex'), 40000 % 3 + 1, 1))",
    ),
    (
        "CREATE TABLE v20 (); INSERT INTO v20 DEFAULT VALUES",
        "INSERT INTO v20 DEFAULT VALUES",
        "DELETE FROM v20; INSERT INTO v20 DEFAULT VALUES",
    ),
    (
        "CREATE TABLE \"v21 \"\"(\nCOPY x FROM stdin;\" (\"a b\" int, \"Select\" text, \"ü)\" text); INSERT INTO \"v21 \"\"(\nCOPY x FROM stdin;\" VALUES (1, 'x', 'ü')",
        "UPDATE \"v21 \"\"(\nCOPY x FROM stdin;\" SET \"ü)\" = 'u'",
        "UPDATE \"v21 \"\"(\nCOPY x FROM stdin;\" SET \"ü)\" = 'ü'",
    ),
    (
        "CREATE TABLE v22 (a int); ALTER TABLE v22 ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON v22 USING (false); INSERT INTO v22 VALUES (1)",
        "UPDATE v22 SET a = 2",
        "UPDATE v22 SET a = 1",
    ),
    (
        "CREATE TABLE v23 (a interval, b date, c tsvector, d int4range, e inet, f bit(3)); INSERT INTO v23 VALUES ('1 mon -1 day 00:00:01.5', 'infinity', 'a:1 b:2', '[1,5)', '10.0.0.1/8', B'101')",
        "UPDATE v23 SET a = '29 days 00:00:01.5'",
        "UPDATE v23 SET a = '1 mon -1 day 00:00:01.5'",
    ),
    (
        "CREATE TABLE v24 (a text); INSERT INTO v24 SELECT repeat(md5(g::text), 10000) FROM generate_series(1, 3) g",
        "UPDATE v24 SET a = a || 'x' WHERE a LIKE 'c4c%'",
        "UPDATE v24 SET a = left(a, -1) WHERE a LIKE 'c4c%'",
    ),
    ("CREATE TABLE v25 (a int UNIQUE, b int)", "INSERT INTO v25 VALUES (1, NULL)", "DELETE FROM v25"),
];

#[test]
fn one_other_value_is_found() {
    let server = Server::shared();
    let target = server.database("values", &CHANGES.map(|(make, _, _)| make).join(";\n"));
    let snapshot = Snapshot::take(&target);
    assert_eq!(compared(&snapshot, &target).unwrap(), Compared::default());
    for (_, change, back) in CHANGES {
        server.run("values", change);
        assert!(
            matches!(compared(&snapshot, &target), Err(PostgresError::Dump(DumpError::NotWhole { .. }))),
            "{change}"
        );
        server.run("values", back);
        compared(&snapshot, &target).unwrap_or_else(|error| panic!("{back}: {error}"));
    }
    rehearsed(&snapshot, &target).unwrap();
}

#[test]
fn what_differs_is_named() {
    let server = Server::shared();
    let target = server.database(
        "named",
        "CREATE TABLE a AS SELECT 1 AS a; CREATE TABLE b AS SELECT 1 AS a; CREATE SEQUENCE c; CREATE TABLE d ()",
    );
    let snapshot = Snapshot::take(&target);
    let difference = |change: &str| {
        server.run("named", change);
        compared(&snapshot, &target).unwrap_err().to_string()
    };
    for (change, expected) in [
        ("SELECT nextval('c'), nextval('c')", "public.c stands at 2 instead of 1 (not given out)"),
        (
            "UPDATE b SET a = 2",
            "public.c stands at 2 instead of 1 (not given out), public.b has 1 rows as it should, but not the same",
        ),
        (
            "INSERT INTO a VALUES (2)",
            "public.a has 2 rows of 1, public.c stands at 2 instead of 1 (not given out), public.b has 1 rows as it should, but not the same",
        ),
        ("DROP TABLE d", "public.d is missing"),
    ] {
        assert_eq!(difference(change), format!("named is not whole: {expected}"), "{change}");
    }
}

#[test]
fn values_are_read_as_they_were_written() {
    let server = Server::shared();
    server.run("postgres", "CREATE ROLE zoned LOGIN SUPERUSER PASSWORD 'zoned'");
    let target = server.database(
        "zoned",
        "ALTER DATABASE zoned SET bytea_output = 'escape'; ALTER DATABASE zoned SET DateStyle = 'German'; \
         ALTER DATABASE zoned SET IntervalStyle = 'iso_8601'; ALTER DATABASE zoned SET extra_float_digits = -10; \
         ALTER ROLE zoned SET TimeZone = 'Asia/Tokyo'; \
         CREATE TABLE t (a timestamptz, b bytea, c date, d interval, e float8, f xml); \
         INSERT INTO t VALUES ('2026-07-01 12:00+00', '\\x00ff', '2026-07-01', '1 day 2 hours', 0.1, '<a/>')",
    );
    let target_as = server.target_as("zoned", "zoned");
    let mut snapshot = Snapshot::take(&target_as);
    server.run("zoned", "UPDATE t SET a = a + interval '1 day'");
    // Another role, and the one that saved it once it has another zone.
    let back = |snapshot: &Snapshot, target: &Target| {
        let notes = snapshot.restoring(target, |restoration| restore(restoration, &Waiting::default())).unwrap().notes;
        assert_eq!(server.run("zoned", "SELECT a = '2026-07-01 12:00+00' FROM t"), "t");
        notes
    };
    assert_eq!(back(&snapshot, &target), Vec::<String>::new());
    server.run("postgres", "ALTER ROLE zoned SET TimeZone = 'UTC'");
    assert_eq!(back(&snapshot, &target_as), Vec::<String>::new());
    // A snapshot of an earlier version does not say: that is told, and is no reason to refuse it.
    snapshot.manifest.state.as_mut().unwrap()["database"]["written_with"] = serde_json::json!({});
    let notes = back(&snapshot, &target_as).concat();
    assert!(notes.ends_with("public.t has 1 rows as it should, but not the same."), "{notes}");
}

#[test]
fn other_encodings_are_compared_in_their_own_bytes() {
    let server = Server::shared();
    for (name, encoding) in [("latin", "LATIN1"), ("raw", "SQL_ASCII"), ("cyrillic", "KOI8R")] {
        server.run("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"));
        let script = match name {
            "cyrillic" => {
                "CREATE TABLE \"таблица\" (\"имя\" text); INSERT INTO \"таблица\" VALUES ('да'); CREATE SEQUENCE \"счёт\""
            }
            _ => "CREATE TABLE \"café\" (\"né\" text); INSERT INTO \"café\" VALUES ('é\\.'); CREATE SEQUENCE \"séq\"",
        };
        server.run(name, script);
        let target = server.target(name);
        let snapshot = Snapshot::take(&target);
        rehearsed(&snapshot, &target).unwrap_or_else(|error| panic!("{name}: {error}"));
        let table = if name == "cyrillic" { "\"таблица\" SET \"имя\"" } else { "\"café\" SET \"né\"" };
        server.run(name, &format!("UPDATE {table} = 'x'"));
        assert!(matches!(compared(&snapshot, &target), Err(PostgresError::Dump(DumpError::NotWhole { .. }))), "{name}");
    }
}

#[test]
fn partitions_that_are_loaded_by_way_of_their_table_are_compared_as_one() {
    // Since 16, pg_dump writes those so whose place depends on the numbers of an enum.
    for (major, server) in [(15, Server::shared()), (17, Server::shared_version(17)), (18, Server::shared_version(18))]
    {
        let target = server.database(
            "by_way",
            "CREATE TYPE e AS ENUM ('a', 'b', 'c', 'd', 'f', 'g'); CREATE TABLE \"p q\" (k e, n int) PARTITION BY HASH (k); \
             CREATE TABLE p0 PARTITION OF \"p q\" FOR VALUES WITH (MODULUS 3, REMAINDER 0); \
             CREATE TABLE p1 (n int, k e); ALTER TABLE \"p q\" ATTACH PARTITION p1 FOR VALUES WITH (MODULUS 3, REMAINDER 1); \
             CREATE TABLE p2 PARTITION OF \"p q\" FOR VALUES WITH (MODULUS 3, REMAINDER 2) PARTITION BY RANGE (n); \
             CREATE TABLE p2a PARTITION OF p2 FOR VALUES FROM (0) TO (20); CREATE TABLE p2b PARTITION OF p2 DEFAULT; \
             CREATE TABLE none (k e) PARTITION BY HASH (k); CREATE TABLE none_0 PARTITION OF none FOR VALUES WITH (MODULUS 1, REMAINDER 0); \
             INSERT INTO \"p q\" SELECT (enum_range(NULL::e))[1 + g % 6], g FROM generate_series(1, 60) g",
        );
        let snapshot = Snapshot::take(&target);
        assert_eq!(compared(&snapshot, &target).unwrap(), Compared::default(), "{major}");
        rehearsed(&snapshot, &target).unwrap_or_else(|error| panic!("{major}: {error}"));
        server.run("by_way", "DELETE FROM \"p q\" WHERE n = 7");
        let error = compared(&snapshot, &target).unwrap_err().to_string();
        assert!(error.ends_with("\"p q\" has 59 rows of 60"), "{major}: {error}");
        let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()));
        assert_eq!(restored.unwrap().notes, Vec::<String>::new(), "{major}");
        assert_eq!(server.run("by_way", "SELECT count(*), count(DISTINCT k), sum(n) FROM \"p q\""), "60|6|1830");
    }
}

#[test]
fn what_is_computed_anew_is_named() {
    let server = Server::shared();
    let target = server.database(
        "computed",
        "CREATE FUNCTION rate() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2'; \
         CREATE EXTENSION hstore; \
         CREATE TABLE t (a int, own int GENERATED ALWAYS AS (a * rate()) STORED, plain text GENERATED ALWAYS AS (upper(a::text)) STORED, \
             foreign_one hstore GENERATED ALWAYS AS (hstore('a', a::text)) STORED); \
         INSERT INTO t VALUES (1), (2); \
         CREATE MATERIALIZED VIEW stale AS SELECT a FROM t; CREATE MATERIALIZED VIEW fresh AS SELECT count(*) FROM generate_series(1, 3); \
         CREATE MATERIALIZED VIEW empty AS SELECT 1 WITH NO DATA; DELETE FROM t WHERE a = 2; \
         CREATE OR REPLACE FUNCTION rate() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 3'",
    );
    let snapshot = Snapshot::take(&target);
    let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap();
    assert_eq!(restored.notes, Vec::<String>::new());
    let Computed { refreshed, recomputed } = restored.computed;
    assert_eq!(refreshed, ["public.fresh", "public.stale (1 rows, 2 when it was saved)"]);
    assert_eq!(recomputed, ["public.t.foreign_one", "public.t.own"]);
    assert_eq!(server.run("computed", "SELECT own FROM t"), "3");
}
