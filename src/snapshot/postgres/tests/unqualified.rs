//! Functions that rely on the search path of the application: a dump sets it to nothing, for its reader too.

use crate::snapshot::VerificationLevel;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting};
use crate::snapshot::postgres::tests::rich::text_of;
use crate::snapshot::postgres::{restore, verify};

/// An index, a check, a generated column and a materialised view, each made with a function that names something without
/// its schema; one of them in a schema that only the database's own setting finds.
const UNQUALIFIED: &str = "\
    ALTER DATABASE unqualified SET search_path = app, public; \
    CREATE ROLE unqualified_owner; \
    CREATE SCHEMA app; CREATE SCHEMA other; ALTER SCHEMA app OWNER TO unqualified_owner; SET search_path = app, public, other; \
    CREATE TABLE app.known (a int); INSERT INTO known VALUES (1), (2); \
    CREATE FUNCTION app.half(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2'; \
    CREATE FUNCTION app.halved(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT half($1)'; \
    CREATE FUNCTION app.is_known(int) RETURNS bool LANGUAGE plpgsql AS \
        'BEGIN RETURN EXISTS (SELECT FROM known WHERE a = $1); END'; \
    CREATE TABLE app.orders (a int CHECK (is_known(a)), h int GENERATED ALWAYS AS (halved(a)) STORED); \
    INSERT INTO orders VALUES (1), (2); \
    CREATE INDEX halves ON orders (halved(a)); \
    CREATE MATERIALIZED VIEW other.summary AS SELECT sum(halved(a)) FROM orders; \
    ALTER TABLE orders OWNER TO unqualified_owner";

#[test]
fn functions_that_need_the_search_path_of_the_database_come_back() {
    let server = Server::shared();
    let target = server.database("unqualified", UNQUALIFIED);
    let snapshot = Snapshot::take(&target);
    snapshot
        .restoring(&target, |restoration| verify(restoration, VerificationLevel::Restore, &Waiting::default()))
        .unwrap();
    server.run("unqualified", "DROP TABLE app.orders CASCADE; CREATE TABLE app.other (a int)");
    let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap();
    let computed = |note: &String| note.starts_with("Refreshed") || note.starts_with("Recomputed");
    assert!(restored.notes.iter().all(computed), "{:?}", restored.notes);
    let shown = server.run(
        "unqualified",
        "SELECT string_agg(a || '>' || h, ',' ORDER BY a), (SELECT * FROM other.summary), \
         (SELECT relowner::regrole FROM pg_class WHERE oid = 'app.orders'::regclass), to_regclass('app.halves'), \
         to_regclass('app.other') FROM app.orders",
    );
    assert_eq!(shown, "1>0,2>1|1|unqualified_owner|halves|");
}

/// On servers that look for no bare names while they make an index or fill a view: each was made while its table was empty, or
/// its function was another.
#[test]
fn functions_that_a_later_server_would_not_find_names_for_come_back() {
    const LATER: &str = "\
        SET check_function_bodies = off; CREATE SCHEMA a; CREATE SCHEMA b; CREATE TYPE a.t AS ENUM ('x'); CREATE TYPE b.t AS ENUM ('x'); \
        CREATE FUNCTION a.factor() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2'; \
        CREATE FUNCTION b.factor() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 3'; \
        CREATE FUNCTION public.times(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN x * factor(); END'; \
        CREATE FUNCTION public.of(a.t) RETURNS int LANGUAGE plpgsql IMMUTABLE SET work_mem = '5MB' AS 'BEGIN RETURN factor(); END'; \
        CREATE FUNCTION public.of(b.t) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN factor(); END'; \
        CREATE FUNCTION public.own(x int) RETURNS int LANGUAGE sql IMMUTABLE SET search_path = b AS 'SELECT x * factor()'; \
        CREATE FUNCTION public.spanned(x int) RETURNS int4range LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN int4range(times(x), times(x + 1)); END'; \
        CREATE FUNCTION public.inlined(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'; \
        CREATE TABLE a.r (x int, e a.t, EXCLUDE USING gist (spanned(x) WITH &&)); CREATE TABLE b.r (x int, e b.t); \
        CREATE UNIQUE INDEX one ON a.r (times(x)); CREATE INDEX two ON b.r (times(x)) WHERE own(x) > 0; CREATE INDEX three ON a.r (of(e)); \
        CREATE INDEX four ON b.r (inlined(x)); CREATE OR REPLACE FUNCTION public.inlined(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x * factor()'; \
        CREATE VIEW public.all_of AS SELECT times(x) FROM a.r; CREATE MATERIALIZED VIEW a.m AS SELECT * FROM all_of WITH NO DATA; \
        SET search_path = a, public; INSERT INTO a.r VALUES (1, 'x'), (2, 'x'); SET search_path = b, public; INSERT INTO b.r VALUES (1, 'x'), (2, 'x')";
    for server in [Server::shared(), Server::shared_version(17), Server::shared_version(18)] {
        let target = server.database("unqualified_later", LATER);
        let before = text_of(&server, "unqualified_later");
        let snapshot = Snapshot::take(&target);
        server.run("unqualified_later", "DROP SCHEMA a CASCADE; DROP SCHEMA b CASCADE");
        let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap();
        // What the server itself cannot compute here, it could not before either.
        let of_statistics = |note: &String| note.starts_with("Statistics were not gathered");
        assert!(restored.notes.iter().all(of_statistics), "{:?}", restored.notes);
        assert_eq!(text_of(&server, "unqualified_later"), before);
        // By the indexes, which hold what was computed in the schema of their tables.
        for (path, table, value) in [("a", "a.r", 4), ("b", "b.r", 6)] {
            let asked = format!(
                "SET search_path = {path}, public; SET enable_seqscan = off; SELECT x FROM {table} WHERE times(x) = {value} AND own(x) > 0"
            );
            assert_eq!(server.run("unqualified_later", &asked), "2", "{table}");
        }
    }
}
