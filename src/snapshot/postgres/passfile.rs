//! Keeps a password in a file that only the tools we start can use, and that a killed process leaves nowhere.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::regular;
use crate::secret::Secret;

/// A file in the form of `.pgpass`, gone when dropped.
///
/// On Linux it is a file in memory, reached through our own `/proc` folder, which belongs to this user and vanishes with
/// this process. Elsewhere it lies in a private temporary folder.
#[derive(Debug)]
pub(crate) struct PassFile {
    path: PathBuf,
    _kept: Kept,
}

#[derive(Debug)]
enum Kept {
    #[cfg(target_os = "linux")]
    Memory(#[expect(dead_code, reason = "held open, since closing it removes the file")] std::os::fd::OwnedFd),
    Folder(#[expect(dead_code, reason = "held, since dropping it removes the file")] tempfile::TempDir),
}

impl PassFile {
    /// Writes the file.
    pub(crate) fn new(password: &Secret) -> io::Result<PassFile> {
        let line = line(password);
        #[cfg(target_os = "linux")]
        if let Ok(file) = in_memory(line.as_bytes()) {
            return Ok(file);
        }
        in_folder(line.as_bytes())
    }

    /// Returns the path for `PGPASSFILE`.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Writes one line for every server: the tools get host, user and database from us alone.
///
/// Source: PostgreSQL documentation, "The Password File": `\` and `:` are escaped with `\`.
fn line(password: &Secret) -> String {
    let escaped = password.expose().replace('\\', r"\\").replace(':', r"\:");
    format!("*:*:*:*:{escaped}\n")
}

#[cfg(target_os = "linux")]
fn in_memory(content: &[u8]) -> io::Result<PassFile> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};

    let memory = memfd_create("safe-test", MemfdFlags::CLOEXEC)?;
    // libpq ignores a password file that others could read.
    fchmod(&memory, Mode::RUSR | Mode::WUSR)?;
    let mut file = std::fs::File::from(memory);
    file.write_all(content)?;
    // Our number there, which is not `getpid` where /proc is that of another process namespace.
    let own_folder = std::fs::canonicalize("/proc/self")?;
    let path = own_folder.join("fd").join(file.as_raw_fd().to_string());
    // Where /proc is not mounted, or hides processes, the tools could not open it either.
    regular::open(&path)?;
    Ok(PassFile { path, _kept: Kept::Memory(file.into()) })
}

fn in_folder(content: &[u8]) -> io::Result<PassFile> {
    // 0700 by tempfile.
    let folder = tempfile::Builder::new().prefix("safe-test-").tempdir()?;
    let path = folder.path().join("pgpass");
    let mut file = regular::create(&path)?;
    file.write_all(content)?;
    Ok(PassFile { path, _kept: Kept::Folder(folder) })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn colons_and_backslashes_are_escaped() {
        let cases =
            [("plain", "*:*:*:*:plain\n"), (r"a:b\c", "*:*:*:*:a\\:b\\\\c\n"), ("ü #'\" ", "*:*:*:*:ü #'\" \n")];
        for (password, expected) in cases {
            assert_eq!(line(&Secret::new(password)), expected);
        }
    }

    #[test]
    fn the_file_is_private_and_gone_afterwards() {
        for make in [|| PassFile::new(&Secret::new("hunter2")), || in_folder(b"*:*:*:*:hunter2\n")] {
            let file = make().unwrap();
            assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "*:*:*:*:hunter2\n");
            assert_eq!(std::fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
            let path = file.path().to_owned();
            drop(file);
            assert_ne!(std::fs::read_to_string(path).unwrap_or_default(), "*:*:*:*:hunter2\n");
        }
    }
}
