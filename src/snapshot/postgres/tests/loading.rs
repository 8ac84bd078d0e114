//! What a dump's own text cannot bring back as it stands: each kind saved, wrecked, and restored.

use std::sync::Arc;

use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting};
use crate::snapshot::postgres::tests::rich::text_of;
use crate::snapshot::postgres::{PostgresError, restore};

/// A kind of database.
struct Case {
    /// Also the database's name.
    name: &'static str,
    setup: &'static str,
    /// What the notes say, one of them each; notes of what a restore computes anew aside.
    notes: &'static [&'static str],
    /// Lines of the database's text that are gone, and that are new; with neither, it is the same in the same order.
    less: &'static [&'static str],
    more: &'static [&'static str],
}

const fn same(name: &'static str, setup: &'static str) -> Case {
    Case { name, setup, notes: &[], less: &[], more: &[] }
}

/// What of the lines of one text is not in another, as often.
fn lines_besides(one: &str, other: &str) -> Vec<String> {
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.trim().trim_end_matches(',').to_owned());
        lines.filter(|line| !line.is_empty() && !line.starts_with("--")).collect()
    };
    let mut others = lines(other);
    let is_more = |line: &String| match others.iter().position(|other| other == line) {
        Some(at) => {
            others.swap_remove(at);
            false
        }
        None => true,
    };
    lines(one).into_iter().filter(is_more).collect()
}

fn saved(server: &Server, case: &Case) -> (Snapshot, String) {
    let target = server.database(case.name, case.setup);
    let before = text_of(server, case.name);
    let snapshot = Snapshot::try_take(&target).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let mut wreck = server.psql(case.name);
    wreck.env("PGOPTIONS", "-c default_transaction_read_only=off -c client_min_messages=warning");
    assert!(wreck.args(["-c", "DROP SCHEMA public CASCADE"]).status().unwrap().success(), "{}", case.name);
    (snapshot, before)
}

fn all_come_back(server: &Arc<Server>, cases: &[Case]) {
    for case in cases {
        let (snapshot, expected) = saved(server, case);
        let target = server.target(case.name);
        let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()));
        let restored = restored.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let computed = |note: &&String| note.starts_with("Refreshed") || note.starts_with("Recomputed");
        let notes: Vec<&String> = restored.notes.iter().filter(|note| !computed(note)).collect();
        assert_eq!(notes.len(), case.notes.len(), "{}: {notes:?}", case.name);
        for (note, expected) in notes.iter().zip(case.notes) {
            assert!(note.contains(expected), "{}: {note}", case.name);
        }
        let found = text_of(server, case.name);
        let (less, more) = (lines_besides(&expected, &found), lines_besides(&found, &expected));
        assert_eq!((&less[..], &more[..]), (&owned(case.less)[..], &owned(case.more)[..]), "{}", case.name);
        assert!(!less.is_empty() || found == expected, "{}: another order: {found}", case.name);
        server.run("postgres", &format!("DROP DATABASE {} WITH (FORCE)", restored.replaced.unwrap()));
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// Rows that no foreign key looks at.
macro_rules! orphans {
    ($tables:literal, $rows:literal) => {
        concat!($tables, "; SET session_replication_role = replica; ", $rows)
    };
}

#[test]
fn foreign_keys_that_do_not_hold_come_back_not_valid() {
    let cases = [
        Case {
            name: "orphan",
            setup: orphans!(
                "CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE o (a int CONSTRAINT o_u REFERENCES u, b int CONSTRAINT o_b REFERENCES u)",
                "INSERT INTO u VALUES (1); INSERT INTO o VALUES (7, 1)"
            ),
            notes: &["added NOT VALID: `o_u` of `public.o`."],
            less: &["ADD CONSTRAINT o_u FOREIGN KEY (a) REFERENCES public.u(id);"],
            more: &["ADD CONSTRAINT o_u FOREIGN KEY (a) REFERENCES public.u(id) NOT VALID;"],
        },
        Case {
            name: "orphan_of_many_words",
            setup: orphans!(
                "CREATE SCHEMA \"S; x\"; CREATE TABLE \"S; x\".\"u FOREIGN KEY (\" (a int, b int, PRIMARY KEY (a, b)); \
                 CREATE TABLE \"it's\" (a int, b int, CONSTRAINT \"k \"\" k\" FOREIGN KEY (a, b) REFERENCES \"S; x\".\"u FOREIGN KEY (\" \
                 MATCH FULL ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED)",
                "INSERT INTO \"it's\" VALUES (1, 2)"
            ),
            notes: &["`k \" k` of `public.\"it's\"`."],
            less: &[
                "ADD CONSTRAINT \"k \"\" k\" FOREIGN KEY (a, b) REFERENCES \"S; x\".\"u FOREIGN KEY (\"(a, b) MATCH FULL ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;",
            ],
            more: &[
                "ADD CONSTRAINT \"k \"\" k\" FOREIGN KEY (a, b) REFERENCES \"S; x\".\"u FOREIGN KEY (\"(a, b) MATCH FULL ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID;",
            ],
        },
        Case {
            name: "orphan_of_itself",
            setup: orphans!(
                "CREATE TABLE n (id int PRIMARY KEY, up int REFERENCES n); CREATE TABLE m (id int PRIMARY KEY, n int REFERENCES n); \
                 ALTER TABLE n ADD m int REFERENCES m",
                "INSERT INTO n VALUES (1, 9, 8)"
            ),
            notes: &["`n_m_fkey` of `public.n`, `n_up_fkey` of `public.n`."],
            less: &[
                "ADD CONSTRAINT n_m_fkey FOREIGN KEY (m) REFERENCES public.m(id);",
                "ADD CONSTRAINT n_up_fkey FOREIGN KEY (up) REFERENCES public.n(id);",
            ],
            more: &[
                "ADD CONSTRAINT n_m_fkey FOREIGN KEY (m) REFERENCES public.m(id) NOT VALID;",
                "ADD CONSTRAINT n_up_fkey FOREIGN KEY (up) REFERENCES public.n(id) NOT VALID;",
            ],
        },
        Case {
            name: "orphan_of_several_lines",
            setup: orphans!(
                "CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE \"o\n\" (a int CONSTRAINT \"k\nl\" REFERENCES u); \
                 CREATE TABLE p (a int CONSTRAINT p_u REFERENCES u)",
                "INSERT INTO \"o\n\" VALUES (7); INSERT INTO p VALUES (8)"
            ),
            notes: &["`p_u` of `public.p`"],
            less: &[
                "l\" FOREIGN KEY (a) REFERENCES public.u(id);",
                "ADD CONSTRAINT p_u FOREIGN KEY (a) REFERENCES public.u(id);",
            ],
            more: &[
                "l\" FOREIGN KEY (a) REFERENCES public.u(id) NOT VALID;",
                "ADD CONSTRAINT p_u FOREIGN KEY (a) REFERENCES public.u(id) NOT VALID;",
            ],
        },
        same(
            "keys_that_hold_or_were_never_checked",
            "CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE o (a int, b int REFERENCES u); INSERT INTO u VALUES (1); \
             INSERT INTO o VALUES (7, 1); ALTER TABLE o ADD CONSTRAINT unchecked FOREIGN KEY (a) REFERENCES u NOT VALID; \
             ALTER TABLE o DISABLE TRIGGER ALL",
        ),
        Case {
            name: "orphan_of_partitions",
            setup: orphans!(
                "CREATE TABLE u (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE u1 PARTITION OF u FOR VALUES IN (1); \
                 CREATE TABLE o (a int REFERENCES u)",
                "INSERT INTO o VALUES (7)"
            ),
            notes: &["`o_a_fkey` of `public.o`."],
            less: &["ADD CONSTRAINT o_a_fkey FOREIGN KEY (a) REFERENCES public.u(id);"],
            more: &["ADD CONSTRAINT o_a_fkey FOREIGN KEY (a) REFERENCES public.u(id) NOT VALID;"],
        },
    ];
    all_come_back(&Server::shared(), &cases);
}

#[test]
fn checks_that_look_elsewhere_come_back() {
    let cases = [
        same(
            "check_of_another_table",
            "CREATE FUNCTION known(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM z WHERE a = $1); END'; \
             CREATE TABLE z (a int); INSERT INTO z VALUES (1), (2); CREATE TABLE a (x int CONSTRAINT c CHECK (known(x)), CHECK (x > 0)); \
             INSERT INTO a VALUES (1); COMMENT ON CONSTRAINT c ON a IS 'it''s; \\\"x'; CREATE VIEW v AS SELECT * FROM a",
        ),
        Case {
            name: "check_that_holds_no_more",
            setup: "CREATE TABLE z (a int); CREATE FUNCTION known(int) RETURNS bool LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.z WHERE a = $1)'; INSERT INTO z VALUES (1), (2); CREATE TABLE a (x int CONSTRAINT c CHECK (known(x))); \
                    INSERT INTO a VALUES (1); DELETE FROM z WHERE a = 1; COMMENT ON CONSTRAINT c ON a IS 'note'",
            notes: &[
                "added NOT VALID: `c` of `public.a` (check constraint \"c\" of relation \"a\" is violated by some row).",
            ],
            less: &["CONSTRAINT c CHECK (public.known(x))"],
            more: &["ALTER TABLE public.a", "ADD CONSTRAINT c CHECK (public.known(x)) NOT VALID;"],
        },
        same(
            "check_of_a_setting",
            "ALTER DATABASE check_of_a_setting SET app.tenant = 'a''b'; SET app.tenant = 'a''b'; \
             CREATE TABLE t (x text CHECK (x = current_setting('app.tenant'))); INSERT INTO t VALUES ('a''b')",
        ),
        Case {
            notes: &["NOT VALID: `\"c c\"` of the domain `public.\"D d\"` (cannot alter type"],
            less: &["CONSTRAINT \"c c\" CHECK (public.known(VALUE))"],
            more: &["ALTER DOMAIN public.\"D d\"", "ADD CONSTRAINT \"c c\" CHECK (public.known(VALUE)) NOT VALID;"],
            ..same(
                "check_of_a_domain_in_arrays",
                "CREATE FUNCTION known(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM z WHERE a = $1); END'; \
             CREATE TABLE z (a int); INSERT INTO z VALUES (1), (2); CREATE DOMAIN \"D d\" AS int CONSTRAINT \"c c\" CHECK (known(VALUE)) \
             CONSTRAINT small CHECK (VALUE < 9); COMMENT ON CONSTRAINT \"c c\" ON DOMAIN \"D d\" IS 'x'; \
             CREATE TABLE a (x \"D d\", y \"D d\"[]); INSERT INTO a (x) VALUES (1)",
            )
        },
        same(
            "check_of_a_domain",
            "CREATE FUNCTION known(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM z WHERE a = $1); END'; \
             CREATE TABLE z (a int); INSERT INTO z VALUES (1), (2); CREATE DOMAIN \"D d\" AS int CONSTRAINT \"c c\" CHECK (known(VALUE)) \
             CONSTRAINT small CHECK (VALUE < 9); COMMENT ON CONSTRAINT \"c c\" ON DOMAIN \"D d\" IS 'x'; \
             CREATE TABLE a (x \"D d\"); INSERT INTO a (x) VALUES (1)",
        ),
        same(
            "inherited_checks",
            "CREATE FUNCTION yes(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN PERFORM 1 FROM z; RETURN FOUND; END'; CREATE TABLE z (a int); \
             INSERT INTO z VALUES (1); CREATE TABLE p (a int CONSTRAINT c CHECK (yes(a)), b int CONSTRAINT own CHECK (yes(b)) NO INHERIT); \
             CREATE TABLE k1 () INHERITS (p); CREATE TABLE k2 (CONSTRAINT c CHECK (yes(a)), CONSTRAINT mine CHECK (yes(a + 1))) INHERITS (p); \
             CREATE TABLE g () INHERITS (k1, k2); INSERT INTO p VALUES (1, 1); INSERT INTO g VALUES (2, 2); \
             CREATE TABLE r (a int CONSTRAINT rc CHECK (yes(a))) PARTITION BY RANGE (a); CREATE TABLE r1 PARTITION OF r \
             (CONSTRAINT leaf CHECK (yes(a))) FOR VALUES FROM (0) TO (9); CREATE TABLE r2 PARTITION OF r FOR VALUES FROM (9) TO (99) PARTITION BY LIST (a); \
             CREATE TABLE r2a PARTITION OF r2 FOR VALUES IN (10); INSERT INTO r VALUES (1), (10)",
        ),
        same(
            "checks_of_the_row_alone",
            "CREATE EXTENSION citext; CREATE TABLE t (a int CHECK (a > 0), b varchar(9) CHECK (length(b) < 5), c citext CHECK (c ~ '^a'), \
             d jsonb CHECK ((d->>'n')::int > 0), e date CHECK (e > '2000-01-01')); INSERT INTO t VALUES (1, 'x', 'A', '{\"n\": 3}', '2020-01-01')",
        ),
        Case {
            name: "checks_of_the_clock_and_the_user",
            setup: "CREATE FUNCTION fails(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''never''; END'; \
                    CREATE TABLE t (a timestamptz CONSTRAINT later CHECK (a > now()), b text CONSTRAINT me CHECK (b = CURRENT_USER), c int); \
                    INSERT INTO t VALUES ('2999-01-01', 'postgres'); ALTER TABLE t ADD CONSTRAINT bad CHECK (fails(c) IS NOT NULL) NOT VALID; \
                    ALTER TABLE t ADD CONSTRAINT past CHECK (a < now()) NOT VALID",
            notes: &[],
            less: &[],
            more: &[],
        },
        Case {
            name: "check_that_fails_by_itself",
            setup: "CREATE TABLE switch (is_on bool); CREATE FUNCTION fails(int) RETURNS bool LANGUAGE plpgsql AS \
                    'BEGIN IF EXISTS (SELECT FROM switch WHERE is_on) THEN RAISE EXCEPTION ''never: %'', $1; END IF; RETURN true; END'; \
                    CREATE TABLE t (c int CONSTRAINT bad CHECK (fails(c))); INSERT INTO t VALUES (1); INSERT INTO switch VALUES (true)",
            notes: &["`bad` of `public.t` (never: 1)."],
            less: &["CONSTRAINT bad CHECK (public.fails(c))"],
            more: &["ALTER TABLE public.t", "ADD CONSTRAINT bad CHECK (public.fails(c)) NOT VALID;"],
        },
    ];
    all_come_back(&Server::shared(), &cases);
}

#[test]
fn what_cannot_be_added_so_is_told_and_the_database_is_as_it_was() {
    let server = Server::shared();
    let cases = [
        (
            "orphan_in_partitions",
            orphans!(
                "CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE o (a int REFERENCES u) PARTITION BY LIST (a); \
                 CREATE TABLE o7 PARTITION OF o FOR VALUES IN (7)",
                "INSERT INTO o VALUES (7)"
            ),
            "cannot be restored whole: the foreign key `o_a_fkey` of `public.o` does not hold",
        ),
        (
            "no_longer_unique",
            "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'; CREATE TABLE t (a int); \
             CREATE UNIQUE INDEX one ON t (f(a)); INSERT INTO t VALUES (1), (2); \
             CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0'",
            "cannot be restored whole: ERROR:  could not create unique index \"one\" (in `CREATE UNIQUE INDEX one ON public.t USING btree`)",
        ),
        (
            "excluded",
            "CREATE FUNCTION f(int) RETURNS int4range LANGUAGE sql IMMUTABLE AS 'SELECT int4range($1, $1 + 1)'; \
             CREATE TABLE t (a int, CONSTRAINT apart EXCLUDE USING gist (f(a) WITH &&)); INSERT INTO t VALUES (1), (2); \
             CREATE OR REPLACE FUNCTION f(int) RETURNS int4range LANGUAGE sql IMMUTABLE AS 'SELECT int4range(1, 2)'",
            "could not create exclusion constraint \"apart\" (in `ALTER TABLE ONLY public.t`)",
        ),
        (
            "broken_in_its_middle",
            "CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END'; CREATE TABLE t (a int); \
             CREATE INDEX i ON t (f(a)); INSERT INTO t VALUES (1); \
             CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE EXCEPTION ''broken''; END'",
            "psql exited with status 3: ERROR:  broken (in `CREATE INDEX i ON public.t USING btree`)",
        ),
    ];
    for (name, setup, expected) in cases {
        let target = server.database(name, setup);
        let snapshot = Snapshot::take(&target);
        let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap_err();
        let PostgresError::NotRestored { source, remains, .. } = &error else { panic!("{name}: {error}") };
        assert!(source.to_string().contains(expected), "{name}: {source}");
        assert_eq!(*remains, format!("`{name}` is as it was"));
    }
    let left = server.run("postgres", "SELECT count(*) FROM pg_database WHERE shobj_description(oid, 'pg_database') ~ 'restoring.*(excluded|unique|middle|in_partitions)'");
    assert_eq!(left, "0");
}

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
    ];
    all_come_back(&Server::shared(), &cases);
}

#[test]
fn a_missing_role_costs_only_what_names_it() {
    let server = Server::shared();
    server.run("postgres", "CREATE ROLE gone; CREATE ROLE kept_owner; CREATE ROLE \"Kept 2\"");
    let target = server.database(
        "of_many_roles",
        "GRANT ALL ON SCHEMA public TO gone, kept_owner; CREATE SCHEMA s AUTHORIZATION gone; CREATE SCHEMA k AUTHORIZATION kept_owner; \
         CREATE TABLE k.a (x serial, y int); ALTER TABLE k.a OWNER TO kept_owner; CREATE TABLE s.b (x serial); ALTER TABLE s.b OWNER TO gone; \
         GRANT SELECT (x), UPDATE (y) ON k.a TO gone; GRANT SELECT ON k.a TO \"Kept 2\" WITH GRANT OPTION; GRANT SELECT ON s.b TO \"Kept 2\"; \
         GRANT USAGE ON SCHEMA k TO \"Kept 2\"; SET ROLE \"Kept 2\"; GRANT SELECT ON k.a TO gone; RESET ROLE; REVOKE ALL ON k.a FROM kept_owner; GRANT INSERT ON k.a TO kept_owner; \
         CREATE FUNCTION k.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION k.f() FROM PUBLIC; GRANT EXECUTE ON FUNCTION k.f() TO kept_owner; \
         ALTER DEFAULT PRIVILEGES FOR ROLE gone GRANT SELECT ON TABLES TO kept_owner; \
         ALTER DEFAULT PRIVILEGES FOR ROLE kept_owner IN SCHEMA k GRANT SELECT ON TABLES TO \"Kept 2\"; \
         ALTER TABLE k.a ENABLE ROW LEVEL SECURITY; CREATE POLICY of_both ON k.a TO gone, \"Kept 2\" USING (x > 0) WITH CHECK (y > 0); \
         CREATE POLICY alone ON k.a AS RESTRICTIVE FOR SELECT TO gone USING (true); CREATE POLICY everybody ON k.a FOR SELECT USING (y IS NULL); \
         CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw; ALTER SERVER far OWNER TO kept_owner; \
         CREATE USER MAPPING FOR gone SERVER far; CREATE USER MAPPING FOR PUBLIC SERVER far; CREATE USER MAPPING FOR kept_owner SERVER far OPTIONS (user 'x'); \
         SELECT lo_create(77); ALTER LARGE OBJECT 77 OWNER TO kept_owner; GRANT SELECT ON LARGE OBJECT 77 TO gone; \
         CREATE PUBLICATION p FOR TABLE k.a; ALTER PUBLICATION p OWNER TO kept_owner; CREATE TYPE k.e AS ENUM ('a'); ALTER TYPE k.e OWNER TO kept_owner",
    );
    let whole = text_of(&server, "of_many_roles");
    let snapshot = Snapshot::take(&target);
    let put_back = || snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap();
    assert_eq!(put_back().notes, Vec::<String>::new());
    assert_eq!(text_of(&server, "of_many_roles"), whole);
    server.run("postgres", "ALTER ROLE gone RENAME TO went");
    let restored = put_back();
    let note = "The role `gone` is missing: 3 owners and 7 grants and 2 policies were left out; what it owned belongs to `postgres` now.";
    assert_eq!(restored.notes, [note]);
    let found = text_of(&server, "of_many_roles");
    assert_eq!(
        lines_besides(&found, &whole),
        [
            "ALTER SCHEMA s OWNER TO postgres;",
            "ALTER TABLE s.b OWNER TO postgres;",
            "ALTER TABLE s.b_x_seq OWNER TO postgres;",
            "CREATE POLICY of_both ON k.a TO \"Kept 2\" USING ((x > 0)) WITH CHECK ((y > 0));",
        ]
    );
    let less = lines_besides(&whole, &found);
    assert!(less.iter().all(|line| line.contains("gone") || line.contains("SESSION AUTHORIZATION")), "{less:#?}");
}

#[test]
fn an_owner_that_the_user_may_not_act_as_is_told() {
    let server = Server::shared();
    server.run(
        "postgres",
        "CREATE ROLE app_owner LOGIN PASSWORD 'app_owner' CREATEDB; CREATE ROLE team; GRANT team TO app_owner; CREATE ROLE stranger_owner",
    );
    let target = server.database(
        "of_strangers",
        "ALTER DATABASE of_strangers OWNER TO app_owner; CREATE SCHEMA s AUTHORIZATION app_owner; CREATE TABLE s.mine (a int); \
         ALTER TABLE s.mine OWNER TO app_owner; CREATE TABLE s.ours (a int); ALTER TABLE s.ours OWNER TO team; GRANT CREATE, USAGE ON SCHEMA s TO team; \
         CREATE TABLE s.theirs (a int); ALTER TABLE s.theirs OWNER TO stranger_owner; GRANT ALL ON s.theirs TO app_owner; \
         GRANT SELECT ON s.mine TO stranger_owner",
    );
    let snapshot = Snapshot::take(&target);
    let own = server.target_as("of_strangers", "app_owner");
    let restored = snapshot.restoring(&own, |restoration| restore(restoration, &Waiting::default())).unwrap();
    assert_eq!(
        restored.notes,
        [
            "`app_owner` may not act as `stranger_owner`: 1 owner was left out; what `stranger_owner` owned belongs to `app_owner` now."
        ]
    );
    let owners = server.run("of_strangers", "SELECT string_agg(relname || ':' || relowner::regrole, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 's'::regnamespace");
    assert_eq!(owners, "mine:app_owner ours:team theirs:app_owner");
}

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
    let login = [same(
        "login_trigger",
        "CREATE TABLE logins (at timestamptz); CREATE FUNCTION on_login() RETURNS event_trigger LANGUAGE plpgsql AS \
         'BEGIN IF current_setting(''application_name'') <> ''test'' THEN INSERT INTO public.logins VALUES (now()); END IF; END'; \
         CREATE TABLE t (a int); INSERT INTO t VALUES (1)",
    )];
    all_come_back(&Server::shared_version(17), &login);
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
