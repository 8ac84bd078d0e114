//! Which part of a connection the words of a name say: `HOST`, `CONTACT_POINTS`, `DRIVER_CLASS_NAME`.

use crate::reach::grammars::parameters;
use std::ops::Range;

use crate::reach::names::vocabulary::{qualifies, word};
use crate::reach::names::words::words_of;

/// The part of a connection that a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
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

/// Finds the part that the words name, mostly the last ones, and which words those are.
pub(crate) fn role_at_end(words: &[String], name: &str) -> Option<(Role, Range<usize>)> {
    let texts: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some(found) = special(&texts) {
        return Some(found);
    }
    if let Some(found) = reversed(&texts) {
        return Some(found);
    }
    let last = &texts[texts.len().saturating_sub(4)..];
    let joined = last.join("_");
    let mut own = joined.as_str();
    (1..=last.len()).rev().find_map(|length| {
        if length < last.len() {
            own = &own[last[last.len() - length - 1].len() + 1..];
        }
        // `DB_NAME` is the name in the group `DB`; as one key of a nested group, `dbName` is all of it.
        if matches!(own, "DB_NAME" | "DATABASE_NAME" | "DB_KIND") && !is_one_key(name) {
            return None;
        }
        role_of(own).map(|role| (role, texts.len() - length..texts.len()))
    })
}

/// Reads `HOST_DB`, `URL_MONGO`: the part first, then what it is a part of.
fn reversed(words: &[&str]) -> Option<(Role, Range<usize>)> {
    const FIRST: [&str; 8] = ["HOST", "HOSTNAME", "ENDPOINT", "IP", "PORT", "NAME", "URL", "URI"];
    let [first, .., last] = words else { return None };
    let one_thing = word(last).is_some() && words[1..].iter().all(|text| word(text).is_some() || qualifies(text));
    let role = role_of(first).filter(|_| FIRST.contains(first) && one_thing)?;
    Some((role, 0..1))
}

/// Tells whether the last key of a dotted name holds two words or more.
fn is_one_key(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, key)| words_of(key).len() > 1)
}

fn special(words: &[&str]) -> Option<(Role, Range<usize>)> {
    let has = |text: &str| words.contains(&text);
    let cloud_sql = has("CLOUDSQL") || words.windows(2).any(|pair| pair == ["CLOUD", "SQL"]);
    if words.ends_with(&["INSTANCE", "CONNECTION", "NAME"])
        || (cloud_sql && (has("INSTANCE") || has("INSTANCES") || words.ends_with(&["CONNECTION", "NAME"])))
    {
        return Some((Role::Instance, 0..words.len()));
    }
    let last = words.last()?;
    if has("TUNNEL") && matches!(*last, "HOST" | "HOSTNAME") {
        // `SSH_TUNNEL_HOST` is the machine that is tunnelled through, `…_REMOTE_HOST` what lies behind it.
        let far = ["REMOTE", "TARGET", "DEST", "DESTINATION", "DB", "DATABASE"].iter().any(|text| has(text));
        return (far || !has("SSH") && !has("BASTION") && !has("JUMP")).then_some((Role::TunnelEnd, 0..words.len()));
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
            return parameters::credential_key(&folded.to_ascii_lowercase()).map(Role::Parameter);
        }
    })
}
