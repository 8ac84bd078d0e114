//! Opens the files of the project, of the store and of the state directory: the only way to any of them.
//!
//! What stands in their place need not be a file: a pipe that nobody writes to keeps its reader waiting, `/dev/zero`
//! never ends, `/dev/stdin` holds the guarded command's input. So whatever is no regular file is refused, and is not
//! even opened where that can be avoided: opening alone lets go of whoever writes to a pipe, or rewinds a tape.
//! `clippy.toml` keeps other ways of opening out of the crate.

pub(crate) mod pipe;

use std::borrow::Borrow;
use std::ffi::CStr;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// More than any settings file, list of references or manifest of a snapshot has: 64 MiB.
pub(crate) const LARGE: u64 = 64 * 1024 * 1024;

/// More than any file of a few lines has: 1 MiB.
pub(crate) const SMALL: u64 = 1024 * 1024;

/// What stands where a regular file is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is {0}, not a regular file")]
pub(crate) struct NotRegular(&'static str);

impl NotRegular {
    const LINK: NotRegular = NotRegular("a symbolic link");

    /// Finds what an error of this module says of the file's kind; `None` for every other error.
    pub(crate) fn of(error: &io::Error) -> Option<NotRegular> {
        error.get_ref()?.downcast_ref().copied()
    }

    pub(crate) fn is_link(self) -> bool {
        self == NotRegular::LINK
    }
}

impl From<NotRegular> for io::Error {
    fn from(found: NotRegular) -> Self {
        let kind = if found.0 == FOLDER { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput };
        io::Error::new(kind, found)
    }
}

const FOLDER: &str = "a folder";

/// Opens a file for reading, wherever links lead.
///
/// # Errors
///
/// [`NotRegular`] as the error's cause for what is no regular file; nothing was read from it. Otherwise what the system
/// says.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    opened(path, libc::O_NONBLOCK, &fs::metadata(path)?, OpenOptions::new().read(true)).map(|(file, _)| file)
}

/// Reads a file whole, wherever links lead. What is open elsewhere under the same description keeps its position.
///
/// # Errors
///
/// As [`open`], and [`io::ErrorKind::FileTooLarge`] for more than `cap` bytes, also where it grows beyond them meanwhile.
pub(crate) fn read(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    let (file, found) = opened(path, libc::O_NONBLOCK, &fs::metadata(path)?, OpenOptions::new().read(true))?;
    read_bounded(&file, &found, cap)
}

/// Reads the first `length` bytes of a file, however large it is, wherever links lead.
///
/// # Errors
///
/// As [`open`].
pub(crate) fn head(path: &Path, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    FromStart::new(open(path)?).take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a folder, to be listed: the one of this name in `parent`, or at this path where that is [`CWD`](rustix::fs::CWD). A
/// link in its place is refused where `follows_links` does not permit it.
///
/// # Errors
///
/// [`io::ErrorKind::NotADirectory`] for what is no folder, which is not opened. Otherwise what the system says.
#[expect(clippy::disallowed_methods, reason = "what is no folder is not opened")]
pub(crate) fn open_folder(parent: BorrowedFd<'_>, name: &CStr, follows_links: bool) -> io::Result<OwnedFd> {
    let links = if follows_links { OFlags::empty() } else { OFlags::NOFOLLOW };
    Ok(rustix::fs::openat(parent, name, OFlags::DIRECTORY | OFlags::CLOEXEC | links, Mode::empty())?)
}

/// Looks at a file that something else is going to open, wherever links lead.
///
/// # Errors
///
/// As [`open`].
pub(crate) fn expect(path: &Path) -> io::Result<()> {
    Ok(expect_regular(fs::metadata(path)?.file_type())?)
}

/// Tells whether `path` leads to `/dev/null`, which stands for a file with nothing in it wherever one is named.
pub(crate) fn is_null_device(path: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).ok().filter(|found| found.file_type().is_char_device());
    let null = Path::new("/dev/null");
    matches!((device(path), device(null)), (Some(one), Some(null)) if one.rdev() == null.rdev())
}

/// Opens a file of ours for reading: a link in its place is refused, since somebody else put it there.
///
/// # Errors
///
/// As [`open`].
pub(crate) fn open_own(path: &Path) -> io::Result<File> {
    let found = fs::symlink_metadata(path)?;
    opened(path, OWN, &found, OpenOptions::new().read(true)).map(|(file, _)| file)
}

/// Reads a file of ours whole.
///
/// # Errors
///
/// As [`open_own`] and [`read`].
pub(crate) fn read_own(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    let (file, found) = opened(path, OWN, &fs::symlink_metadata(path)?, OpenOptions::new().read(true))?;
    read_bounded(&file, &found, cap)
}

/// Opens a file of ours for writing, private where it is made anew. A link in its place is refused.
///
/// `options` must not ask for truncation: that would come before the file's kind is known for sure.
///
/// # Errors
///
/// As [`open`].
pub(crate) fn open_own_to_write(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Ok(found) => expect_regular(found.file_type())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    opened_unseen(path, OWN, options.mode(0o600)).map(|(file, _)| file)
}

/// Creates a private file that is not there yet, for reading and writing.
///
/// # Errors
///
/// [`io::ErrorKind::AlreadyExists`] where anything is in its place, a link that leads nowhere too. Otherwise what the
/// system says.
#[expect(clippy::disallowed_methods, reason = "what is made anew is a regular file")]
pub(crate) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

const OWN: i32 = libc::O_NONBLOCK | libc::O_NOFOLLOW;

fn opened(path: &Path, flags: i32, seen: &Metadata, options: &mut OpenOptions) -> io::Result<(File, Metadata)> {
    expect_regular(seen.file_type())?;
    opened_unseen(path, flags, options)
}

/// Opens what may have come to the place of what was looked at before: never waits, and becomes nobody's terminal.
#[expect(clippy::disallowed_methods, reason = "the one place where files are opened")]
fn opened_unseen(path: &Path, flags: i32, options: &mut OpenOptions) -> io::Result<(File, Metadata)> {
    let file = options.custom_flags(flags | libc::O_NOCTTY).open(path).map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) if flags & libc::O_NOFOLLOW != 0 => NotRegular::LINK.into(),
        _ => error,
    })?;
    let found = file.metadata()?;
    expect_regular(found.file_type())?;
    Ok((file, found))
}

fn expect_regular(found: FileType) -> Result<(), NotRegular> {
    Err(NotRegular(match found {
        found if found.is_file() => return Ok(()),
        found if found.is_dir() => FOLDER,
        found if found.is_symlink() => return Err(NotRegular::LINK),
        found if found.is_fifo() => "a named pipe",
        found if found.is_socket() => "a socket",
        found if found.is_char_device() || found.is_block_device() => "a device",
        _ => "of a kind of its own",
    }))
}

fn read_bounded(file: &File, found: &Metadata, cap: u64) -> io::Result<Vec<u8>> {
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} MiB", cap >> 20));
    if found.len() > cap {
        return Err(too_large());
    }
    // One byte more than there are tells the end without another buffer.
    let mut bytes = Vec::with_capacity(usize::try_from(found.len() + 1).unwrap_or_default());
    FromStart::new(file).take(cap + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap { Err(too_large()) } else { Ok(bytes) }
}

/// A file read from its start, whatever position its descriptor is at.
pub(crate) struct FromStart<F> {
    file: F,
    offset: u64,
}

impl<F> FromStart<F> {
    pub(crate) fn new(file: F) -> Self {
        FromStart { file, offset: 0 }
    }
}

impl<F: Borrow<File>> Read for FromStart<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.borrow().read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;
    use std::process::Command;

    /// A folder with one of everything that can stand where a file is expected, and what is said of each.
    fn folder() -> (tempfile::TempDir, Vec<(PathBuf, &'static str)>) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let _listener = UnixListener::bind(at("socket")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        for (name, to) in
            [("zero", "/dev/zero"), ("tty", "/dev/tty"), ("null", "/dev/null"), ("to-pipe", "pipe"), ("to-folder", ".")]
        {
            symlink(to, at(name)).unwrap();
        }
        let kinds = [
            ("pipe", "a named pipe"),
            ("to-pipe", "a named pipe"),
            ("socket", "a socket"),
            ("folder", "a folder"),
            ("to-folder", "a folder"),
            ("zero", "a device"),
            ("tty", "a device"),
            ("null", "a device"),
        ];
        let kinds = kinds.map(|(name, kind)| (at(name), kind)).into();
        (folder, kinds)
    }

    #[test]
    fn only_regular_files_are_opened_and_nothing_waits() {
        let (_folder, kinds) = folder();
        for (path, kind) in kinds {
            for error in [open(&path).unwrap_err(), read(&path, SMALL).unwrap_err()] {
                assert_eq!(NotRegular::of(&error), Some(NotRegular(kind)), "{}", path.display());
                assert_eq!(error.to_string(), format!("it is {kind}, not a regular file"));
                assert_eq!(error.kind() == io::ErrorKind::IsADirectory, kind == FOLDER);
            }
            let kind = if path.is_symlink() { "a symbolic link" } else { kind };
            let to_write = || open_own_to_write(&path, OpenOptions::new().append(true).create(true));
            for error in [open_own(&path).unwrap_err(), read_own(&path, SMALL).unwrap_err(), to_write().unwrap_err()] {
                assert_eq!(NotRegular::of(&error), Some(NotRegular(kind)), "{}", path.display());
            }
            assert_eq!(create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
    }

    #[test]
    fn the_null_device_is_known_by_any_name() {
        let (_folder, kinds) = folder();
        for (path, _) in &kinds {
            assert_eq!(is_null_device(path), path.ends_with("null"), "{}", path.display());
        }
        assert!(!is_null_device(Path::new("/nonexistent")));
    }

    #[test]
    fn what_is_put_in_place_of_a_file_after_the_look_is_refused_too() {
        let (folder, kinds) = folder();
        let plain = folder.path().join("plain");
        fs::write(&plain, "text").unwrap();
        let seen = fs::metadata(&plain).unwrap();
        for (path, kind) in kinds.into_iter().filter(|(_, kind)| *kind != "a socket") {
            let found = opened(&path, libc::O_NONBLOCK, &seen, OpenOptions::new().read(true));
            // A terminal that is not there cannot be opened at all.
            let found =
                NotRegular::of(&found.unwrap_err()).or_else(|| path.ends_with("tty").then_some(NotRegular(kind)));
            assert_eq!(found, Some(NotRegular(kind)), "{}", path.display());
            if path.is_symlink() {
                let link = opened(&path, OWN, &seen, OpenOptions::new().read(true)).unwrap_err();
                assert!(NotRegular::of(&link).unwrap().is_link());
            }
        }
    }

    #[test]
    fn files_are_read_whole_up_to_the_cap() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(read(&path, SMALL).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(open_own(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        for length in [0, 1, 4095, 4096] {
            let content = vec![b'x'; length];
            fs::write(&path, &content).unwrap();
            assert_eq!(read(&path, 4096).unwrap(), content);
            assert_eq!(read_own(&path, 4096).unwrap(), content);
        }
        fs::write(&path, vec![b'x'; 4097]).unwrap();
        assert_eq!(read(&path, 4096).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!((head(&path, 100).unwrap().len(), head(&path, 5000).unwrap().len()), (100, 4097));
        // Ten gigabytes that take no room.
        File::options().write(true).open(&path).unwrap().set_len(10 << 30).unwrap();
        let error = read(&path, LARGE).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (io::ErrorKind::FileTooLarge, "it is larger than 64 MiB")
        );
    }

    #[test]
    fn a_file_that_grows_or_tells_no_length_is_bounded_too() {
        let mut file = tempfile::tempfile().unwrap();
        let empty = file.metadata().unwrap();
        io::Write::write_all(&mut file, &[b'x'; 100]).unwrap();
        assert_eq!(read_bounded(&file, &empty, 100).unwrap().len(), 100);
        assert_eq!(read_bounded(&file, &empty, 99).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        #[cfg(target_os = "linux")]
        assert!(read(Path::new("/proc/self/stat"), SMALL).unwrap().len() > 10);
    }

    #[test]
    fn reading_moves_no_position() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, b"text").unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let found = file.as_file().metadata().unwrap();
        assert_eq!(read_bounded(file.as_file(), &found, SMALL).unwrap(), b"text");
        let mut rest = String::new();
        io::Read::read_to_string(&mut file, &mut rest).unwrap();
        assert_eq!(rest, "text");
    }
}
