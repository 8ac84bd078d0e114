//! A database with everything in it, and its full text to compare.

use crate::snapshot::postgres::testing::Server;

pub(crate) const RICH: &str = r#"
CREATE EXTENSION hstore; CREATE EXTENSION pgcrypto; CREATE EXTENSION citext;
CREATE SCHEMA "Über Shop"; CREATE DOMAIN price AS numeric CHECK (VALUE >= 0); CREATE TYPE mood AS ENUM ('sad', 'it''s');
CREATE TABLE users (id serial PRIMARY KEY, mail citext UNIQUE, tags hstore, secret bytea, mood mood, total price);
INSERT INTO users (mail, tags, secret, mood, total)
    SELECT 'u' || g, hstore('a', g::text), digest(g::text, 'sha256'), 'sad', g FROM generate_series(1, 500) g;
CREATE TABLE "Über Shop"."select ""x"".y
COPY public.z FROM stdin;" ("a b" text, "from" int GENERATED ALWAYS AS IDENTITY);
INSERT INTO "Über Shop"."select ""x"".y
COPY public.z FROM stdin;" VALUES (E'tab\tnew\nline\\.'), ('\.'), (''), (NULL);
CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE "order" (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE order_2025 PARTITION OF "order" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE order_rest PARTITION OF "order" DEFAULT;
INSERT INTO "order" SELECT g, date '2025-12-01' + g FROM generate_series(1, 60) g;
CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent);
INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3), (4, 5);
CREATE UNLOGGED TABLE cache (k text, v jsonb); INSERT INTO cache VALUES ('x', '{"a": [1, "\\n"]}');
CREATE VIEW buyers AS SELECT u.id, count(*) FROM users u JOIN "order" o ON o.id = u.id GROUP BY u.id;
CREATE MATERIALIZED VIEW totals AS SELECT mood, sum(total) FROM users GROUP BY mood;
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS a WITH NO DATA;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN -- it's "
    NEW.total := NEW.total; RETURN NEW; END $body$;
CREATE FUNCTION one() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;
CREATE PROCEDURE nop() LANGUAGE sql AS $$ SELECT 'COPY public.users FROM stdin;' $$;
CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE SEQUENCE loose START 100; SELECT nextval('loose'), nextval('loose');
SELECT lo_from_bytea(0, 'a large object'); SELECT lo_create(0);
COMMENT ON TABLE users IS E'it''s\n-- Name: x; Type: TABLE; $$ "quoted';
CREATE INDEX ON users (lower(mail)); ALTER TABLE "order" ADD CHECK (id > 0) NOT VALID;
CREATE RULE no_delete AS ON DELETE TO cache DO INSTEAD NOTHING;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE POLICY mine ON users USING (id > 0);
CREATE EVENT TRIGGER on_ddl ON ddl_command_end EXECUTE FUNCTION on_ddl();
"#;

/// Everything in a database as text, but for the random key of each text.
pub(crate) fn text_of(server: &Server, database: &str) -> String {
    let psql = server.psql(database);
    let mut dump = std::process::Command::new(std::path::Path::new(psql.get_program()).with_file_name("pg_dump"));
    dump.env_clear().envs(psql.get_envs().filter_map(|(name, value)| Some((name, value?)))).arg("-w");
    // Whatever the database has set for its sessions; to look changes nothing.
    let no_triggers = if server.major() >= 17 { " -c event_triggers=off" } else { "" };
    dump.env("PGOPTIONS", format!("-c role=none{no_triggers}"));
    let output = dump.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.contains("restrict ")).map(|line| format!("{line}\n")).collect()
}
