//! Spring Boot: profile-specific files over plain ones, `config/` over the folder over the classpath.
//!
//! Source: spring-boot's `external-config.adoc`: `.properties` beats YAML; SPRING_* variables beat every file;
//! `${NAME:default}` is filled in from all of them. Test resources shadow main's of the same name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::blocks;
use crate::environment::layering::Library;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Setting};

const DIALECTS: &[Dialect] = &[Dialect::Lenient];
const PROFILES: &str = "spring.profiles.active";

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let mark =
        ["pom.xml", "build.gradle", "build.gradle.kts", "src"].into_iter().find(|mark| scene.is_in_project(mark));
    for home in scene.homes(mark.unwrap_or("pom.xml")) {
        readings.add_base(&home);
        for is_test in [true, false] {
            if (is_test && !scene.purpose.test) || (!is_test && !scene.purpose.development) {
                continue;
            }
            let folders = folders(&home, is_test);
            // Ktor, Play and Akka: HOCON, that of the tests over the program's own.
            for path in folders.iter().map(|folder| folder.join("application.conf")) {
                if scene.library.exists(&path)
                    && let Some(layer) = blocks::layer(scene.library, &path, None)
                {
                    readings.chain("HOCON", DIALECTS, vec![Layer::Environment, layer]);
                }
            }
            let plain = documents(scene, &folders, "application", None);
            for profiles in profiles(scene, &plain, is_test, &folders) {
                let mut stack = Vec::new();
                for profile in profiles.iter().rev() {
                    stack.extend(documents(scene, &folders, &format!("application-{profile}"), None));
                }
                stack.extend(documents(scene, &folders, "application", Some(&profiles)));
                let stack = of_quarkus(stack, &quarkus_profile(scene, is_test));
                let entries = Rc::new(stack);
                let computed = Layer::computed(move |lookup| resolved(&entries, lookup));
                // A file beside the program is loaded by many IDEs and by spring-dotenv.
                readings.chain("Spring Boot", DIALECTS, vec![Layer::Environment, computed.clone()]);
                readings.chain(
                    "Spring Boot",
                    DIALECTS,
                    vec![Layer::Environment, Layer::file(home.join(".env")), computed],
                );
            }
        }
    }
}

/// Lists the folders that configuration is looked for in, the strongest first.
fn folders(home: &Path, is_test: bool) -> Vec<PathBuf> {
    let mut folders = vec![home.join("config"), home.to_owned()];
    if is_test {
        folders.extend([home.join("src/test/resources/config"), home.join("src/test/resources")]);
    }
    folders.extend([home.join("src/main/resources/config"), home.join("src/main/resources")]);
    folders
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

/// Chooses the profile that Quarkus runs in. Source: its configuration reference ("Profiles").
fn quarkus_profile(scene: &Scene<'_>, is_test: bool) -> String {
    let (options, default) = match is_test {
        true => (&["-Dquarkus.test.profile", "-Dquarkus.profile"][..], "test"),
        false => (&["-Dquarkus.profile"][..], "dev"),
    };
    let variables = if is_test { &["QUARKUS_TEST_PROFILE"][..] } else { &["QUARKUS_PROFILE"][..] };
    let given = options.iter().find_map(|option| scene.option(option));
    let given = given.or_else(|| variables.iter().find_map(|name| scene.environment.get(name)));
    given.filter(|name| !name.is_empty()).unwrap_or(default).to_owned()
}

/// Puts Quarkus' `%test.key` over `key` where that profile is active, and leaves it out where it is not.
fn of_quarkus(entries: Vec<FileEntry>, profile: &str) -> Vec<FileEntry> {
    let (marked, plain): (Vec<FileEntry>, Vec<FileEntry>) =
        entries.into_iter().partition(|entry| entry.name.starts_with('%'));
    let active = marked.into_iter().filter_map(|mut entry| {
        let (profiles, key) = entry.name[1..].split_once('.')?;
        let mut profiles = profiles.trim_matches(['{', '}', '"']).split([',', '|']);
        let is_active = profiles.any(|name| name.trim() == profile);
        entry.name = key.to_owned();
        is_active.then_some(entry)
    });
    active.chain(plain).collect()
}

/// One property with its place.
#[derive(Debug, Clone)]
struct FileEntry {
    name: String,
    value: String,
    shown: Rc<PathBuf>,
    line: u32,
}

/// Reads the properties of the file `name` in every folder, the strongest first. Documents that ask for a profile count
/// only where it is active.
fn documents(scene: &Scene<'_>, folders: &[PathBuf], name: &str, active: Option<&[String]>) -> Vec<FileEntry> {
    let mut entries = Vec::new();
    for folder in folders {
        for extension in ["properties", "yml", "yaml"] {
            let path = folder.join(format!("{name}.{extension}"));
            if scene.library.exists(&path) {
                entries.extend(read(scene.library, &path, active));
            }
        }
    }
    entries
}

fn read(library: &Library<'_>, path: &Path, active: Option<&[String]>) -> Vec<FileEntry> {
    let is_properties = path.extension().is_some_and(|extension| extension == "properties");
    let flatten = if is_properties { formats::properties::flatten } else { formats::yaml::flatten };
    let flat = library.entries(path, flatten).unwrap_or_default();
    let shown = Rc::new(library.shown(path));
    // Later documents of a file beat earlier ones.
    let mut entries: Vec<FileEntry> = Vec::new();
    for document in flat.chunk_by(|one, other| one.document == other.document) {
        if is_active(document, active) {
            let of_document = document.iter().map(|entry| FileEntry {
                name: entry.path.join("."),
                value: entry.value.clone(),
                shown: Rc::clone(&shown),
                line: entry.line,
            });
            entries.splice(0..0, of_document);
        }
    }
    entries
}

fn is_active(document: &[FlatEntry], active: Option<&[String]>) -> bool {
    let wants = |entry: &&FlatEntry| {
        let name = entry.path.join(".");
        name.starts_with("spring.config.activate.on-profile") || name == "spring.profiles"
    };
    let wanted: Vec<&FlatEntry> = document.iter().filter(wants).collect();
    wanted.is_empty()
        || active.is_some_and(|active| {
            let names = wanted.iter().flat_map(|entry| entry.value.split([',', '|', '&', ' ']));
            names.map(str::trim).any(|name| match name.strip_prefix('!') {
                Some(name) => !active.iter().any(|active| active == name),
                None => active.iter().any(|active| active == name),
            })
        })
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
