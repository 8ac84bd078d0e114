//! Go: godotenv on `.env` of the current folder, or on files that the program names.
//!
//! Source: joho/godotenv `godotenv.go` (no upward search); dbmate and goose load `.env` themselves. `go test` runs in
//! the folder of each package, so a test finds the root's file only where it climbs: both count.

use crate::environment::ecosystems::go::code;
use crate::environment::ecosystems::modes;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::conventional;
use crate::environment::layering::ReadingsBuilder;
use crate::environment::readers::dotenv::Dialect;

const DIALECTS: &[Dialect] = &[Dialect::Godotenv15, Dialect::Godotenv16];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in scene.homes("go.mod") {
        readings.add_base(&home);
        modes::add(scene, readings, "godotenv (Go)", DIALECTS, &home);
        let readers = ["viper", "koanf", "cleanenv", "configor", "aconfig", "yaml", "toml"];
        conventional::add(scene, readings, &home, &readers, &["go.mod"], DIALECTS);
        code::add(scene, readings, &home, DIALECTS);
        for name in ["app.env", "dev.env", "test.env"] {
            readings.file("godotenv (Go)", DIALECTS, home.join(name));
        }
    }
}
