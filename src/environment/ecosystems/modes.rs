//! `.env`, `.env.local`, `.env.{mode}`, `.env.{mode}.local`: what most loaders make of the names that people use.

use std::path::Path;

use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;

/// What dotenv-defaults, dotenv-flow and RedwoodJS read beneath all others.
const DEFAULTS: &str = ".env.defaults";

/// Adds the files of each plausible mode as a chain, as the layering loaders read them, and each of them by itself, as
/// those read them that are given one file by name.
pub(crate) fn add(
    scene: &Scene<'_>,
    readings: &mut ReadingsBuilder<'_>,
    loader: &'static str,
    dialects: &'static [Dialect],
    folder: &Path,
) {
    let variables = ["NODE_ENV", "APP_ENV", "RAILS_ENV", "RACK_ENV", "GO_ENV", "ENV", "ENVIRONMENT"];
    for mode in scene.modes(&variables, "test", "development") {
        let chain = match mode.as_str() {
            "test" | "testing" => owned(&[".env.test.local", ".env.test", ".env", DEFAULTS]),
            mode => {
                vec![
                    format!(".env.{mode}.local"),
                    format!(".env.{mode}"),
                    ".env.local".to_owned(),
                    ".env".to_owned(),
                    DEFAULTS.to_owned(),
                ]
            }
        };
        readings.chain(loader, dialects, Layer::files(folder, &chain));
        for name in singles(scene, &mode, folder) {
            readings.file(loader, dialects, folder.join(name));
        }
    }
}

/// Lists the files that a program may be told to load in the mode. A project with files for tests keeps its tests away
/// from `.env.local`, as the layering loaders do.
fn singles(scene: &Scene<'_>, mode: &str, folder: &Path) -> Vec<String> {
    match mode {
        "test" | "testing" => {
            let mut names = owned(&[".env", ".env.test", ".env.testing", ".env.test.local", "test.env"]);
            if !names[1..].iter().any(|name| scene.library.exists(&folder.join(name))) {
                names.push(".env.local".to_owned());
            }
            names
        }
        "development" | "dev" | "local" => {
            owned(&[".env", ".env.local", ".env.development", ".env.development.local", ".env.dev", "app.env"])
        }
        mode => vec![".env".to_owned(), ".env.local".to_owned(), format!(".env.{mode}"), format!(".env.{mode}.local")],
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
