//! Configuration files with a section for each environment: Sequelize's and db-migrate's.
//!
//! Source: sequelize-cli's README (`.sequelizerc`), db-migrate's manual ("Configuration").

use std::path::{Path, PathBuf};

use crate::environment::ecosystems::node::dialects;
use crate::environment::ecosystems::node::package::beside_package;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::sections;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::formats;

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    if scene.program() == "db-migrate" {
        return add_db_migrate(scene, readings);
    }
    for environment in scene.modes(&["NODE_ENV"], "test", "development") {
        let named = sequelizerc(scene, &beside_package(scene, ".sequelizerc"));
        let common =
            ["config/config.json", "config/database.json", "database.json"].map(|name| beside_package(scene, name));
        for path in common.into_iter().chain(named) {
            // JSON is YAML too, and has no ERB.
            if let Some(layer) = sections::layer(scene.library, &path, &environment, false) {
                let layers = vec![Layer::Environment, Layer::file(scene.path(".env")), layer];
                readings.chain("configuration by environment", dialects::of(scene), layers);
            }
        }
    }
}

/// Adds the section of db-migrate's file that it uses: the one that `-e` names, else the file's `defaultEnv`, else `dev`.
fn add_db_migrate(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let path = scene.option("--config").map_or_else(|| beside_package(scene, "database.json"), |name| scene.path(name));
    let Some(entries) = scene.library.entries(&path, formats::json::flatten).filter(|_| scene.library.exists(&path))
    else {
        return;
    };
    let default = entries.iter().find(|entry| entry.path.len() == 1 && entry.path[0] == "defaultEnv");
    let named = scene.option("-e").or_else(|| scene.option("--env")).map(str::to_owned);
    let environment = named.or_else(|| default.map(|entry| entry.value.clone())).unwrap_or_else(|| "dev".to_owned());
    let layer = sections::layer(scene.library, &path, &environment, false);
    let layers = [Layer::Environment, Layer::file(scene.path(".env"))].into_iter().chain(layer);
    readings.chain("configuration by environment", dialects::of(scene), layers.collect());
}

/// Finds the configuration file that `.sequelizerc` names: `'config': path.resolve('src', 'config', 'config.json')`.
fn sequelizerc(scene: &Scene<'_>, path: &Path) -> Option<PathBuf> {
    let text = scene.library.string(path)?;
    let keys = ["'config'", "\"config\"", "config:"];
    let after = keys.iter().find_map(|key| Some(text.split_once(key)?.1))?;
    let value = after.split([')', '\n']).next()?;
    let parts = value.split(['"', '\'']).skip(1).step_by(2);
    Some(path.parent()?.join(parts.collect::<PathBuf>()))
}
