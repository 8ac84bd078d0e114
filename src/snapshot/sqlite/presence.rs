//! Is there a database at a path? Answered without a connection, which would create one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::files;

/// What lies where a database is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Nothing, so nothing to lose: the database does not exist yet.
    Missing,
    /// A file of no bytes, which SQLite takes for a database without tables: nothing to lose.
    Empty,
    /// A SQLite database.
    Database,
}

/// Looks at what lies at `path`, following symbolic links. Creates and changes nothing.
///
/// # Errors
///
/// What is there is a folder, a device, unreadable, or a file that does not begin as a database does (an encrypted
/// one looks like that, too).
pub(crate) fn examine(path: &Path) -> Result<Presence, SqliteError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Presence::Missing),
        Err(source) => return Err(SqliteError::Unreadable { path: path.to_owned(), source }),
    };
    if metadata.is_dir() {
        return Err(SqliteError::Folder { path: path.to_owned() });
    }
    if !metadata.is_file() {
        return Err(SqliteError::NotAFile { path: path.to_owned() });
    }
    if metadata.len() == 0 {
        return Ok(Presence::Empty);
    }
    let header = files::beginning(&files::open(path)?, files::HEADER)
        .map_err(|source| SqliteError::Unreadable { path: path.to_owned(), source })?;
    if files::is_database(&header) {
        Ok(Presence::Database)
    } else {
        Err(SqliteError::NotDatabase { path: path.to_owned() })
    }
}

/// Finds the true path of a database that has to be there: SQLite names its side files after it.
pub(crate) fn real_database(path: &Path) -> Result<PathBuf, SqliteError> {
    match examine(path)? {
        Presence::Missing | Presence::Empty => Err(SqliteError::NothingThere { path: path.to_owned() }),
        Presence::Database => {
            fs::canonicalize(path).map_err(|source| SqliteError::Unreadable { path: path.to_owned(), source })
        }
    }
}
