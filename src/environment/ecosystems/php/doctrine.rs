//! Doctrine's section of Symfony's configuration.
//!
//! Source: Symfony's DoctrineBundle configuration (`when@test` since 5.3).

use std::path::Path;

use crate::environment::layering::{Layer, Library};
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting};

/// Reads what Doctrine's configuration says itself, beside what it takes from variables.
pub(crate) fn layers(library: &Library<'_>, home: &Path, environment: &str) -> Vec<Layer> {
    let files = [format!("config/packages/{environment}/doctrine.yaml"), "config/packages/doctrine.yaml".to_owned()];
    let layers = files.iter().filter_map(|name| {
        let path = home.join(name);
        let entries = library.entries(&path, formats::yaml::flatten)?;
        let shown = library.shown(&path);
        let wanted = format!("when@{environment}");
        let settings = entries.iter().filter_map(|entry| {
            let (own, [.., key]) =
                (entry.path.strip_prefix(&[wanted.clone()][..]).unwrap_or(&entry.path), &entry.path[..])
            else {
                return None;
            };
            let is_connection = matches!(own, [doctrine, dbal, ..] if doctrine == "doctrine" && dbal == "dbal");
            let says = ["driver", "url", "host", "port", "dbname", "path", "unix_socket"].contains(&key.as_str());
            if !is_connection || !says || entry.value.contains('%') {
                return None;
            }
            let origin = Origin::file(key.clone(), &shown, entry.line);
            let name = own[1..].join(".").replace("dbal", "database");
            Some(Setting::known(name, entry.value.clone(), origin))
        });
        Some(Layer::fixed(settings.collect()))
    });
    layers.collect()
}
