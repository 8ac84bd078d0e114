//! Rust: `.env` found by dotenvy, sqlx and diesel from the current folder upwards.
//!
//! Source: dotenvy's `find.rs`; sqlx's macros (`.env` beside Cargo.toml first); diesel_cli's `main.rs`.

use std::path::PathBuf;

use crate::environment::ecosystems::rust::manifests::cargo_members;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::{by_format, conventional};
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::formats;
use crate::environment::workspace_patterns::expand;

const DIALECTS: &[Dialect] = &[Dialect::DotenvyLoad, Dialect::DotenvyIter];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in scene.homes("Cargo.toml") {
        readings.add_base(&home);
        readings.file("dotenvy (Rust)", DIALECTS, home.join(".env"));
        let readers = ["config", "figment", "rocket", "loco", "toml", "serde_yaml", "hjson", "json5", "rust-ini"];
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
    for folder in tested_members(scene) {
        readings.add_base(&folder);
        readings.file("dotenvy (Rust)", DIALECTS, folder.join(".env"));
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

/// Lists the folders of the workspace's members whose tests run: each in its own folder.
///
/// Source: the Cargo book ("cargo test", working directory of tests).
fn tested_members(scene: &Scene<'_>) -> Vec<PathBuf> {
    let manifest = scene.path("Cargo.toml");
    if !scene.purpose.test || !scene.library.exists(&manifest) {
        return Vec::new();
    }
    let members = cargo_members(&scene.library.manifest(&manifest)).unwrap_or_default();
    let folders = members.iter().flat_map(|member| expand(scene.folder, member, scene.library.files).folders);
    let chosen = scene.option("-p").or(scene.option("--package"));
    let is_chosen = |folder: &PathBuf| {
        let Some(chosen) = chosen else { return true };
        let named = scene.library.manifest(&folder.join("Cargo.toml"));
        let is_name = |line: &str| {
            line.trim()
                .strip_prefix("name")
                .is_some_and(|rest| rest.trim().trim_start_matches('=').trim().trim_matches(['"', '\'']) == chosen)
        };
        folder.ends_with(chosen) || named.lines().any(is_name)
    };
    folders.filter(|folder| scene.library.exists(&folder.join(".env"))).filter(is_chosen).collect()
}
