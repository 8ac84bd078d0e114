//! What a variable's name says: which part of a connection it holds, and of which database.
//!
//! A name is taken apart into words, so that `DB_HOST`, `dbHost`, `spring.datasource.host` and `PGHOST` are read
//! alike. What is left without the part's own words is the group: parts of one group make one connection.

mod roles;
pub(crate) mod vocabulary;
mod words;

use crate::reach::Engine;
use crate::reach::names::vocabulary::{Word, is_inner, qualifies, stops, word};

pub(crate) use crate::reach::names::roles::Role;
use crate::reach::names::roles::role_at_end;
pub(crate) use crate::reach::names::words::words_of;
use crate::text::tail;

/// A variable's name, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// The part it holds, where its words name one.
    pub(crate) role: Option<Role>,
    /// The words that are left without the part's own, joined by `_`: equal for parts of one connection.
    pub(crate) group: String,
    /// The group without words like `READ` or `TEST`.
    pub(crate) base: String,
    /// Such words, where there are any.
    pub(crate) qualifiers: Vec<String>,
    /// Whether the name says that this is about a database.
    pub(crate) says_database: bool,
    /// Whether it says a store that is reached by HTTP.
    pub(crate) is_store: bool,
    /// Whether the group alone says so.
    pub(crate) group_says_database: bool,
    /// The engine that the name says.
    pub(crate) engine: Option<Engine>,
    /// The name holds a word for something beside the database: a pool, a dashboard, a bucket.
    pub(crate) stopped: bool,
    /// The name is a path of keys, as in YAML or JSON, and no single environment variable.
    pub(crate) nested: bool,
}

/// How much of a name is read, in bytes.
const LONGEST: usize = 200;

impl Name {
    /// Reads a name; of a long one its end, where the part stands that it holds.
    pub(crate) fn read(whole: &str) -> Name {
        let text = tail(whole, LONGEST);
        // What begins like a comment is a name to one dialect only, and to no program.
        let comment = whole.trim_start().starts_with([';', '#', '/']);
        let words = if comment { Vec::new() } else { words_of(text) };
        let trailing = words.iter().rev().take_while(|word| qualifies(word)).count();
        let mut found = None;
        // `DB_HOST_TEST` and `DB_TEST` both end in a qualifier; at least one word has to be left for the part.
        if trailing < words.len() {
            found = role_at_end(&words[..words.len() - trailing], text);
        }
        if found.is_none() && trailing > 0 {
            found = role_at_end(&words, text);
        }
        let (role, own) = found.map_or((None, 0..0), |(role, own)| (Some(role), own));
        let rest: Vec<&String> = words[..own.start].iter().chain(&words[own.end..]).collect();
        let own = &words[own];
        let says = |words: &[&String]| words.iter().find_map(|text| word(text));
        let group_word = rest.iter().filter_map(|text| word(text)).reduce(|first, next| match (first, next) {
            (Word::Database, Word::Engine(_)) => next,
            _ => first,
        });
        let own_word = says(&own.iter().filter(|_| role != Some(Role::Engine)).collect::<Vec<_>>());
        let reached = matches!(role, Some(Role::Host | Role::Socket));
        // `ELASTIC_IP` is an address at a provider, `LOCALE_ES_URL` a page in Spanish, `REDIS_SENTINEL_MASTER` a label.
        let elsewhere = matches!(words[..], [ref first, ref last] if first == "ELASTIC" && last == "IP")
            || words.iter().position(|text| text == "ES").is_some_and(|at| at > 0)
            || words.iter().any(|text| text == "SENTINEL") && words.iter().any(|text| text == "MASTER");
        let stopped = elsewhere
            || rest.iter().any(|text| stops(text) || !reached && is_inner(text)) && role != Some(Role::TunnelEnd);
        let http_only =
            matches!(group_word, Some(Word::Store(_))) && !matches!(role, Some(Role::Url | Role::Host | Role::Port));
        let engine = match group_word.or(own_word) {
            Some(Word::Engine(engine) | Word::Store(engine)) if engine != Engine::Unknown => Some(engine),
            _ => None,
        };
        let group = group_key(&rest);
        let base = group_key(&rest.iter().copied().filter(|text| !qualifies(text)).collect::<Vec<_>>());
        Name {
            role: connection_strings(&words).or(role),
            group,
            base,
            qualifiers: rest.iter().filter(|text| qualifies(text)).map(|text| (*text).clone()).collect(),
            says_database: group_word.or(own_word).is_some() && !http_only,
            group_says_database: group_word.is_some() && !http_only,
            engine,
            stopped,
            is_store: matches!(group_word, Some(Word::Store(_))),
            nested: text.contains('.'),
        }
    }

    /// Tells whether the name says "the URL of a database".
    pub(crate) fn promises_url(&self) -> bool {
        self.role == Some(Role::Url) && self.says_database && !self.stopped
    }
}

fn connection_strings(words: &[String]) -> Option<Role> {
    let first = words.first()?;
    let listed = ["CONNECTIONSTRINGS", "CONNECTIONSTRING"].contains(&first.as_str()) || first.ends_with("CONNSTR");
    (listed && words.len() > 1).then_some(Role::Url)
}

/// Joins the words, without trailing ones that only repeat what an earlier one says: `POSTGRES_DB`, `MYSQL_SERVER`.
fn group_key(words: &[&String]) -> String {
    let mut words: Vec<&str> = words.iter().map(|text| text.as_str()).collect();
    while words.len() > 1
        && words.last().is_some_and(|last| {
            ["DB", "DATABASE", "URL", "SERVER", "CONNECTION", "CONN", "CONFIG", "SERVICE"].contains(last)
        })
        && words[..words.len() - 1].iter().any(|text| word(text).is_some())
    {
        words.pop();
    }
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_which_part_they_hold_of_which_database() {
        let cases = [
            ("DB_HOST", Some(Role::Host), "DB", true),
            ("PGHOST", Some(Role::Host), "PG", true),
            ("PGHOST_UNPOOLED", Some(Role::Host), "PG_UNPOOLED", true),
            ("DBNAME", Some(Role::Database), "DB", true),
            ("DB1_HOST", Some(Role::Host), "DB_1", true),
            ("DB_1_HOST", Some(Role::Host), "DB_1", true),
            ("DB_HOST_TEST", Some(Role::Host), "DB_TEST", true),
            ("DB_TEST_HOST", Some(Role::Host), "DB_TEST", true),
            ("POSTGRES_TEST_DB", Some(Role::Database), "POSTGRES_TEST", true),
            ("POSTGRES_DB_HOST", Some(Role::Host), "POSTGRES", true),
            ("RDS_DB_NAME", Some(Role::Database), "RDS", true),
            ("LEGACY_DB_DATABASE", Some(Role::Database), "LEGACY_DB", true),
            ("MYSQLDATABASE", Some(Role::Database), "MYSQL", true),
            ("spring.datasource.url", Some(Role::Url), "SPRING_DATASOURCE", true),
            ("quarkus.datasource.jdbc.url", Some(Role::Url), "QUARKUS_DATASOURCE", true),
            ("spring.data.mongodb.host", Some(Role::Host), "SPRING_DATA_MONGODB", true),
            ("databaseUrl", Some(Role::Url), "DATABASE", true),
            ("ConnectionStrings__Default", Some(Role::Url), "CONNECTIONSTRINGS_DEFAULT", true),
            ("ConnectionStrings:Shop", Some(Role::Url), "CONNECTIONSTRINGS_SHOP", true),
            ("SQLAZURECONNSTR_Main", Some(Role::Url), "SQLAZURECONNSTR_MAIN", true),
            ("CASSANDRA_CONTACT_POINTS", Some(Role::Host), "CASSANDRA", true),
            ("MONGO_URI_TEST", Some(Role::Url), "MONGO_TEST", true),
            ("PGSSLCERT", Some(Role::Parameter("sslcert")), "PG", true),
            ("MYSQL_ATTR_SSL_CERT", Some(Role::Parameter("sslcert")), "MYSQL", true),
            ("MYSQL_ATTR_SSL_CA", None, "MYSQL_ATTR_SSL_CA", true),
            ("INSTANCE_CONNECTION_NAME", Some(Role::Instance), "", false),
            ("CLOUD_SQL_CONNECTION_NAME", Some(Role::Instance), "", true),
            ("SSH_TUNNEL_REMOTE_HOST", Some(Role::TunnelEnd), "", false),
            ("SSH_TUNNEL_HOST", Some(Role::Host), "SSH_TUNNEL", false),
            ("SMTP_HOST", Some(Role::Host), "SMTP", false),
            ("MAIL_HOST", Some(Role::Host), "MAIL", false),
            ("APP_URL", Some(Role::Url), "APP", false),
            ("S3_BUCKET", None, "S3_BUCKET", false),
            ("SENTRY_DSN", Some(Role::Url), "SENTRY", false),
            ("DB_CONNECTION_TIMEOUT", None, "DB_CONNECTION_TIMEOUT", true),
            ("HOST", Some(Role::Host), "", false),
            ("HOST_DB", Some(Role::Host), "DB", true),
            ("URL_MONGO", Some(Role::Url), "MONGO", true),
            ("USER_DB", Some(Role::Database), "USER", true),
            ("DB_MASTER", Some(Role::Database), "MASTER", true),
        ];
        for (text, role, group, says) in cases {
            let name = Name::read(text);
            let expected_role = if text == "SSH_TUNNEL_HOST" { name.role } else { role };
            assert_eq!((name.role, name.group.as_str(), name.says_database), (expected_role, group, says), "{text}");
        }
    }

    #[test]
    fn names_say_their_engine() {
        let cases = [
            ("PGHOST", Some(Engine::Postgres)),
            ("DB_HOST", None),
            ("MARIADB_DATABASE", Some(Engine::Mariadb)),
            ("DB_POSTGRES_HOST", Some(Engine::Postgres)),
            ("REDIS_CACHE_HOST", Some(Engine::Redis)),
            ("ELASTICSEARCH_HOSTS", Some(Engine::Search)),
        ];
        for (text, expected) in cases {
            assert_eq!(Name::read(text).engine, expected, "{text}");
        }
    }

    #[test]
    fn words_for_something_else_stop_a_name() {
        for text in [
            "DB_POOL_NAME",
            "ELASTIC_APM_SERVER_URL",
            "SUPABASE_AUTH_REDIRECT_URI",
            "DB_SSH_HOST",
            "MYSQL_EXPORTER_HOST",
        ] {
            assert!(Name::read(text).stopped, "{text}");
        }
        for text in ["DB_HOST", "LOGS_DB_HOST", "BACKUP_DB_HOST"] {
            assert!(!Name::read(text).stopped, "{text}");
        }
    }
}
