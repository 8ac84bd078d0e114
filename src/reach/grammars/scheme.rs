//! Which engine a word stands for: a URL's scheme, a driver's or adapter's name, a PDO prefix.

use crate::reach::Engine;

/// The engine behind a URL scheme, whatever its case and its `+driver` suffix; `None` for schemes of other things.
pub(crate) fn engine_of_scheme(scheme: &str) -> Option<Engine> {
    let lower = scheme.to_ascii_lowercase();
    // Mostly the engine stands first (`postgresql+psycopg`), for Celery last (`db+postgresql`).
    lower.split('+').find_map(|part| SCHEMES.iter().find(|(_, names)| names.contains(&part))).map(|(engine, _)| *engine)
}

/// The engine that a driver, adapter or dialect names: `django.db.backends.postgresql`, `com.mysql.cj.jdbc.Driver`.
pub(crate) fn engine_of_driver(text: &str) -> Option<Engine> {
    if text.len() > 200 {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter_map(|word| engine_of_word(word).or_else(|| engine_of_word(word.trim_end_matches("driver"))))
        .next_back()
}

fn engine_of_word(word: &str) -> Option<Engine> {
    if let Some((engine, _)) = DRIVERS.iter().find(|(_, names)| names.contains(&word)) {
        return Some(*engine);
    }
    engine_of_scheme(word)
}

const SCHEMES: &[(Engine, &[&str])] = &[
    (
        Engine::Postgres,
        &[
            "postgres",
            "postgresql",
            "pgsql",
            "psql",
            "pg",
            "pgx",
            "pgx4",
            "pgx5",
            "pq",
            "postgis",
            "timescaledb",
            "timescale",
            "timescalegis",
            "ecto",
            "redshift",
            "greenplum",
            "yugabytedb",
            "alloydb",
        ],
    ),
    (Engine::Cockroach, &["cockroachdb", "cockroach", "crdb", "crdb-postgres"]),
    (
        Engine::Mysql,
        &[
            "mysql",
            "mysql2",
            "mysqli",
            "mysqlgis",
            "mysqlx",
            "mysqls",
            "mysql-connector",
            "tidb",
            "singlestore",
            "percona",
            "vitess",
        ],
    ),
    (Engine::Mariadb, &["mariadb", "maria"]),
    (Engine::Sqlite, &["sqlite", "sqlite3", "spatialite", "better-sqlite3", "sqlcipher"]),
    (Engine::Mongodb, &["mongodb", "mongo", "mongoengine", "documentdb"]),
    (Engine::SqlServer, &["sqlserver", "mssql", "sqlsrv", "mssqlms", "azuresql", "jtds", "dblib"]),
    (Engine::Oracle, &["oracle", "oracledb", "oraclegis", "oci", "oci8", "godror"]),
    (Engine::H2, &["h2", "hsqldb", "derby"]),
    (Engine::Clickhouse, &["clickhouse", "clickhousedb", "clickhouses"]),
    (Engine::Libsql, &["libsql", "turso"]),
    (Engine::Dynamodb, &["dynamodb"]),
    (Engine::Cassandra, &["cassandra", "scylla", "scylladb", "cql"]),
    (Engine::Neo4j, &["neo4j", "bolt"]),
    (Engine::Duckdb, &["duckdb", "motherduck"]),
    (
        Engine::Redis,
        &[
            "redis",
            "rediss",
            "redis-sentinel",
            "rediss-sentinel",
            "redis-socket",
            "redis-cluster",
            "rediscache",
            "rediscluster",
            "valkey",
            "valkeys",
            "keydb",
        ],
    ),
    (
        Engine::Memcached,
        &["memcached", "memcache", "pymemcache", "pymemcached", "elasticache", "bmemcached", "djangopylibmc"],
    ),
    (Engine::Search, &["elasticsearch", "elasticsearch2", "opensearch", "meilisearch", "solr", "typesense", "whoosh"]),
    (Engine::Broker, &["amqp", "amqps", "kafka", "nats", "rabbitmq", "pulsar", "stomp", "pyamqp", "librabbitmq"]),
    (
        Engine::Unknown,
        &[
            "snowflake",
            "bigquery",
            "databricks",
            "trino",
            "presto",
            "hive",
            "impala",
            "vertica",
            "firebird",
            "firebirdsql",
            "db2",
            "ibm_db_sa",
            "hana",
            "sybase",
            "exasol",
            "couchdb",
            "couchbase",
            "couchbases",
            "arangodb",
            "influxdb",
            "surrealdb",
            "edgedb",
            "gel",
            "teradatasql",
            "netezza",
            "cubrid",
            "informix",
            "accelerate",
            "prisma",
        ],
    ),
];

/// Names of drivers and adapters that are no scheme.
const DRIVERS: &[(Engine, &[&str])] = &[
    (
        Engine::Postgres,
        &[
            "psycopg",
            "psycopg2",
            "asyncpg",
            "npgsql",
            "postgrex",
            "pdopgsql",
            "postgressql",
            "postgre",
            "makara",
            "pglite",
            "neon",
            "supabase",
        ],
    ),
    (
        Engine::Mysql,
        &["myxql", "pymysql", "mysqlclient", "mysqlconnector", "pdomysql", "aurora", "trilogy", "planetscale"],
    ),
    (Engine::Sqlite, &["sqljs", "sqlitedb", "litesql"]),
    (Engine::SqlServer, &["sqlclient", "tds", "tedious"]),
    (Engine::Oracle, &["oracleclient", "ojdbc"]),
    (Engine::Mongodb, &["mongoid", "djongo"]),
    (Engine::Redis, &["predis", "phpredis", "ioredis"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_name_engines_in_any_case_and_with_a_driver() {
        let cases = [
            ("postgres", Some(Engine::Postgres)),
            ("POSTGRESQL", Some(Engine::Postgres)),
            ("postgresql+psycopg2", Some(Engine::Postgres)),
            ("ecto", Some(Engine::Postgres)),
            ("cockroachdb", Some(Engine::Cockroach)),
            ("mysql2", Some(Engine::Mysql)),
            ("mariadb+mariadbconnector", Some(Engine::Mariadb)),
            ("mongodb+srv", Some(Engine::Mongodb)),
            ("mssql+pyodbc", Some(Engine::SqlServer)),
            ("rediss", Some(Engine::Redis)),
            ("neo4j+s", Some(Engine::Neo4j)),
            ("amqps", Some(Engine::Broker)),
            ("db+postgresql", Some(Engine::Postgres)),
            ("git+ssh", None),
            ("https", None),
            ("s3", None),
            ("smtp", None),
            ("file", None),
        ];
        for (scheme, expected) in cases {
            assert_eq!(engine_of_scheme(scheme), expected, "{scheme}");
        }
    }

    #[test]
    fn drivers_name_engines() {
        let cases = [
            ("pgsql", Some(Engine::Postgres)),
            ("django.db.backends.postgresql", Some(Engine::Postgres)),
            ("django.contrib.gis.db.backends.postgis", Some(Engine::Postgres)),
            ("com.mysql.cj.jdbc.Driver", Some(Engine::Mysql)),
            ("org.mariadb.jdbc.Driver", Some(Engine::Mariadb)),
            ("Ecto.Adapters.Postgres", Some(Engine::Postgres)),
            ("pdo_mysql", Some(Engine::Mysql)),
            ("com.microsoft.sqlserver.jdbc.SQLServerDriver", Some(Engine::SqlServer)),
            ("oracle.jdbc.OracleDriver", Some(Engine::Oracle)),
            ("better-sqlite3", Some(Engine::Sqlite)),
            ("testing", None),
            ("true", None),
        ];
        for (driver, expected) in cases {
            assert_eq!(engine_of_driver(driver), expected, "{driver}");
        }
    }
}
