//! Entries of a settings file under the names that the rest of the program knows them by.

use std::path::Path;

use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Setting};

/// Keys that hold a map of environment variables: their entries are called by their own names.
const MAPS_OF_VARIABLES: &[&str] = &["env", "environment", "env_variables", "variables", "environmentVariables"];

/// Names entries as settings: nested keys joined with dots, the variables of a map by their own names.
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
