//! Liquibase's own file. Source: its manual ("liquibase.properties").

use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::by_format;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::EVERY_DIALECT;
use crate::environment::readers::formats;

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let path = scene.path("liquibase.properties");
    if scene.library.exists(&path) {
        let mut layers = vec![Layer::Environment];
        layers.extend(by_format::flat(scene.library, &path, formats::properties::flatten));
        readings.chain("Liquibase", EVERY_DIALECT, layers);
    }
}
