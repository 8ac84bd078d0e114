//! Ktor, Play and Akka: HOCON in `application.conf`, that of the tests over the program's own.
//!
//! Source: the manual of lightbend/config ("Standard behavior").

use crate::environment::ecosystems::jvm::resources;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::blocks;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in resources::homes(scene) {
        for is_test in resources::runs(scene) {
            for path in resources::folders(&home, is_test).iter().map(|folder| folder.join("application.conf")) {
                if scene.library.exists(&path)
                    && let Some(layer) = blocks::layer(scene.library, &path, None)
                {
                    readings.chain("HOCON", &[Dialect::Lenient], vec![Layer::Environment, layer]);
                }
            }
        }
    }
}
