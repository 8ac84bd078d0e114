//! Next.js: dotenv's files by mode, production's where NODE_ENV says nothing else.
//!
//! Source: @next/env, measured.

use crate::environment::ecosystems::node::package::names;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    scene.program() == "next" || names(scene, &["next"])
}

/// Adds the files of each mode: production's wherever NODE_ENV is not set and it is not `next dev`.
pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let words = scene.words();
    let is_own_command = scene.program() == "next";
    let is_dev = words.get(1).is_some_and(|word| word == "dev");
    let modes = match scene.environment.get("NODE_ENV").filter(|mode| !mode.is_empty()) {
        Some("test") => vec!["test".to_owned()],
        Some("development") => vec!["development".to_owned()],
        Some(_) => vec!["production".to_owned()],
        None if is_own_command && !is_dev => vec!["production".to_owned()],
        None => scene.modes(&[], "test", "development"),
    };
    for mode in modes {
        let mut names = vec![format!(".env.{mode}.local")];
        if mode != "test" {
            names.push(".env.local".to_owned());
        }
        names.extend([format!(".env.{mode}"), ".env".to_owned()]);
        readings.chain("Next.js", &[Dialect::NodeExpand12], Layer::files(scene.folder, &names));
    }
}
