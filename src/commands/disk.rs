//! Gives the deciding stages the file system.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use crate::environment::Files;

/// Files larger than this are not read for judging.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The real file system.
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        // A FIFO that nobody writes to would keep us waiting.
        let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let found = file.metadata()?;
        if found.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // What is read from it here would be missing to the command.
        if found.file_type().is_fifo() || found.file_type().is_socket() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 MiB");
        if found.len() > LARGEST {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default());
        // A device has no length of its own.
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST { Err(too_large()) } else { Ok(Some(bytes)) }
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn list(&self, path: &Path) -> Vec<OsString> {
        fs::read_dir(path).map(|entries| entries.flatten().map(|entry| entry.file_name()).collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_pipe_is_refused_at_once_and_an_endless_device_is_too_large() {
        let read = |path: &str| Disk.read(Path::new(path));
        let (reader, _writer) = io::pipe().unwrap();
        let pipe = read(&format!("/dev/fd/{}", reader.as_raw_fd()));
        assert_eq!(pipe.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(read("/dev/zero").unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read("/dev/null").unwrap(), Some(Vec::new()));
    }
}
