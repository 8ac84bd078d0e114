//! Views, triggers, partitions and functions whose result depends on something else; what only later versions have.

use crate::snapshot::postgres::restore;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting};
use crate::snapshot::postgres::tests::loading::{Case, all_come_back, same};
use crate::snapshot::postgres::tests::rich::text_of;

#[test]
fn what_computes_elsewhere_comes_back_or_is_told() {
    let cases = [
        Case {
            name: "view_of_a_far_server",
            setup: "CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1'); \
                    CREATE USER MAPPING FOR postgres SERVER far; CREATE FOREIGN TABLE f (a int) SERVER far; CREATE TABLE switch (is_far bool); \
                    CREATE FUNCTION far() RETURNS SETOF f LANGUAGE plpgsql AS 'BEGIN IF (SELECT is_far FROM switch) THEN RETURN QUERY SELECT * FROM f; END IF; END'; \
                    INSERT INTO switch VALUES (false); CREATE MATERIALIZED VIEW mv AS SELECT * FROM far(); CREATE UNIQUE INDEX ON mv (a); \
                    CREATE MATERIALIZED VIEW over_it AS SELECT * FROM mv; CREATE MATERIALIZED VIEW fine AS SELECT 1 AS a; UPDATE switch SET is_far = true",
            notes: &[
                "could not be refreshed are unpopulated: `public.mv` (could not connect to server \"far\"), `public.over_it` (materialized view \"mv\" has not been populated).",
            ],
            less: &["REFRESH MATERIALIZED VIEW public.mv;", "REFRESH MATERIALIZED VIEW public.over_it;"],
            more: &[],
        },
        same(
            "view_of_a_modest_owner",
            "CREATE ROLE modest_viewer; CREATE TABLE t (a int, of text); INSERT INTO t VALUES (1, 'modest_viewer'), (2, 'x'); GRANT SELECT ON t TO modest_viewer; \
             ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON t USING (of = current_user); CREATE MATERIALIZED VIEW mv AS SELECT * FROM t; \
             GRANT CREATE ON SCHEMA public TO modest_viewer; ALTER MATERIALIZED VIEW mv OWNER TO modest_viewer; REFRESH MATERIALIZED VIEW mv",
        ),
        same(
            "view_that_takes_numbers",
            "CREATE SEQUENCE q; CREATE SEQUENCE unused START 7; CREATE TABLE t (id int DEFAULT nextval('q')); INSERT INTO t DEFAULT VALUES; \
             CREATE FUNCTION take() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN PERFORM setval(''public.unused'', 99); RETURN nextval(''public.q''); END'; \
             CREATE MATERIALIZED VIEW mv AS SELECT take() AS n FROM generate_series(1, 3); CREATE MATERIALIZED VIEW over_it AS SELECT nextval('q') FROM mv; \
             SELECT setval('unused', 8)",
        ),
        same(
            "event_triggers_that_forbid",
            "CREATE TABLE t (a int); CREATE MATERIALIZED VIEW mv AS SELECT 1; \
             CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF current_setting('app.may', true) = 'yes' THEN RETURN; END IF; RAISE EXCEPTION 'no'; END $$; \
             ALTER DATABASE event_triggers_that_forbid SET app.may = 'yes'; SET app.may = 'yes'; \
             CREATE EVENT TRIGGER a_no ON ddl_command_start EXECUTE FUNCTION no(); CREATE EVENT TRIGGER b_no ON sql_drop EXECUTE FUNCTION no(); \
             COMMENT ON EVENT TRIGGER a_no IS 'x'; ALTER EVENT TRIGGER b_no ENABLE ALWAYS",
        ),
        same(
            "hash_of_an_enum",
            "CREATE TYPE e AS ENUM ('a', 'b', 'c', 'd', 'f', 'g'); CREATE TABLE t (k e, n int) PARTITION BY HASH (k); \
             CREATE TABLE t0 (n int, k e); ALTER TABLE t ATTACH PARTITION t0 FOR VALUES WITH (MODULUS 2, REMAINDER 0); \
             CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY RANGE (n); CREATE TABLE t1a PARTITION OF t1 FOR VALUES FROM (0) TO (99); \
             CREATE INDEX ON t (n)",
        ),
        same(
            "system_functions",
            "CREATE FUNCTION pg_catalog.half(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2'; CREATE TABLE t (a int CHECK (half(a) < 9), \
             h int GENERATED ALWAYS AS (half(a)) STORED); INSERT INTO t VALUES (4); CREATE INDEX ON t (half(a))",
        ),
        same(
            "rules_and_bodies",
            "CREATE TABLE t (a int, b text); CREATE TABLE l (a int); CREATE VIEW v AS SELECT * FROM t; \
             CREATE RULE r AS ON INSERT TO v DO INSTEAD (INSERT INTO t VALUES (new.a, 'GRANT SELECT ON x TO y;'); INSERT INTO l VALUES (new.a); ); \
             CREATE FUNCTION f(x int) RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN x > 1 THEN 'a;' ELSE 'b' END; SELECT b FROM t; END; \
             CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC INSERT INTO l VALUES (1); END; \
             COMMENT ON TABLE t IS E'\\nALTER TABLE t OWNER TO nobody;\nSET x = 1;\n\\\\! touch /tmp/no\n'; INSERT INTO t VALUES (1, E'\\\\.'), (2, '\\.'), (3, E'\\n\\\\.\\n')",
        ),
    ];
    all_come_back(&Server::shared(), &cases);
}

#[test]
fn what_only_later_versions_have_comes_back() {
    let server = Server::shared_version(18);
    let cases = [
        same(
            "not_enforced",
            "CREATE FUNCTION known(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM public.z WHERE a = $1); END'; CREATE TABLE z (a int PRIMARY KEY); \
             CREATE TABLE a (x int CONSTRAINT c CHECK (known(x)) NOT ENFORCED, y int CONSTRAINT f REFERENCES z NOT ENFORCED, n int, v int GENERATED ALWAYS AS (x + 1) VIRTUAL); \
             INSERT INTO a VALUES (1, 1, NULL); ALTER TABLE a ADD CONSTRAINT nn NOT NULL n NOT VALID",
        ),
        Case {
            name: "orphan_in_partitions_of_18",
            setup: orphans!(
                "CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE o (a int REFERENCES u) PARTITION BY LIST (a); \
                 CREATE TABLE o7 PARTITION OF o FOR VALUES IN (7)",
                "INSERT INTO o VALUES (7)"
            ),
            notes: &["`o_a_fkey` of `public.o`."],
            less: &["ADD CONSTRAINT o_a_fkey FOREIGN KEY (a) REFERENCES public.u(id);"],
            more: &["ADD CONSTRAINT o_a_fkey FOREIGN KEY (a) REFERENCES public.u(id) NOT VALID;"],
        },
    ];
    all_come_back(&server, &cases);
}

#[test]
fn triggers_upon_logins_come_back_and_see_none_of_ours() {
    let cases = [
        (
            "login_of_others",
            "IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN RAISE EXCEPTION 'closed'; END IF;",
            "",
        ),
        ("login_of_nobody", "RAISE EXCEPTION 'closed';", "; ALTER EVENT TRIGGER in DISABLE"),
        (
            "login_written",
            "INSERT INTO public.logins VALUES (current_setting('application_name'));",
            "; ALTER EVENT TRIGGER in ENABLE ALWAYS",
        ),
    ];
    for server in [Server::shared_version(17), Server::shared_version(18)] {
        for (name, body, then) in cases {
            let script = format!(
                "CREATE TABLE logins (of text); CREATE TABLE t (a int); INSERT INTO t VALUES (1); \
                 CREATE FUNCTION on_login() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$; \
                 CREATE EVENT TRIGGER \"in\" ON login EXECUTE FUNCTION on_login(){}",
                then.replace(" in ", " \"in\" ")
            );
            let target = server.database(name, &script);
            let snapshot = Snapshot::take(&target);
            let before = text_of(&server, name);
            // Whatever the command made of it, nobody has to log in there for a restore.
            server.run(name, "DROP TABLE t; ALTER EVENT TRIGGER \"in\" ENABLE; CREATE OR REPLACE FUNCTION on_login() RETURNS event_trigger \
                LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''closed''; END'");
            let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()));
            let restored = restored.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(restored.notes, Vec::<String>::new(), "{name}");
            assert_eq!(text_of(&server, name), before, "{name}");
            server.run("postgres", &format!("DROP DATABASE {} WITH (FORCE)", restored.replaced.unwrap()));
        }
    }
}
