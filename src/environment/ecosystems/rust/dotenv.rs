//! Rust: `.env` found by dotenvy, sqlx and diesel from the current folder upwards.
//!
//! Source: dotenvy's `find.rs`; sqlx's macros (`.env` beside Cargo.toml first); diesel_cli's `main.rs`.

use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::{by_format, conventional};
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::formats;

const DIALECTS: &[Dialect] = &[Dialect::DotenvyLoad, Dialect::DotenvyIter];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in scene.homes("Cargo.toml") {
        readings.add_base(&home);
        readings.file("dotenvy (Rust)", DIALECTS, home.join(".env"));
        let readers = ["config", "figment", "rocket", "loco", "toml", "serde_yaml"];
        conventional::add(scene, readings, &home, &readers, &["Cargo.toml"], DIALECTS);
        for name in [".cargo/config.toml", ".cargo/config"].map(|name| home.join(name)) {
            // What cargo itself sets for the programs that it starts.
            if scene.library.exists(&name) {
                let mut layers = vec![Layer::Environment];
                layers.extend(by_format::flat(scene.library, &name, formats::toml::flatten));
                readings.chain("cargo", DIALECTS, layers);
            }
        }
    }
    if let Some(path) = scene.find_upwards(&[".env"]) {
        readings.file("dotenvy (Rust)", DIALECTS, path);
    }
    if scene.purpose.test {
        for name in [".env.test", ".env.testing"] {
            if let Some(path) = scene.find_upwards(&[name]) {
                readings.file("dotenvy (Rust)", DIALECTS, path);
            }
        }
    }
}
