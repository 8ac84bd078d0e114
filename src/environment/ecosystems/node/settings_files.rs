//! Settings files that a program reads by itself, under the names that projects give them: `config.json`, `config.yml`,
//! `.config/default.yml`. Where node-config is used, its own order counts instead.

use crate::environment::ecosystems::node::{dialects, node_config, package};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::conventional;
use crate::environment::layering::ReadingsBuilder;

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    scene.is_in_project("package.json") && !node_config::is_used(scene)
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    // JSON needs no library that a manifest could name.
    conventional::add(scene, readings, &package::folder(scene), &[""], &["package.json"], dialects::of(scene));
}
