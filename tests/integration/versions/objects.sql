-- All usual kinds of objects, as any server since 12 makes them.
CREATE SCHEMA shop;
SET search_path = shop, public;
CREATE TYPE mood AS ENUM ('sad', 'it''s');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE DOMAIN price AS numeric(12, 2) CHECK (VALUE >= 0);
CREATE COLLATION plain (provider = libc, locale = 'C');
CREATE SEQUENCE loose START 100 INCREMENT 7 CYCLE;
SELECT nextval('loose'), nextval('loose');
CREATE TABLE users (
    id serial PRIMARY KEY,
    mail text COLLATE plain UNIQUE NOT NULL,
    mood mood DEFAULT 'sad',
    total price,
    doubled numeric GENERATED ALWAYS AS (total * 2) STORED,
    pair pair,
    span span,
    words text[] DEFAULT '{a,NULL,"b c"}',
    secret bytea,
    document jsonb,
    cash money,
    at timestamptz,
    CONSTRAINT some_mood CHECK (mood IS NOT NULL)
);
INSERT INTO users (mail, total, pair, span, secret, document, cash, at)
    SELECT 'u' || g, g * 1.5, ROW(g, E'tab\t')::pair, span(g, g + 0.5), decode(md5(g::text), 'hex'), jsonb_build_object('g', g), g::int::money,
        timestamptz '2026-01-01 00:00:00+02' + g * interval '1 day' FROM generate_series(1, 300) g;
INSERT INTO users (mail, mood, total) VALUES (E'tab\tnew\nline\\.', 'it''s', NULL), ('', 'sad', 'NaN'), ('\.', 'sad', 0);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY (START 1000), buyer int REFERENCES users ON DELETE CASCADE, day date)
    PARTITION BY RANGE (day);
CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE orders_rest PARTITION OF orders DEFAULT;
INSERT INTO orders (buyer, day) SELECT g, date '2025-12-01' + g FROM generate_series(1, 60) g;
CREATE TABLE bookings (room int, during tsrange, EXCLUDE USING gist (during WITH &&));
INSERT INTO bookings VALUES (1, '[2026-01-01, 2026-01-02)'), (1, '[2026-02-01, 2026-02-02)');
CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent);
INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3), (4, 5);
CREATE UNLOGGED TABLE cache (k text PRIMARY KEY, v json);
INSERT INTO cache VALUES ('x', '{"a": [1, "\\n"]}');
CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE "select ""x"".y
COPY public.z FROM stdin;" ("a b" text);
INSERT INTO "select ""x"".y
COPY public.z FROM stdin;" VALUES (';'), ('\.'), (NULL);
CREATE INDEX ON users (lower(mail)) WHERE total > 10;
CREATE INDEX ON users USING gin (document);
CREATE INDEX ON users USING brin (at);
CREATE STATISTICS together (dependencies) ON mood, total FROM users;
CREATE VIEW buyers AS SELECT u.id, count(*) AS bought FROM users u JOIN orders o ON o.buyer = u.id GROUP BY u.id;
CREATE MATERIALIZED VIEW totals AS SELECT mood, sum(total) AS total FROM users WHERE total < 1000 GROUP BY mood;
CREATE UNIQUE INDEX ON totals (mood);
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS a WITH NO DATA;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN -- it's "
    NEW.total := NEW.total; RETURN NEW; END $body$;
CREATE FUNCTION add_up(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE AGGREGATE added (int) (sfunc = add_up, stype = int, initcond = '0');
CREATE OPERATOR |+| (leftarg = int, rightarg = int, function = add_up);
CREATE PROCEDURE nop() LANGUAGE sql AS $$ SELECT 'COPY public.users FROM stdin;' $$;
CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE users DISABLE TRIGGER touch;
CREATE RULE no_delete AS ON DELETE TO cache DO INSTEAD NOTHING;
CREATE TEXT SEARCH CONFIGURATION plain_words (COPY = simple);
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE EVENT TRIGGER on_ddl ON ddl_command_end EXECUTE FUNCTION on_ddl();
CREATE FOREIGN DATA WRAPPER elsewhere;
CREATE SERVER far FOREIGN DATA WRAPPER elsewhere OPTIONS (host 'h');
CREATE FOREIGN TABLE distant (a int) SERVER far;
CREATE PUBLICATION everything FOR ALL TABLES;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON users USING (id > 0) WITH CHECK (total IS NULL OR total >= 0);
GRANT SELECT (id, mail), UPDATE (mail) ON users TO PUBLIC;
REVOKE EXECUTE ON FUNCTION add_up FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO PUBLIC;
COMMENT ON TABLE users IS E'it''s\n-- Name: x; Type: TABLE; $$ "quoted';
COMMENT ON COLUMN users.mail IS 'where to write to';
SELECT lo_from_bytea(424242, 'a large object'), lo_create(424243);
ALTER TABLE orders ADD CHECK (id > 0) NOT VALID;
ALTER TABLE users CLUSTER ON users_pkey;
CREATE TABLE by_mood (mood mood, a int) PARTITION BY HASH (mood);
CREATE TABLE by_mood_0 PARTITION OF by_mood FOR VALUES WITH (MODULUS 1, REMAINDER 0);
INSERT INTO by_mood VALUES ('sad', 1), ('it''s', 2);
