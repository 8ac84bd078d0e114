//! What the nearest package.json says, and where it lies.

use std::path::PathBuf;

use crate::environment::ecosystems::scene::Scene;
use crate::environment::paths::parent;

/// Tells whether the manifest names one of these packages, or has a key of that name.
pub(crate) fn names(scene: &Scene<'_>, packages: &[&str]) -> bool {
    let manifest = scene.manifest(&["package.json"]);
    packages.iter().any(|package| manifest.contains(&format!("\"{package}\"")))
}

/// Tells whether there is no manifest, so that anything may be in use.
pub(crate) fn nothing_tells(scene: &Scene<'_>) -> bool {
    scene.manifest(&["package.json"]).is_empty()
}

/// Finds the folder of the nearest package.json, else the command's.
pub(crate) fn folder(scene: &Scene<'_>) -> PathBuf {
    scene.find_upwards(&["package.json"]).map_or_else(|| scene.folder.to_owned(), |path| parent(&path))
}

pub(crate) fn beside_package(scene: &Scene<'_>, name: &str) -> PathBuf {
    folder(scene).join(name)
}

/// Programs, and their options that name a settings file.
pub(crate) const SETTINGS_OPTIONS: &[(&[&str], &[&str])] = &[
    (&["knex"], &["--knexfile"]),
    (&["sequelize", "sequelize-cli"], &["--config"]),
    (&["typeorm", "typeorm-ts-node-commonjs", "typeorm-ts-node-esm"], &["-d", "--dataSource", "-f", "--config"]),
    (&["drizzle-kit", "mikro-orm", "prisma"], &["--config"]),
    (&["migrate-mongo"], &["-f", "--file"]),
];
