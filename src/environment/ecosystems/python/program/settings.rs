//! What a program says of databases, as settings.

use std::path::Path;

use crate::environment::ecosystems::python::program::modules::Program;
use crate::environment::ecosystems::python::program::run::Outcome;
use crate::environment::ecosystems::python::program::scope::{
    ADDRESS, MOST_ALTERNATIVES, either, most_alternatives, picked,
};
use crate::environment::ecosystems::python::program::variables::GONE;
use crate::environment::readers::code;
use crate::environment::readers::code::words::{is_address, is_of_a_database};
use crate::environment::readers::code::{Computed, Entry};
use crate::environment::{Origin, Setting, Unresolved};

/// Gives the path of a module as it is shown to people.
pub(crate) type Shown<'s> = &'s dyn Fn(&Path) -> std::path::PathBuf;

/// One round of a program: what a way through it came to, and which alternatives are picked from that.
#[derive(Clone, Copy)]
pub(crate) struct Round<'r> {
    pub(crate) program: &'r Program,
    pub(crate) outcome: &'r Outcome,
    pub(crate) number: usize,
    pub(crate) shown: Shown<'r>,
}

/// The keys of one entry of Django's `DATABASES` that say which database it is.
const KEYS: &[&str] = &["HOST", "NAME", "PORT", "USER", "PASSWORD", "ENGINE", ADDRESS];

/// Lists what Django's `DATABASES` says, and the addresses that other names hold; with `tests` also the databases that it
/// names for them.
pub(crate) fn of_django(run: Round<'_>, tests: bool) -> Vec<Setting> {
    let mut settings = Vec::new();
    let of_class = of_settings_class(run.outcome);
    for entry in of_class.iter().chain(&run.outcome.names).map(|entry| picked(entry, run.number)) {
        if entry.key != DATABASES {
            addresses(run, &entry, "", &|_| false, &mut settings);
            continue;
        }
        match &entry.value {
            Computed::Map(aliases) => {
                for alias in aliases {
                    database(run, alias, &mut settings);
                    if tests {
                        test_database(run, alias, &mut settings);
                    }
                }
            }
            Computed::Unset => {}
            _ => settings.push(unresolved(run, "DATABASES.default", &entry, Unresolved::Code)),
        }
    }
    settings
}

const DATABASES: &str = "DATABASES";

/// Gives the `DATABASES` of the class that holds the settings, an attribute or a property, where the module itself has
/// none: of the class that is chosen, or of each that may be, side by side.
///
/// Source: django-configurations' manual (`DJANGO_CONFIGURATION`); Read the Docs' settings.
fn of_settings_class(outcome: &Outcome) -> Option<Entry> {
    if outcome.names.iter().any(|entry| entry.key == DATABASES) {
        return None;
    }
    let of_class = |class: &Entry| {
        let Computed::Map(inside) = &class.value else { return None };
        let own = inside.iter().rev().find(|one| matches!(one.key.as_str(), "DATABASES" | "DATABASES()"))?;
        Some((class.key.clone(), Entry { key: DATABASES.to_owned(), ..own.clone() }))
    };
    let mut classes: Vec<(String, Entry)> = outcome.names.iter().filter_map(of_class).collect();
    let is_there = |name: &String| classes.iter().any(|(known, _)| known == name);
    let chosen = &outcome.found.settings_classes;
    if outcome.found.is_class_unknown || classes.is_empty() {
        // Any of them may be.
    } else if chosen.is_empty() {
        if !classes.iter().all(|(name, _)| is_elsewhere(name)) {
            classes.retain(|(name, _)| !is_elsewhere(name));
        }
    } else if chosen.iter().all(is_there) {
        classes.retain(|(name, _)| chosen.contains(name));
    } else {
        // What holds them was not followed.
        let unknown = Entry { value: Computed::Unknown, expression: String::new(), ..classes[0].1.clone() };
        classes.push((String::new(), unknown));
    }
    let merged = classes.into_iter().map(|(_, entry)| vec![entry]).reduce(either)?;
    merged.into_iter().next()
}

fn database(run: Round<'_>, alias: &Entry, settings: &mut Vec<Setting>) {
    let name = format!("DATABASES.{}", alias.key);
    let Computed::Map(entries) = &alias.value else {
        settings.extend(setting(run, &name, alias, Unresolved::Code));
        return;
    };
    for entry in entries {
        let own = if entry.key == ADDRESS { name.clone() } else { format!("{name}.{}", entry.key) };
        let why = match entry.key.as_str() {
            "USER" | "PASSWORD" => Unresolved::Template,
            key if KEYS.contains(&key) || key == "**" => Unresolved::Code,
            _ => continue,
        };
        settings.extend(setting(run, &own, entry, why));
    }
}

/// Lists what the tests create and drop, where `TEST` names it: beside the database itself, by another name.
///
/// Source: Django's "Settings" (`TEST`, `NAME`); without a name the tests derive one.
fn test_database(run: Round<'_>, alias: &Entry, settings: &mut Vec<Setting>) {
    let Computed::Map(entries) = &alias.value else { return };
    let named = entries.iter().find(|entry| entry.key == "TEST").and_then(|test| match &test.value {
        Computed::Map(own) => own.iter().find(|entry| entry.key == "NAME").cloned(),
        Computed::Unknown | Computed::Either(_) => Some(Entry { key: "NAME".to_owned(), ..test.clone() }),
        _ => None,
    });
    let Some(named) = named.filter(|named| named.value != Computed::Unset) else { return };
    let in_address = |entry: &Entry| match (&entry.value, &named.value) {
        (Computed::Text(address), Computed::Text(name)) if entry.key == ADDRESS => {
            Entry { value: Computed::Text(with_database(address, name)), ..entry.clone() }
        }
        _ => entry.clone(),
    };
    let others = entries.iter().filter(|entry| !matches!(entry.key.as_str(), "NAME" | "TEST")).map(in_address);
    let has_address = entries.iter().any(|entry| entry.key == ADDRESS);
    let all = others.chain((!has_address).then_some(named.clone())).collect();
    database(run, &Entry { key: format!("{}_test", alias.key), value: Computed::Map(all), ..alias.clone() }, settings);
}

/// Puts another database into the address of one.
fn with_database(address: &str, name: &str) -> String {
    let start = address.find("://").map_or(0, |at| at + 3);
    let end = address[start..].find(['?', '#']).map_or(address.len(), |at| start + at);
    let place = address[start..end].find('/').map_or(end, |at| start + at);
    format!("{}/{name}{}", &address[..place], &address[end..])
}

/// Lists what any program says: addresses, and names that speak of a database, of every module; what it puts into the
/// environment stays below what is there.
pub(crate) fn of_any(run: Round<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    for entry in run.outcome.all.iter().map(|entry| picked(entry, run.number)) {
        addresses(run, &entry, "", &is_of_a_database, &mut settings);
    }
    for entry in &run.outcome.found.connections {
        addresses(run, &picked(entry, run.number), "", &is_of_a_database, &mut settings);
    }
    settings
}

/// Lists what the program puts into the environment, over what is there or below it.
pub(crate) fn of_environment(run: Round<'_>, overrides: bool) -> Vec<Setting> {
    let own = run.outcome.found.variables.all(overrides).iter();
    own.filter_map(|entry| {
        let entry = picked(entry, run.number);
        match &entry.value {
            Computed::Text(value) => Some(Setting::known(entry.key.clone(), value.clone(), origin(run, &entry))),
            Computed::Unset => None,
            value if *value == GONE => None,
            _ if is_of_a_database(&entry.key) => {
                Some(unresolved(run, &entry.key, &entry, code::unresolved(&entry.key)))
            }
            _ => None,
        }
    })
    .collect()
}

/// Classes and names that hold the settings of another place.
const ELSEWHERE: &[&str] = &["production", "prod", "staging", "live"];

fn is_elsewhere(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ELSEWHERE.iter().any(|word| lower.contains(word))
}

/// Lists the addresses below an entry, and what counts by its name.
fn addresses(run: Round<'_>, entry: &Entry, prefix: &str, counts: &dyn Fn(&str) -> bool, settings: &mut Vec<Setting>) {
    let name = if prefix.is_empty() { entry.key.clone() } else { format!("{prefix}.{}", entry.key) };
    match &entry.value {
        Computed::Text(value) if entry.place.line > 0 && (is_address(value) || counts(&name)) => {
            let name = if prefix.is_empty() { format!("code.{name}") } else { name };
            settings.push(Setting::known(name, value.clone(), origin(run, entry)));
        }
        Computed::Map(entries) if !is_elsewhere(&entry.key) && name.len() < 256 => {
            entries.iter().for_each(|entry| addresses(run, entry, &name, counts, settings));
        }
        _ => {}
    }
}

fn setting(run: Round<'_>, name: &str, entry: &Entry, why: Unresolved) -> Option<Setting> {
    match &entry.value {
        Computed::Text(value) => Some(Setting::known(name, value.clone(), origin(run, entry))),
        Computed::Unset => None,
        _ => Some(unresolved(run, name, entry, why)),
    }
}

fn unresolved(run: Round<'_>, name: &str, entry: &Entry, why: Unresolved) -> Setting {
    let origin = origin(run, entry);
    Setting { name: name.to_owned(), value: entry.expression.clone(), origin, unresolved: Some(why) }
}

fn origin(run: Round<'_>, entry: &Entry) -> Origin {
    let key = if entry.key.is_empty() { "default" } else { entry.key.as_str() };
    Origin::file(key, (run.shown)(&run.program.path(entry.place.file)), entry.place.line.max(1))
}

/// More rounds are not made: what alternatives beyond them come to is not told apart.
pub(crate) const MOST_ROUNDS: usize = MOST_ALTERNATIVES;

/// Counts the rounds after which each alternative was seen.
pub(crate) fn rounds(outcome: &Outcome) -> usize {
    let variables = [true, false].map(|forced| most_alternatives(outcome.found.variables.all(forced)));
    let of_class = of_settings_class(outcome).map_or(1, |entry| most_alternatives(&[entry]));
    let of_names = most_alternatives(&outcome.all).max(if outcome.is_undecided { 2 } else { 1 });
    let of_files = outcome.found.files.iter().flat_map(|file| file.on.iter().map(|(_, count)| *count));
    variables.into_iter().chain(of_files).fold(of_names.max(of_class), usize::max)
}
