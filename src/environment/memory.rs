//! A folder made of values, for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use crate::environment::{Files, Folder};

/// Files by absolute path; folders are those that hold one.
#[derive(Debug, Default)]
pub(crate) struct MemoryFiles(BTreeMap<PathBuf, Vec<u8>>);

impl MemoryFiles {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        MemoryFiles(files.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect())
    }

    pub(crate) fn with(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.insert(PathBuf::from(path), bytes.into());
        self
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.0.get(path) {
            return Ok(Some(bytes.clone()));
        }
        if self.exists(path) { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(None) }
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.keys().any(|file| file.starts_with(path))
    }

    fn list(&self, path: &Path) -> Vec<OsString> {
        let below = self.0.keys().filter_map(|file| file.strip_prefix(path).ok());
        let names: BTreeSet<OsString> =
            below.filter_map(|rest| rest.components().next()).map(|part| part.as_os_str().to_owned()).collect();
        names.into_iter().collect()
    }

    fn folder(&self, path: &Path) -> Option<Folder> {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        let is_folder = self.exists(path) && !self.0.contains_key(path);
        is_folder.then(|| Folder { id: (0, hasher.finish()), is_link: false })
    }
}
