//! The words in variables' names that say "database", and the engines they say.

use super::Engine;

/// What a word of a variable's name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// A database of some engine.
    Database,
    /// A database of this engine.
    Engine(Engine),
    /// A store that is reached by HTTP; only URLs and hosts under it count.
    Store(Engine),
}

/// What the word, in upper case, tells; `None` for words about other things.
pub(super) fn word(word: &str) -> Option<Word> {
    if GENERIC.contains(&word) {
        return Some(Word::Database);
    }
    let find =
        |table: &[(Engine, &[&str])]| table.iter().find(|(_, words)| words.contains(&word)).map(|(engine, _)| *engine);
    find(ENGINES).map(Word::Engine).or_else(|| find(STORES).map(Word::Store))
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

/// Words after which a name is no longer about reaching the database itself.
pub(super) fn stops(word: &str) -> bool {
    STOPS.contains(&word)
}

const STOPS: &[&str] = &[
    "ADMINER",
    "APM",
    "BASTION",
    "BUCKET",
    "CALLBACK",
    "COLLECTION",
    "COLUMN",
    "COMMANDER",
    "CONSUMER",
    "CONTAINER",
    "DASHBOARD",
    "DOCS",
    "EXPORTER",
    "EXPRESS",
    "GROUP",
    "HEALTHCHECK",
    "IMAGE",
    "INDEX",
    "INSIGHT",
    "JUMP",
    "KIBANA",
    "LOG",
    "LOGGING",
    "LOGO",
    "METRICS",
    "MIGRATION",
    "MIGRATIONS",
    "NETWORK",
    "PGADMIN",
    "PHPMYADMIN",
    "POOL",
    "PREFIX",
    "QUEUE",
    "REDIRECT",
    "REGISTRY",
    "SECRET",
    "SEED",
    "SSH",
    "STUDIO",
    "THREAD",
    "TOPIC",
    "TUNNEL",
    "UI",
    "VOLUME",
    "WEBHOOK",
];

/// Words that tell one of several like databases from another, before or behind the part's name.
pub(super) fn qualifies(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit()) || QUALIFIERS.contains(&word)
}

/// Of those, the words under which the same database is meant, elsewhere.
pub(super) fn means_the_same_database(word: &str) -> bool {
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
