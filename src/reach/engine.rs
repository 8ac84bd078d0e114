//! The database engines that safe-test tells apart.

use std::fmt;

/// A database engine, or a service that holds data like one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Engine {
    /// PostgreSQL and what speaks its protocol under a `postgres` scheme (Redshift, Timescale, …).
    Postgres,
    /// CockroachDB: PostgreSQL's protocol, not dumped by `pg_dump`.
    Cockroach,
    /// MySQL; also where only "MySQL or MariaDB" is known.
    Mysql,
    /// MariaDB, where the value says so.
    Mariadb,
    /// SQLite.
    Sqlite,
    /// MongoDB.
    Mongodb,
    /// Microsoft SQL Server.
    SqlServer,
    /// Oracle Database.
    Oracle,
    /// H2, HSQLDB or Derby: databases embedded in the JVM.
    H2,
    /// ClickHouse.
    Clickhouse,
    /// Turso and other libSQL servers.
    Libsql,
    /// DynamoDB.
    Dynamodb,
    /// Cassandra and ScyllaDB.
    Cassandra,
    /// Neo4j.
    Neo4j,
    /// DuckDB.
    Duckdb,
    /// Redis, Valkey, KeyDB, …: a cache.
    Redis,
    /// Memcached: a cache.
    Memcached,
    /// Elasticsearch, OpenSearch, Meilisearch, …: a search index.
    Search,
    /// RabbitMQ, Kafka, NATS, …: a broker.
    Broker,
    /// A folder of files that the policy has saved: no database, and named by nothing else.
    Folder,
    /// A database whose engine the value does not tell.
    Unknown,
}

impl Engine {
    /// Every engine.
    pub(crate) const ALL: [Engine; 21] = [
        Engine::Postgres,
        Engine::Cockroach,
        Engine::Mysql,
        Engine::Mariadb,
        Engine::Sqlite,
        Engine::Mongodb,
        Engine::SqlServer,
        Engine::Oracle,
        Engine::H2,
        Engine::Clickhouse,
        Engine::Libsql,
        Engine::Dynamodb,
        Engine::Cassandra,
        Engine::Neo4j,
        Engine::Duckdb,
        Engine::Redis,
        Engine::Memcached,
        Engine::Search,
        Engine::Broker,
        Engine::Folder,
        Engine::Unknown,
    ];

    /// Finds an engine by its [`name`](Engine::name).
    pub(crate) fn named(name: &str) -> Option<Engine> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }

    /// Returns the name in JSON, manifests and messages.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Engine::Postgres => "postgres",
            Engine::Cockroach => "cockroach",
            Engine::Mysql => "mysql",
            Engine::Mariadb => "mariadb",
            Engine::Sqlite => "sqlite",
            Engine::Mongodb => "mongodb",
            Engine::SqlServer => "sqlserver",
            Engine::Oracle => "oracle",
            Engine::H2 => "h2",
            Engine::Clickhouse => "clickhouse",
            Engine::Libsql => "libsql",
            Engine::Dynamodb => "dynamodb",
            Engine::Cassandra => "cassandra",
            Engine::Neo4j => "neo4j",
            Engine::Duckdb => "duckdb",
            Engine::Redis => "redis",
            Engine::Memcached => "memcached",
            Engine::Search => "search",
            Engine::Broker => "broker",
            Engine::Folder => "folder",
            Engine::Unknown => "unknown",
        }
    }

    /// Finds the engine under which targets are compared: MariaDB may be spoken of as MySQL.
    #[must_use]
    pub(crate) fn family(self) -> Engine {
        match self {
            Engine::Mariadb => Engine::Mysql,
            other => other,
        }
    }

    /// Tells whether it is a database or a service like one, and not a folder.
    #[must_use]
    pub(crate) fn is_database(self) -> bool {
        self != Engine::Folder
    }

    /// Tells whether losing what it holds loses no data of record: caches, search indexes and brokers.
    #[must_use]
    pub(crate) fn is_auxiliary(self) -> bool {
        matches!(self, Engine::Redis | Engine::Memcached | Engine::Search | Engine::Broker)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
