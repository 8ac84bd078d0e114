//! Nothing is recognised: what the common loaders of any language would do.

use std::path::Path;

use crate::environment::ecosystems::{EVERY_DIALECT, Scene, layered, owned, single};
use crate::environment::layering::Draft;
use crate::environment::layering::library::Dialect;

pub(crate) fn add(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    add_modes(scene, draft, "dotenv", EVERY_DIALECT, scene.folder);
}

/// The files of each plausible mode as a chain, as the layering loaders read them, and each of them by itself, as
/// those read them that are given one file by name.
pub(crate) fn add_modes(
    scene: &Scene<'_>,
    draft: &mut Draft<'_>,
    loader: &'static str,
    dialects: &'static [Dialect],
    folder: &Path,
) {
    let variables = ["NODE_ENV", "APP_ENV", "RAILS_ENV", "RACK_ENV", "GO_ENV", "ENV", "ENVIRONMENT"];
    for mode in scene.modes(&variables, "test", "development") {
        let chain = match mode.as_str() {
            "test" | "testing" => owned(&[".env.test.local", ".env.test", ".env"]),
            mode => {
                vec![format!(".env.{mode}.local"), format!(".env.{mode}"), ".env.local".to_owned(), ".env".to_owned()]
            }
        };
        draft.chain(loader, dialects, layered(folder, &chain));
        for name in singles(scene, &mode, folder) {
            single(draft, loader, dialects, &folder.join(name));
        }
    }
}

/// The files that a program may be told to load in the mode. A project with files for tests keeps its tests away
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
