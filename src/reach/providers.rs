//! Managed providers, recognised by the end of a host name.
//!
//! A managed host is not this machine, whatever its database is called. The names and endings are facts of the
//! providers' own documentation and drivers (AWS's JDBC wrapper, MongoDB's build-info library) and of connection
//! strings in public projects.

/// Endings of host names and who runs what is behind them. Matched at a dot, on lower case, longest first where
/// two endings overlap.
const ENDINGS: &[(&str, &str)] = &[
    ("rds.amazonaws.com", "Amazon RDS"),
    ("rds.amazonaws.com.cn", "Amazon RDS (China)"),
    ("docdb.amazonaws.com", "Amazon DocumentDB"),
    ("docdb-elastic.amazonaws.com", "Amazon DocumentDB"),
    ("cache.amazonaws.com", "Amazon ElastiCache"),
    ("redshift.amazonaws.com", "Amazon Redshift"),
    ("redshift-serverless.amazonaws.com", "Amazon Redshift"),
    ("neptune.amazonaws.com", "Amazon Neptune"),
    ("es.amazonaws.com", "Amazon OpenSearch"),
    ("aoss.amazonaws.com", "Amazon OpenSearch Serverless"),
    ("amazonaws.com", "Amazon Web Services"),
    ("amazonaws.com.cn", "Amazon Web Services (China)"),
    ("on.aws", "Amazon Web Services"),
    ("sql.goog", "Google Cloud SQL"),
    ("alloydb.goog", "Google AlloyDB"),
    ("firestore.goog", "Google Firestore"),
    ("googleapis.com", "Google Cloud"),
    ("postgres.database.azure.com", "Azure Database for PostgreSQL"),
    ("mysql.database.azure.com", "Azure Database for MySQL"),
    ("mariadb.database.azure.com", "Azure Database for MariaDB"),
    ("database.windows.net", "Azure SQL"),
    ("cosmos.azure.com", "Azure Cosmos DB"),
    ("documents.azure.com", "Azure Cosmos DB"),
    ("redis.cache.windows.net", "Azure Cache for Redis"),
    ("redis.azure.net", "Azure Managed Redis"),
    ("windows.net", "Microsoft Azure"),
    ("azure.com", "Microsoft Azure"),
    ("usgovcloudapi.net", "Azure Government"),
    ("chinacloudapi.cn", "Azure China"),
    ("neon.tech", "Neon"),
    ("neon.build", "Neon"),
    ("vercel-storage.com", "Vercel Storage"),
    ("supabase.co", "Supabase"),
    ("supabase.com", "Supabase"),
    ("supabase.net", "Supabase"),
    ("render.com", "Render"),
    ("rlwy.net", "Railway"),
    ("railway.app", "Railway"),
    ("railway.internal", "Railway"),
    ("flympg.net", "Fly Managed Postgres"),
    ("flycast", "Fly.io"),
    ("fly.dev", "Fly.io"),
    ("db.ondigitalocean.com", "DigitalOcean Managed Databases"),
    ("mongo.ondigitalocean.com", "DigitalOcean Managed MongoDB"),
    ("ondigitalocean.com", "DigitalOcean"),
    ("aivencloud.com", "Aiven"),
    ("psdb.cloud", "PlanetScale"),
    ("cockroachlabs.cloud", "CockroachDB Cloud"),
    ("crdb.io", "CockroachDB Cloud"),
    ("tidbcloud.com", "TiDB Cloud"),
    ("tsdb.cloud.timescale.com", "Timescale"),
    ("timescale.com", "Timescale"),
    ("tigerdata.cloud", "Tiger Data"),
    ("postgresbridge.com", "Crunchy Bridge"),
    ("db.prisma.io", "Prisma Postgres"),
    ("prisma-data.net", "Prisma Accelerate"),
    ("turso.io", "Turso"),
    ("xata.sh", "Xata"),
    ("xata.tech", "Xata"),
    ("xata.io", "Xata"),
    ("thenile.dev", "Nile"),
    ("tembo.io", "Tembo"),
    ("koyeb.app", "Koyeb"),
    ("clever-cloud.com", "Clever Cloud"),
    ("elephantsql.com", "ElephantSQL"),
    ("cleardb.net", "ClearDB"),
    ("cleardb.com", "ClearDB"),
    ("jawsdb.com", "JawsDB"),
    ("yugabyte.cloud", "YugabyteDB Aeon"),
    ("mongodb.net", "MongoDB Atlas"),
    ("mongodb-dev.net", "MongoDB Atlas"),
    ("mongodb-qa.net", "MongoDB Atlas"),
    ("mongodb-stage.net", "MongoDB Atlas"),
    ("mlab.com", "mLab"),
    ("compose.direct", "IBM Compose"),
    ("composedb.com", "IBM Compose"),
    ("upstash.io", "Upstash"),
    ("redis-cloud.com", "Redis Cloud"),
    ("redislabs.com", "Redis Cloud"),
    ("redis.io", "Redis Cloud"),
    ("redistogo.com", "Redis To Go"),
    ("database.cloud.ovh.net", "OVHcloud"),
    ("clouddb.ovh.net", "OVHcloud"),
    ("scw.cloud", "Scaleway"),
    ("rds.aliyuncs.com", "Alibaba Cloud RDS"),
    ("aliyuncs.com", "Alibaba Cloud"),
    ("tencentcdb.com", "Tencent Cloud"),
    ("myqcloud.com", "Tencent Cloud"),
    ("mdb.yandexcloud.net", "Yandex Managed Databases"),
    ("yandexcloud.net", "Yandex Cloud"),
    ("databases.appdomain.cloud", "IBM Cloud Databases"),
    ("oraclecloud.com", "Oracle Cloud"),
    ("snowflakecomputing.com", "Snowflake"),
    ("databricks.com", "Databricks"),
    ("clickhouse.cloud", "ClickHouse Cloud"),
    ("databases.neo4j.io", "Neo4j Aura"),
    ("astra.datastax.com", "DataStax Astra"),
    ("cloud.es.io", "Elastic Cloud"),
    ("elastic-cloud.com", "Elastic Cloud"),
    ("found.io", "Elastic Cloud"),
    ("bonsaisearch.net", "Bonsai"),
    ("algolia.net", "Algolia"),
    ("meilisearch.io", "Meilisearch Cloud"),
    ("cloudamqp.com", "CloudAMQP"),
    ("confluent.cloud", "Confluent Cloud"),
    ("singlestore.com", "SingleStore"),
    ("fauna.com", "Fauna"),
    ("northflank.com", "Northflank"),
    ("code.run", "Northflank"),
    ("db4free.net", "db4free"),
    ("freesqldatabase.com", "FreeSQLDatabase"),
    ("alwaysdata.net", "alwaysdata"),
    ("pythonanywhere-services.com", "PythonAnywhere"),
    ("hostinger.com", "Hostinger"),
    ("hstgr.io", "Hostinger"),
    ("filess.io", "Filess"),
    ("gandi.net", "Gandi"),
    ("svc.cluster.local", "a Kubernetes cluster"),
];

/// The provider that runs `host` (lower case), if its ending is a known one.
///
/// `dpg-<id>-a` is Render's internal name of a PostgreSQL server, `red-<id>` of a Redis one; they have one label only.
#[must_use]
pub(crate) fn provider_of_host(host: &str) -> Option<&'static str> {
    let known = ENDINGS
        .iter()
        .filter(|(ending, _)| host.strip_suffix(ending).is_some_and(|front| front.ends_with('.')) || host == *ending)
        .max_by_key(|(ending, _)| ending.len());
    if let Some((_, provider)) = known {
        return Some(provider);
    }
    let postgres = host.starts_with("dpg-") && host.ends_with("-a") && host.len() > 10 && !host.contains('.');
    let id = host.strip_prefix("red-c").filter(|id| id.len() >= 15);
    let redis = id.is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    (postgres || redis).then_some("Render")
}

/// The provider behind an instance name, an ARN or a socket folder of a connector, if it is recognised.
#[must_use]
pub(crate) fn provider_of_instance(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    if lower.starts_with("arn:aws") {
        return Some("Amazon Web Services");
    }
    if lower.starts_with("/cloudsql/") || lower.starts_with("cloudsql/") {
        return Some("Google Cloud SQL");
    }
    if lower.starts_with("prisma:") || lower.starts_with("prisma+postgres:") {
        return Some("Prisma");
    }
    let parts: Vec<&str> = lower.split(':').collect();
    // `project:region:instance`, as Cloud SQL's connectors take it; a region has a hyphen and ends in a digit.
    let is_region = |text: &str| text.contains('-') && text.ends_with(|c: char| c.is_ascii_digit());
    if parts.len() >= 3 && is_region(parts[parts.len() - 2]) {
        return Some("Google Cloud SQL");
    }
    None
}

/// Endings under which there is nothing but databases: a host there is one whatever its variable is called.
const ONLY_DATABASES: &[&str] = &[
    "rds.amazonaws.com",
    "rds.amazonaws.com.cn",
    "docdb.amazonaws.com",
    "docdb-elastic.amazonaws.com",
    "cache.amazonaws.com",
    "redshift.amazonaws.com",
    "redshift-serverless.amazonaws.com",
    "neptune.amazonaws.com",
    "es.amazonaws.com",
    "aoss.amazonaws.com",
    "sql.goog",
    "alloydb.goog",
    "postgres.database.azure.com",
    "mysql.database.azure.com",
    "mariadb.database.azure.com",
    "database.windows.net",
    "cosmos.azure.com",
    "documents.azure.com",
    "redis.cache.windows.net",
    "redis.azure.net",
    "neon.tech",
    "postgres.vercel-storage.com",
    "pooler.supabase.com",
    "postgres.render.com",
    "proxy.rlwy.net",
    "flympg.net",
    "db.ondigitalocean.com",
    "mongo.ondigitalocean.com",
    "psdb.cloud",
    "cockroachlabs.cloud",
    "tidbcloud.com",
    "tsdb.cloud.timescale.com",
    "postgresbridge.com",
    "db.prisma.io",
    "turso.io",
    "db.thenile.dev",
    "db.elephantsql.com",
    "cleardb.net",
    "mongodb.net",
    "upstash.io",
    "redis-cloud.com",
    "redislabs.com",
    "rds.aliyuncs.com",
    "tencentcdb.com",
    "mdb.yandexcloud.net",
    "databases.appdomain.cloud",
    "snowflakecomputing.com",
    "clickhouse.cloud",
    "databases.neo4j.io",
    "astra.datastax.com",
];

/// Whether `host` (lower case) can only be a database's, by its ending.
#[must_use]
pub(crate) fn serves_only_databases(host: &str) -> bool {
    // `dpg-<id>-a.frankfurt-postgres.render.com`
    let region_of_render = host.starts_with("dpg-") && host.ends_with("-postgres.render.com");
    region_of_render
        || ONLY_DATABASES
            .iter()
            .any(|ending| host.strip_suffix(ending).is_some_and(|front| front.len() > 1 && front.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_providers_are_named() {
        let cases = [
            ("shop.cluster-c0ffee.eu-west-1.rds.amazonaws.com", Some("Amazon RDS")),
            ("ep-cool-12345.eu-central-1.aws.neon.tech", Some("Neon")),
            ("aws-0-eu-west-1.pooler.supabase.com", Some("Supabase")),
            ("dpg-abcdefgh12345-a", Some("Render")),
            ("red-cabc0123456789defghi", Some("Render")),
            ("red-cache", None),
            ("red-carpet-redis-server-1", None),
            ("shop-db.flycast", Some("Fly.io")),
            ("postgres.production.svc.cluster.local", Some("a Kubernetes cluster")),
            ("neon.tech.evil.net", None),
            ("notneon.tech", None),
            ("db.northwind-shop.net", None),
            ("postgres", None),
        ];
        for (host, provider) in cases {
            assert_eq!(provider_of_host(host), provider, "{host}");
        }
    }

    #[test]
    fn every_ending_of_databases_alone_belongs_to_a_provider() {
        for ending in ONLY_DATABASES {
            assert!(provider_of_host(&format!("a.{ending}")).is_some(), "{ending}");
            assert!(serves_only_databases(&format!("a.{ending}")) && !serves_only_databases(ending), "{ending}");
        }
        for host in ["shop.fly.dev", "shop.up.railway.app", "x.supabase.co", "s3.amazonaws.com", "evilmongodb.net"] {
            assert!(!serves_only_databases(host), "{host}");
        }
    }

    #[test]
    fn instances_of_providers_are_named() {
        let cases = [
            ("contoso-prod:europe-west1:main", Some("Google Cloud SQL")),
            ("/cloudsql/contoso-prod:europe-west1:main", Some("Google Cloud SQL")),
            ("arn:aws:rds:eu-west-1:123456789012:cluster:shop", Some("Amazon Web Services")),
            ("shop_high", None),
        ];
        for (name, provider) in cases {
            assert_eq!(provider_of_instance(name), provider, "{name}");
        }
    }
}
