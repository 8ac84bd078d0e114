//! Spring Boot: profile-specific files over plain ones, `config/` over the folder over the classpath.
//!
//! Source: spring-boot's `external-config.adoc`: `.properties` beats YAML; SPRING_* variables beat every file;
//! `${NAME:default}` is filled in from all of them. Test resources shadow main's of the same name.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::environment::ecosystems::jvm::documents::{FileEntry, documents};
use crate::environment::ecosystems::jvm::{quarkus, resources};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::{Origin, Setting};

const DIALECTS: &[Dialect] = &[Dialect::Lenient];
const PROFILES: &str = "spring.profiles.active";

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in resources::homes(scene) {
        readings.add_base(&home);
        for is_test in resources::runs(scene) {
            let folders = resources::folders(&home, is_test);
            let plain = documents(scene, &folders, "application", None);
            for profiles in profiles(scene, &plain, is_test, &folders) {
                let mut stack = Vec::new();
                for profile in profiles.iter().rev() {
                    stack.extend(documents(scene, &folders, &format!("application-{profile}"), None));
                }
                stack.extend(documents(scene, &folders, "application", Some(&profiles)));
                let entries = quarkus::of_profile(stack, &quarkus::profile(scene, is_test));
                let computed = Layer::computed(move |lookup| resolved(&entries, lookup));
                readings.chain("Spring Boot", DIALECTS, vec![Layer::Environment, computed.clone()]);
                // A file beside the program is loaded by many IDEs and by spring-dotenv.
                let beside = home.join(".env");
                if scene.library.exists(&beside) {
                    let layers = vec![Layer::Environment, Layer::file(beside), computed];
                    readings.chain("Spring Boot", DIALECTS, layers);
                }
            }
        }
    }
}

/// Lists the sets of profiles that may be active.
fn profiles(scene: &Scene<'_>, plain: &[FileEntry], is_test: bool, folders: &[PathBuf]) -> Vec<Vec<String>> {
    let list = |text: &str| {
        text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect::<Vec<_>>()
    };
    let in_file = || {
        plain
            .iter()
            .find(|entry| entry.name == PROFILES)
            .map(|entry| entry.value.as_str())
            .filter(|value| !value.contains(['$', '@']))
    };
    let set = scene.purpose.named.as_deref().or(scene.environment.get("SPRING_PROFILES_ACTIVE")).or_else(in_file);
    let mut sets = vec![set.map_or_else(Vec::new, list)];
    // `@ActiveProfiles("test")` stands in code: the file that waits for it makes it plausible.
    let has_test_file = |folder: &PathBuf| {
        ["properties", "yml", "yaml"]
            .iter()
            .any(|extension| scene.library.exists(&folder.join(format!("application-test.{extension}"))))
    };
    if is_test
        && scene.purpose.named.is_none()
        && !sets[0].iter().any(|name| name == "test")
        && folders.iter().any(has_test_file)
    {
        sets.push(vec!["test".to_owned()]);
    }
    sets
}

/// Takes the strongest value of each name, placeholders filled in. A name that a variable sets is left to the variable.
fn resolved(entries: &[FileEntry], lookup: Lookup<'_>) -> Vec<Setting> {
    let mut winners: HashMap<&str, &FileEntry> = HashMap::new();
    for entry in entries {
        winners.entry(&entry.name).or_insert(entry);
    }
    let look = |name: &str| {
        lookup(name).or_else(|| lookup(&relaxed(name))).or_else(|| winners.get(name).map(|entry| entry.value.clone()))
    };
    let mut settings = Vec::new();
    for entry in winners.values().filter(|entry| lookup(&relaxed(&entry.name)).is_none()) {
        let value = Placeholders::of_value(&look).filled(&entry.value);
        let variable = entry.name.rsplit('.').next().unwrap_or_default();
        let variable = if entry.shown.extension().is_some_and(|extension| extension == "properties") {
            &entry.name
        } else {
            variable
        };
        let origin = Origin::file(variable, entry.shown.as_ref().clone(), entry.line);
        settings.push(Setting::known(entry.name.clone(), value, origin));
    }
    settings.sort_by(|one, other| one.name.cmp(&other.name));
    settings
}

/// Spells `spring.datasource.url` as a variable: SPRING_DATASOURCE_URL.
fn relaxed(name: &str) -> String {
    name.chars()
        .filter(|c| *c != '-')
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect()
}
