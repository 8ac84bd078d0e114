//! Keeps a secret in a file that only the tools we start can use, and that a killed process leaves to nobody.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::durable;
use crate::text::shown;

/// A private file, gone when dropped.
///
/// On Linux it is a file in memory, reached through our own `/proc` folder, which belongs to this user and vanishes with
/// this process. Elsewhere, and where `/proc` is not mounted, it lies in a folder of ours that nobody else may look into;
/// what a killed process left there is removed by the next one that has a secret to keep, and by the next run.
#[derive(Debug)]
pub(crate) struct SecretFile {
    path: PathBuf,
    _kept: Kept,
}

#[derive(Debug)]
enum Kept {
    #[cfg(target_os = "linux")]
    Memory(#[expect(dead_code, reason = "held open, since closing it removes the file")] std::os::fd::OwnedFd),
    Disk(#[expect(dead_code, reason = "held, since dropping it removes the file")] NamedTempFile),
}

impl SecretFile {
    /// Writes the file, below `state_directory` where it cannot be kept in memory.
    pub(crate) fn new(content: &[u8], state_directory: &Path) -> io::Result<SecretFile> {
        #[cfg(target_os = "linux")]
        if let Ok(file) = in_memory(content) {
            return Ok(file);
        }
        on_disk(content, &secrets_folder(state_directory))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes the secrets that killed processes have left below `state_directory`.
pub(crate) fn clear_secrets(state_directory: &Path) {
    durable::clear_unfinished(&secrets_folder(state_directory));
}

fn secrets_folder(state_directory: &Path) -> PathBuf {
    state_directory.join("secrets")
}

#[cfg(target_os = "linux")]
fn in_memory(content: &[u8]) -> io::Result<SecretFile> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};

    use crate::regular;

    let memory = memfd_create("safe-test", MemfdFlags::CLOEXEC)?;
    // libpq ignores a password file that others could read.
    fchmod(&memory, Mode::RUSR | Mode::WUSR)?;
    let mut file = fs::File::from(memory);
    file.write_all(content)?;
    // Our number there, which is not `getpid` where /proc is that of another process namespace.
    let own_folder = fs::canonicalize("/proc/self")?;
    let path = own_folder.join("fd").join(file.as_raw_fd().to_string());
    // Where /proc is not mounted, or hides processes, the tools could not open it either.
    regular::open(&path)?;
    Ok(SecretFile { path, _kept: Kept::Memory(file.into()) })
}

fn on_disk(content: &[u8], folder: &Path) -> io::Result<SecretFile> {
    durable::private_folder(folder)?;
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() || found.mode() & 0o077 != 0 {
        let why = format!("{} is not a folder that only this account may look into", shown(folder));
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    durable::clear_unfinished(folder);
    let mut file = durable::unfinished(folder)?;
    file.write_all(content)?;
    Ok(SecretFile { path: file.path().to_owned(), _kept: Kept::Disk(file) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn the_file_is_private_and_gone_afterwards() {
        let state = tempfile::tempdir().unwrap();
        let folder = secrets_folder(state.path());
        for file in [SecretFile::new(b"hunter2", state.path()), on_disk(b"hunter2", &folder)] {
            let file = file.unwrap();
            assert_eq!(fs::read(file.path()).unwrap(), b"hunter2");
            assert_eq!(fs::metadata(file.path()).unwrap().mode() & 0o777, 0o600);
            let path = file.path().to_owned();
            drop(file);
            assert_ne!(fs::read(path).unwrap_or_default(), b"hunter2");
        }
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_a_living_one_keeps_its_own() {
        let state = tempfile::tempdir().unwrap();
        let folder = secrets_folder(state.path());
        let kept = on_disk(b"living", &folder).unwrap();
        let left = |name: &str| {
            let path = folder.join(name);
            fs::write(&path, "hunter2").unwrap();
            path
        };
        let first = left(".safe-test_aaaaaa.partial");
        clear_secrets(state.path());
        let second = left(".safe-test_bbbbbb.partial");
        let other = on_disk(b"other", &folder).unwrap();
        assert!(!first.exists() && !second.exists());
        assert!(kept.path().exists() && other.path().exists());
    }

    #[test]
    fn a_folder_that_others_could_look_into_gets_no_secret() {
        let state = tempfile::tempdir().unwrap();
        let folder = secrets_folder(state.path());
        symlink(state.path(), &folder).unwrap();
        assert!(on_disk(b"hunter2", &folder).is_err());
        fs::remove_file(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
        let error = on_disk(b"hunter2", &folder).unwrap_err();
        assert!(error.to_string().ends_with("is not a folder that only this account may look into"), "{error}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
