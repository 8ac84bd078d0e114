//! A settings file by the format that its name tells: all of it, whatever it is about.

use std::path::Path;

use crate::environment::Setting;
use crate::environment::ecosystems::compose;
use crate::environment::ecosystems::settings_files::blocks;
use crate::environment::ecosystems::settings_files::dotted::dotted;
use crate::environment::layering::{Layer, Library};
use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::expansion::placeholders::filled;
use crate::environment::readers::formats;
use crate::environment::readers::formats::{FlatEntry, Flatten};

/// Reads the file as layers, the strongest first; `None` where its name tells no format.
pub(crate) fn layers(library: &Library<'_>, path: &Path) -> Option<Vec<Layer>> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let (_, extension) = name.rsplit_once('.')?;
    let flatten: Flatten = match extension {
        "yml" | "yaml" => formats::yaml::flatten,
        "json" | "jsonc" => formats::json::flatten,
        "toml" => formats::toml::flatten,
        "properties" => formats::properties::flatten,
        "ini" | "cfg" => formats::ini::flatten,
        "cnf" => formats::ini::option_file,
        "conf" if name.contains("service") => formats::ini::service_file,
        // Hjson is written as HOCON is.
        "hcl" | "hjson" => return Some(blocks::layer(library, path, None).into_iter().collect()),
        "conf" if library.string(path).is_some_and(|text| text.contains('{')) => {
            return Some(blocks::layer(library, path, None).into_iter().collect());
        }
        _ => return None,
    };
    Some(flat(library, path, flatten))
}

/// Reads the file in a format that is known, placeholders filled in from the layers above.
pub(crate) fn flat(library: &Library<'_>, path: &Path, flatten: Flatten) -> Vec<Layer> {
    let Some(entries) = library.entries(path, flatten) else { return Vec::new() };
    let shown = library.shown(path);
    vec![Layer::computed(move |lookup| settings(&entries, &shown, lookup))]
}

fn settings(entries: &[FlatEntry], shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    let mut of_services = compose::service_settings(entries, shown, lookup);
    if of_services.is_empty() {
        of_services = dotted(filled(entries, lookup), shown, None);
    }
    of_services
}
