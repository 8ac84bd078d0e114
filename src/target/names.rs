//! What a variable's name says: which part of a connection it holds, and of which database.
//!
//! A name is taken apart into words, so that `DB_HOST`, `dbHost`, `spring.datasource.host` and `PGHOST` are read
//! alike. What is left without the part's own words is the group: parts of one group make one connection.

use super::Engine;
use super::words::{Word, qualifies, stops, word};

/// The part of a connection that a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Role {
    Url,
    Host,
    Port,
    Socket,
    Database,
    File,
    User,
    Password,
    Engine,
    /// A table, which for DynamoDB is the database.
    Table,
    /// A Cloud SQL instance.
    Instance,
    /// The real server behind a tunnel.
    TunnelEnd,
    /// A client certificate, its key, or an option; under the key it is kept by.
    Parameter(&'static str),
}

/// A variable's name, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// The part it holds, where its words name one.
    pub(super) role: Option<Role>,
    /// The words that are left without the part's own, joined by `_`: equal for parts of one connection.
    pub(super) group: String,
    /// The group without words like `READ` or `TEST`.
    pub(super) base: String,
    /// Such words, where there are any.
    pub(super) qualifiers: Vec<String>,
    /// Whether the name says that this is about a database.
    pub(super) says_database: bool,
    /// Whether the group alone says so.
    pub(super) group_says_database: bool,
    /// The engine that the name says.
    pub(super) engine: Option<Engine>,
    /// The name holds a word for something beside the database: a pool, a dashboard, a bucket.
    pub(super) stopped: bool,
    /// The name is a path of keys, as in YAML or JSON, and no single environment variable.
    pub(super) nested: bool,
}

impl Name {
    /// Reads a name. Names longer than 200 bytes say nothing.
    pub(super) fn read(text: &str) -> Name {
        let words = if text.len() > 200 { Vec::new() } else { words_of(text) };
        let trailing = words.iter().rev().take_while(|word| qualifies(word)).count();
        let (mut trailing, mut found) = (trailing, None);
        // `DB_HOST_TEST` and `DB_TEST` both end in a qualifier; at least one word has to be left for the part.
        if trailing < words.len() {
            found = role_at_end(&words[..words.len() - trailing]);
        }
        if found.is_none() && trailing > 0 {
            trailing = 0;
            found = role_at_end(&words);
        }
        let (role, length) = found.map_or((None, 0), |(role, length)| (Some(role), length));
        let end = words.len() - trailing;
        let own = &words[end - length..end];
        let rest: Vec<&String> = words[..end - length].iter().chain(&words[end..]).collect();
        let says = |words: &[&String]| words.iter().find_map(|text| word(text));
        let group_word = rest.iter().filter_map(|text| word(text)).reduce(|first, next| match (first, next) {
            (Word::Database, Word::Engine(_)) => next,
            _ => first,
        });
        let own_word = says(&own.iter().filter(|_| role != Some(Role::Engine)).collect::<Vec<_>>());
        let stopped = rest.iter().any(|text| stops(text)) && role != Some(Role::TunnelEnd);
        let http_only =
            matches!(group_word, Some(Word::Store(_))) && !matches!(role, Some(Role::Url | Role::Host | Role::Port));
        let engine = match group_word.or(own_word) {
            Some(Word::Engine(engine) | Word::Store(engine)) if engine != Engine::Unknown => Some(engine),
            _ => None,
        };
        let group = group_key(&rest);
        let base = group_key(&rest.iter().copied().filter(|text| !qualifies(text)).collect::<Vec<_>>());
        Name {
            role: role.or_else(|| connection_strings(&words)),
            group,
            base,
            qualifiers: rest.iter().filter(|text| qualifies(text)).map(|text| (*text).clone()).collect(),
            says_database: group_word.or(own_word).is_some() && !http_only,
            group_says_database: group_word.is_some() && !http_only,
            engine,
            stopped,
            nested: text.contains('.'),
        }
    }

    /// Whether the name says "the URL of a database".
    pub(super) fn promises_url(&self) -> bool {
        self.role == Some(Role::Url) && self.says_database && !self.stopped
    }
}

fn connection_strings(words: &[String]) -> Option<Role> {
    let first = words.first()?;
    let listed = ["CONNECTIONSTRINGS", "CONNECTIONSTRING"].contains(&first.as_str()) || first.ends_with("CONNSTR");
    (listed && words.len() > 1).then_some(Role::Url)
}

/// The words joined, without trailing ones that only repeat what an earlier one says: `POSTGRES_DB`, `MYSQL_SERVER`.
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

/// The words of a name, in upper case: separators, changes of case, and what is glued (`PGHOST`, `DBNAME`, `DB1`).
fn words_of(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        for word in split_case(part) {
            push_word(&mut words, &word.to_ascii_uppercase());
        }
    }
    words
}

/// `databaseUrl` to `database`, `Url`; `DBHost` to `DB`, `Host`; `PGHOST` stays.
fn split_case(part: &str) -> Vec<&str> {
    let bytes = part.as_bytes();
    let mut pieces = Vec::new();
    let mut start = 0;
    for at in 1..bytes.len() {
        let rises =
            !bytes[at - 1].is_ascii_uppercase() && bytes[at].is_ascii_uppercase() && !bytes[at - 1].is_ascii_digit();
        let ends_capitals = bytes[at - 1].is_ascii_uppercase()
            && bytes[at].is_ascii_uppercase()
            && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        if rises || ends_capitals {
            pieces.push(&part[start..at]);
            start = at;
        }
    }
    pieces.push(&part[start..]);
    pieces
}

fn push_word(words: &mut Vec<String>, text: &str) {
    // `R2DBC`, `H2` and `NEO4J` are words; `DB1` is a word and a number.
    if word(text).is_some() || !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        words.push(text.to_owned());
        return;
    }
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() < text.len() && word(stem).is_some() {
        words.push(stem.to_owned());
        words.push(text[stem.len()..].to_owned());
        return;
    }
    let glued = GLUED.iter().find_map(|prefix| text.strip_prefix(prefix).map(|rest| (*prefix, rest)));
    match glued {
        Some((prefix, rest)) if GLUED_PARTS.contains(&rest) => {
            words.push(prefix.to_owned());
            words.push(rest.to_owned());
        }
        _ => words.push(text.to_owned()),
    }
}

const GLUED: [&str; 12] = [
    "POSTGRESQL",
    "POSTGRES",
    "DATABASE",
    "DATASOURCE",
    "MARIADB",
    "MONGODB",
    "MONGO",
    "MYSQL",
    "REDIS",
    "PG",
    "DB",
    "SQL",
];

const GLUED_PARTS: [&str; 21] = [
    "HOST",
    "HOSTNAME",
    "HOSTADDR",
    "SERVER",
    "PORT",
    "USER",
    "USERNAME",
    "PASS",
    "PASSWORD",
    "PWD",
    "DATABASE",
    "DB",
    "NAME",
    "URL",
    "URI",
    "DSN",
    "SOCKET",
    "SSLCERT",
    "SSLKEY",
    "SSLMODE",
    "SSLROOTCERT",
];

/// The part that the last words name, and how many words that takes.
fn role_at_end(words: &[String]) -> Option<(Role, usize)> {
    let texts: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some(found) = special(&texts) {
        return Some(found);
    }
    (1..=4.min(texts.len())).rev().find_map(|length| {
        let own = texts[texts.len() - length..].join("_");
        role_of(&own).map(|role| (role, length))
    })
}

fn special(words: &[&str]) -> Option<(Role, usize)> {
    let has = |text: &str| words.contains(&text);
    let cloud_sql = has("CLOUDSQL") || words.windows(2).any(|pair| pair == ["CLOUD", "SQL"]);
    if words.ends_with(&["INSTANCE", "CONNECTION", "NAME"])
        || (cloud_sql && (has("INSTANCE") || has("INSTANCES") || words.ends_with(&["CONNECTION", "NAME"])))
    {
        return Some((Role::Instance, words.len()));
    }
    let last = words.last()?;
    if has("TUNNEL") && matches!(*last, "HOST" | "HOSTNAME") {
        // `SSH_TUNNEL_HOST` is the machine that is tunnelled through, `…_REMOTE_HOST` what lies behind it.
        let far = ["REMOTE", "TARGET", "DEST", "DESTINATION", "DB", "DATABASE"].iter().any(|text| has(text));
        return (far || !has("SSH") && !has("BASTION") && !has("JUMP")).then_some((Role::TunnelEnd, words.len()));
    }
    None
}

fn role_of(own: &str) -> Option<Role> {
    Some(match own {
        "URL" | "URI" | "URLS" | "URIS" | "DSN" | "CONN" | "CONNSTR" | "CONN_STR" | "CONN_STRING"
        | "CONNECTION_STRING" | "CONNECTIONSTRING" | "CONNECTION_URL" | "CONNECTION_URI" | "JDBC_URL" | "JDBCURL"
        | "SOURCE" | "LINK" | "CONNECT_STRING" | "CONNECTSTRING" => Role::Url,
        "HOST" | "HOSTNAME" | "HOST_NAME" | "HOSTS" | "HOSTADDR" | "SERVER" | "SERVERS" | "SERVER_NAME"
        | "SERVERNAME" | "SERVER_HOST" | "ADDR" | "ADDRS" | "ADDRESS" | "ADDRESSES" | "ENDPOINT" | "ENDPOINTS"
        | "IP" | "FQDN" | "NODE" | "NODES" | "CONTACT_POINT" | "CONTACT_POINTS" | "CONTACTPOINTS" | "BROKER"
        | "BROKERS" | "BROKER_LIST" | "BOOTSTRAP_SERVER" | "BOOTSTRAP_SERVERS" | "BOOTSTRAP_BROKERS" | "SENTINEL"
        | "SENTINELS" | "SEEDS" | "SENTINEL_HOST" | "SENTINEL_HOSTS" | "SENTINEL_NODES" | "CLUSTER_NODES"
        | "SERVICE_HOST" | "TCP_ADDR" => Role::Host,
        "PORT" | "PORT_NUMBER" | "TCP_PORT" | "SERVICE_PORT" | "SERVER_PORT" => Role::Port,
        "SOCKET" | "UNIX_SOCKET" | "UNIXSOCKET" | "SOCKET_PATH" | "SOCKETPATH" | "UNIX_SOCKET_PATH" | "SOCK"
        | "SOCKET_DIR" => Role::Socket,
        "NAME" | "DATABASE" | "DATABASE_NAME" | "DB" | "DB_NAME" | "DBNAME" | "SCHEMA" | "INITDB_DATABASE"
        | "KEYSPACE" | "SID" | "SERVICE_NAME" | "DEFAULT_DATABASE" | "INITIAL_CATALOG" | "CATALOG" => Role::Database,
        "PATH" | "FILE" | "FILENAME" | "FILE_NAME" | "FILEPATH" | "FILE_PATH" | "STORAGE" => Role::File,
        "USER" | "USERNAME" | "USER_NAME" | "UID" | "LOGIN" => Role::User,
        "PASSWORD" | "PASS" | "PASSWD" | "PWD" => Role::Password,
        "CONNECTION" | "DRIVER" | "DRIVER_CLASS_NAME" | "DRIVER_CLASS" | "ENGINE" | "ADAPTER" | "TYPE" | "DIALECT"
        | "CLIENT" | "PROVIDER" | "SCHEME" | "KIND" | "DB_KIND" | "DBMS" | "VENDOR" | "BACKEND" => Role::Engine,
        "TABLE" | "TABLE_NAME" => Role::Table,
        "SSLMODE" | "SSL_MODE" => Role::Parameter("sslmode"),
        "SSLROOTCERT" | "SSL_ROOT_CERT" | "SSL_ROOTCERT" => Role::Parameter("sslrootcert"),
        other => {
            let folded: String = other.chars().filter(char::is_ascii_alphanumeric).collect();
            return super::parameters::certificate_key(&folded.to_ascii_lowercase()).map(Role::Parameter);
        }
    })
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
            ("CLOUD_SQL_CONNECTION_NAME", Some(Role::Instance), "", false),
            ("SSH_TUNNEL_REMOTE_HOST", Some(Role::TunnelEnd), "", false),
            ("SSH_TUNNEL_HOST", Some(Role::Host), "SSH_TUNNEL", false),
            ("SMTP_HOST", Some(Role::Host), "SMTP", false),
            ("MAIL_HOST", Some(Role::Host), "MAIL", false),
            ("APP_URL", Some(Role::Url), "APP", false),
            ("S3_BUCKET", None, "S3_BUCKET", false),
            ("SENTRY_DSN", Some(Role::Url), "SENTRY", false),
            ("DB_CONNECTION_TIMEOUT", None, "DB_CONNECTION_TIMEOUT", true),
            ("HOST", Some(Role::Host), "", false),
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
