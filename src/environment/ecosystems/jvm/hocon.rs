//! Ktor, Play and Akka: HOCON in `application.conf`, that of the tests over the program's own, or the file that the run is
//! told to read instead.
//!
//! Source: the manual of lightbend/config ("Standard behavior", `config.file`, `config.resource`, `include`).

use std::path::{Path, PathBuf};

use crate::environment::Setting;
use crate::environment::ecosystems::jvm::resources::Folders;
use crate::environment::ecosystems::jvm::{modules, resources, told};
use crate::environment::ecosystems::manifest::quoted;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::blocks;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::paths::{normal, parent};
use crate::environment::readers::dotenv::Dialect;

/// More files that include each other are not followed.
const MOST: usize = 32;

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in modules::homes(scene).iter() {
        for is_test in resources::runs(scene) {
            let given = told::of(scene, home, is_test);
            for path in files(scene, home, is_test, &given) {
                let mut layers = vec![Layer::fixed(given.to_vec()), Layer::Environment];
                layers.extend(
                    with_included(scene, path).iter().filter_map(|path| blocks::layer(scene.library, path, None)),
                );
                readings.chain("HOCON", &[Dialect::Lenient], layers);
            }
        }
    }
}

/// Lists the files that the program may begin with.
fn files(scene: &Scene<'_>, home: &Path, is_test: bool, given: &[Setting]) -> Vec<PathBuf> {
    let named = told::named_files(scene, home, given, &["config.file", "config.resource"]);
    if !named.is_empty() {
        return named;
    }
    let folders = Folders::of(scene, home, &[], is_test);
    // Play's configuration and that of its tests.
    let of_play = [home.join("test/resources"), home.join("conf")];
    let paths = folders.all().chain(&of_play).map(|folder| folder.join("application.conf"));
    paths.filter(|path| scene.library.exists(path)).collect()
}

/// Lists a file, and those that it includes after it: what it says itself is the stronger, as it mostly stands behind.
fn with_included(scene: &Scene<'_>, path: PathBuf) -> Vec<PathBuf> {
    let mut all = vec![path];
    let mut at = 0;
    while at < all.len() && all.len() < MOST {
        let text = scene.library.string(&all[at]).unwrap_or_default();
        let folder = parent(&all[at]);
        for line in text.lines().filter(|line| line.trim_start().starts_with("include ")) {
            let Some(name) = quoted(line).next() else { continue };
            let names = [name.to_owned(), format!("{name}.conf")];
            let found = names.iter().map(|name| normal(&folder.join(name))).find(|path| scene.library.exists(path));
            all.extend(found.filter(|path| !all.contains(path)));
        }
        at += 1;
    }
    all
}
