//! Configuration files with a section for each environment: Sequelize's and db-migrate's.
//!
//! Source: sequelize-cli's README (`.sequelizerc`), db-migrate's manual ("Configuration").

use std::path::{Path, PathBuf};

use crate::environment::ecosystems::node::dialects;
use crate::environment::ecosystems::node::package::beside_package;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::sections;
use crate::environment::layering::{Layer, ReadingsBuilder};

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
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

/// Finds the configuration file that `.sequelizerc` names: `'config': path.resolve('src', 'config', 'config.json')`.
fn sequelizerc(scene: &Scene<'_>, path: &Path) -> Option<PathBuf> {
    let text = scene.library.string(path)?;
    let keys = ["'config'", "\"config\"", "config:"];
    let after = keys.iter().find_map(|key| Some(text.split_once(key)?.1))?;
    let value = after.split([')', '\n']).next()?;
    let parts = value.split(['"', '\'']).skip(1).step_by(2);
    Some(path.parent()?.join(parts.collect::<PathBuf>()))
}
