//! Connection strings of ADO.NET and ODBC: `Server=db.test,1433;Database=Shop`.

use crate::reach::grammars::host;
use crate::reach::grammars::host::{locate, place};
use crate::reach::grammars::query;
use crate::reach::grammars::scheme::engine_of_driver;
use crate::reach::grammars::sql_server::is_this_machine;
use crate::reach::grammars::sqlite::looks_like_file;
use crate::reach::grammars::text;
use crate::reach::grammars::text::key_value;
use crate::reach::{Doubt, Draft, Engine, Place};

/// Takes `key=value;…` apart; keys in lower case, values without their quotes or braces.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = part_end(rest);
        if let Some((key, value)) = key_value(&rest[..end]) {
            let key = key.split_whitespace().collect::<Vec<_>>().join(" ");
            pairs.push((key, unquoted(value)));
        }
        rest = rest.get(end + 1..).unwrap_or("");
    }
    pairs
}

/// Finds the end of the first part: a semicolon outside of a quoted value.
fn part_end(text: &str) -> usize {
    let value = text.find(['=', ';']).map_or(text.len(), |at| at + 1);
    if text.get(value - 1..value) == Some(";") {
        return value - 1;
    }
    let Some(after) = text.get(value..) else { return text.len() };
    let blank = after.len() - after.trim_start().len();
    let close = match after[blank..].chars().next() {
        Some(quote @ ('"' | '\'')) => Some(quote),
        Some('{') => Some('}'),
        _ => None,
    };
    let start = match close.and_then(|close| after[blank + 1..].find(close)) {
        Some(closing) => value + blank + 1 + closing + 1,
        None => value,
    };
    text[start..].find(';').map_or(text.len(), |at| start + at)
}

fn unquoted(value: &str) -> String {
    for (open, close) in [('"', '"'), ('\'', '\''), ('{', '}')] {
        if let Some(inner) = value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
            return inner.to_owned();
        }
    }
    value.to_owned()
}

/// Parts of keys that may say where something is, or what it is called.
const OF_A_PLACE: [&str; 19] = [
    "account", "addr", "catalog", "cluster", "contact", "database", "db", "dsn", "endpoint", "file", "host",
    "instance", "network", "node", "server", "socket", "source", "uri", "url",
];

/// Tells whether a text is `key=value;…` of something that is no database: none of its keys could say where one is.
pub(crate) fn names_no_place(text: &str) -> bool {
    let parts: Vec<&str> = text.split(';').filter(|part| !part.trim().is_empty()).collect();
    let pairs = pairs(text);
    let is_key = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.'));
    !pairs.is_empty()
        && pairs.len() == parts.len()
        && !text.contains("://")
        && pairs.iter().all(|(key, _)| is_key(key) && !OF_A_PLACE.iter().any(|part| key.contains(part)))
}

/// Finds the URL of `server=https://es.test:9200;replicas=0`.
pub(crate) fn url_of_server(text: &str) -> Option<String> {
    let is_url = |value: &str| value.starts_with("http://") || value.starts_with("https://");
    let server = |key: &str| matches!(key, "server" | "endpoint" | "url" | "uri");
    pairs(text).into_iter().find(|(key, value)| server(key) && is_url(value)).map(|(_, value)| value)
}

/// Reads a connection string. `hint` is the engine that the place promises; with one, or with `Server=` and some
/// second key of this grammar, the text is taken for a connection string.
pub(crate) fn parse(text: &str, hint: Option<Engine>) -> Option<Draft> {
    if !text.contains('=') {
        return None;
    }
    let pairs = pairs(text);
    let (_, server) = pairs.iter().find(|(key, _)| SERVER.contains(&key.as_str()))?;
    let known = pairs.iter().filter(|(key, _)| is_known(key)).count();
    if known < 2 && hint.is_none() {
        return None;
    }
    let engine = engine(&pairs, server, hint);
    let mut draft = Draft::new(engine);
    for (key, value) in &pairs {
        match key.as_str() {
            key if SERVER.contains(&key) => add_servers(&mut draft, value),
            "failover partner" | "failover_partner" | "failoverpartner" => add_servers(&mut draft, value),
            "database" | "initial catalog" | "databasename" | "dbname" | "attachdbfilename" | "dbq" => {
                draft.set_database(value)
            }
            "user" | "user id" | "uid" | "username" | "user name" | "userid" => draft.set_user(value),
            "password" | "pwd" => draft.set_password(value),
            "port" => {
                let mut doubts = Vec::new();
                let port = host::number(value, &mut doubts);
                doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
                if let Some(port) = port {
                    query::set_ports(&mut draft.places, &[port]);
                    draft.parameters.push(("port".to_owned(), port.to_string()));
                }
            }
            other => draft.add_parameter(other, value),
        }
    }
    // `Port=` may stand before the server it belongs to.
    if let Some(at) = draft.parameters.iter().position(|(key, _)| key == "port") {
        let port = draft.parameters.remove(at).1.parse().ok();
        draft.fill_port(port);
    }
    Some(draft)
}

/// Reads the path of `Data Source=app.db`, SQLite's own form; `None` where the source is a server.
pub(crate) fn sqlite_file(text: &str) -> Option<String> {
    let pairs = pairs(text);
    let (_, source) =
        pairs.iter().find(|(key, _)| matches!(key.as_str(), "data source" | "datasource" | "filename"))?;
    (looks_like_file(source) || pairs.iter().any(|(key, value)| key == "mode" && value.eq_ignore_ascii_case("memory")))
        .then(|| source.clone())
}

fn add_servers(draft: &mut Draft, value: &str) {
    let value = value.trim();
    let bare =
        ["tcp:", "np:", "lpc:", "admin:"].iter().find_map(|prefix| text::strip_prefix_ignore_case(value, prefix));
    let bare = bare.unwrap_or(value).trim_start_matches("\\\\");
    if is_this_machine(bare) {
        let port = bare.split_once(',').and_then(|(_, port)| port.trim().parse().ok());
        draft.add_place(Place::Host { name: "localhost".to_owned(), port });
        return;
    }
    if bare.starts_with('/') {
        let mut doubts = Vec::new();
        if let Some(place) = place(bare, None, &mut doubts) {
            draft.add_place(place);
        }
        doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
        return;
    }
    // A comma is followed by a port (SQL Server) or by another host (Npgsql, MySQL); a backslash by an instance.
    let mut last: Option<usize> = None;
    for item in bare.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        if let (Some(index), Ok(number)) = (last, item.parse::<u16>()) {
            query::set_ports(&mut draft.places[index..=index], &[number]);
            continue;
        }
        let item = item.split_once("://").map_or(item, |(_, rest)| rest.trim_end_matches('/'));
        let host = item.split('\\').next().unwrap_or(item);
        let (host, service) = host.split_once('/').unwrap_or((host, ""));
        let located = locate(host);
        located.doubts.into_iter().for_each(|doubt| draft.doubt(doubt));
        if let Some(place) = located.place {
            draft.add_place(place);
            last = Some(draft.places.len() - 1);
        } else {
            draft.doubt(Doubt::Syntax);
        }
        if draft.engine == Engine::Oracle {
            draft.set_database(service);
        }
    }
}

fn engine(pairs: &[(String, String)], server: &str, hint: Option<Engine>) -> Engine {
    if pairs.iter().any(|(key, _)| key == "accountendpoint") {
        return Engine::Unknown;
    }
    let get = |wanted: &str| pairs.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
    let named = get("driver").or_else(|| get("provider")).and_then(|name| {
        let spaced = name.replace("SQL Server", "sqlserver").replace("ODBC Driver", "");
        engine_of_driver(&spaced)
    });
    if let Some(engine) = named.or(hint.filter(|engine| *engine != Engine::Unknown)) {
        return engine;
    }
    let has = |keys: &[&str]| pairs.iter().any(|(key, _)| keys.contains(&key.as_str()));
    let port = get("port").unwrap_or_else(|| server.rsplit([',', ':']).next().unwrap_or(""));
    let by_port = port.trim().parse().ok().and_then(Engine::of_port);
    if has(&[
        "initial catalog",
        "integrated security",
        "trusted_connection",
        "trustservercertificate",
        "multipleactiveresultsets",
        "attachdbfilename",
        "failover partner",
    ]) {
        return by_port.filter(|engine| *engine != Engine::Oracle).unwrap_or(Engine::SqlServer);
    }
    if let Some(engine) = by_port {
        return engine;
    }
    if has(&["sslmode", "ssl mode", "allowuservariables", "allowpublickeyretrieval", "charset", "treattinyasboolean"])
        && has(&["server"])
    {
        return Engine::Mysql;
    }
    if has(&["host"]) {
        return Engine::Postgres;
    }
    if server.contains('/') { Engine::Oracle } else { Engine::SqlServer }
}

fn is_known(key: &str) -> bool {
    SERVER.contains(&key) || KEYS.contains(&key)
}

const SERVER: &[&str] = &[
    "server",
    "data source",
    "datasource",
    "host",
    "address",
    "addr",
    "network address",
    "servername",
    "accountendpoint",
];

const KEYS: &[&str] = &[
    "accountkey",
    "database",
    "databasename",
    "initial catalog",
    "user",
    "user id",
    "uid",
    "username",
    "user name",
    "userid",
    "password",
    "pwd",
    "port",
    "integrated security",
    "trusted_connection",
    "trustservercertificate",
    "encrypt",
    "multipleactiveresultsets",
    "failover partner",
    "application name",
    "connection timeout",
    "connect timeout",
    "persist security info",
    "pooling",
    "ssl mode",
    "sslmode",
    "attachdbfilename",
    "driver",
    "provider",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_say_no_place_are_those_of_something_else() {
        let table = [
            ("provider=folder;path=storage", true),
            ("FacebookId=395;GitHubId=7e;", true),
            ("Server=db.test;Uid=app", false),
            ("Endpoint=sb://x;Key=y", false),
            ("Data Source=app.db", false),
            ("db.test", false),
            ("a=1;b", false),
        ];
        for (text, expected) in table {
            assert_eq!(names_no_place(text), expected, "{text}");
        }
        assert_eq!(url_of_server("server=https://es.test:9200;replicas=0").as_deref(), Some("https://es.test:9200"));
        assert_eq!(url_of_server("server=db.test;database=x"), None);
    }
    use crate::reach::testing::line;

    #[test]
    fn connection_strings_are_read() {
        let cases = [
            ("Server=.;Database=Shop;Integrated Security=true", "sqlserver localhost Shop {integrated security=true}"),
            (
                "Data Source=127.0.0.1,1433;Initial Catalog=Shop_Dev;User Id=sa;Password=x",
                "sqlserver 127.0.0.1:1433 Shop_Dev u=sa",
            ),
            ("Host=/var/run/postgresql;Database=app_test", "postgres unix:/var/run/postgresql app_test"),
            (
                "Server=localhost;Failover Partner=sql02.example.net;Database=Shop",
                "sqlserver localhost,sql02.example.net Shop",
            ),
            (
                "Server=tcp:shop.database.windows.net,1433;Initial Catalog=shop;User ID=a;Password=\"a;b\";Encrypt=True",
                "sqlserver shop.database.windows.net:1433 shop u=a {encrypt=True}",
            ),
            (
                "Server=(localdb)\\mssqllocaldb;Database=Shop;Trusted_Connection=True",
                "sqlserver localhost Shop {trusted_connection=True}",
            ),
            ("Server=.\\SQLEXPRESS;Database=Shop", "sqlserver localhost Shop"),
            ("server=SQL01\\INST;uid=sa;pwd=x;database=a", "sqlserver sql01 a u=sa"),
            (
                "Host=db;Port=5433;Database=app;Username=u;SSL Certificate=/c.pem",
                "postgres db:5433 app u=u {sslcert=/c.pem}",
            ),
            ("Host=h1:5432,h2:5433;Database=app", "postgres h1:5432,h2:5433 app"),
            ("Port=3306;Server=db;Database=app;Uid=u;Pwd=x", "mysql db:3306 app u=u"),
            ("Driver={ODBC Driver 17 for SQL Server};Server=db.example.net;Database=x", "sqlserver db.example.net x"),
            (
                "User Id=scott;Password=t;Data Source=ora.example.net:1521/XEPDB1",
                "oracle ora.example.net:1521 XEPDB1 u=scott",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text, None).map(|draft| line(&draft)).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_pairs_are_left_alone() {
        for text in ["a=b;c=d", "Server=x", "DefaultEndpointsProtocol=https;AccountName=x", "", ";;=;", "Server"] {
            assert_eq!(parse(text, None), None, "{text}");
        }
    }

    #[test]
    fn sqlite_sources_are_told_from_servers() {
        assert_eq!(sqlite_file("Data Source=app.db;Cache=Shared").as_deref(), Some("app.db"));
        assert_eq!(sqlite_file("Data Source=:memory:").as_deref(), Some(":memory:"));
        assert_eq!(sqlite_file("Data Source=db.example.net;Initial Catalog=x"), None);
    }
}
