//! What has to hold for any text: no panic, no endless loop, no secret shown, no target without a place.

use proptest::prelude::*;

use crate::environment::Invocation;
use crate::reach::names::Name;
use crate::reach::testing::{found, reading, typed};
use crate::reach::{Place, Target};

fn check(targets: &[Target]) {
    for target in targets {
        assert!(!target.places.is_empty() && !target.origins.is_empty(), "{target:?}");
        assert!(!target.places.contains(&Place::Host { name: String::new(), port: None }), "{target:?}");
        let mut doubts = target.doubts.clone();
        doubts.sort();
        doubts.dedup();
        assert_eq!(doubts.len(), target.doubts.len(), "{target:?}");
    }
}

/// Text in which every grammar finds something to trip over.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "postgres://",
        "mysql:",
        "jdbc:",
        "sqlite:",
        "file:",
        "oracle:thin:@",
        "h2:",
        "sqlserver://",
        "host=",
        "dbname=",
        "Server=",
        ";Database=",
        "tcp(",
        ")/",
        "@",
        ":",
        "/",
        "//",
        "?",
        "&",
        "#",
        "\\",
        "[",
        "]",
        "${",
        "}",
        "{{",
        "$(",
        "<%",
        "%2F",
        "%",
        ",",
        ";",
        "=",
        "'",
        "\"",
        "`",
        " ",
        "\n",
        "localhost",
        "db.example.net",
        "5432",
        "::1",
        "(HOST=",
        ")",
        "(PORT=",
        "arn:aws:rds:",
        "/cloudsql/",
        "ü",
        "\u{200b}",
        "null",
        ".",
        "~",
        "{\"host\":\"",
        "a",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "DATABASE_URL",
        "DB_HOST",
        "DB_PORT",
        "DB_DATABASE",
        "DB_CONNECTION",
        "DB_SOCKET",
        "PGHOST",
        "PGHOSTADDR",
        "PGSERVICE",
        "REDIS_URL",
        "ConnectionStrings__X",
        "ELASTICSEARCH_HOSTS",
        "INSTANCE_CONNECTION_NAME",
        "DB_READ_HOST",
        "SSH_TUNNEL_REMOTE_HOST",
        "MYSQL_SSL_CERT",
        "DYNAMODB_TABLE",
        "AWS_REGION",
        "test.database",
        "test.adapter",
    ]);
    known.prop_map(ToOwned::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_environment_is_read(pairs in prop::collection::vec((name(), text()), 0..5)) {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        check(&found(&[reading(&pairs)], &[], &[]));
    }

    #[test]
    fn any_name_and_value_is_read(name in "\\PC{0,40}", value in "\\PC{0,80}") {
        check(&found(&[reading(&[(name.as_str(), value.as_str())])], &[], &[]));
    }

    #[test]
    fn any_command_is_read(program in "psql|mysql|mongosh|redis-cli|sqlcmd|sqlite3|prisma|goose|x", words in prop::collection::vec(text(), 0..5)) {
        let mut invocation = typed(&program);
        invocation.words.extend(words);
        check(&found(&[], &[invocation], &[]));
    }

    #[test]
    fn a_name_without_a_word_for_databases_says_none(name in "(APP|MAIL|SMTP|S3|STRIPE|SENTRY)_(HOST|PORT|URL|NAME|USER|ADDRESS)") {
        prop_assert!(!Name::read(&name).says_database);
    }

    #[test]
    fn an_encoded_password_is_never_shown(password in "[a-z]{9}", raw in "[@/?#:]") {
        let value = format!("postgres://u:{password}{raw}{password}@db.example.net/x");
        for target in found(&[reading(&[("DATABASE_URL", value.as_str())])], &[], &[]) {
            let shown = format!("{target:?}{}", target.shown());
            let reached = target.places.iter().any(|place| place.to_string().starts_with("db.example.net"));
            prop_assert!(!shown.contains(&password), "{}", shown);
            prop_assert!(reached, "{}", shown);
        }
    }
}

#[test]
fn long_values_and_long_environments_are_read_in_linear_time() {
    let filler = ["@", ":", ",", "/", "?", "${", "(HOST=a", ";a={", "%", "host=a ", "[", "a,", "://", "\\", "?a"];
    for piece in filler {
        for start in ["postgres://", "jdbc:oracle:thin:@", "Server=x;", "host=x ", "sqlite:", "a:b@tcp("] {
            let value = format!("{start}{}", piece.repeat(20_000 / piece.len()));
            check(&found(&[reading(&[("DATABASE_URL", value.as_str()), ("DB_HOST", value.as_str())])], &[], &[]));
        }
    }
    let huge = "x".repeat(10 * 1024 * 1024);
    check(&found(&[reading(&[("DATABASE_URL", huge.as_str()), ("DB_HOST", huge.as_str())])], &[], &[]));
    let json = format!("[{}0]", r#"{"host":"a","name":"b"},"#.repeat(30_000));
    check(&found(&[reading(&[("DATABASES", json.as_str())])], &[], &[]));
    let names: Vec<String> =
        (0..10_000).map(|at| format!("A{at}_DB_{}", if at % 2 == 0 { "NAME" } else { "HOST" })).collect();
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    check(&found(&[reading(&pairs)], &[], &[]));
    let assignments = (0..60_000).map(|at| (format!("A{at}"), "x".to_owned())).collect();
    let long = Invocation { assignments, ..typed("npm") };
    check(&found(&[reading(&pairs)], &[long], &[]));
}

#[test]
fn words_that_refer_to_many_variables_are_filled_in_in_linear_time() {
    let names: Vec<String> = (0..30_000).map(|at| format!("H{at}")).collect();
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let referring = |names: &[String]| names.iter().map(|name| format!("${{{name}:-}}")).collect::<String>();
    let mut all = typed("psql");
    all.words.push(referring(&names));
    let mut parts = typed("psql");
    parts.words.extend(names.chunks(5_000).map(referring));
    check(&found(&[reading(&pairs), reading(&[])], &[all, parts], &[]));
}
