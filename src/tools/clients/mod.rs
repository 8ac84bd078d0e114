//! The programs that talk to a database by themselves, and what their arguments mean: one row each.
//!
//! Sources: the manuals of the programs. What a row leaves out must not hide a host: an option that is not listed takes
//! no value, so that what follows it is looked at.

mod mysql;
mod others;
mod postgres;
pub(crate) mod row;

pub(crate) use crate::tools::clients::row::{Client, Means, option_in};

use crate::tools::words::{called, without_version};

const TABLES: [&[Client]; 3] = [postgres::CLIENTS, mysql::CLIENTS, others::CLIENTS];

/// Lists every client.
pub(crate) fn all() -> impl Iterator<Item = &'static Client> {
    TABLES.into_iter().flatten()
}

/// Finds the client of that name, a version behind it looked past.
pub(crate) fn named(name: &str) -> Option<&'static Client> {
    let of_name = |name| all().find(|client| client.names.contains(&name));
    let plain = without_version(name);
    of_name(name).or_else(|| if plain == name { None } else { of_name(plain) })
}

/// Finds the client that the words call, with the arguments that follow; runners such as `npx` are looked through.
pub(crate) fn client_of(words: &[String]) -> Option<(&'static Client, &[String])> {
    called(words, named)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::tools::clients::row::entries;

    #[test]
    fn each_client_stands_in_one_row() {
        let mut seen = HashSet::new();
        for name in all().flat_map(|client| client.names) {
            assert!(seen.insert(name), "{name}");
        }
    }

    #[test]
    fn each_option_of_a_client_is_spelled_as_one() {
        for client in all() {
            for (spelling, _) in entries(client.options) {
                let is_option = spelling.len() > 1 && spelling.starts_with('-');
                let is_short = !spelling.starts_with("--") && spelling.len() > 2;
                assert!(is_option && (client.one_dash || !is_short), "{:?} {spelling}", client.names);
            }
        }
    }

    #[test]
    fn a_version_behind_the_name_and_the_beginning_of_an_option_will_do() {
        for (name, expected) in [
            ("psql-16", "psql"),
            ("mysql@8", "mysql"),
            ("mongo", "mongosh"),
            ("sqlite3", "sqlite3"),
            ("sqlite", "sqlite3"),
        ] {
            assert_eq!(named(name).map(|client| client.names[0]), Some(expected), "{name}");
        }
        for none in ["psqlx", "mysqld", "pg_isready"] {
            assert!(named(none).is_none(), "{none}");
        }
        let mysql = named("mysql").unwrap();
        assert_eq!(mysql.means("--hos"), Some(Means::Host));
        assert_eq!(mysql.means("--defaults-f"), Some(Means::OptionFile));
        assert_eq!(mysql.means("--ho"), None);
    }
}
