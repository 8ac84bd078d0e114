//! Wasp: the server's variables in `.env.server`.
//!
//! Source: wasp.sh, "Env Variables"; the database's commands read the same file.

use crate::environment::ecosystems::node::{dialects, package};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::ReadingsBuilder;

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    scene.program() == "wasp" || scene.is_any_in_project(&["main.wasp", "main.wasp.ts"])
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    readings.file("Wasp", dialects::of(scene), package::beside_package(scene, ".env.server"));
}
