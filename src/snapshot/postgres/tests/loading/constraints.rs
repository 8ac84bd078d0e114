//! Foreign keys and checks that do not hold, or that look elsewhere.

use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting};
use crate::snapshot::postgres::tests::loading::{Case, all_come_back, same};
use crate::snapshot::postgres::{PostgresError, restore};

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
            name: "orphans_among_many",
            setup: orphans!(
                "CREATE TABLE u (id int PRIMARY KEY); \
                 DO $$ BEGIN FOR n IN 1..130 LOOP EXECUTE format('CREATE TABLE o%1$s (a int CONSTRAINT k%1$s REFERENCES u)', n); END LOOP; END $$",
                "INSERT INTO u VALUES (1); INSERT INTO o2 VALUES (1); INSERT INTO o7 VALUES (7); INSERT INTO o128 VALUES (8)"
            ),
            notes: &["added NOT VALID: `k128` of `public.o128`, `k7` of `public.o7`."],
            less: &[
                "ADD CONSTRAINT k128 FOREIGN KEY (a) REFERENCES public.u(id);",
                "ADD CONSTRAINT k7 FOREIGN KEY (a) REFERENCES public.u(id);",
            ],
            more: &[
                "ADD CONSTRAINT k128 FOREIGN KEY (a) REFERENCES public.u(id) NOT VALID;",
                "ADD CONSTRAINT k7 FOREIGN KEY (a) REFERENCES public.u(id) NOT VALID;",
            ],
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
