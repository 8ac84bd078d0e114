//! What a program says of databases, as settings.

use std::path::Path;

use crate::environment::ecosystems::python::program::interpreter::Run;
use crate::environment::ecosystems::python::program::scope::{ADDRESS, picked};
use crate::environment::readers::code::{Computed, Entry};
use crate::environment::{Origin, Setting, Unresolved};

/// Gives the path of a module as it is shown to people.
pub(crate) type Shown<'s> = &'s dyn Fn(&Path) -> std::path::PathBuf;

/// The keys of one entry of Django's `DATABASES` that say which database it is.
const KEYS: &[&str] = &["HOST", "NAME", "PORT", "USER", "PASSWORD", "ENGINE", ADDRESS];

/// Lists what Django's `DATABASES` says, and the addresses that other names hold.
pub(crate) fn of_django(run: &Run<'_>, names: &[Entry], shown: Shown<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    for entry in names.iter().map(|entry| picked(entry, run.round)) {
        if entry.key != "DATABASES" {
            addresses(run, &entry, "", &|_| false, shown, &mut settings);
            continue;
        }
        match &entry.value {
            Computed::Map(aliases) => {
                for alias in aliases {
                    database(run, alias, shown, &mut settings);
                }
            }
            Computed::Unset => {}
            _ => settings.push(unresolved(run, "DATABASES.default", &entry, Unresolved::Code, shown)),
        }
    }
    settings
}

fn database(run: &Run<'_>, alias: &Entry, shown: Shown<'_>, settings: &mut Vec<Setting>) {
    let name = format!("DATABASES.{}", alias.key);
    let Computed::Map(entries) = &alias.value else {
        settings.extend(setting(run, &name, alias, Unresolved::Code, shown));
        return;
    };
    for entry in entries {
        let own = if entry.key == ADDRESS { name.clone() } else { format!("{name}.{}", entry.key) };
        let why = match entry.key.as_str() {
            "USER" | "PASSWORD" => Unresolved::Template,
            key if KEYS.contains(&key) || key == "**" => Unresolved::Code,
            _ => continue,
        };
        settings.extend(setting(run, &own, entry, why, shown));
    }
}

/// Lists what any program says: addresses, and names that speak of a database, of every module; what it puts into the
/// environment stays below what is there.
pub(crate) fn of_any(run: &Run<'_>, shown: Shown<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    for entry in run.names_of_all().iter().map(|entry| picked(entry, run.round)) {
        addresses(run, &entry, "", &is_of_a_database, shown, &mut settings);
    }
    for entry in &run.found.borrow().connections {
        addresses(run, &picked(entry, run.round), "", &is_of_a_database, shown, &mut settings);
    }
    settings
}

/// Lists what the program puts into the environment, over what is there or below it.
pub(crate) fn of_environment(run: &Run<'_>, overrides: bool, shown: Shown<'_>) -> Vec<Setting> {
    let found = run.found.borrow();
    let own = found.environment.iter().filter(|(_, beats)| *beats == overrides);
    own.filter_map(|(entry, _)| {
        let entry = picked(entry, run.round);
        let Computed::Text(value) = &entry.value else { return None };
        Some(Setting::known(entry.key.clone(), value.clone(), origin(run, &entry, shown)))
    })
    .collect()
}

/// Classes and names that hold the settings of another place.
const ELSEWHERE: &[&str] = &["production", "prod", "staging", "live"];

/// Lists the addresses below an entry, and what counts by its name.
fn addresses(
    run: &Run<'_>,
    entry: &Entry,
    prefix: &str,
    counts: &dyn Fn(&str) -> bool,
    shown: Shown<'_>,
    settings: &mut Vec<Setting>,
) {
    let name = if prefix.is_empty() { entry.key.clone() } else { format!("{prefix}.{}", entry.key) };
    match &entry.value {
        Computed::Text(value) if entry.place.line > 0 && (is_address(value) || counts(&name)) => {
            let name = if prefix.is_empty() { format!("code.{name}") } else { name };
            settings.push(Setting::known(name, value.clone(), origin(run, entry, shown)));
        }
        Computed::Map(entries) => {
            let lower = entry.key.to_ascii_lowercase();
            if !ELSEWHERE.iter().any(|word| lower.contains(word)) && name.len() < 256 {
                entries.iter().for_each(|entry| addresses(run, entry, &name, counts, shown, settings));
            }
        }
        _ => {}
    }
}

/// Tells an address by its scheme; web addresses are left to the variables that name them.
fn is_address(text: &str) -> bool {
    text.split_once("://")
        .is_some_and(|(scheme, rest)| !scheme.is_empty() && !scheme.starts_with("http") && !rest.is_empty())
}

/// Words in names of what says where a database is.
const WORDS: &[&str] = &[
    "db",
    "database",
    "postgres",
    "postgresql",
    "pg",
    "mysql",
    "mariadb",
    "mongo",
    "mongodb",
    "redis",
    "connect",
    "sql",
];

/// Last words of names that say a part of where a database is.
const PARTS: &[&str] = &[
    "host", "hostname", "server", "port", "user", "username", "password", "name", "database", "db", "dbname", "url",
    "uri", "dsn",
];

/// Tells whether a variable of that name and value has to do with a database.
pub(crate) fn says_database(name: &str, value: &str) -> bool {
    is_address(value) || is_of_a_database(name)
}

fn is_of_a_database(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let last = lower.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    if !PARTS.contains(&last) {
        return false;
    }
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| WORDS.contains(&word) || WORDS.iter().any(|own| own.len() > 4 && word.starts_with(own)))
}

fn setting(run: &Run<'_>, name: &str, entry: &Entry, why: Unresolved, shown: Shown<'_>) -> Option<Setting> {
    match &entry.value {
        Computed::Text(value) => Some(Setting::known(name, value.clone(), origin(run, entry, shown))),
        Computed::Unset => None,
        _ => Some(unresolved(run, name, entry, why, shown)),
    }
}

fn unresolved(run: &Run<'_>, name: &str, entry: &Entry, why: Unresolved, shown: Shown<'_>) -> Setting {
    let origin = origin(run, entry, shown);
    Setting { name: name.to_owned(), value: entry.expression.clone(), origin, unresolved: Some(why) }
}

fn origin(run: &Run<'_>, entry: &Entry, shown: Shown<'_>) -> Origin {
    let key = if entry.key.is_empty() { "default" } else { entry.key.as_str() };
    Origin::file(key, shown(&run.program.path(entry.place.file)), entry.place.line.max(1))
}
