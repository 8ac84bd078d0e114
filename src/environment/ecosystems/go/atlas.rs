//! `atlas.hcl`: the block of the environment that `--env` names; without it a URL is given by a flag.
//!
//! Source: Atlas' manual ("Project configuration").

use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::blocks;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::EVERY_DIALECT;

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let Some(chosen) = scene.option("--env") else { return };
    let file = scene.option("-c").or(scene.option("--config")).unwrap_or("atlas.hcl");
    let path = scene.path(file.trim_start_matches("file://"));
    if !scene.library.exists(&path) {
        return;
    }
    let Some(layer) = blocks::layer(scene.library, &path, Some(chosen)) else { return };
    readings.chain("Atlas", EVERY_DIALECT, vec![Layer::Environment, layer]);
}
