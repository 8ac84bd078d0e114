//! Tables are filled under the settings of their database.

use crate::snapshot::postgres::testing::Server;
use crate::snapshot::postgres::tests::loading::{all_come_back, same};

#[test]
fn tables_are_filled_under_the_settings_of_the_database() {
    let cases = [
        same(
            "arrays_without_null",
            "ALTER DATABASE arrays_without_null SET array_nulls = off; CREATE TABLE t (a text[], b int[]); \
             INSERT INTO t VALUES (ARRAY['NULL', 'null', NULL], ARRAY[1, NULL])",
        ),
        same(
            "times_of_another_zone",
            "ALTER DATABASE times_of_another_zone SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE times_of_another_zone SET DateStyle = 'German'; \
             ALTER DATABASE times_of_another_zone SET IntervalStyle = 'sql_standard'; ALTER DATABASE times_of_another_zone SET bytea_output = 'escape'; \
             ALTER DATABASE times_of_another_zone SET xmloption = 'document'; ALTER DATABASE times_of_another_zone SET extra_float_digits = -5; \
             SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'; \
             CREATE FUNCTION day(timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::date::text'; \
             CREATE FUNCTION long(interval) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::text'; \
             CREATE TABLE t (a timestamptz, d text GENERATED ALWAYS AS (day(a)) STORED, i interval, l text GENERATED ALWAYS AS (long(i)) STORED, \
                 b bytea, x xml, f float8, UNIQUE (d)); CREATE INDEX ON t (day(a)); \
             INSERT INTO t VALUES ('2020-01-31 20:00:00+00', DEFAULT, '-1 year 2 days -3:04:05', DEFAULT, '\\x00ff27', '<a/>text', 0.1), \
                 ('0044-03-15 BC', DEFAULT, '-1 mon', DEFAULT, '', '<b/>', 1e300), ('infinity', DEFAULT, '-00:00:01', DEFAULT, NULL, NULL, 'NaN')",
        ),
        same(
            "tenant_of_the_database",
            "ALTER DATABASE tenant_of_the_database SET app.tenant = 'north'; SET app.tenant = 'north'; \
             CREATE FUNCTION tenant() RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT current_setting('app.tenant')$$; \
             CREATE TABLE t (a int, b text GENERATED ALWAYS AS (tenant()) STORED); INSERT INTO t VALUES (1); \
             CREATE MATERIALIZED VIEW mv AS SELECT tenant() AS t; CREATE INDEX ON t ((a || tenant()))",
        ),
        same(
            "tenants_of_their_own",
            "CREATE SCHEMA t1; CREATE SCHEMA t2; CREATE TABLE t1.names (n text); CREATE TABLE t2.names (n text); \
             INSERT INTO t1.names VALUES ('one'); INSERT INTO t2.names VALUES ('two'); \
             CREATE FUNCTION pick() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT n FROM names); END'; \
             SET search_path = t1, public; CREATE MATERIALIZED VIEW t1.mv AS SELECT pick() AS n; \
             SET search_path = t2, public; CREATE MATERIALIZED VIEW t2.mv AS SELECT pick() AS n",
        ),
        same(
            "names_of_the_system",
            "ALTER DATABASE names_of_the_system SET search_path = public, pg_catalog; \
             CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT 'mine'$$; \
             CREATE TABLE t (a text CHECK (pg_catalog.lower(a) OPERATOR(pg_catalog.=) 'x')); INSERT INTO t VALUES ('X'); \
             CREATE INDEX ON t (pg_catalog.lower(a)); CREATE VIEW v AS SELECT pg_catalog.lower(a), lower(a) AS mine FROM t; \
             CREATE RULE r AS ON UPDATE TO v WHERE pg_catalog.lower(old.mine) OPERATOR(pg_catalog.=) 'y' DO INSTEAD NOTHING",
        ),
        same(
            "words_of_its_own_configuration",
            "CREATE TEXT SEARCH CONFIGURATION mine (COPY = simple); \
             ALTER DATABASE words_of_its_own_configuration SET default_text_search_config = 'public.mine'; SET default_text_search_config = 'public.mine'; \
             CREATE FUNCTION vector(text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS 'SELECT to_tsvector($1)'; \
             CREATE TABLE t (a text, v tsvector GENERATED ALWAYS AS (vector(a)) STORED); INSERT INTO t VALUES ('the cats running')",
        ),
        same(
            "letters_of_another_encoding",
            "ALTER DATABASE letters_of_another_encoding SET client_encoding = 'LATIN1'; CREATE TABLE \"日本\" (\"é\" text); \
             INSERT INTO \"日本\" VALUES ('äöü€日本')",
        ),
        same(
            "sessions_of_another_role",
            "CREATE ROLE other_sessions; ALTER DATABASE sessions_of_another_role SET role = 'other_sessions'; \
             CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE MATERIALIZED VIEW mv AS SELECT * FROM t",
        ),
        same(
            "settings_that_hinder",
            "ALTER DATABASE settings_that_hinder SET default_transaction_read_only = on; \
             ALTER DATABASE settings_that_hinder SET default_transaction_isolation = 'serializable'; \
             ALTER DATABASE settings_that_hinder SET transform_null_equals = on; \
             ALTER DATABASE settings_that_hinder SET check_function_bodies = on; ALTER DATABASE settings_that_hinder SET row_security = off; \
             ALTER DATABASE settings_that_hinder SET session_replication_role = replica; ALTER DATABASE settings_that_hinder SET standard_conforming_strings = off; \
             ALTER DATABASE settings_that_hinder SET escape_string_warning = on; ALTER DATABASE settings_that_hinder SET quote_all_identifiers = on; \
             ALTER DATABASE settings_that_hinder SET default_toast_compression = 'pglz'; ALTER DATABASE settings_that_hinder SET client_encoding = 'LATIN1'; \
             CREATE TABLE t AS SELECT g, 'a\\''b' || g AS t FROM generate_series(1, 2000) g; CREATE INDEX ON t (g); CREATE VIEW v AS SELECT g = NULL::int AS n FROM t",
        ),
        same(
            "settings_that_a_check_makes",
            "CREATE FUNCTION sets(int) RETURNS bool LANGUAGE plpgsql AS $$BEGIN \
                 PERFORM set_config('quote_all_identifiers', 'on', false), set_config('default_transaction_read_only', 'on', false), \
                     set_config('bytea_output', 'escape', false), set_config('row_security', 'on', false); RETURN true; END$$; \
             CREATE TABLE t (a int CHECK (sets(a)), b bytea); ALTER TABLE t ENABLE ROW LEVEL SECURITY; INSERT INTO t VALUES (1, '\\x00ff27')",
        ),
    ];
    all_come_back(&Server::shared(), &cases);
}
