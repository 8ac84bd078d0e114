//! Spring's further files: those that settings import, and those that a run is told to look for.
//!
//! Source: spring-boot's `external-config.adoc` ("Importing Additional Data", "Changing the Location").

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use crate::environment::ecosystems::jvm::documents::{FileEntry, read, relaxed};
use crate::environment::ecosystems::jvm::told;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::{normal, parent};
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::{Origin, Setting};

/// More files that import each other are not followed.
const MOST: usize = 64;

/// Lists the folders, and the folders of the files, that the run is told to look in, the strongest first: later ones beat
/// earlier ones.
pub(crate) fn locations(scene: &Scene<'_>, home: &Path, given: &[Setting]) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for name in ["spring.config.additional-location", "spring.config.location", "micronaut.config.files"] {
        let value = told::get(given, name).map(str::to_owned);
        let value = value.or_else(|| scene.environment.get(&relaxed(name)).map(str::to_owned));
        for location in value.iter().flat_map(|value| value.rsplit([',', ';'])) {
            folders.extend(paths(scene, home, None, location));
        }
    }
    folders
}

/// Puts the files that settings import, and those that the run is told of by name, before the settings themselves.
pub(crate) fn with_imported(
    scene: &Scene<'_>,
    home: &Path,
    given: &[Setting],
    entries: Vec<FileEntry>,
    of_the_jvm: &[(&'static str, String)],
) -> Vec<FileEntry> {
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut imported = Vec::new();
    for path in locations(scene, home, given).into_iter().filter(|path| path.extension().is_some()) {
        imported.extend(read(scene.library, &path, None));
        seen.push(path);
    }
    imported.extend(entries);
    let mut waiting: VecDeque<FileEntry> = imported.iter().filter(|entry| is_import(entry)).cloned().collect();
    while let Some(entry) = waiting.pop_front() {
        let look = |name: &str| {
            let set =
                || scene.environment.get(name).or_else(|| scene.environment.get(&relaxed(name))).map(str::to_owned);
            let in_file = || imported.iter().find(|entry| entry.name == name).map(|entry| entry.value.clone());
            let own = || of_the_jvm.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
            told::get(given, name).map(str::to_owned).or_else(set).or_else(in_file).or_else(own)
        };
        let value = Placeholders::of_value(&look).filled(&entry.value);
        let new = imports(scene, home, &entry, &value, &mut seen);
        waiting.extend(new.iter().filter(|entry| is_import(entry)).cloned());
        // What is imported beats the file that imports it.
        imported.splice(0..0, new);
    }
    imported
}

fn is_import(entry: &FileEntry) -> bool {
    let rest = entry.name.strip_prefix("spring.config.import");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Reads the files that `value` names, what the import of `entry` comes to, the strongest first: later ones beat earlier ones.
fn imports(scene: &Scene<'_>, home: &Path, entry: &FileEntry, value: &str, seen: &mut Vec<PathBuf>) -> Vec<FileEntry> {
    let importer = parent(&scene.project.root.join(entry.shown.as_ref()));
    let mut found = Vec::new();
    for location in value.rsplit([',', ';']) {
        let location = location.trim();
        let is_file = |rest: &str| {
            !rest.contains(':') || ["file:", "classpath:", "configtree:"].iter().any(|kind| rest.starts_with(kind))
        };
        let own = location.strip_prefix("optional:").unwrap_or(location);
        if !is_file(own) || own.contains("${") {
            let origin = Origin { variable: "spring.config.import".to_owned(), ..entry.origin() };
            let why = "it takes settings from where only the program looks";
            scene.library.gaps.give_up(origin, GivenUp::Code(why.into()));
            continue;
        }
        for path in paths(scene, home, Some(&importer), own) {
            if path.extension().is_none() && !path.ends_with(".env") || seen.contains(&path) {
                continue;
            }
            if seen.len() >= MOST {
                let why = GivenUp::too_much("its settings import more than 64 files");
                scene.library.gaps.give_up(entry.origin(), why);
                break;
            }
            found.extend(read(scene.library, &path, None));
            seen.push(path);
        }
    }
    found
}

/// Finds what a location leads to, where it is there: relative to the working folder, the resources or the importing file.
fn paths(scene: &Scene<'_>, home: &Path, importer: Option<&Path>, location: &str) -> Vec<PathBuf> {
    let own = location.trim().trim_start_matches("optional:");
    // `.env[.properties]` says how a file without an extension is read.
    let own = own.split('[').next().unwrap_or(own);
    let resources = || vec![home.join("src/test/resources"), home.join("src/main/resources")];
    let (name, folders) = match own.split_once(':') {
        Some(("classpath", name)) => (name.trim_start_matches('/'), resources()),
        Some(("file" | "configtree", name)) => {
            (name, vec![home.to_owned(), scene.folder.to_owned(), scene.project.root.clone()])
        }
        _ => {
            (own, importer.map(Path::to_owned).into_iter().chain([home.to_owned(), scene.folder.to_owned()]).collect())
        }
    };
    let name = if name.starts_with("//") { name.trim_start_matches('/') } else { name };
    let found = folders.iter().map(|folder| normal(&folder.join(name))).find(|path| scene.library.exists(path));
    found.filter(|_| !name.is_empty()).into_iter().collect()
}
