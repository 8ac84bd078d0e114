//! Files that survive a crash: there whole or not at all, under their name also after a power loss.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Writes the names in a folder to the disk.
///
/// # Errors
///
/// Where the folder cannot be opened or synced.
#[expect(clippy::disallowed_methods, reason = "a folder is opened, and nothing is read")]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Renames a file whose content is on the disk already, and writes the new name to the disk. An older file of that
/// name is replaced.
///
/// # Errors
///
/// Where it cannot be renamed, or the folder cannot be synced; then the file may stand under the new name already.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder(folder_of(to))
}

/// Writes a private file by way of a temporary one beside it, whose name ends in `.partial`.
///
/// # Errors
///
/// Where it cannot be written; an older file of that name is then as it was, and the temporary one is gone.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    write_with(path, content, 0o600)
}

/// Writes a program for everybody whom the umask lets have it; otherwise like [`write()`].
///
/// # Errors
///
/// As for [`write()`].
pub(crate) fn write_executable(path: &Path, content: &[u8]) -> io::Result<()> {
    write_with(path, content, 0o777)
}

fn write_with(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".partial").permissions(Permissions::from_mode(mode));
    let mut partial = builder.tempfile_in(folder)?;
    partial.write_all(content)?;
    partial.as_file().sync_all()?;
    partial.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Makes a folder that only this account may look into, with those above it; one that is there stays as it is.
///
/// # Errors
///
/// Where it cannot be made.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => Path::new("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_whole_private_and_without_leftovers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for content in ["first", "second"] {
            write(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["state"]);
        let program = folder.path().join("program");
        write_executable(&program, b"#!/bin/sh\n").unwrap();
        assert_eq!(fs::metadata(&program).unwrap().permissions().mode() & 0o700, 0o700);
    }

    #[test]
    fn a_write_that_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        fs::create_dir(&path).unwrap();
        assert!(write(&path, b"content").is_err());
        assert_eq!(names(folder.path()), ["state"]);
        assert!(write(&folder.path().join("missing/state"), b"content").is_err());
    }

    #[test]
    fn renaming_replaces_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "old").unwrap();
        rename(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
        assert_eq!(names(folder.path()), ["b"]);
        assert!(rename(&from, &to).is_err());
    }

    #[test]
    fn a_private_folder_is_for_this_account_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/approvals");
        private_folder(&path).unwrap();
        private_folder(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
