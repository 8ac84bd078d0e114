//! Rust: Cargo.

use crate::environment::ecosystems::manifest::{Ecosystem, Scan, toml_lock};
use crate::environment::readers::formats::toml;

/// Manifests and drivers of Rust.
pub(crate) const RUST: Ecosystem = Ecosystem {
    scan,
    names: &[
        "arangors",
        "aws-sdk-dynamodb",
        "barrel",
        "bb8-postgres",
        "bb8-redis",
        "bb8-tiberius",
        "bolt-client",
        "cassandra-cpp",
        "cdrs-tokio",
        "clickhouse",
        "clickhouse-rs",
        "couchbase",
        "deadpool-diesel",
        "deadpool-postgres",
        "deadpool-redis",
        "deadpool-sqlite",
        "diesel",
        "diesel-async",
        "diesel-migrations",
        "duckdb",
        "edgedb-tokio",
        "elasticsearch",
        "etcd-client",
        "firebase-rs",
        "firestore",
        "fred",
        "gel-tokio",
        "gluesql",
        "influxdb",
        "libsql",
        "libsql-client",
        "libsql-sqlite3-parser",
        "libsqlite3-sys",
        "limbo",
        "meilisearch-sdk",
        "memcache",
        "mongodb",
        "mongodb-core",
        "mysql",
        "mysql-async",
        "mysqlclient-sys",
        "neo4rs",
        "odbc",
        "odbc-api",
        "opensearch",
        "oracle",
        "ormlite",
        "pgmq",
        "pgvector",
        "pgwire",
        "postgres",
        "postgres-native-tls",
        "postgres-protocol",
        "pq-sys",
        "prisma-client-rust",
        "qdrant-client",
        "quaint",
        "r2d2-mongodb",
        "r2d2-mysql",
        "r2d2-postgres",
        "r2d2-redis",
        "r2d2-sqlite",
        "rbatis",
        "rbdc",
        "redis",
        "redis-async",
        "redis-cluster-async",
        "refinery",
        "refinery-core",
        "rsfbclient",
        "rusqlite",
        "rusted-firebase",
        "rustorm",
        "scylla",
        "sea-orm",
        "sea-orm-migration",
        "sea-schema",
        "sibyl",
        "skytable",
        "snowflake-api",
        "sqlite",
        "sqlite3-sys",
        "sqlx",
        "sqlx-core",
        "sqlx-mysql",
        "sqlx-postgres",
        "sqlx-sqlite",
        "surrealdb",
        "tiberius",
        "tokio-postgres",
        "turso",
        "turso-core",
        "typesense",
        "welds",
    ],
    prefixes: &[],
};

fn scan(file: &str) -> Option<Scan> {
    match file {
        "Cargo.toml" => Some(cargo_toml),
        "Cargo.lock" => Some(toml_lock),
        _ => None,
    }
}

/// Dependency tables of every kind; `package` tells the true name of a renamed one.
fn cargo_toml(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for entry in toml::flatten(text).unwrap_or_else(|error| error.entries) {
        let Some(table) = entry.path.iter().position(|key| key.ends_with("dependencies")) else { continue };
        if let Some(name) = entry.path.get(table + 1) {
            note(name, entry.line);
        }
        if entry.path.last().is_some_and(|key| key == "package") {
            note(&entry.value, entry.line);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::manifest::testing::drivers;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "Cargo.toml",
                "[package]\nname = \"sqlx\"\n[dependencies]\nserde = \"1\"\nsqlx = { version = \"0.8\" }\n",
                &["5 sqlx"],
            ),
            ("Cargo.toml", "[dev-dependencies.tokio-postgres]\nversion = \"0.7\"\n", &["2 tokio-postgres"]),
            (
                "Cargo.toml",
                "[target.'cfg(unix)'.dependencies]\ndb = { package = \"mysql_async\", version = \"1\" }\n",
                &["2 mysql_async"],
            ),
            (
                "Cargo.toml",
                "[workspace.dependencies]\ndiesel.workspace = true\n[features]\npostgres = []\n",
                &["2 diesel"],
            ),
            ("Cargo.lock", "[[package]]\nname = \"libsqlite3-sys\"\nversion = \"1\"\n", &["2 libsqlite3-sys"]),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers(file, text), *expected, "{file}");
        }
    }
}
