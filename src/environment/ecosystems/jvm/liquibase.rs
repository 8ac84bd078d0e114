//! Liquibase's own file: beside the command, or the one that a build or the command names. Source: its manual
//! ("liquibase.properties", `propertyFile`).

use crate::environment::ecosystems::jvm::{modules, told};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::by_format;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::EVERY_DIALECT;
use crate::environment::readers::formats;

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    let names_it = |word: &String| word.contains("liquibase");
    scene.program() == "liquibase"
        || matches!(scene.program(), "gradle" | "gradlew" | "mvn" | "mvnw" | "mvnd")
            && scene.words().iter().any(names_it)
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in modules::homes(scene).iter() {
        let given = told::of(scene, home, false);
        let mut paths = told::named_files(scene, home, &given, &["liquibase.propertyFile"]);
        if paths.is_empty() {
            paths.push(home.join("liquibase.properties"));
        }
        for path in paths.iter().filter(|path| scene.library.exists(path)) {
            let mut layers = vec![Layer::fixed(given.to_vec()), Layer::Environment];
            layers.extend(by_format::flat(scene.library, path, formats::properties::flatten));
            readings.chain("Liquibase", EVERY_DIALECT, layers);
        }
    }
}
