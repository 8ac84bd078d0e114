//! The documents of Spring's configuration files, in the order that they beat each other.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::Library;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;

/// One property with its place.
#[derive(Debug, Clone)]
pub(crate) struct FileEntry {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) shown: Rc<PathBuf>,
    pub(crate) line: u32,
}

/// Reads the properties of the file `name` in every folder, the strongest first. Documents that ask for a profile count
/// only where it is active.
pub(crate) fn documents(
    scene: &Scene<'_>,
    folders: &[PathBuf],
    name: &str,
    active: Option<&[String]>,
) -> Vec<FileEntry> {
    let mut entries = Vec::new();
    // Most of them are not there: one look is cheaper than one at each name in it.
    for folder in folders.iter().filter(|folder| scene.library.exists(folder)) {
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
