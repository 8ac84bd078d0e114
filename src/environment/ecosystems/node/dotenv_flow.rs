//! dotenv-flow: `.env.{mode}.local` over `.env.{mode}` over `.env.local` (not in tests) over `.env`.
//!
//! Source: dotenv-flow 4, measured.

use crate::environment::ecosystems::node::dialects;
use crate::environment::ecosystems::node::package::names;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    scene.program() == "dotenv-flow" || names(scene, &["dotenv-flow"])
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let folder =
        scene.environment.get("DOTENV_FLOW_PATH").map_or_else(|| scene.folder.to_owned(), |path| scene.path(path));
    for mode in scene.modes(&["NODE_ENV", "DEFAULT_NODE_ENV"], "test", "development") {
        let mut names = vec![format!(".env.{mode}.local"), format!(".env.{mode}")];
        if mode != "test" {
            names.push(".env.local".to_owned());
        }
        names.extend([".env".to_owned(), ".env.defaults".to_owned()]);
        readings.chain("dotenv-flow", dialects::of(scene), Layer::files(&folder, &names));
    }
}
