//! The documents of Spring's configuration files, in the order that they beat each other.
//!
//! Source: spring-boot's `external-config.adoc`: `.properties` beats YAML, later documents beat earlier ones; of two files
//! of one name on the classpath the first is loaded, which is that of the tests.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::resources::Folders;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::Library;
use crate::environment::readers::formats;
use crate::environment::readers::formats::{FlatEntry, Flatten};
use crate::environment::{Origin, Setting};

/// One property with its place.
#[derive(Debug, Clone)]
pub(crate) struct FileEntry {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) shown: Rc<PathBuf>,
    pub(crate) line: u32,
}

impl FileEntry {
    /// Tells where it stands, by its key as the file spells it.
    pub(crate) fn origin(&self) -> Origin {
        let is_flat = self.shown.extension().is_some_and(|extension| extension == "properties");
        let key = if is_flat { &self.name } else { self.name.rsplit('.').next().unwrap_or_default() };
        Origin::file(key, self.shown.as_ref().clone(), self.line)
    }

    pub(crate) fn into_setting(self) -> Setting {
        let origin = self.origin();
        Setting::known(self.name, self.value, origin)
    }
}

/// Reads the properties of the file `name` in every folder, the strongest first. Documents that ask for a profile count
/// only where it is active.
pub(crate) fn documents(scene: &Scene<'_>, folders: &Folders, name: &str, active: Option<&[String]>) -> Vec<FileEntry> {
    let mut entries = Vec::new();
    // Most of them are not there: one look is cheaper than one at each name in it.
    for folder in folders.all().filter(|folder| scene.library.exists(folder)) {
        for extension in ["properties", "yml", "yaml"] {
            let file = format!("{name}.{extension}");
            let path = folder.join(&file);
            if scene.library.exists(&path) && !folders.is_shadowed(scene, folder, &file) {
                entries.extend(read(scene.library, &path, active));
            }
        }
    }
    entries
}

/// Reads the properties of one file, the strongest first.
pub(crate) fn read(library: &Library<'_>, path: &Path, active: Option<&[String]>) -> Vec<FileEntry> {
    let is_yaml = path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
    // A build that fills in resources wants `\${…}` for what is Spring's own, which no reader of YAML takes.
    let flatten: Flatten = match is_yaml {
        true => |text| formats::yaml::flatten(&text.replace("\\${", "${")),
        false => formats::properties::flatten,
    };
    let flat = library.entries(path, flatten).unwrap_or_default();
    let shown = Rc::new(library.shown(path));
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

/// Spells `spring.datasource.url` as a variable: SPRING_DATASOURCE_URL.
pub(crate) fn relaxed(name: &str) -> String {
    name.chars()
        .filter(|c| *c != '-')
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect()
}
