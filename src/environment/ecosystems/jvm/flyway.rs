//! Flyway's own files: properties, and the environment that `-environment` or the file chooses in its TOML.
//!
//! Source: Flyway's manual ("Configuration files").

use crate::environment::ecosystems::jvm::told;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::by_format;
use crate::environment::ecosystems::settings_files::dotted::dotted;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::EVERY_DIALECT;
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    matches!(scene.program(), "flyway" | "gradle" | "gradlew" | "mvn" | "mvnw" | "mvnd")
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let given = told::of(scene, scene.folder, false);
    let named = told::named_files(scene, scene.folder, &given, &["flyway.configFiles", "flyway.configFile"]);
    for path in ["flyway.conf", "conf/flyway.conf"].map(|name| scene.path(name)).into_iter().chain(named) {
        if scene.library.exists(&path) {
            let mut layers = vec![Layer::fixed(given.to_vec()), Layer::Environment];
            layers.extend(by_format::flat(scene.library, &path, formats::properties::flatten));
            readings.chain("Flyway", EVERY_DIALECT, layers);
        }
    }
    for path in ["flyway.toml", "conf/flyway.toml", "flyway.user.toml"].map(|name| scene.path(name)) {
        if !scene.library.exists(&path) {
            continue;
        }
        let Some(entries) = scene.library.entries(&path, formats::toml::flatten) else { continue };
        let chosen = entries.iter().find(|entry| entry.path.join(".") == "flyway.environment");
        let chosen = scene.option("-environment").map(str::to_owned).or(chosen.map(|entry| entry.value.clone()));
        let chosen = chosen.unwrap_or_else(|| "default".to_owned());
        let counts = |entry: &&FlatEntry| entry.path[0] != "environments" || entry.path.get(1) == Some(&chosen);
        let entries: Vec<FlatEntry> = entries.iter().filter(counts).cloned().collect();
        let shown = scene.library.shown(&path);
        let layer = Layer::computed(move |lookup| {
            let placeholders = Placeholders::of_file(lookup);
            let filled =
                entries.iter().map(|entry| entry.with_value(placeholders.filled(&entry.value.replace("${env.", "${"))));
            dotted(filled.collect(), &shown, Some("database"))
        });
        readings.chain("Flyway", EVERY_DIALECT, vec![Layer::Environment, layer]);
    }
}
