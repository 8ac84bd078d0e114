//! Rust: `.env` found by dotenvy, sqlx and diesel from the current folder upwards.
//!
//! Source: dotenvy's `find.rs`; sqlx's macros (`.env` beside Cargo.toml first); diesel_cli's `main.rs`.

use crate::environment::ecosystems::Scene;
use crate::environment::layering::library::Dialect;
use crate::environment::layering::{Draft, Layer};

const DIALECTS: &[Dialect] = &[Dialect::DotenvyLoad, Dialect::DotenvyIter];

pub(crate) fn add(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    for home in scene.homes("Cargo.toml") {
        draft.add_base(&home);
        crate::environment::ecosystems::single(draft, "dotenvy (Rust)", DIALECTS, &home.join(".env"));
        let readers = ["config", "figment", "rocket", "loco", "toml", "serde_yaml"];
        crate::environment::ecosystems::conventional::add(scene, draft, &home, &readers, &["Cargo.toml"], DIALECTS);
        for name in [".cargo/config.toml", ".cargo/config"].map(|name| home.join(name)) {
            // What cargo itself sets for the programs that it starts.
            if scene.library.exists(&name) {
                let layers = std::iter::once(Layer::Shell)
                    .chain(crate::environment::ecosystems::named_files::layers(&name, scene.library));
                draft.chain("cargo", DIALECTS, layers.collect());
            }
        }
    }
    if let Some(path) = scene.find_upwards(&[".env"]) {
        draft.chain("dotenvy (Rust)", DIALECTS, vec![Layer::Shell, Layer::file(path)]);
    }
    if scene.purpose.test {
        for name in [".env.test", ".env.testing"] {
            if let Some(path) = scene.find_upwards(&[name]) {
                crate::environment::ecosystems::single(draft, "dotenvy (Rust)", DIALECTS, &path);
            }
        }
    }
}
