//! Settings files that a library is told to read, under the names that projects give them: `config.yaml`,
//! `config/default.toml`, `configs/test.yaml`, `settings.toml`. Each is a candidate by itself.
//!
//! Sources: the READMEs of viper, koanf and cleanenv (Go), config-rs, figment, Rocket and Loco (Rust), Dynaconf and
//! Hydra (Python). Files for another environment are left out, and so are sections for one.

use std::path::Path;

use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::dotted::dotted;
use crate::environment::layering::{Layer, Library, ReadingsBuilder};
use crate::environment::readers::code;
use crate::environment::readers::code::Value;
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::readers::formats;
use crate::environment::readers::formats::{FlatEntry, Flatten};

/// Folders that such files are kept in, below the project's.
const FOLDERS: &[&str] = &[".config", "config", "configs", "configuration", "conf"];

/// Names that count in every mode.
const PLAIN: &[&str] = &["config", "configuration", "settings", ".secrets", "rocket", "app", "application"];

/// The same in a folder of their own.
const BELOW: &[&str] = &["default", "base", "common", "local", "database", "db"];

/// Other names of environments, beside the one that they stand for.
const MODES: &[(&str, &[&str])] = &[
    ("development", &["development", "dev", "local"]),
    ("test", &["test", "testing", "ci"]),
    ("production", &["production", "prod", "live", "release", "prd"]),
    ("staging", &["staging", "stage", "stg", "preprod", "uat", "qa"]),
];

const VARIABLES: &[&str] = &[
    "APP_ENV",
    "GO_ENV",
    "RUN_MODE",
    "RUN_ENV",
    "APP_ENVIRONMENT",
    "LOCO_ENV",
    "ROCKET_PROFILE",
    "ENV_FOR_DYNACONF",
    "NODE_ENV",
    "ENVIRONMENT",
    "ENV",
];

/// Adds the settings files of `home`, where the manifest names a library that reads such files.
pub(crate) fn add(
    scene: &Scene<'_>,
    readings: &mut ReadingsBuilder<'_>,
    home: &Path,
    readers: &[&str],
    manifests: &[&str],
    dialects: &'static [Dialect],
) {
    let names_reader = manifests.iter().any(|manifest| {
        let text = scene.manifest(&[manifest]).to_ascii_lowercase();
        readers.iter().any(|reader| text.contains(reader))
    });
    if !names_reader {
        return;
    }
    let files = scene.files_in(home, FOLDERS);
    for mode in scene.modes(VARIABLES, "test", "development") {
        let is_below = |path: &Path| path.parent() != Some(home);
        let wanted = files
            .iter()
            .filter(|path| path.file_name().is_some_and(|name| counts(&name.to_string_lossy(), &mode, is_below(path))));
        for path in wanted {
            let Some(layer) = layer(scene.library, path, &mode) else { continue };
            readings.chain("settings file", dialects, vec![Layer::Environment, Layer::file(home.join(".env")), layer]);
        }
    }
}

/// Tells whether a file of this name is read in the mode.
fn counts(name: &str, mode: &str, is_below: bool) -> bool {
    let lower = name.to_ascii_lowercase();
    let Some((stem, "yaml" | "yml" | "toml" | "json" | "ini" | "hjson")) = lower.rsplit_once('.') else { return false };
    let is_plain = |stem: &str| PLAIN.contains(&stem) || is_below && BELOW.contains(&stem);
    if is_plain(stem) {
        return true;
    }
    match stem.rsplit_once(['.', '-', '_']) {
        Some((stem, own)) if is_plain(stem) => matches!(own, "default" | "local") || means(own, mode),
        None => is_below && means(stem, mode),
        _ => false,
    }
}

/// Tells whether `word` is a name of the environment `mode`.
fn means(word: &str, mode: &str) -> bool {
    let mode = mode.to_ascii_lowercase();
    word == mode || MODES.iter().any(|(_, names)| names.contains(&word) && names.contains(&mode.as_str()))
}

/// Tells whether a file's name, without its extension, says that it is for another environment than `mode`.
pub(crate) fn is_for_another(stem: &str, mode: &str) -> bool {
    let lower = stem.to_ascii_lowercase();
    let mut words = lower.split(['.', '-', '_']);
    words.any(|word| MODES.iter().any(|(_, names)| names.contains(&word)) && word != "local" && !means(word, mode))
}

/// Reads the settings of one file without the sections for other environments.
fn layer(library: &Library<'_>, path: &Path, mode: &str) -> Option<Layer> {
    let flatten: Flatten = match path.extension()?.to_str()? {
        "toml" => formats::toml::flatten,
        "json" => formats::json::flatten,
        "ini" => formats::ini::flatten,
        "hjson" => formats::blocks::flatten,
        // Loco's files are templates; YAML reads their braces as mappings.
        _ => |text| formats::yaml::flatten(&text.replace("{{", "${").replace("}}", "}")),
    };
    let counts = |entry: &&FlatEntry| {
        let first = entry.path.first().map_or("", String::as_str).to_ascii_lowercase();
        let is_environment = MODES.iter().any(|(_, names)| names.contains(&first.as_str()));
        !is_environment || entry.path.len() == 1 || means(&first, mode)
    };
    let entries: Vec<FlatEntry> = library.entries(path, flatten)?.iter().filter(counts).cloned().collect();
    let shown = library.shown(path);
    Some(Layer::computed(move |lookup| {
        let placeholders = Placeholders::of_file(lookup);
        let filled = entries.iter().map(|entry| {
            let called = if entry.value.contains("get_env(") {
                code::evaluate(template(&entry.value), lookup)
            } else {
                Value::Unknown
            };
            entry.with_value(match called {
                Value::Known(value) => value,
                Value::Unset | Value::Unknown => placeholders.filled(&entry.value),
            })
        });
        dotted(filled.collect(), &shown, None)
    }))
}

/// Cuts the call out of `${ get_env(name="X", default="y") }`.
fn template(value: &str) -> &str {
    value.trim_start_matches("${").trim_end_matches('}').trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_for_another_environment_does_not_count() {
        let table = [
            ("config.yaml", "test", false, true),
            ("config.test.yaml", "test", false, true),
            ("config-prod.yaml", "test", false, false),
            ("config-prod.yaml", "production", false, true),
            ("Settings.toml", "development", false, true),
            ("settings.local.toml", "test", false, true),
            ("test.yaml", "test", false, false),
            ("test.yaml", "test", true, true),
            ("dev.toml", "development", true, true),
            ("production.yaml", "test", true, false),
            ("default.json", "test", true, true),
            ("config.default.json", "test", false, true),
            ("config.sample.yml", "test", false, false),
            ("mkdocs.yml", "test", false, false),
            ("config.lock", "test", false, false),
        ];
        for (name, mode, is_below, expected) in table {
            assert_eq!(counts(name, mode, is_below), expected, "{name} in {mode}");
        }
    }
}
