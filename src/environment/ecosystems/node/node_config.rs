//! node-config (`config/default.json`, `config/test.yaml`, …): the folder's files in its order.
//!
//! Source: node-config's wiki, "Configuration Files" and "Environment Variables": NODE_CONFIG over
//! `custom-environment-variables` over `local-{deployment}` over `local` over `{deployment}` over `default`;
//! NODE_CONFIG_ENV over NODE_ENV, `development` where neither is set.

use std::path::Path;

use crate::environment::ecosystems::node::code as node_code;
use crate::environment::ecosystems::node::package;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::by_format;
use crate::environment::layering::Library;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting};

const EXTENSIONS: &[&str] = &["json", "json5", "yaml", "yml", "toml", "js", "cjs", "ts"];

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    package::names(scene, &["config"])
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let home = package::folder(scene);
    let folder = scene.environment.get("NODE_CONFIG_DIR").map_or_else(|| home.join("config"), |name| home.join(name));
    let present = scene.names_in(&folder);
    if present.is_empty() {
        return;
    }
    for mode in modes(scene) {
        let mut layers = vec![Layer::Environment, Layer::file(home.join(".env"))];
        layers.extend(from_variable(scene));
        layers.extend(
            present
                .iter()
                .filter(|name| stem(name) == "custom-environment-variables")
                .flat_map(|name| by_variable(scene.library, &folder.join(name))),
        );
        for wanted in [format!("local-{mode}"), "local".to_owned(), mode.clone(), "default".to_owned()] {
            for name in EXTENSIONS.iter().map(|extension| format!("{wanted}.{extension}")) {
                if present.contains(&name) {
                    let path = folder.join(&name);
                    match name.rsplit_once('.') {
                        Some((_, "js" | "cjs" | "ts" | "json5")) => {
                            layers.extend(node_code::layer(scene.library, &path, &mode, true));
                        }
                        _ => layers.extend(by_format::layers(scene.library, &path).unwrap_or_default()),
                    }
                }
            }
        }
        readings.chain("node-config", &[Dialect::Node], layers);
    }
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Lists the deployments. Jest and Vitest set NODE_ENV; with other programs it may not be set, which is development.
fn modes(scene: &Scene<'_>) -> Vec<String> {
    let mut modes = scene.modes(&["NODE_CONFIG_ENV", "NODE_ENV"], "test", "development");
    let is_set = ["NODE_CONFIG_ENV", "NODE_ENV"].iter().any(|name| scene.environment.get(name).is_some());
    if !is_set && !matches!(scene.program(), "jest" | "vitest") && !modes.iter().any(|mode| mode == "development") {
        modes.push("development".to_owned());
    }
    modes
}

/// Reads the JSON text of NODE_CONFIG.
fn from_variable(scene: &Scene<'_>) -> Option<Layer> {
    let place = || Origin::process("NODE_CONFIG");
    let flat = formats::json::flatten(scene.environment.get("NODE_CONFIG")?);
    let entries = flat.entries(|stop| scene.library.gaps.give_up(place(), stop.why));
    let settings = entries.into_iter().map(|entry| Setting::known(entry.path.join("."), entry.value, place()));
    Some(Layer::fixed(settings.collect()))
}

/// Reads `custom-environment-variables`: each key with the variable that sets it.
fn by_variable(library: &Library<'_>, path: &Path) -> Option<Layer> {
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let entries = library.entries(path, if is_json { formats::json::flatten } else { formats::yaml::flatten })?;
    let shown = library.shown(path);
    Some(Layer::computed(move |lookup| {
        let set = entries.iter().filter_map(|entry| {
            let keys: Vec<&str> = entry.path.iter().map(String::as_str).filter(|key| *key != "__name").collect();
            let value = lookup(&entry.value).filter(|value| !value.is_empty())?;
            let origin = Origin::file(keys.last()?.to_owned(), &shown, entry.line);
            Some(Setting::known(keys.join("."), value, origin))
        });
        set.collect()
    }))
}
