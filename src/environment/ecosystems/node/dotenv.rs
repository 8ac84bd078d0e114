//! The npm package dotenv and what is built on it.
//!
//! Source: dotenv 16 to 18, measured: the first file wins; DOTENV_* variables redirect it.

use std::path::PathBuf;

use crate::environment::ecosystems::modes;
use crate::environment::ecosystems::node::package::names;
use crate::environment::ecosystems::node::{dialects, dotenv_flow, next};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::follow::WORKSPACE_MARKS;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::paths::up_to;

/// Folders of a program that files of variables are kept in.
const BESIDE_CODE: &[&str] = &["config", "env", "envs", "src"];

/// Tells whether it loads: Next and dotenv-flow do their own loading; beside them, plain dotenv counts where it is
/// asked for.
pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    let has_loader = next::is_used(scene) || dotenv_flow::is_used(scene);
    !has_loader || names(scene, &["dotenv", "@nestjs/config", "dotenv-cli"])
}

/// Adds the file that is named, else the ones a program may name.
pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let variables = ["DOTENV_CONFIG_PATH", "DOTENV_PATH"];
    let argument = scene.words().iter().find_map(|word| word.strip_prefix("dotenv_config_path="));
    if let Some(named) = argument.or_else(|| variables.iter().find_map(|name| scene.environment.get(name))) {
        let overrides = ["DOTENV_CONFIG_OVERRIDE", "DOTENV_OVERRIDE"]
            .iter()
            .any(|name| scene.environment.get(name) == Some("true"));
        let files = named.split(',').map(|path| Layer::file(scene.path(path)));
        let environment_at = if overrides { files.clone().count() } else { 0 };
        let mut layers: Vec<Layer> = files.collect();
        layers.insert(environment_at, Layer::Environment);
        readings.chain("dotenv (Node.js)", dialects::of(scene), layers);
        return;
    }
    modes::add(scene, readings, "dotenv (Node.js)", dialects::of(scene), scene.folder);
    // Programs keep such files beside their code, and name them by a path that they compute.
    let names = scene.names();
    let present = BESIDE_CODE.iter().filter(|folder| names.iter().any(|name| name == *folder));
    for folder in present.map(|folder| scene.path(folder)) {
        if scene.names_in(&folder).iter().any(|name| name.starts_with(".env")) {
            modes::add(scene, readings, "dotenv (Node.js)", dialects::of(scene), &folder);
        }
    }
    // A package of a workspace is often started with the workspace's own file.
    let mark = scene.find_upwards(WORKSPACE_MARKS).or_else(|| manifest_of_workspace(scene));
    if let Some(path) = mark {
        let file = path.with_file_name(".env");
        readings.file("dotenv (Node.js)", dialects::of(scene), file);
    }
}

/// Finds the manifest above the command's folder that lists the packages of a workspace.
fn manifest_of_workspace(scene: &Scene<'_>) -> Option<PathBuf> {
    let manifests = up_to(&scene.project.root, scene.folder).skip(1).map(|above| above.join("package.json"));
    let mut present = manifests.filter(|path| scene.library.exists(path));
    present.find(|path| scene.library.manifest(path).contains("\"workspaces\""))
}
