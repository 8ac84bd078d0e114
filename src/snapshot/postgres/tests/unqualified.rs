//! Functions that rely on the search path of the application: a dump sets it to nothing, for its reader too.

use crate::snapshot::VerificationLevel;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting};
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
