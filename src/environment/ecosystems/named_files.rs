//! A file that is named by itself (`--env-file`, the policy): read by what its name says it is.

use std::path::Path;
use std::rc::Rc;

use crate::environment::ecosystems::php::phpunit;
use crate::environment::ecosystems::ruby::rails;
use crate::environment::ecosystems::{EVERY_DIALECT, compose, migration_tools};
use crate::environment::layering::library::Library;
use crate::environment::layering::{Layer, Lookup};
use crate::environment::readers::expansion::placeholders::filled;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Setting};

/// Files with a section for each environment.
const BY_ENVIRONMENT: &[&str] =
    &["database.yml", "database.yaml", "mongoid.yml", "database.json", "config.json", "dbconfig.yml"];

/// The file as layers, the strongest first.
pub(crate) fn layers(path: &Path, library: &Library<'_>) -> Vec<Layer> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let flat: fn(&str) -> Result<Vec<FlatEntry>, formats::FormatError> = match extension {
        // `.env.json` is what dotenv tools call a dotenv file for a mode.
        _ if name.starts_with(".env") => return dotenv(path),
        "yml" | "yaml" | "json" if BY_ENVIRONMENT.contains(&name.as_str()) => {
            return rails::by_itself(library, path).into_iter().collect();
        }
        "yml" | "yaml" => formats::yaml::flatten,
        "json" | "jsonc" => formats::json::flatten,
        "toml" => formats::toml::flatten,
        "properties" => formats::properties::flatten,
        "ini" | "cnf" | "cfg" => formats::ini::flatten,
        "conf" if name.contains("service") => formats::ini::flatten,
        "xml" => return phpunit::layers(path, library),
        "dist" if name.ends_with(".xml.dist") => return phpunit::layers(path, library),
        "conf" if name.contains("flyway") => formats::properties::flatten,
        "hcl" => return migration_tools::blocks(library, path, None).into_iter().collect(),
        "conf" if library.string(path).is_some_and(|text| text.contains('{')) => {
            return migration_tools::blocks(library, path, None).into_iter().collect();
        }
        "exs" => {
            return crate::environment::ecosystems::elixir::configuration::configuration(library, path, None)
                .into_iter()
                .collect();
        }
        _ => return dotenv(path),
    };
    let Some(entries) = library.entries(path, flat) else { return Vec::new() };
    let shown = library.shown(path);
    vec![Layer::Computed(Rc::new(move |lookup| settings(&entries, &shown, lookup)))]
}

fn dotenv(path: &Path) -> Vec<Layer> {
    vec![Layer::File(path.to_owned(), Some(EVERY_DIALECT))]
}

fn settings(entries: &[FlatEntry], shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    let mut of_services = compose::service_settings(entries, shown, lookup);
    if of_services.is_empty() {
        of_services = dotted(filled(entries, lookup), shown, None);
    }
    of_services
}

/// Keys that hold a map of environment variables: their entries are called by their own names.
const MAPS_OF_VARIABLES: &[&str] = &["env", "environment", "env_variables", "variables", "environmentVariables"];

/// Entries as settings: nested keys joined with dots, the variables of a map by their own names.
pub(crate) fn dotted(entries: Vec<FlatEntry>, shown: &Path, prefix: Option<&str>) -> Vec<Setting> {
    let settings = entries.into_iter().filter_map(|entry| {
        let variable = entry.path.last()?.clone();
        let own = entry.path.len().checked_sub(2).map(|at| entry.path[at].as_str());
        let is_variable = own.is_some_and(|own| MAPS_OF_VARIABLES.contains(&own));
        let name = if is_variable { variable.clone() } else { entry.path.join(".") };
        let name = prefix.map_or(name.clone(), |prefix| format!("{prefix}.{name}"));
        Some(Setting::known(name, entry.value, Origin::file(variable, shown, entry.line)))
    });
    settings.collect()
}
