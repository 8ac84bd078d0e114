//! Tests of what the variables of an environment name together.

use crate::environment::{Reading, Unresolved};
use crate::reach::testing::{found, lines, reading, target_line, typed};
use crate::reach::{Engine, Target};

/// Variables, and the targets that they name.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

#[test]
fn split_variables_are_put_together() {
    let cases: [Case; 73] = [
        (
            &[
                ("DB_CONNECTION", "pgsql"),
                ("DB_HOST", "db.example.net"),
                ("DB_PORT", "5433"),
                ("DB_DATABASE", "shop"),
                ("DB_USERNAME", "ann"),
            ],
            &["postgres db.example.net:5433 shop u=ann"],
        ),
        (&[("DB_HOST", "db"), ("DB_PORT", "3306"), ("DB_NAME", "shop")], &["mysql db:3306 shop"]),
        (&[("PGHOST", "/tmp"), ("PGPORT", "5433"), ("PGDATABASE", "x")], &["postgres unix:/tmp:5433 x"]),
        (&[("PGDATABASE", "x")], &["postgres unix:/var/run/postgresql:5432 x"]),
        (&[("PGPASSWORD", "x"), ("PGUSER", "ann")], &[]),
        (&[("MYSQLHOST", "h"), ("MYSQLDATABASE", "d")], &["mysql h:3306 d"]),
        (&[("DB_CONNECTION", "mysql")], &["mysql localhost:3306 -"]),
        (&[("DB_CONNECTION", "testing")], &[]),
        (&[("DB_DRIVER", "postgres"), ("DB_SOURCE", "postgresql://localhost:5432/a")], &["postgres localhost:5432 a"]),
        (
            &[("DB_CONNECTION", "sqlite"), ("DB_DATABASE", "database/x.sqlite")],
            &["sqlite file:/p/database/x.sqlite database/x.sqlite"],
        ),
        (
            &[("DB_CONNECTION", "sqlite"), ("DB_DATABASE", ":memory:"), ("DB_HOST", "db.example.net")],
            &["sqlite memory :memory:"],
        ),
        (
            &[("DB_CONNECTION", "sqlite"), ("DB_DATABASE", "data/shop.sql")],
            &["sqlite file:/p/data/shop.sql data/shop.sql"],
        ),
        (&[("DB_HOST", "db"), ("DB_DATABASE", "config/database.yml")], &["unknown db -"]),
        (&[("DATABASE", "config/database.yml")], &[]),
        (&[("DB_CONNECTION", "sqlite")], &["sqlite file:/p/database/database.sqlite /p/database/database.sqlite"]),
        (
            &[
                ("DB_HOST", "127.0.0.1"),
                ("DB_DATABASE", "a"),
                ("LEGACY_DB_HOST", "10.1.2.3"),
                ("LEGACY_DB_DATABASE", "erp"),
            ],
            &["unknown 127.0.0.1 a", "unknown 10.1.2.3 erp"],
        ),
        (
            &[("DB1_HOST", "localhost"), ("DB1_NAME", "a"), ("DB_2_HOST", "localhost"), ("DB_2_NAME", "b")],
            &["unknown localhost a", "unknown localhost b"],
        ),
        (
            &[("DB_HOST", "a"), ("DB_READ_HOST", "b.example.net"), ("DB_NAME", "x"), ("DB_PORT", "5432")],
            &["postgres a:5432 x", "postgres b.example.net:5432 x"],
        ),
        (
            &[("DATABASE_URL", "postgres://a/x"), ("DATABASE_REPLICA_URL", "postgres://b/x")],
            &["postgres a:5432 x", "postgres b:5432 x"],
        ),
        (
            &[("POSTGRES_DB", "x_test"), ("DATABASE_URL", "postgres://db/x")],
            &["postgres db:5432 x", "postgres db:5432 x_test"],
        ),
        (
            &[("INSTANCE_CONNECTION_NAME", "a:b:c"), ("DB_NAME", "shop"), ("DB_USER", "ann")],
            &["unknown <a:b:c> shop u=ann"],
        ),
        (
            &[("DB_SOCKET", "/cloudsql/a:b:c"), ("DB_HOST", "localhost"), ("DB_DATABASE", "shop")],
            &["unknown unix:/cloudsql/a:b:c,localhost shop"],
        ),
        (
            &[("RDS_CLUSTER_ARN", "arn:aws:rds:eu-west-1:1:cluster:x"), ("RDS_DATABASE", "shop")],
            &["unknown <arn:aws:rds:eu-west-1:1:cluster:x> shop"],
        ),
        (
            &[
                ("DB_HOST", "127.0.0.1"),
                ("DB_PORT", "13306"),
                ("DB_DATABASE", "shop"),
                ("SSH_TUNNEL_HOST", "bastion.example.net"),
                ("SSH_TUNNEL_REMOTE_HOST", "shop.example.net"),
            ],
            &["unknown 127.0.0.1:13306,shop.example.net shop"],
        ),
        (&[("CASSANDRA_CONTACT_POINTS", "a.example.net,b:9043")], &["cassandra a.example.net:9042,b:9043 -"]),
        (&[("KAFKA_BROKERS", "a:9092,b:9092")], &["broker a:9092,b:9092 -"]),
        (&[("KAFKA_BROKERS", "PLAINTEXT://a:9092,SSL://b:9093")], &["broker a:9092,b:9093 -"]),
        (&[("PGHOST", "a,b"), ("PGPORT", "1,2")], &["postgres a:1,b:2 -"]),
        (
            &[("DATABASES", r#"[{"host":"localhost","name":"a"},{"host":"db.example.net","name":"b"}]"#)],
            &["unknown localhost a", "unknown db.example.net b"],
        ),
        (
            &[(
                "VCAP_SERVICES",
                r#"{"user-provided":[{"credentials":{"host":"db.example.net","port":5432,"database":"shop","username":"u","password":"p"}},{"credentials":{"uri":"mysql://h/x"}}]}"#,
            )],
            &["mysql h:3306 x", "postgres db.example.net:5432 shop u=u"],
        ),
        (
            &[("test.primary.adapter", "postgresql"), ("test.primary.database", "x_test"), ("test.primary.host", "db")],
            &["postgres db:5432 x_test"],
        ),
        (
            &[("test.adapter", "postgresql"), ("test.database", "x_test")],
            &["postgres unix:/var/run/postgresql:5432 x_test"],
        ),
        (
            &[("test.adapter", "sqlite3"), ("test.database", "db/test.sqlite3")],
            &["sqlite file:/p/db/test.sqlite3 db/test.sqlite3"],
        ),
        (
            &[("spring.datasource.url", "jdbc:mysql://h/x"), ("spring.datasource.username", "ann")],
            &["mysql h:3306 x u=ann"],
        ),
        (
            &[("spring.data.mongodb.host", "m.example.net"), ("spring.data.mongodb.database", "x")],
            &["mongodb m.example.net:27017 x"],
        ),
        (
            &[("DYNAMODB_TABLE", "orders"), ("AWS_REGION", "eu-west-1")],
            &["dynamodb <dynamodb.eu-west-1.amazonaws.com/orders> orders"],
        ),
        (
            &[("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:8000"), ("DYNAMODB_TABLE", "orders")],
            &["dynamodb localhost:8000 orders"],
        ),
        (&[("SESSION_TABLE", "sessions"), ("AWS_DEFAULT_REGION", "us-east-1")], &[]),
        (
            &[("DB_HOST", "127.0.0.1"), ("DB_DATABASE", "a"), ("MYSQL_SSL_CERT", "/c.pem")],
            &["mysql 127.0.0.1:3306 a {sslcert=/c.pem}"],
        ),
        (&[("DB_HOST", "null"), ("DB_DATABASE", "null"), ("DATABASE_URL", "")], &[]),
        (
            &[
                ("TYPEORM_CONNECTION", "mysql"),
                ("TYPEORM_HOST", "h"),
                ("TYPEORM_DATABASE", "x"),
                ("TYPEORM_PORT", "3307"),
            ],
            &["mysql h:3307 x"],
        ),
        (&[("HOST_DB", "db.example.net"), ("NAME_DB", "x"), ("PORT_DB", "5432")], &["postgres db.example.net:5432 x"]),
        (
            &[("SHOP_HOST", "db.example.net"), ("SHOP_DATABASE", "x"), ("SHOP_PASSWORD", "p")],
            &["unknown db.example.net x"],
        ),
        (&[("APP_HOST", "www.example.net"), ("APP_DATABASE", "x")], &["unknown localhost x"]),
        (&[("HOST", "www.example.net"), ("USER", "ann"), ("DATABASE", "x")], &["unknown localhost x"]),
        (&[("DB_MASTER", "10.0.0.1"), ("DB_SLAVE", "10.0.0.2")], &["unknown 10.0.0.1 -", "unknown 10.0.0.2 -"]),
        (&[("MONGO_CLUSTER", "c0.ab1cd.mongodb.net")], &["mongodb c0.ab1cd.mongodb.net:27017 -"]),
        (&[("REDIS_CONNECTION", "r.example.net:6380,password=x,ssl=True")], &["redis r.example.net:6380 -"]),
        (&[("DB_POOL_HOST", "pool.example.net")], &["unknown pool.example.net -"]),
        (&[("DB_HOST", "db"), ("DB_NAME", "x"), ("DB_TEST_NAME", "x_test")], &["unknown db x", "unknown db x_test"]),
        (&[("DB_HOST", "db"), ("DB_NAME", "x"), ("DB_HOST_TEST", "t")], &["unknown db x", "unknown t x"]),
        (&[("POSTGRES_PORT", "tcp://172.17.0.5:5432"), ("POSTGRES_HOST", "pg")], &["postgres pg:5432 -"]),
        (&[("DB_HOST", "postgres://h.example.net"), ("DB_NAME", "x")], &["postgres h.example.net:5432 x"]),
        (&[("DB_HOST", "h"), ("DB_PORT", "port"), ("DB_NAME", "x")], &["unknown h x [Port]"]),
        (&[("DB_SERVER", "tcp:sql.example.net,1433"), ("DB_DATABASE", "x")], &["unknown sql.example.net:1433 x"]),
        (&[("DB_HOST", "TCP:localhost"), ("DB_DATABASE", "x")], &["unknown localhost x"]),
        (&[("DB_HOST", "p:db.example.net"), ("DB_NAME", "x")], &["unknown db.example.net x"]),
        (&[("DB_HOST", "p:3306"), ("DB_NAME", "x")], &["unknown p:3306 x"]),
        (&[("DB_HOST", "//db.example.net:5433"), ("DB_NAME", "x")], &["unknown db.example.net:5433 x"]),
        (&[("DB_HOST", "//var/run"), ("DB_NAME", "x")], &["unknown unix://var/run x"]),
        (&[("REDIS_CLUSTERS", "10.2.3.4:6379,cache:6380")], &["redis 10.2.3.4:6379,cache:6380 -"]),
        (&[("REDIS_IMAGES", "redis:7,valkey:8")], &[]),
        (&[("DATABASE_URLS", "postgres://a/x postgres://b/y")], &["postgres a:5432 x", "postgres b:5432 y"]),
        (&[("DB_HOST", "h"), ("DB_DATABASE", "<")], &["unknown h < [Placeholder]"]),
        (
            &[("BACKEND", "x.c0ffee.eu-west-1.rds.amazonaws.com:3306")],
            &["unknown x.c0ffee.eu-west-1.rds.amazonaws.com:3306 -"],
        ),
        (
            &[("DB_HOST", "x.ab1cd.mongodb.net"), ("DB_NAME", "shop"), ("ALLOWED", "X.ab1cd.mongodb.net.")],
            &["unknown x.ab1cd.mongodb.net shop"],
        ),
        (&[("STORE_HOST", "https://x.upstash.io/v1")], &["unknown x.upstash.io -"]),
        (&[("WEBSITE", "shop.up.railway.app"), ("REPO", "git@github.com:shop/neon.tech")], &[]),
        (&[("STORE_HOST", "cluster0.xxxxx.mongodb.net")], &[]),
        (&[("SNOWFLAKE_ACCOUNT", "ab12345.eu-west-1")], &["unknown <ab12345.eu-west-1> -"]),
        (&[("ELASTIC_CLOUD_ID", "shop:ZXUtd2VzdC0x")], &["search <shop> -"]),
        (&[("STRIPE_ACCOUNT", "acct_1"), ("CLOUD_ID", "a:b"), ("SNOWFLAKE_ACCOUNT", "test")], &[]),
        (
            &[("DB_HOST", "h"), ("DB_SSL_CERT", "/etc/client.pem"), ("DB_PORT", "5432")],
            &["postgres h:5432 - {sslcert=/etc/client.pem}"],
        ),
    ];
    for (pairs, expected) in cases {
        assert_eq!(lines(pairs), expected, "{pairs:?}");
    }
}

#[test]
fn variables_about_other_things_name_no_database() {
    let pairs = [
        ("SMTP_HOST", "smtp.example.net"),
        ("MAIL_HOST", "mail.example.net"),
        ("MAIL_PORT", "587"),
        ("APP_URL", "https://example.net"),
        ("APP_NAME", "shop"),
        ("S3_BUCKET", "shop-prod"),
        ("SENTRY_DSN", "https://key@sentry.example.net/1"),
        ("STRIPE_KEY", "sk_live_x"),
        ("HOST", "0.0.0.0"),
        ("PORT", "3000"),
        ("USER", "ann"),
        ("NAME", "x"),
        ("DB_POOL_SIZE", "5"),
        ("DB_CONNECTION_TIMEOUT", "30"),
        ("POSTGRES_PASSWORD", "x"),
        ("REDIS_PORT", "6379"),
        ("CACHE_DRIVER", "file"),
        ("QUEUE_CONNECTION", "redis"),
        ("SESSION_DRIVER", "database"),
        ("TEST_DB", "true"),
        ("MIGRATION_URL", "file://db/migration"),
        (
            "GOOGLE_CREDENTIALS",
            r#"{"type":"service_account","client_email":"a@example.net","token_uri":"https://x.example.net"}"#,
        ),
        ("ELASTIC_APM_SERVER_URL", "https://apm.example.net"),
        ("ORACLE_ADDRESS", "0x52908400098527886E0F7030069857D2E4169EE7"),
        ("MOVIE_DB_API_URL", "https://api.example.net/3"),
        ("REDIS_SENTINEL_MASTER", "mymaster"),
        ("ELASTIC_IP", "203.0.113.7"),
        ("POSTGRES_VERSION", "15.2.1"),
        ("HIBERNATE_DIALECT", "org.hibernate.dialect.PostgreSQLDialect"),
        ("PGADMIN_DEFAULT_EMAIL", "a@example.net"),
        ("DB_PASSWORD", "postgres://looks.like.a.url/x"),
        ("PATH", "/usr/bin:/bin"),
        ("LS_COLORS", "a=b;c=d;server=x"),
    ];
    assert_eq!(lines(&pairs), Vec::<String>::new());
}

#[test]
fn variables_and_readings_that_name_one_database_are_one_target() {
    let first =
        reading(&[("DATABASE_URL", "postgres://u:p@db/x"), ("DB_HOST", "db"), ("DB_PORT", "5432"), ("DB_NAME", "x")]);
    let second = reading(&[("DATABASE_URL", "postgres://u:p@db/x")]);
    let targets = found(&[first, second], &[], &[]);
    assert_eq!(targets.len(), 1);
    let names: Vec<&str> = targets[0].origins.iter().map(|origin| origin.variable.as_str()).collect();
    assert_eq!(names, ["DATABASE_URL", "DB_HOST", "DB_NAME", "DB_PORT"]);
    assert_eq!(targets[0].password.as_ref().map(|password| password.expose().to_owned()).as_deref(), Some("p"));
}

#[test]
fn what_is_said_about_a_database_of_no_known_engine_stays_with_it() {
    let urls = [("A_URL", "postgres://u@localhost/x"), ("B_URL", "db2://u@localhost/x?sslcert=/c.pem")];
    let shown: Vec<String> = found(&[reading(&urls)], &[], &[]).iter().map(target_line).collect();
    assert_eq!(shown, ["postgres localhost:5432 x u=u {sslcert=/c.pem}"]);
}

#[test]
fn what_another_environment_completes_joins_none_but_its_own_database() {
    let split = reading(&[("B", r#"{"db":{"host":"db.example.net","name":"shop"}}"#)]);
    let calls = [
        typed("mysql -h ${DB_HOST:-db.example.net} -P ${DB_PORT:-3307} ${DB_DATABASE:-shop}"),
        typed("psql -h ${A:-db.example.net} $B"),
    ];
    // The one of no known engine has become another's by the time that it does.
    let found = found(&[split, reading(&[("A", "x")])], &calls, &[]);
    let of = |name: &str| {
        let is_of = |target: &&Target| target.origins.iter().any(|origin| origin.variable == name);
        found.iter().filter(is_of).map(|target| target.engine).collect::<Vec<_>>()
    };
    assert!(of("mysql").iter().all(|engine| *engine == Engine::Mysql), "{found:?}");
    assert!(of("psql").iter().all(|engine| *engine == Engine::Postgres), "{found:?}");
}

#[test]
fn parts_of_two_readings_are_never_combined() {
    let readings = [reading(&[("DB_HOST", "a"), ("DB_NAME", "x")]), reading(&[("DB_NAME", "y")])];
    let shown: Vec<String> = found(&readings, &[], &[]).iter().map(target_line).collect();
    assert_eq!(shown, ["unknown a x", "unknown localhost y"]);
}

#[test]
fn a_reading_that_cannot_be_dialled_gives_way_to_one_that_can() {
    let cut = reading(&[("DATABASE_URL", "postgres://u:p")]);
    let whole = reading(&[("DATABASE_URL", "postgres://u:p#w@db.example.net/x")]);
    let shown = |readings: &[Reading]| found(readings, &[], &[]).iter().map(target_line).collect::<Vec<_>>();
    assert_eq!(shown(&[cut.clone(), whole]), ["postgres db.example.net:5432 x u=u"]);
    assert_eq!(shown(&[cut]), ["postgres u:5432 - [Port]"]);
}

#[test]
fn what_would_have_to_be_executed_is_in_doubt() {
    let mut one = reading(&[("DB_HOST", "$(cat host)"), ("DB_NAME", "x")]);
    std::rc::Rc::make_mut(&mut one.settings[0]).unresolved = Some(Unresolved::CommandSubstitution);
    let shown: Vec<String> = found(&[one], &[], &[]).iter().map(target_line).collect();
    assert_eq!(shown, ["unknown $(cat host) x [Unexpanded, Unresolved]"]);
}

#[test]
fn assignments_of_a_command_override_its_environment() {
    let env = reading(&[("DATABASE_URL", "postgres://localhost/x")]);
    let shown: Vec<String> = found(&[env], &[typed("DATABASE_URL=postgres://db.example.net/y npm test")], &[])
        .iter()
        .map(target_line)
        .collect();
    assert_eq!(shown, ["postgres db.example.net:5432 y"]);
}

#[test]
fn an_assignment_takes_its_own_value_and_no_other_s() {
    let env = reading(&[("DATABASE_URL", "postgres://localhost/x"), ("DATABASE_URL_LIVE", "postgres://localhost/y")]);
    for (value, expected) in [
        ("${DATABASE_URL:-postgres://db.example.net/z}", "postgres localhost:5432 x"),
        ("${DATABASE_URL?}", "postgres localhost:5432 x"),
        ("${DATABASE_URL}", "postgres localhost:5432 x"),
        ("${DATABASE_URL_LIVE:-postgres://db.example.net/z}", "Unexpanded"),
        ("${DATABASE_URL%/*}/z", "Unexpanded"),
    ] {
        let mut invocation = typed("npm test");
        invocation.assignments = vec![("DATABASE_URL".to_owned(), value.to_owned())];
        let shown: Vec<String> =
            found(std::slice::from_ref(&env), &[invocation], &[]).iter().map(target_line).collect();
        assert!(shown.iter().any(|line| line.contains(expected)), "{value}: {shown:?}");
    }
}
