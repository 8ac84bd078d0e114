//! Bun: dotenv's files by mode, loaded without being asked.
//!
//! Source: Bun's manual ("Environment variables").

use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    scene.program() == "bun" || scene.is_any_in_project(&["bun.lockb", "bun.lock"])
}

/// Adds the files of each mode twice: Bun's documents disagree whether tests skip `.env.local`.
pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for mode in scene.modes(&["NODE_ENV"], "test", "development") {
        let skipping = [format!(".env.{mode}"), ".env".to_owned()];
        readings.chain("Bun", &[Dialect::NodeExpand12], Layer::files(scene.folder, &skipping));
        let names = [".env.local".to_owned(), format!(".env.{mode}"), ".env".to_owned()];
        readings.chain("Bun", &[Dialect::NodeExpand12], Layer::files(scene.folder, &names));
    }
}
