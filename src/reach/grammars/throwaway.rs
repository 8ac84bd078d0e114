//! Addresses that a server tells which a test starts for itself: `${embedded.postgresql.host}`, as the libraries that start
//! it set such properties once it is up.
//!
//! Sources: the manuals of testcontainers-spring-boot and of Testcontainers.

use crate::reach::grammars::scheme::engine_of_scheme;
use crate::reach::{Draft, Engine, Place};

/// The libraries, as their properties begin.
const LIBRARIES: [&str; 2] = ["embedded", "testcontainers"];

/// Reads a value whose host is a property of such a server; `None` where there is none, a default beside it, or another host.
pub(crate) fn parse(text: &str) -> Option<Draft> {
    let (before, rest) = text.split_once("${")?;
    let (property, behind) = rest.split_once('}')?;
    let mut words = property.split('.');
    let (library, what) = (words.next()?, words.next()?);
    let engine = engine_of_scheme(what);
    // `${embedded.db.host}` may be a project's own.
    let is_of_server = LIBRARIES.contains(&library) && (engine.is_some() || library == "testcontainers");
    let is_scheme = |before: &str| before.strip_suffix("://").is_some_and(|scheme| !scheme.contains(['/', '@']));
    let authority = behind.split(['/', '?']).next().unwrap_or_default();
    if !is_of_server || property.contains(':') || !(before.is_empty() || is_scheme(before)) || !is_port(authority) {
        return None;
    }
    let mut draft = Draft::at(engine.unwrap_or(Engine::Unknown), Place::Memory);
    draft.parameters.push(("testcontainers".to_owned(), "true".to_owned()));
    Some(draft)
}

/// Tells whether what stands behind a host is its port, or nothing.
fn is_port(text: &str) -> bool {
    let Some(port) = text.strip_prefix(':') else { return text.is_empty() };
    let property = port.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let is_of_server = |property: &str| {
        LIBRARIES.iter().any(|library| property.strip_prefix(library).is_some_and(|rest| rest.starts_with('.')))
            && !property.contains([':', '}'])
    };
    port.bytes().all(|byte| byte.is_ascii_digit()) || property.is_some_and(is_of_server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_of_servers_that_tests_start_are_told_from_others() {
        let table = [
            ("${testcontainers.postgresql.jdbc-url}", Some(Engine::Postgres)),
            ("jdbc:postgresql://${embedded.postgresql.host}:${embedded.postgresql.port}/test", Some(Engine::Postgres)),
            ("${embedded.mysql.host}", Some(Engine::Mysql)),
            ("mongodb://${embedded.mongodb.host}:${embedded.mongodb.port}/db", Some(Engine::Mongodb)),
            ("${testcontainers.db.url}", Some(Engine::Unknown)),
            ("${embedded.db.host}", None),
            ("${embedded.postgresql.host:db.example.net}", None),
            ("jdbc:postgresql://db.example.net/${embedded.postgresql.schema}", None),
            ("jdbc:postgresql://app@${embedded.postgresql.host}/x", None),
            ("jdbc:mysql://${embedded.mysql.host},db.example.net/x", None),
            ("mongodb://${embedded.mongodb.host}:${PORT},db.example.net/x", None),
            ("mysql://${embedded.mysql.host}.example.net/x", None),
            ("${DB_HOST}", None),
            ("${testcontainers}", None),
            ("localhost", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text).map(|draft| draft.engine), expected, "{text}");
        }
    }
}
