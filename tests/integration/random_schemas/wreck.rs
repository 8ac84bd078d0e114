//! What goes wrong in a database: each a script for a superuser, in which what fails is left out.

use crate::support::Random;

/// For every relation of a kind: a statement in which `%s` is its name.
macro_rules! each {
    ($kinds:literal, $statement:literal) => {
        concat!(
            "SELECT format('",
            $statement,
            "', oid::regclass) FROM pg_class WHERE relkind IN (",
            $kinds,
            ") ",
            "AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)' \\gexec"
        )
    };
}

/// `:database`, `:app` and `:alice` are names, quoted.
const DAMAGE: [&str; 28] = [
    each!("'r', 'p'", "DROP TABLE %s CASCADE"),
    each!("'r', 'p'", "TRUNCATE %s CASCADE"),
    each!("'r'", "DELETE FROM %s"),
    each!("'r'", "UPDATE %s SET id = id + 1000"),
    each!("'r', 'p'", "ALTER TABLE %s ADD COLUMN junk int DEFAULT 1"),
    each!("'r', 'p'", "ALTER TABLE %s RENAME COLUMN id TO old_id"),
    each!("'r', 'p'", "ALTER TABLE %s ALTER COLUMN id TYPE text"),
    each!("'r', 'p'", "ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"),
    each!("'r', 'p'", "REVOKE ALL ON %s FROM PUBLIC, :app"),
    each!("'r', 'p', 'v', 'm'", "ALTER TABLE %s OWNER TO :alice"),
    each!("'r', 'p'", "ALTER TABLE %s DISABLE TRIGGER ALL"),
    each!("'m'", "REFRESH MATERIALIZED VIEW %s"),
    each!("'S'", "ALTER SEQUENCE %s RESTART WITH 1 INCREMENT BY 2"),
    "SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)' \\gexec",
    "SELECT format('DROP EXTENSION %I CASCADE', extname) FROM pg_extension \\gexec",
    "SELECT format('DROP FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc WHERE oid >= 16384 \\gexec",
    "SELECT format('DROP TYPE %s CASCADE', oid::regtype) FROM pg_type WHERE oid >= 16384 AND typtype IN ('e', 'd', 'r') \\gexec",
    "SELECT lo_unlink(oid) FROM pg_largeobject_metadata;",
    "CREATE TABLE public.junk AS SELECT generate_series(1, 1000) AS n;",
    "CREATE SCHEMA junk CREATE VIEW v AS SELECT 1 AS one;",
    "ALTER DATABASE :database RESET ALL; ALTER DATABASE :database SET work_mem TO '1MB';",
    "ALTER DATABASE :database SET default_transaction_read_only TO on;",
    "ALTER DATABASE :database OWNER TO :alice; REVOKE ALL ON DATABASE :database FROM PUBLIC;",
    "\\connect postgres\nALTER DATABASE :database ALLOW_CONNECTIONS false;",
    "ALTER DATABASE :database CONNECTION LIMIT 0; ALTER DATABASE :database IS_TEMPLATE true;",
    "\\connect postgres\nDROP DATABASE :database WITH (FORCE);",
    "DROP OWNED BY :alice CASCADE;",
    // A role that is gone when the database is restored.
    "\\connect postgres\nDROP DATABASE :database WITH (FORCE);\nDROP ROLE :alice;",
];

/// A few of them. An ordinary role cannot put back what is no longer its own.
pub(crate) fn wreck(random: &mut Random, as_app: bool) -> Vec<&'static str> {
    let damage = (0..1 + random.below(3)).map(|_| *random.pick(&DAMAGE));
    damage.filter(|one| !(as_app && one.contains("DATABASE :database OWNER"))).collect()
}
