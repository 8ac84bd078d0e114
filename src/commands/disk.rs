//! Gives the deciding stages the file system.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use crate::environment::Files;
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
}
