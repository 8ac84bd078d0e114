//! Puts a folder back: unpacked beside, compared, and exchanged by rename.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::durable;
use crate::lock::{Lock, try_lock};
use crate::regular;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::folder::archive::unpack;
use crate::snapshot::folder::error::FolderError;
use crate::snapshot::folder::listing::{Entry, Listing};
use crate::snapshot::{Manifest, Watch};
use crate::text::shown;

/// Exchanges `folder` for what the archive `file` holds, which are `entries`; gives what a person should know.
///
/// # Errors
///
/// The folder is as it was, and nothing is left beside it.
pub(crate) fn restore(
    file: &Path,
    manifest: &Manifest,
    entries: &[Entry],
    folder: &Path,
    watch: &dyn Watch,
) -> Result<Vec<String>, FolderError> {
    let beside = Beside::make(folder)?;
    let hash = unpack(file, entries, &beside.path)?;
    DumpError::expect_hash(file, &manifest.sha256, &hash)?;
    compare(&beside.path, entries, watch)?;
    if watch.interrupted() {
        return Err(FolderError::Interrupted);
    }
    sync(&beside.path).map_err(FolderError::file("sync", &beside.path))?;
    exchange(&beside.path, folder)?;
    durable::sync_folder(parent(folder)).map_err(FolderError::file("sync", parent(folder)))?;
    Ok(beside.clear())
}

/// Unpacks an archive into a folder of its own in `within`, compares, and removes that.
///
/// # Errors
///
/// It does not come back as it is. Nothing is left.
pub(crate) fn rehearse(file: &Path, within: &Path, entries: &[Entry], watch: &dyn Watch) -> Result<(), FolderError> {
    let beside = Beside::make(&within.join("rehearsal"))?;
    unpack(file, entries, &beside.path)?;
    compare(&beside.path, entries, watch)
}

/// Proves that what was unpacked is what the archive holds.
fn compare(unpacked: &Path, entries: &[Entry], watch: &dyn Watch) -> Result<(), FolderError> {
    let found = Listing::of(unpacked, watch)?.entries;
    let difference = match found.iter().zip(entries).find(|(found, expected)| !found.is_like(expected)) {
        Some((found, _)) => format!("`{}` differs", shown(&found.path)),
        None if found.len() != entries.len() => format!("{} things in place of {}", found.len(), entries.len()),
        None => return Ok(()),
    };
    Err(DumpError::NotWhole { what: shown(unpacked).into_owned(), differences: difference }.into())
}

/// Writes all of a new folder to the disk.
#[cfg(target_os = "linux")]
fn sync(folder: &Path) -> io::Result<()> {
    let opened = regular::open_folder(CWD, &c_string(folder)?, false)?;
    Ok(rustix::fs::syncfs(opened)?)
}

#[cfg(not(target_os = "linux"))]
fn sync(folder: &Path) -> io::Result<()> {
    regular::open_folder(CWD, &c_string(folder)?, false)?;
    rustix::fs::sync();
    Ok(())
}

fn c_string(path: &Path) -> io::Result<std::ffi::CString> {
    use std::os::unix::ffi::OsStrExt;
    Ok(std::ffi::CString::new(path.as_os_str().as_bytes())?)
}

fn parent(folder: &Path) -> &Path {
    folder.parent().unwrap_or(Path::new("/"))
}

/// Gives the new folder the old one's name, and the old one, where there is one, the new one's.
fn exchange(new: &Path, folder: &Path) -> Result<(), FolderError> {
    let failed = FolderError::file("exchange", folder);
    if matches!(fs::symlink_metadata(folder), Err(error) if error.kind() == io::ErrorKind::NotFound) {
        return renameat_with(CWD, new, CWD, folder, RenameFlags::NOREPLACE)
            .or_else(|_| fs::rename(new, folder))
            .map_err(failed);
    }
    renameat_with(CWD, new, CWD, folder, RenameFlags::EXCHANGE).map_err(|error| failed(error.into()))
}

/// A folder of ours beside the one that is put back: first what is to come, then what was there.
struct Beside {
    path: PathBuf,
    /// As long as it is kept, no other call takes the folder for a leftover.
    lock: Option<File>,
}

impl Beside {
    /// Makes it, and clears away what killed calls have left.
    fn make(folder: &Path) -> Result<Beside, FolderError> {
        let parent = parent(folder);
        let mut prefix = OsString::from(".");
        prefix.push(folder.file_name().unwrap_or_default());
        prefix.push(".safe-test_");
        fs::create_dir_all(parent).map_err(FolderError::file("make", parent))?;
        for entry in fs::read_dir(parent).map_err(FolderError::file("read", parent))?.flatten() {
            let name = entry.file_name();
            let begins_so = name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
            if begins_so && entry.file_type().is_ok_and(|kind| kind.is_dir()) && locked(&entry.path()).is_some() {
                // What cannot be removed now is removed next time.
                let _ = remove(&entry.path());
            }
        }
        let made = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent);
        let path = made.map_err(FolderError::file("make a folder in", parent))?.keep();
        let lock = locked(&path);
        Ok(Beside { path, lock })
    }

    /// Removes what was there before; where that fails, says so.
    fn clear(self) -> Vec<String> {
        let left = remove(&self.path).err();
        left.map(|error| format!("What was there before is still in `{}`: {error}.", shown(&self.path)))
            .into_iter()
            .collect()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = remove(&self.path);
        drop(self.lock.take());
    }
}

/// Locks a folder; `None` where another call has, or there are no locks.
fn locked(folder: &Path) -> Option<File> {
    let opened = File::from(regular::open_folder(CWD, &c_string(folder).ok()?, false).ok()?);
    try_lock(&opened, Lock::Exclusive).is_ok_and(|is_locked| is_locked).then_some(opened)
}

/// Removes a folder with all that is in it, folders that nobody may write into included.
fn remove(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        ended => return ended,
    }
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        fs::set_permissions(&at, fs::Permissions::from_mode(0o700))?;
        let entries = fs::read_dir(&at)?.flatten();
        waiting.extend(
            entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
        );
    }
    fs::remove_dir_all(folder)
}
