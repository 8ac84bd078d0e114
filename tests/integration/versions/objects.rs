//! What the databases of the matrix hold.

use crate::support::Postgres;

/// Since which version a server makes it, and the script.
const OBJECTS: [(u32, &str); 7] = [
    (12, include_str!("objects.sql")),
    (13, "CREATE TABLE shop.unpublished (a int); ALTER TABLE shop.orders REPLICA IDENTITY FULL;"),
    (
        14,
        "CREATE TABLE shop.packed (a text COMPRESSION pglz); INSERT INTO shop.packed VALUES (repeat('x', 5000)); \
         CREATE FUNCTION shop.one() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END; \
         CREATE TABLE shop.spans (a int4multirange); INSERT INTO shop.spans VALUES ('{[1,3),[5,7)}');",
    ),
    (
        15,
        "CREATE TABLE shop.once (a int UNIQUE NULLS NOT DISTINCT); INSERT INTO shop.once VALUES (NULL); \
         CREATE VIEW shop.own WITH (security_invoker = true) AS SELECT 1 AS a;",
    ),
    (16, "CREATE TABLE shop.stored (a text STORAGE EXTERNAL); INSERT INTO shop.stored VALUES ('x');"),
    (
        17,
        "CREATE TABLE shop.parted (id int GENERATED ALWAYS AS IDENTITY, a int) PARTITION BY HASH (a); \
         CREATE TABLE shop.parted_0 PARTITION OF shop.parted FOR VALUES WITH (MODULUS 1, REMAINDER 0); \
         INSERT INTO shop.parted (a) VALUES (1), (2); GRANT MAINTAIN ON shop.users TO PUBLIC;",
    ),
    (
        18,
        "CREATE TABLE shop.newest (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL, CONSTRAINT a_is_there NOT NULL a, \
         CONSTRAINT loose CHECK (a > 0) NOT ENFORCED); INSERT INTO shop.newest VALUES (-1); \
         CREATE TABLE shop.stays (room int4range, during daterange, UNIQUE (room, during WITHOUT OVERLAPS)); \
         INSERT INTO shop.stays VALUES ('[1, 2)', '[2026-01-01, 2026-01-02)');",
    ),
];

/// Makes the database, with all that its server knows, and settings of its own.
pub(crate) fn make(server: &Postgres, database: &str) {
    server.create_database(database);
    server.psql(
        "postgres",
        &format!(
            "ALTER DATABASE {database} SET search_path = shop, public; ALTER DATABASE {database} SET \"TimeZone\" = 'Asia/Tokyo'; \
             COMMENT ON DATABASE {database} IS 'the shop''s'; ALTER DATABASE {database} CONNECTION LIMIT 77"
        ),
    );
    for (_, script) in OBJECTS.iter().filter(|(since, _)| *since <= server.major()) {
        server.psql(database, script);
    }
    for extension in ["hstore", "pgcrypto", "citext"] {
        let is_there = format!("SELECT count(*) FROM pg_available_extensions WHERE name = '{extension}'");
        if server.psql(database, &is_there) == "1" {
            server.psql(database, &format!("CREATE EXTENSION {extension} SCHEMA public"));
        }
    }
}

/// Does to it what a careless test suite does.
pub(crate) fn wreck(server: &Postgres, database: &str) {
    server.psql(
        database,
        &format!(
            "DROP SCHEMA shop CASCADE; SELECT lo_unlink(424242); CREATE TABLE public.intruder (a int); \
             ALTER DATABASE {database} RESET ALL; COMMENT ON DATABASE {database} IS 'wrecked'; DROP PUBLICATION everything; \
             DROP FOREIGN DATA WRAPPER elsewhere CASCADE"
        ),
    );
}
