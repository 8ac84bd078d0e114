//! From readings and invocations to targets: each environment that the command could see, one after the other.

use std::borrow::Cow;
use std::collections::HashMap;

use super::merge::Merger;
use super::names::{Name, Role};
use super::{Context, Doubt, Draft, Target};
use crate::environment::{Invocation, Origin, Reading, Setting};

/// One variable of an environment, with what its name says.
pub(super) struct Entry<'a> {
    pub(super) setting: Cow<'a, Setting>,
    pub(super) name: Name,
}

impl Entry<'_> {
    pub(super) fn value(&self) -> &str {
        self.setting.value.trim()
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.setting.origin
    }

    /// Whether the value names nothing: empty, `null`, `none`.
    pub(super) fn is_empty(&self) -> bool {
        super::bare::means_nothing(super::text::without_quotes(self.value()).0)
    }
}

/// One environment that the command could see: a reading with the assignments of one invocation over it.
pub(super) struct Scene<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    by_name: HashMap<String, usize>,
    pub(super) context: &'a Context<'a>,
}

impl<'a> Scene<'a> {
    fn new(settings: impl Iterator<Item = Cow<'a, Setting>>, context: &'a Context<'a>) -> Self {
        let mut entries: Vec<Entry<'a>> = Vec::new();
        for setting in settings {
            let inside = super::json::settings_inside(&setting);
            entries.push(Entry { name: Name::read(&setting.name), setting });
            let named = inside.into_iter().map(|setting| (Name::read(&setting.name), Cow::Owned(setting)));
            entries.extend(named.map(|(name, setting)| Entry { setting, name }));
        }
        let by_name = entries.iter().enumerate().map(|(at, entry)| (entry.setting.name.clone(), at)).collect();
        Scene { entries, by_name, context }
    }

    /// The variable of that exact name, where it holds something.
    pub(super) fn get(&self, name: &str) -> Option<&Entry<'a>> {
        self.by_name.get(name).map(|at| &self.entries[*at]).filter(|entry| !entry.is_empty())
    }
}

/// A draft with where it came from.
pub(super) struct Found {
    pub(super) draft: Draft,
    pub(super) origins: Vec<Origin>,
    /// The group of variables that it came from.
    pub(super) group: String,
    /// Only an engine is named; it counts where nothing else in the environment names a database.
    pub(super) weak: bool,
    /// libpq's own variables: what is missing is its default and nothing that another variable says.
    pub(super) keeps_default: bool,
}

impl Found {
    pub(super) fn new(draft: Draft, origin: Origin, group: &str) -> Self {
        Found { draft, origins: vec![origin], group: group.to_owned(), weak: false, keeps_default: false }
    }

    pub(super) fn add_origin(&mut self, origin: &Origin) {
        if !self.origins.contains(origin) {
            self.origins.push(origin.clone());
        }
    }
}

/// Finds every database that the command could reach, each once, with all the places its name was read from.
///
/// Each reading is looked at by itself, with the assignments of each invocation over it: parts of a connection are
/// combined within one environment, never across two. Text that cannot be dialled as it stands is dropped where
/// another reading of the same line can be.
#[must_use]
pub fn find_targets(readings: &[Reading], invocations: &[Invocation], context: &Context<'_>) -> Vec<Target> {
    let bare = Invocation { assignments: Vec::new(), words: vec![String::new()], origin: Origin::process("") };
    let empty = Reading { loader: String::new(), settings: Vec::new() };
    let invocations = if invocations.is_empty() { std::slice::from_ref(&bare) } else { invocations };
    let readings = if readings.is_empty() { std::slice::from_ref(&empty) } else { readings };
    let mut merger = Merger::default();
    for reading in readings {
        for (index, invocation) in invocations.iter().enumerate() {
            let overlay = overlay(invocation);
            let known = invocations[..index].iter().any(|earlier| earlier.assignments == invocation.assignments);
            let says_something = !super::arguments::settings(invocation).is_empty();
            let scene = scene(reading, overlay, context);
            if !known || says_something {
                merger.add_all(environment(&scene));
            }
            merger.add_all(super::arguments::find(invocation, &scene));
        }
    }
    merger.finish()
}

fn overlay(invocation: &Invocation) -> Vec<Setting> {
    let assigned = invocation.assignments.iter().map(|(name, value)| Setting {
        name: name.clone(),
        value: value.clone(),
        origin: Origin { variable: name.clone(), ..invocation.origin.clone() },
        unresolved: None,
    });
    let mut settings: Vec<Setting> = Vec::new();
    for setting in assigned.chain(super::arguments::settings(invocation)) {
        settings.retain(|earlier| earlier.name != setting.name);
        settings.push(setting);
    }
    settings
}

fn scene<'a>(reading: &'a Reading, overlay: Vec<Setting>, context: &'a Context<'a>) -> Scene<'a> {
    let hidden: std::collections::HashSet<String> = overlay.iter().map(|setting| setting.name.clone()).collect();
    let mut settings: Vec<&Setting> =
        reading.settings.iter().filter(|setting| !hidden.contains(&setting.name)).collect();
    settings.sort_by(|a, b| (&a.origin.file, a.origin.line, &a.name).cmp(&(&b.origin.file, b.origin.line, &b.name)));
    let settings = settings.into_iter().map(Cow::Borrowed).chain(overlay.into_iter().map(Cow::Owned));
    Scene::new(settings, context)
}

/// Everything that the variables of one environment name.
fn environment(scene: &Scene<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut consumed = vec![false; scene.entries.len()];
    for (index, entry) in scene.entries.iter().enumerate() {
        if entry.is_empty() || entry.name.role == Some(Role::Password) {
            continue;
        }
        // A folder under `DB_SOCKET` or `DB_HOST` is a part of that connection, not one of its own.
        let folder = matches!(entry.name.role, Some(Role::Socket | Role::Host)) && entry.value().starts_with('/');
        if folder && entry.name.says_database {
            continue;
        }
        let drafts = super::value::parse(&entry.name, &entry.setting.value, scene.context);
        consumed[index] = !drafts.is_empty();
        for mut draft in drafts {
            if entry.setting.unresolved.is_some() {
                draft.doubt(Doubt::Unresolved);
            }
            let mut one = Found::new(draft, entry.origin().clone(), &entry.name.group);
            // A URL without a host means its driver's default, whatever other variables say.
            one.keeps_default = true;
            found.push(one);
        }
    }
    super::split::assemble(scene, &consumed, &mut found);
    super::ambient::dynamodb_tables(scene, &mut found);
    super::ambient::complete(scene, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use crate::environment::{Reading, Unresolved};
    use crate::target::testing::{found, lines, reading, target_line, typed};

    #[test]
    fn split_variables_are_put_together() {
        let cases: [(&[(&str, &str)], &[&str]); 38] = [
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
            (
                &[("DB_DRIVER", "postgres"), ("DB_SOURCE", "postgresql://localhost:5432/a")],
                &["postgres localhost:5432 a"],
            ),
            (
                &[("DB_CONNECTION", "sqlite"), ("DB_DATABASE", "database/x.sqlite")],
                &["sqlite file:/p/database/x.sqlite database/x.sqlite"],
            ),
            (
                &[("DB_CONNECTION", "sqlite"), ("DB_DATABASE", ":memory:"), ("DB_HOST", "db.example.net")],
                &["sqlite memory :memory:"],
            ),
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
                &[
                    ("test.primary.adapter", "postgresql"),
                    ("test.primary.database", "x_test"),
                    ("test.primary.host", "db"),
                ],
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
            (&[("DB_HOST", "h"), ("DB_PORT", "port"), ("DB_NAME", "x")], &["unknown h x [Port]"]),
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
    fn libpq_variables_fill_and_redirect_urls() {
        let service = ("/home/ann/.pg_service.conf", "[r]\nhost=db.example.net\nport=5433\ndbname=shop\n");
        let cases: [(&[(&str, &str)], &[&str]); 7] = [
            (
                &[("DATABASE_URL", "postgres://localhost/x"), ("PGHOSTADDR", "10.0.0.9")],
                &["postgres 10.0.0.9:5432,localhost:5432 x"],
            ),
            (
                &[("DATABASE_URL", "postgres:///x"), ("PGHOST", "db.example.net")],
                &["postgres db.example.net:5432 x", "postgres db.example.net:5432 -"],
            ),
            (&[("DATABASE_URL", "postgres://localhost/x"), ("PGPORT", "6543")], &["postgres localhost:6543 x"]),
            (&[("PGSERVICE", "r")], &["postgres db.example.net:5433 shop"]),
            (&[("DATABASE_URL", "postgres:///x?service=r")], &["postgres db.example.net:5433 x"]),
            (&[("PGSERVICE", "missing")], &["postgres <missing> -"]),
            (&[("SPRING_DATASOURCE_URL", "jdbc:postgresql:x"), ("PGPORT", "1")], &["postgres localhost:5432 x"]),
        ];
        for (pairs, expected) in cases {
            let shown: Vec<String> = found(&[reading(pairs)], &[], &[service]).iter().map(target_line).collect();
            assert_eq!(shown, expected, "{pairs:?}");
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
            ("PGADMIN_DEFAULT_EMAIL", "a@example.net"),
            ("DB_PASSWORD", "postgres://looks.like.a.url/x"),
            ("PATH", "/usr/bin:/bin"),
            ("LS_COLORS", "a=b;c=d;server=x"),
        ];
        assert_eq!(lines(&pairs), Vec::<String>::new());
    }

    #[test]
    fn variables_and_readings_that_name_one_database_are_one_target() {
        let first = reading(&[
            ("DATABASE_URL", "postgres://u:p@db/x"),
            ("DB_HOST", "db"),
            ("DB_PORT", "5432"),
            ("DB_NAME", "x"),
        ]);
        let second = reading(&[("DATABASE_URL", "postgres://u:p@db/x")]);
        let targets = found(&[first, second], &[], &[]);
        assert_eq!(targets.len(), 1);
        let names: Vec<&str> = targets[0].origins.iter().map(|origin| origin.variable.as_str()).collect();
        assert_eq!(names, ["DATABASE_URL", "DB_HOST", "DB_NAME", "DB_PORT"]);
        assert_eq!(targets[0].password.as_ref().map(|password| password.expose().to_owned()).as_deref(), Some("p"));
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
        one.settings[0].unresolved = Some(Unresolved::CommandSubstitution);
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
    fn passwords_never_reach_what_is_shown() {
        let values = [
            "postgres://u:hunter22@db/x",
            "postgres://u:hun/ter22@db/x",
            "postgres://u:a@hunter22/b@db/x",
            "postgres://u:a@b/hunter22@db/x",
            "postgres://u:12/hunter22@db/x",
            "mysql://u:a?hunter22@db/x",
            "redis://hunter22@db",
            "Server=db;Database=x;User Id=u;Password=hunter22",
            "host=db dbname=x password=hunter22",
            "u:hunter22@tcp(db:3306)/x",
            "jdbc:postgresql://db/x?user=u&password=hunter22",
            "jdbc:oracle:thin:u/hunter22@//db:1521/x",
            "hunter22 db x",
        ];
        for value in values {
            for target in found(&[reading(&[("DATABASE_URL", value)])], &[], &[]) {
                let shown = format!("{target:?} {} {}", target.shown(), target.address());
                assert!(!shown.contains("hunter22") && !shown.contains("ter22"), "{value}: {shown}");
            }
        }
    }
}
