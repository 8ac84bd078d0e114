//! How the deciding stages see files: through a trait, so that a test can hand them a folder made of values.

use std::ffi::OsString;
use std::io;
use std::path::Path;

/// More than the first line of a script has, as far as any kernel reads it.
pub(crate) const HEAD: usize = 4096;

/// A view of the file system that only reads.
pub(crate) trait Files {
    /// Reads the bytes of the file at `path`; `Ok(None)` where nothing is there.
    ///
    /// # Errors
    ///
    /// Whatever kept an existing file from being read: it is a folder, it is not readable, it is too large.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// Reads the first [`HEAD`] bytes of a file, however large it is; otherwise like [`Files::read`].
    ///
    /// # Errors
    ///
    /// As [`Files::read`].
    fn head(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = self.read(path)?;
        bytes.iter_mut().for_each(|bytes| bytes.truncate(HEAD));
        Ok(bytes)
    }

    /// Tells whether `path`, after following links, is there at all.
    fn exists(&self, path: &Path) -> bool;

    /// Lists the names in the folder `path`, in no particular order; empty where it cannot be listed.
    fn list(&self, path: &Path) -> Vec<OsString>;

    /// Tells which folder `path` is, after following links; `None` where it is none.
    fn folder(&self, path: &Path) -> Option<Folder>;
}

/// A folder, whatever path leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Device and number; the same for the same folder.
    pub(crate) id: (u64, u64),
    /// The path itself is a link.
    pub(crate) is_link: bool,
}
