//! python-decouple: `settings.ini`, which it takes before `.env`. Source: its README ("Usage").

use std::path::Path;

use crate::environment::ecosystems::python::dialects::DIALECTS;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, Library, ReadingsBuilder};
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting};

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    if let Some(layer) = layer(scene.library, scene.folder) {
        readings.chain("python-decouple", DIALECTS, vec![Layer::Environment, layer]);
    }
}

/// Reads the section `settings` of the file in `folder`.
pub(crate) fn layer(library: &Library<'_>, folder: &Path) -> Option<Layer> {
    let path = folder.join("settings.ini");
    let entries = library.entries(&path, formats::ini::flatten)?;
    let shown = library.shown(&path);
    let settings = entries.iter().filter_map(|entry| match &entry.path[..] {
        [section, name] if section == "settings" => {
            Some(Setting::known(name.clone(), entry.value.clone(), Origin::file(name.clone(), &shown, entry.line)))
        }
        _ => None,
    });
    Some(Layer::fixed(settings.collect()))
}
