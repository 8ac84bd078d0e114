//! Gives the deciding stages the file system.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::environment::{Files, Folder};
use crate::regular;

/// The real file system.
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match regular::read(path, regular::LARGE) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            read => read.map(Some),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn list(&self, path: &Path) -> Vec<OsString> {
        fs::read_dir(path).map(|entries| entries.flatten().map(|entry| entry.file_name()).collect()).unwrap_or_default()
    }

    fn folder(&self, path: &Path) -> Option<Folder> {
        let mut found = fs::symlink_metadata(path).ok()?;
        let is_link = found.is_symlink();
        if is_link {
            found = fs::metadata(path).ok()?;
        }
        found.is_dir().then(|| Folder { id: (found.dev(), found.ino()), is_link })
    }
}
