//! Files that survive a crash: there whole or not at all, under their name also after a power loss.
//!
//! What is being written lies under a name of its own, locked by the process that writes it. So a file under such a name
//! that is not locked was left by something that was killed, and is cleared away.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::lock::{Lock, is_at, try_lock};
use crate::regular;

/// How the names of unfinished files begin and end; six characters by chance stand between.
const UNFINISHED: (&str, &str) = (".safe-test_", ".partial");

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

/// Writes a private file by way of an [unfinished](unfinished()) one beside it. What killed calls left there is cleared away.
///
/// # Errors
///
/// Where it cannot be written; an older file of that name is then as it was, and the temporary one is gone.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    clear_unfinished(folder);
    write_from(folder, path, content)
}

/// Writes a file that others may read, a program where it is `executable`; otherwise like [`write()`]. A new file is for
/// everybody whom the umask lets have it; one that is there keeps its permissions, and as a program whoever can read it can
/// execute it.
///
/// # Errors
///
/// As for [`write()`].
pub(crate) fn write_public(path: &Path, content: &[u8], executable: bool) -> io::Result<()> {
    let known = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|known| known.permissions());
    let folder = folder_of(path);
    clear_unfinished(folder);
    let partial = unfinished_with(folder, if executable { 0o777 } else { 0o666 })?;
    if let Some(known) = known {
        let mode = known.mode();
        let mode = if executable { mode | (mode & 0o444) >> 2 } else { mode };
        partial.as_file().set_permissions(Permissions::from_mode(mode))?;
    }
    finish(partial, path, content)
}

/// Writes a private file by way of an [unfinished](unfinished()) one in `folder`, which is above it on the same disk: whoever clears
/// that folder need not know of those below.
///
/// # Errors
///
/// As for [`write()`].
pub(crate) fn write_from(folder: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    finish(unfinished(folder)?, path, content)
}

fn finish(mut partial: NamedTempFile, path: &Path, content: &[u8]) -> io::Result<()> {
    partial.write_all(content)?;
    partial.as_file().sync_all()?;
    partial.persist(path).map_err(|error| error.error)?;
    sync_folder(folder_of(path))
}

/// Makes a private file in `folder` under a name of its own, locked as long as it is open and removed when dropped.
///
/// # Errors
///
/// Where it cannot be made.
pub(crate) fn unfinished(folder: &Path) -> io::Result<NamedTempFile> {
    unfinished_with(folder, 0o600)
}

fn unfinished_with(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED.0).suffix(UNFINISHED.1).permissions(Permissions::from_mode(mode));
    loop {
        let file = builder.tempfile_in(folder)?;
        // Another process may have taken it for a leftover before it was locked. Where the file system has no locks, nobody
        // clears anything away.
        match try_lock(file.as_file(), Lock::Exclusive) {
            Ok(is_locked) if !is_locked || !is_at(file.as_file(), file.path()) => {}
            Ok(_) | Err(_) => return Ok(file),
        }
    }
}

/// Lists the [unfinished](unfinished()) files in `folder` that no living process holds, with what others have put beside them under the
/// same name (`….partial-wal`).
pub(crate) fn left_unfinished(folder: &Path) -> Vec<PathBuf> {
    abandoned(folder).into_iter().flat_map(|left| left.paths).collect()
}

/// Removes the [unfinished](unfinished()) files in `folder` that no living process holds, and gives those that are gone.
/// What cannot be removed now is removed next time.
pub(crate) fn clear_unfinished(folder: &Path) -> Vec<PathBuf> {
    let mut removed = Vec::new();
    // The lock is kept until all of them are gone.
    for Abandoned { paths, _lock } in abandoned(folder) {
        removed.extend(paths.into_iter().filter(|path| fs::remove_file(path).is_ok()));
    }
    removed
}

/// An unfinished file that was left, after what stands beside it.
struct Abandoned {
    paths: Vec<PathBuf>,
    /// Proves it; `None` where only what stood beside the file is left.
    _lock: Option<File>,
}

fn abandoned(folder: &Path) -> Vec<Abandoned> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut unfinished: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for name in names.filter_map(|name| name.into_string().ok()) {
        if let Some(length) = unfinished_name(&name) {
            unfinished.entry(folder.join(&name[..length])).or_default().push(folder.join(&name));
        }
    }
    let found = unfinished.into_iter().filter_map(|(file, mut paths)| {
        paths.sort_by(|one, other| other.cmp(one));
        match regular::open_own_to_write(&file, File::options().read(true).write(true)) {
            Ok(lock) if try_lock(&lock, Lock::Exclusive).unwrap_or(false) && is_at(&lock, &file) => {
                Some(Abandoned { paths, _lock: Some(lock) })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Abandoned { paths, _lock: None }),
            _ => None,
        }
    });
    found.collect()
}

/// Finds where the name of an unfinished file ends in `name`, which may be that of a file beside it.
fn unfinished_name(name: &str) -> Option<usize> {
    let (chance, rest) = name.strip_prefix(UNFINISHED.0)?.split_at_checked(6)?;
    let beside = rest.strip_prefix(UNFINISHED.1)?;
    let is_ours =
        chance.bytes().all(|byte| byte.is_ascii_alphanumeric()) && (beside.is_empty() || beside.starts_with('-'));
    is_ours.then_some(name.len() - beside.len())
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
        write_public(&program, b"#!/bin/sh\n", true).unwrap();
        assert_eq!(fs::metadata(&program).unwrap().permissions().mode() & 0o700, 0o700);
        fs::set_permissions(&program, Permissions::from_mode(0o741)).unwrap();
        write_public(&program, b"#!/bin/sh\ntrue\n", false).unwrap();
        assert_eq!(fs::metadata(&program).unwrap().permissions().mode() & 0o777, 0o741);
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
    fn what_a_killed_call_left_is_cleared_and_nothing_of_a_living_one() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let left = [".safe-test_abc123.partial", ".safe-test_abc123.partial-wal", ".safe-test_Zyx987.partial-journal"];
        let others =
            [".safe-test_abc1234.partial", ".safe-test_ab.partial", ".abc123.partial", ".safe-test_abc123.partialx"];
        for name in left.iter().chain(&others) {
            fs::write(at(name), "").unwrap();
        }
        std::os::unix::fs::symlink("nowhere", at(".safe-test_link00.partial")).unwrap();
        let living = unfinished(folder.path()).unwrap();
        let beside_it = PathBuf::from(format!("{}-wal", living.path().display()));
        fs::write(&beside_it, "").unwrap();
        assert_eq!(left_unfinished(folder.path()).len(), 3);
        write(&at("state"), b"content").unwrap();
        assert!(left_unfinished(folder.path()).is_empty());
        for name in others {
            assert!(at(name).exists(), "{name}");
        }
        assert!(living.path().exists() && beside_it.exists());
        drop(living);
        assert_eq!(clear_unfinished(folder.path()), [beside_it]);
        assert!(clear_unfinished(&at("none")).is_empty());
    }

    #[test]
    fn a_file_of_a_folder_below_is_unfinished_in_the_one_above() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("below")).unwrap();
        fs::create_dir(folder.path().join("below/taken")).unwrap();
        write_from(folder.path(), &folder.path().join("below/state"), b"content").unwrap();
        assert!(write_from(folder.path(), &folder.path().join("below/taken"), b"content").is_err());
        assert_eq!(names(folder.path()), ["below"]);
        assert_eq!(names(&folder.path().join("below")), ["state", "taken"]);
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
