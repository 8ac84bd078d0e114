//! The programs that talk to a database by themselves, and what their arguments mean: one row each.
//!
//! Sources: the manuals of the programs. What a row leaves out must not hide a host: an option that is not listed takes
//! no value, so that what follows it is looked at.

mod mysql;
mod others;
mod postgres;

use crate::tools::words::{called, without_version};

/// A program that talks to a database by itself, with defaults of its own.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) names: &'static [&'static str],
    /// The engine by its name in JSON.
    pub(crate) engine: &'static str,
    /// Its own options first, then those that it shares with others.
    pub(crate) options: &'static [Options],
    /// What the arguments that are no options mean, in their order.
    pub(crate) positionals: &'static [Means],
    /// Long options may begin with one dash, so that letters do not stand together.
    pub(crate) one_dash: bool,
    /// What follows the words `drop` and `create` is a database: `mysqladmin drop shop`.
    pub(crate) takes_commands: bool,
    /// Where nothing names a place, a file that is not read here does.
    pub(crate) has_hidden_default: bool,
}

/// Options with what they mean: spellings separated by blanks.
pub(crate) type Options = &'static [(&'static str, Means)];

/// What an argument means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    Host,
    /// Each further argument of the form `host:port` is a host.
    Hosts,
    Port,
    User,
    Password,
    /// A password where it is joined to the option; alone the option takes no value, and the program asks.
    JoinedPassword,
    /// `user:password`.
    Login,
    /// `user/password@place`.
    SlashLogin,
    Socket,
    /// A database's name, or a whole URL or DSN.
    Database,
    /// Each further argument is a database's name.
    Databases,
    /// A URL, or what stands behind the scheme of one.
    Url,
    /// A database file.
    File,
    /// A file of options.
    OptionFile,
    /// `tcp:host,port`.
    Server,
    /// A name that a file elsewhere gives a place to: a data source, a login path, a bundle of certificates.
    Elsewhere,
    /// Something else, in the next word.
    Value,
    /// Something else, in the next two words.
    TwoValues,
    /// Nothing that has a value.
    Flag,
}

impl Means {
    /// How many of the next words belong to an option that means this.
    pub(crate) fn words(self) -> usize {
        match self {
            Means::JoinedPassword | Means::Hosts | Means::Databases | Means::Flag => 0,
            Means::TwoValues => 2,
            _ => 1,
        }
    }
}

/// A client of `engine`; what is special about it is set behind.
const fn client(
    names: &'static [&'static str],
    engine: &'static str,
    options: &'static [Options],
    positionals: &'static [Means],
) -> Client {
    let (one_dash, takes_commands, has_hidden_default) = (false, false, false);
    Client { names, engine, options, positionals, one_dash, takes_commands, has_hidden_default }
}

const TABLES: [&[Client]; 3] = [postgres::CLIENTS, mysql::CLIENTS, others::CLIENTS];

/// Lists every client.
pub(crate) fn all() -> impl Iterator<Item = &'static Client> {
    TABLES.into_iter().flatten()
}

/// Finds the client of that name, a version behind it looked past.
pub(crate) fn named(name: &str) -> Option<&'static Client> {
    let plain = without_version(name);
    let exact = all().find(|client| client.names.contains(&name));
    exact.or_else(|| all().find(|client| client.names.contains(&plain)))
}

/// The client that the words call, with the arguments that follow; runners such as `npx` are looked through.
pub(crate) fn client_of(words: &[String]) -> Option<(&'static Client, &[String])> {
    called(words, named)
}

impl Client {
    /// What an option means; the beginning of a long one will do, as most of the programs themselves have it.
    pub(crate) fn means(&self, spelling: &str) -> Option<Means> {
        option_in(self.options, spelling).or_else(|| {
            let is_shortened = spelling.starts_with("--") && spelling.len() > 4;
            let begun = || entries(self.options).filter(|(own, _)| is_shortened && own.starts_with(spelling));
            // What names a place goes before what names nothing.
            let names = |means: &Means| !matches!(means, Means::Value | Means::TwoValues | Means::Flag);
            begun().map(|(_, means)| means).find(names).or_else(|| begun().map(|(_, means)| means).next())
        })
    }

    /// Whether its first argument is a database file.
    pub(crate) fn opens_a_file(&self) -> bool {
        self.positionals.first() == Some(&Means::File)
    }
}

/// What the option of exactly that spelling means.
pub(crate) fn option_in(options: &[Options], spelling: &str) -> Option<Means> {
    entries(options).find(|(own, _)| *own == spelling).map(|(_, means)| means)
}

fn entries(options: &[Options]) -> impl Iterator<Item = (&'static str, Means)> {
    options
        .iter()
        .copied()
        .flatten()
        .flat_map(|(spellings, means)| spellings.split_ascii_whitespace().map(|spelling| (spelling, *means)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

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
        assert!(named("psqlx").is_none() && named("mysqld").is_none());
        let mysql = named("mysql").unwrap();
        assert_eq!(mysql.means("--hos"), Some(Means::Host));
        assert_eq!(mysql.means("--defaults-f"), Some(Means::OptionFile));
        assert_eq!(mysql.means("--ho"), None);
    }
}
