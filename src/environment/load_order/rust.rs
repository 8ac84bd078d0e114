//! Rust: `.env` found by dotenvy, sqlx and diesel from the current folder upwards.
//!
//! Source: dotenvy's `find.rs`; sqlx's macros (`.env` beside Cargo.toml first); diesel_cli's `main.rs`.

use super::super::layers::{Draft, Layer};
use super::super::load::Dialect;
use super::Scene;

const DIALECTS: &[Dialect] = &[Dialect::DotenvyLoad, Dialect::DotenvyIter];

pub(super) fn add(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    for home in scene.homes("Cargo.toml") {
        draft.add_base(&home);
        super::single(draft, "dotenvy (Rust)", DIALECTS, &home.join(".env"));
    }
    if let Some(path) = scene.find_upwards(&[".env"]) {
        draft.chain("dotenvy (Rust)", DIALECTS, vec![Layer::Shell, Layer::file(path)]);
    }
    if scene.purpose.test {
        for name in [".env.test", ".env.testing"] {
            if let Some(path) = scene.find_upwards(&[name]) {
                super::single(draft, "dotenvy (Rust)", DIALECTS, &path);
            }
        }
    }
}
