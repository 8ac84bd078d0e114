//! The files of a SQLite database: the file itself, and what SQLite keeps beside it under the same name.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, ffi};

use crate::reach::SIDE_FILES;
use crate::regular;
use crate::regular::NotRegular;
use crate::snapshot::sqlite::SqliteError;
use crate::text::shown;

/// The first bytes of every database file. Source: "The Database Header", SQLite file format.
pub(crate) const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Bytes in the smallest page; a file is made of pages.
pub(crate) const LEAST_PAGE: u64 = 512;

/// Length of the database header.
pub(crate) const HEADER: usize = 100;

/// Length of the header of a `-wal` file; frames follow.
pub(crate) const WAL_HEADER: usize = 32;

/// Length of what stands before each page in a `-wal` file.
pub(crate) const WAL_FRAME_HEADER: usize = 24;

/// Bytes copied between two looks at the watch. The kernel copies them without passing them through this process
/// where it can (`copy_file_range`), so this costs no memory.
pub(crate) const STEP: u64 = 4 << 20;

/// Names the file that SQLite keeps beside `database` under `ending`: `app.db-wal`.
pub(crate) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Reads as many of the first `length` bytes as there are.
pub(crate) fn beginning(file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut bytes[filled..], filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Opens a file that has to be there.
pub(crate) fn open(path: &Path) -> Result<File, SqliteError> {
    regular::open(path).map_err(|source| SqliteError::Unreadable { path: path.to_owned(), source })
}

/// Opens a file that need not be there.
pub(crate) fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match regular::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Connects to the database at `path`, which is opened under the name `name`: `path` itself, or its URL.
///
/// SQLite opens what it finds there and beside it under the same name, and waits for whatever is a pipe: so first each
/// is looked at, and what is no regular file is an error. None is opened for that: closing it would drop the locks of
/// other connections of this process.
pub(crate) fn connect(path: &Path, name: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    for found in std::iter::once(path.to_owned()).chain(SIDE_FILES.map(|side| beside(path, side))) {
        if let Err(error) = regular::expect(&found)
            && NotRegular::of(&error).is_some()
        {
            let said = format!("{}: {error}", shown(&found));
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CANTOPEN), Some(said)));
        }
    }
    #[expect(clippy::disallowed_methods, reason = "looked at above")]
    Connection::open_with_flags(name, flags)
}

/// Tells whether a folder lies beside the database that SQLite's `unix-dotfile` makes as a lock (and other programs like it).
pub(crate) fn is_locked_by_folder(database: &Path) -> bool {
    beside(database, ".lock").is_dir()
}

/// Tells whether these first bytes are those of a database.
pub(crate) fn is_database(header: &[u8]) -> bool {
    header.starts_with(MAGIC)
}

/// Tells whether these first bytes are those of a `-wal` file. Source: "The WAL File Format", SQLite file format.
pub(crate) fn begins_wal(header: &[u8]) -> bool {
    header.len() == WAL_HEADER && header.starts_with(&[0x37, 0x7f, 0x06]) && matches!(header[3], 0x82 | 0x83)
}

/// Tells whether the header says that the database is in WAL mode.
///
/// Bytes 18 and 19 are the versions a program must know to write and to read it; 2 means WAL.
pub(crate) fn says_wal(header: &[u8]) -> bool {
    header.len() > 19 && (header[18] == 2 || header[19] == 2)
}

/// Bytes in a page by the header; 1 stands for 65536.
pub(crate) fn page_size(header: &[u8]) -> u32 {
    match header.get(16..18) {
        Some(&[0, 1]) => 65_536,
        Some(&[high, low]) => u32::from(u16::from_be_bytes([high, low])),
        _ => 0,
    }
}

/// Bytes in a file of as many pages as the header says; 0 where a program wrote it that does not say. Source: "In-header
/// Database Size", SQLite file format.
pub(crate) fn least_length(header: &[u8]) -> u64 {
    let number = |at: usize| header.get(at..at + 4).and_then(|bytes| Some(u32::from_be_bytes(bytes.try_into().ok()?)));
    match (number(24), number(28), number(92)) {
        (Some(changes), Some(pages), Some(valid_for)) if changes == valid_for => {
            u64::from(pages) * u64::from(page_size(header))
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wal_is_known_by_its_first_bytes() {
        let header = |first: [u8; 4], length| [&first[..], &[0; 60]].concat()[..length].to_vec();
        for (header, expected) in [
            (header([0x37, 0x7f, 0x06, 0x82], WAL_HEADER), true),
            (header([0x37, 0x7f, 0x06, 0x83], WAL_HEADER), true),
            (header([0x37, 0x7f, 0x06, 0x84], WAL_HEADER), false),
            (header([0x37, 0x7f, 0x06, 0x82], WAL_HEADER - 1), false),
            (header([0; 4], WAL_HEADER), false),
            (Vec::new(), false),
        ] {
            assert_eq!(begins_wal(&header), expected, "{header:?}");
        }
    }
}
