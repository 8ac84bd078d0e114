//! sql-migrate and soda: files with a section for each environment, one of which an option chooses.
//!
//! Sources: their READMEs.

use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::sections;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::EVERY_DIALECT;

pub(crate) fn add_sql_migrate(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    add(scene, readings, "sql-migrate", "dbconfig.yml", &["-env", "--env"]);
}

pub(crate) fn add_soda(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for name in ["database.yml", "config/database.yml"] {
        add(scene, readings, "soda", name, &["-e", "--env"]);
    }
}

fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>, loader: &'static str, name: &str, options: &[&str]) {
    let chosen = options.iter().find_map(|option| scene.option(option)).or(scene.environment.get("GO_ENV"));
    if let Some(layer) = sections::layer(scene.library, &scene.path(name), chosen.unwrap_or("development"), false) {
        readings.chain(loader, EVERY_DIALECT, vec![Layer::Environment, Layer::file(scene.path(".env")), layer]);
    }
}
