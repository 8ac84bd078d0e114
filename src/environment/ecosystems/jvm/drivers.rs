//! Java, Kotlin, Scala and Clojure: Maven, Gradle, sbt, Leiningen and tools.deps.

use crate::environment::ecosystems::manifest::{Ecosystem, Scan, between, trimmed_lines};

/// Manifests and drivers of Java, Kotlin, Scala and Clojure.
pub(crate) const JVM: Ecosystem = Ecosystem {
    scan,
    names: &[
        "activejdbc",
        "anorm",
        "arangodb-java-driver",
        "bigquery",
        "cayenne-server",
        "clickhouse-java",
        "clickhouse-jdbc",
        "couchbase-client",
        "datanucleus-core",
        "db2jcc",
        "derby",
        "derbyclient",
        "doobie-core",
        "doobie-postgres",
        "ebean",
        "eclipselink",
        "elasticsearch-java",
        "elasticsearch-rest-client",
        "elasticsearch-rest-high-level-client",
        "embedded-postgres",
        "exposed-core",
        "exposed-dao",
        "exposed-jdbc",
        "flyway",
        "flyway-core",
        "flyway-database-postgresql",
        "flyway-mysql",
        "google-cloud-bigquery",
        "google-cloud-firestore",
        "google-cloud-spanner",
        "google-cloud-spanner-jdbc",
        "h2",
        "hibernate-core",
        "hibernate-entitymanager",
        "hibernate-orm",
        "hikaricp",
        "honeysql",
        "hsqldb",
        "hugsql",
        "influxdb-client-java",
        "influxdb-java",
        "java-client-couchbase",
        "java-driver-core",
        "java.jdbc",
        "jaybird",
        "jcc",
        "jdbi",
        "jdbi3-core",
        "jedis",
        "jooq",
        "jooq-codegen",
        "jpa",
        "jt400",
        "jtds",
        "kmongo",
        "korma",
        "ktorm-core",
        "lettuce-core",
        "liquibase",
        "liquibase-core",
        "mariadb-java-client",
        "micronaut-hibernate-jpa",
        "micronaut-jdbc-hikari",
        "migratus",
        "mongo-java-driver",
        "mongodb-driver-core",
        "mongodb-driver-reactivestreams",
        "mongodb-driver-sync",
        "mssql-jdbc",
        "mybatis",
        "mybatis-plus-boot-starter",
        "mybatis-spring",
        "mybatis-spring-boot-starter",
        "mysql-connector-j",
        "mysql-connector-java",
        "neo4j-java-driver",
        "next.jdbc",
        "ojdbc10",
        "ojdbc11",
        "ojdbc17",
        "ojdbc6",
        "ojdbc8",
        "opensearch-java",
        "orientdb-client",
        "pgjdbc-ng",
        "play-jdbc",
        "play-slick",
        "postgresql",
        "qdrant-client",
        "quarkus-agroal",
        "quarkus-hibernate-orm",
        "quarkus-hibernate-orm-panache",
        "quarkus-jdbc-mysql",
        "quarkus-jdbc-postgresql",
        "quill-jdbc",
        "r2dbc-h2",
        "r2dbc-mssql",
        "r2dbc-mysql",
        "r2dbc-postgresql",
        "reactivemongo",
        "redisson",
        "scalikejdbc",
        "skunk-core",
        "slick",
        "slick-hikaricp",
        "snowflake-jdbc",
        "spring-boot-starter-jdbc",
        "spring-boot-starter-jooq",
        "spring-jdbc",
        "spring-orm",
        "spymemcached",
        "sqldelight",
        "sqlite-jdbc",
        "toucan",
        "toucan2",
        "vertx-jdbc-client",
        "vertx-mysql-client",
        "vertx-pg-client",
        "xmemcached",
    ],
    prefixes: &[
        "spring-boot-starter-data-",
        "spring-data-",
        "quarkus-jdbc-",
        "quarkus-mongodb",
        "quarkus-reactive-pg",
        "quarkus-reactive-mysql",
        "r2dbc-",
        "exposed-",
        "jdbi3-",
        "hibernate-",
        "flyway-",
        "liquibase-",
        "ojdbc",
        "doobie-",
        "mongo-scala-driver",
        "hikaricp-",
        "micronaut-data-",
        "rediscala",
        "zio-jdbc",
        "embedded-postgres",
        "de.flapdoodle",
        "mybatis-",
    ],
};

fn scan(file: &str) -> Option<Scan> {
    match file {
        "pom.xml" => Some(pom),
        "build.sbt" | "libs.versions.toml" | "gradle.lockfile" | "project.clj" | "deps.edn" => Some(coordinates),
        _ => (file.ends_with(".gradle") || file.ends_with(".gradle.kts")).then_some(coordinates as Scan),
    }
}

fn pom(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        if let Some(artifact) = between(line, "<artifactId>", "</artifactId>") {
            note(artifact.trim(), number);
        }
    }
}

/// Coordinates in any spelling: `"org.postgresql:postgresql:42"`, `"org.postgresql" % "postgresql"`,
/// `[org.postgresql/postgresql "42"]`; a plugin's id (`id "org.flywaydb.flyway"`) by its last part.
fn coordinates(text: &str, note: &mut dyn FnMut(&str, u32)) {
    let separates = |c: char| c.is_whitespace() || "\"':%/()[]{},=".contains(c);
    for (line, number) in trimmed_lines(text) {
        if line.starts_with("//") || line.starts_with('#') || line.starts_with(";;") {
            continue;
        }
        for word in line.split(separates).filter(|word| word.len() > 1) {
            note(word, number);
            match word {
                "org.flywaydb.flyway" | "org.liquibase.gradle" | "nu.studer.jooq" | "app.cash.sqldelight" => {
                    note("flyway-core", number);
                }
                _ => {}
            }
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
                "pom.xml",
                "<dependency>\n<groupId>org.postgresql</groupId>\n<artifactId>postgresql</artifactId>\n</dependency>\n",
                &["3 postgresql"],
            ),
            (
                "pom.xml",
                "<artifactId>spring-boot-starter-data-jpa</artifactId>\n<artifactId>spring-boot-starter-web</artifactId>\n",
                &["1 spring-boot-starter-data-jpa"],
            ),
            (
                "build.gradle",
                "dependencies {\n  implementation 'org.slf4j:slf4j-api:2'\n  // 'com.h2database:h2'\n  runtimeOnly 'com.mysql:mysql-connector-j:8.0.33'\n}\n",
                &["4 mysql-connector-j"],
            ),
            ("build.gradle.kts", "testImplementation(\"com.h2database:h2:2.2\")\n", &["1 h2"]),
            (
                "libs.versions.toml",
                "[libraries]\njooq-x = { module = \"org.jooq:jooq\", version.ref = \"jooq\" }\n",
                &["2 jooq"],
            ),
            ("build.sbt", "libraryDependencies += \"org.tpolecat\" %% \"doobie-core\" % \"1.0\"\n", &["1 doobie-core"]),
            ("deps.edn", "{:deps {seancorfield/next.jdbc {:mvn/version \"1\"}}}\n", &["1 next.jdbc"]),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers(file, text), *expected, "{file}");
        }
    }
}
