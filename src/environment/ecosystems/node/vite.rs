//! Vite and Vitest: dotenv's files by mode.
//!
//! Source: Vite's `node/env.ts`, measured.

use crate::environment::ecosystems::node::package::names;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    matches!(scene.program(), "vite" | "vitest") || names(scene, &["vite", "vitest"])
}

/// Adds the files of each mode; `.env.local` is read in tests too.
pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for mode in scene.modes(&[], "test", "development") {
        let names = [format!(".env.{mode}.local"), format!(".env.{mode}"), ".env.local".to_owned(), ".env".to_owned()];
        readings.chain("Vite", &[Dialect::Vite, Dialect::NodeExpand12], Layer::files(scene.folder, &names));
    }
}
