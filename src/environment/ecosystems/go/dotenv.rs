//! Go: godotenv on `.env` of the current folder, or on files that the program names.
//!
//! Source: joho/godotenv `godotenv.go` (no upward search); dbmate and goose load `.env` themselves. `go test` runs in
//! the folder of each package, so a test finds the root's file only where it climbs: both count.

use crate::environment::ecosystems::{Scene, generic};
use crate::environment::layering::Draft;
use crate::environment::layering::library::Dialect;

const DIALECTS: &[Dialect] = &[Dialect::Godotenv15, Dialect::Godotenv16];

pub(crate) fn add(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    for home in scene.homes("go.mod") {
        draft.add_base(&home);
        generic::add_modes(scene, draft, "godotenv (Go)", DIALECTS, &home);
        let readers = ["viper", "koanf", "cleanenv", "configor", "aconfig", "yaml", "toml"];
        crate::environment::ecosystems::conventional::add(scene, draft, &home, &readers, &["go.mod"], DIALECTS);
        for name in ["app.env", "dev.env", "test.env"] {
            crate::environment::ecosystems::single(draft, "godotenv (Go)", DIALECTS, &home.join(name));
        }
    }
}
