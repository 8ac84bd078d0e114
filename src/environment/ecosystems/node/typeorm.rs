//! TypeORM before 1.0: one connection in `ormconfig.*`.
//!
//! Source: TypeORM's `ConnectionOptionsReader` (versions before 1.0).

use crate::environment::ecosystems::node::dialects;
use crate::environment::ecosystems::node::package::beside_package;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::dotted::dotted;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::formats;
use crate::environment::readers::formats::Flatten;

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for path in
        ["ormconfig.json", "ormconfig.yml", "ormconfig.yaml", "ormconfig.xml"].map(|name| beside_package(scene, name))
    {
        if !scene.library.exists(&path) {
            continue;
        }
        let shown = scene.library.shown(&path);
        let flatten: Flatten = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => formats::json::flatten,
            Some("xml") => formats::xml::flatten,
            _ => formats::yaml::flatten,
        };
        let mut entries = scene.library.entries(&path, flatten).as_deref().cloned().unwrap_or_default();
        for name in entries.iter_mut().flat_map(|entry| &mut entry.path) {
            *name = name.trim_start_matches('@').to_owned();
        }
        let layer = Layer::fixed(dotted(entries, &shown, Some("ormconfig")));
        readings.chain("TypeORM", dialects::of(scene), vec![Layer::Environment, layer]);
    }
    let path = beside_package(scene, "ormconfig.env");
    if scene.library.exists(&path) {
        readings.file("TypeORM", dialects::of(scene), path);
    }
}
