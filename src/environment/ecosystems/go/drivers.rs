//! Go: modules.

use crate::environment::ecosystems::manifest::{Ecosystem, Scan, trimmed_lines};

/// Manifests and drivers of Go.
pub(crate) const GO: Ecosystem = Ecosystem {
    scan,
    names: &[
        "ariga.io/atlas",
        "cloud.google.com/go/bigquery",
        "cloud.google.com/go/bigtable",
        "cloud.google.com/go/cloudsqlconn",
        "cloud.google.com/go/datastore",
        "cloud.google.com/go/firestore",
        "cloud.google.com/go/spanner",
        "crawshaw.io/sqlite",
        "entgo.io/ent",
        "firebase.google.com/go",
        "gopkg.in/gorp.v1",
        "gopkg.in/gorp.v2",
        "gopkg.in/mgo.v2",
        "gopkg.in/rethinkdb/rethinkdb-go.v6",
        "modernc.org/sqlite",
        "xorm.io/xorm",
        "zombiezen.com/go/sqlite",
    ],
    prefixes: &[
        "cloud.google.com/go/spanner",
        "firebase.google.com/go/",
        "github.com/aerospike/aerospike-client-go",
        "github.com/alicebob/miniredis",
        "github.com/amacneil/dbmate",
        "github.com/apache/cassandra-gocql-driver",
        "github.com/aws/aws-sdk-go-v2/service/dynamodb",
        "github.com/aws/aws-sdk-go-v2/service/rdsdata",
        "github.com/beego/beego",
        "github.com/bradfitz/gomemcache",
        "github.com/clickhouse/",
        "github.com/couchbase/gocb",
        "github.com/denisenkom/go-mssqldb",
        "github.com/dgraph-io/dgo",
        "github.com/doug-martin/goqu",
        "github.com/elastic/go-elasticsearch",
        "github.com/fergusstrange/embedded-postgres",
        "github.com/go-gorm/",
        "github.com/go-gorp/",
        "github.com/go-pg/",
        "github.com/go-redis/",
        "github.com/go-rel/",
        "github.com/go-sql-driver/",
        "github.com/gobuffalo/pop",
        "github.com/gocql/gocql",
        "github.com/godror/",
        "github.com/golang-migrate/",
        "github.com/gomodule/redigo",
        "github.com/influxdata/influxdb",
        "github.com/jackc/pg",
        "github.com/jackc/tern",
        "github.com/jinzhu/gorm",
        "github.com/jmoiron/sqlx",
        "github.com/kyleconroy/sqlc",
        "github.com/lib/pq",
        "github.com/libsql/",
        "github.com/marcboeker/go-duckdb",
        "github.com/mattn/go-oci8",
        "github.com/mattn/go-sqlite3",
        "github.com/microsoft/go-mssqldb",
        "github.com/neo4j/neo4j-go-driver",
        "github.com/ncruces/go-sqlite3",
        "github.com/olivere/elastic",
        "github.com/opensearch-project/opensearch-go",
        "github.com/pressly/goose",
        "github.com/qdrant/go-client",
        "github.com/redis/",
        "github.com/rubenv/sql-migrate",
        "github.com/scylladb/",
        "github.com/sijms/go-ora",
        "github.com/snowflakedb/gosnowflake",
        "github.com/sqlc-dev/",
        "github.com/stephenafamo/bob",
        "github.com/surrealdb/",
        "github.com/tursodatabase/",
        "github.com/upper/db",
        "github.com/uptrace/bun",
        "github.com/volatiletech/sqlboiler",
        "github.com/aarondl/sqlboiler",
        "github.com/xo/",
        "github.com/arangodb/go-driver",
        "go.etcd.io/etcd/client",
        "go.mongodb.org/mongo-driver",
        "gorm.io/",
        "entgo.io/ent/",
        "ariga.io/atlas",
    ],
};

fn scan(file: &str) -> Option<Scan> {
    match file {
        "go.mod" => Some(go_mod),
        _ => None,
    }
}

/// `require` lines, inside a block or alone; `// indirect` ones count too.
fn go_mod(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        if line.starts_with("module ") {
            continue;
        }
        let line = line.strip_prefix("require ").unwrap_or(line);
        if let Some(module) = line.split_whitespace().next() {
            note(module, number);
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
                "go.mod",
                "module gorm.io/gorm\n\nrequire github.com/jackc/pgx/v5 v5.5.0\nrequire (\n\tgolang.org/x/text v0.3.0\n\tgithub.com/mattn/go-sqlite3 v1 // indirect\n)\n",
                &["3 github.com/jackc/pgx/v5", "6 github.com/mattn/go-sqlite3"],
            ),
            ("go.mod", "module x\n\ngo 1.22\n\nrequire github.com/spf13/cobra v1.8.0\n", &[]),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers(file, text), *expected, "{file}");
        }
    }
}
