//! The words in variables' names that say "database", and the engines they say.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::reach::Engine;

/// What a word of a variable's name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// A database of some engine.
    Database,
    /// A database of this engine.
    Engine(Engine),
    /// A store that is reached by HTTP; only URLs and hosts under it count.
    Store(Engine),
}

/// What the word, in upper case, tells; `None` for words about other things.
pub(crate) fn word(word: &str) -> Option<Word> {
    // Every variable of every reading is asked about.
    static WORDS: LazyLock<HashMap<&str, Word>> = LazyLock::new(|| {
        let generic = GENERIC.iter().map(|word| (*word, Word::Database));
        let engines =
            ENGINES.iter().flat_map(|(engine, words)| words.iter().map(|word| (*word, Word::Engine(*engine))));
        let stores = STORES.iter().flat_map(|(engine, words)| words.iter().map(|word| (*word, Word::Store(*engine))));
        generic.chain(engines).chain(stores).collect()
    });
    WORDS.get(word).copied()
}

const GENERIC: &[&str] = &[
    "DB",
    "DBS",
    "DATABASE",
    "DATABASES",
    "DATASOURCE",
    "DATASOURCES",
    "DATASTORE",
    "CONNECTIONSTRINGS",
    "CONNECTIONSTRING",
    "SQLCONNSTR",
    "CUSTOMCONNSTR",
    "JDBC",
    "R2DBC",
    "TYPEORM",
    "SEQUELIZE",
    "KNEX",
    "DOCTRINE",
    "HIBERNATE",
    "SQLALCHEMY",
    "FLYWAY",
    "LIQUIBASE",
    "PDO",
    "RDS",
    "AURORA",
    "SQL",
    "RDBMS",
    "DWH",
    "CLOUDSQL",
];

const ENGINES: &[(Engine, &[&str])] = &[
    (
        Engine::Postgres,
        &[
            "PG",
            "POSTGRES",
            "POSTGRESQL",
            "PSQL",
            "PGSQL",
            "POSTGIS",
            "PGVECTOR",
            "TIMESCALE",
            "TIMESCALEDB",
            "REDSHIFT",
            "POSTGRESQLCONNSTR",
            "PGCONNSTR",
            "ALLOYDB",
            "YUGABYTE",
        ],
    ),
    (Engine::Cockroach, &["COCKROACH", "COCKROACHDB", "CRDB"]),
    (Engine::Mysql, &["MYSQL", "MYSQLCONNSTR", "PLANETSCALE", "CLEARDB", "JAWSDB", "TIDB", "SINGLESTORE"]),
    (Engine::Mariadb, &["MARIADB", "MARIA"]),
    (Engine::Sqlite, &["SQLITE", "SQLITE3"]),
    (Engine::Mongodb, &["MONGO", "MONGODB", "MONGOOSE", "MONGOID", "DOCUMENTDB", "DOCDB"]),
    (Engine::SqlServer, &["MSSQL", "SQLSERVER", "SQLSRV", "SQLAZURECONNSTR", "AZURESQL"]),
    (Engine::Oracle, &["ORACLE", "ORACLEDB"]),
    (Engine::H2, &["H2"]),
    (Engine::Clickhouse, &["CLICKHOUSE"]),
    (Engine::Libsql, &["TURSO", "LIBSQL"]),
    (Engine::Dynamodb, &["DYNAMODB", "DYNAMO"]),
    (Engine::Cassandra, &["CASSANDRA", "SCYLLA", "SCYLLADB", "KEYSPACES"]),
    (Engine::Neo4j, &["NEO4J"]),
    (Engine::Duckdb, &["DUCKDB"]),
    (Engine::Redis, &["REDIS", "VALKEY", "KEYDB", "DRAGONFLY", "ELASTICACHE", "REDISCLOUD", "REDISCONNSTR", "UPSTASH"]),
    (Engine::Memcached, &["MEMCACHED", "MEMCACHE", "MEMCACHIER"]),
    (
        Engine::Search,
        &["ELASTIC", "ELASTICSEARCH", "OPENSEARCH", "ES", "SOLR", "MEILI", "MEILISEARCH", "TYPESENSE", "BONSAI"],
    ),
    (Engine::Broker, &["RABBITMQ", "RABBIT", "AMQP", "CLOUDAMQP", "KAFKA", "NATS", "PULSAR", "REDPANDA"]),
];

const STORES: &[(Engine, &[&str])] = &[
    (
        Engine::Unknown,
        &[
            "SUPABASE",
            "COUCHDB",
            "COUCHBASE",
            "INFLUX",
            "INFLUXDB",
            "ARANGO",
            "ARANGODB",
            "SURREAL",
            "SURREALDB",
            "COSMOS",
            "COSMOSDB",
            "RQLITE",
            "DGRAPH",
            "PRISMA",
            "FIREBIRD",
            "SNOWFLAKE",
            "DATABRICKS",
            "VERTICA",
            "TRINO",
            "HANA",
            "DB2",
        ],
    ),
    (Engine::Redis, &["KV"]),
    (Engine::Search, &["QDRANT", "WEAVIATE", "MILVUS", "CHROMA"]),
];

/// Whether a name with this word is about something beside the database: a dashboard, a bastion.
pub(crate) fn stops(word: &str) -> bool {
    STOPS.contains(&word)
}

/// Whether a name with this word is about something inside of the database, or of its client: a pool, a table.
pub(crate) fn is_inner(word: &str) -> bool {
    INNER.contains(&word)
}

const STOPS: &[&str] = &[
    "ADMINER",
    "APM",
    "BASTION",
    "BEANSTALK",
    "CALLBACK",
    "COMMANDER",
    "DASHBOARD",
    "DOCS",
    "EXPORTER",
    "EXPRESS",
    "HEALTHCHECK",
    "INSIGHT",
    "JUMP",
    "KIBANA",
    "LOGO",
    "METRICS",
    "PGADMIN",
    "PHPMYADMIN",
    "REDIRECT",
    "REGISTRY",
    "SSH",
    "STUDIO",
    "TUNNEL",
    "UI",
    "WEBHOOK",
];

const INNER: &[&str] = &[
    "BUCKET",
    "COLLECTION",
    "COLUMN",
    "CONSUMER",
    "CONTAINER",
    "GROUP",
    "IMAGE",
    "INDEX",
    "LOG",
    "LOGGING",
    "MIGRATION",
    "MIGRATIONS",
    "NETWORK",
    "POOL",
    "PREFIX",
    "QUEUE",
    "SECRET",
    "SEED",
    "THREAD",
    "TOPIC",
    "VOLUME",
];

/// Words that tell one of several like databases from another, before or behind the part's name.
pub(crate) fn qualifies(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit()) || QUALIFIERS.contains(&word)
}

/// Of those, the words under which the same database is meant, elsewhere.
pub(crate) fn means_the_same_database(word: &str) -> bool {
    !matches!(word, "LEGACY" | "SECONDARY") && !word.bytes().all(|byte| byte.is_ascii_digit())
}

const QUALIFIERS: &[&str] = &[
    "CI",
    "DEFAULT",
    "DEV",
    "DEVELOPMENT",
    "DIRECT",
    "E2E",
    "EXTERNAL",
    "INTERNAL",
    "LEGACY",
    "LOCAL",
    "MAIN",
    "MASTER",
    "NON",
    "POOLED",
    "POOLER",
    "POOLING",
    "PRIMARY",
    "PRIVATE",
    "PROD",
    "PRODUCTION",
    "PUBLIC",
    "READ",
    "READER",
    "READONLY",
    "REPLICA",
    "RO",
    "RW",
    "SECONDARY",
    "SLAVE",
    "STAGING",
    "STANDBY",
    "TEST",
    "TESTING",
    "UNPOOLED",
    "WRITE",
    "WRITER",
];
