//! Doctrine's section of Symfony's configuration.
//!
//! Source: Symfony's DoctrineBundle configuration (`when@test` since 5.3, `dbname_suffix` since 2.3 of the bundle) and
//! "Environment Variable Processors".

use std::path::Path;

use crate::environment::layering::{Layer, Library};
use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Setting};

/// The keys of a connection that say which database it is.
const KEYS: &[&str] = &["driver", "url", "host", "port", "dbname", "path", "unix_socket"];

/// Reads what Doctrine's configuration says itself, beside what it takes from variables.
pub(crate) fn layers(library: &Library<'_>, home: &Path, environment: &str) -> Vec<Layer> {
    let files = [
        format!("config/packages/{environment}/doctrine.yaml"),
        "config/packages/doctrine.yaml".to_owned(),
        "app/config/config.yml".to_owned(),
    ];
    let files = files.iter().map(|name| home.join(name)).filter(|path| library.exists(path));
    let mut all: Vec<Own> = Vec::new();
    for path in files {
        let Some(entries) = library.entries(&path, formats::yaml::flatten) else { continue };
        let wanted = format!("when@{environment}");
        let own = entries.iter().filter_map(|entry| {
            let is_of_mode = entry.path.first().is_some_and(|first| *first == wanted);
            let [doctrine, dbal, connection @ .., key] = &entry.path[usize::from(is_of_mode)..] else { return None };
            let is_wanted =
                doctrine == "doctrine" && dbal == "dbal" && (KEYS.contains(&key.as_str()) || key == "dbname_suffix");
            is_wanted.then(|| Own {
                is_of_mode,
                connection: connection
                    .iter()
                    .filter(|part| *part != "connections")
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("_"),
                entry: entry.clone(),
                file: library.shown(&path),
            })
        });
        all.extend(own);
    }
    // What is for the mode beats what is for all.
    all.sort_by_key(|own| !own.is_of_mode);
    if all.is_empty() {
        return Vec::new();
    }
    let (environment, home) = (environment.to_owned(), home.to_owned());
    vec![Layer::computed(move |lookup| settings(&all, &|value| filled(value, &environment, &home, lookup)))]
}

/// One key of one connection.
struct Own {
    is_of_mode: bool,
    connection: String,
    entry: FlatEntry,
    file: std::path::PathBuf,
}

impl Own {
    fn key(&self) -> &str {
        self.entry.path.last().map_or("", String::as_str)
    }
}

fn settings(all: &[Own], fill: &dyn Fn(&str) -> Option<String>) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for own in all.iter().filter(|own| own.key() != "dbname_suffix") {
        let Some(mut value) = fill(&own.entry.value) else { continue };
        let suffix = all.iter().find(|other| other.key() == "dbname_suffix" && other.connection == own.connection);
        if let Some(suffix) = suffix.and_then(|suffix| fill(&suffix.entry.value)) {
            value = match own.key() {
                "dbname" => value + &suffix,
                "url" => suffixed(&value, &suffix),
                _ => value,
            };
        } else if own.key() == "url" && own.entry.value.contains('%') {
            // It says what the variable does.
            continue;
        }
        let name = ["database", &own.connection, own.key()]
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(".");
        settings.push(Setting::known(name, value, Origin::file(own.key(), &own.file, own.entry.line)));
    }
    settings
}

/// Adds what Doctrine puts behind a database's name to that of a URL.
fn suffixed(url: &str, suffix: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    format!("{}{suffix}{}", &url[..end], &url[end..])
}

/// Fills in `%env(resolve:DATABASE_URL)%` and `%kernel.environment%`; `None` where something is not known.
fn filled(value: &str, environment: &str, home: &Path, lookup: Lookup<'_>) -> Option<String> {
    let mut parts = value.split('%');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    while let (Some(name), Some(behind)) = (parts.next(), parts.next()) {
        let known = match name.strip_prefix("env(").and_then(|name| name.strip_suffix(')')) {
            Some(variable) => {
                // `default::TEST_TOKEN` is nothing where the variable is not set.
                let own = variable.rsplit(':').next().unwrap_or(variable);
                lookup(own).or_else(|| variable.contains("default:").then(String::new))
            }
            None if name == "kernel.environment" => Some(environment.to_owned()),
            None if name == "kernel.project_dir" => Some(home.to_string_lossy().into_owned()),
            // `%%` is the character itself.
            None if name.is_empty() => Some("%".to_owned()),
            None => lookup(name),
        };
        filled.push_str(&known?);
        filled.push_str(behind);
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_parameters_are_filled_in() {
        let lookup = |name: &str| (name == "DATABASE_URL").then(|| "mysql://h/shop?x=1".to_owned());
        let table = [
            ("%env(resolve:DATABASE_URL)%", Some("mysql://h/shop?x=1")),
            ("_%kernel.environment%%env(default::TEST_TOKEN)%", Some("_test")),
            ("plain", Some("plain")),
            ("%env(OTHER)%", None),
            ("%database_host%", None),
        ];
        for (text, expected) in table {
            assert_eq!(filled(text, "test", Path::new("/p"), &lookup).as_deref(), expected, "{text}");
        }
        assert_eq!(suffixed("mysql://h/shop?x=1", "_test"), "mysql://h/shop_test?x=1");
    }
}
