//! Is there a database at a path? Answered without a connection, which would create one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::regular;
use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::files;
use crate::snapshot::sqlite::stamp::{Moment, QUIET, QUIET_AFTER_A_WRITE, Stamp};
use crate::snapshot::sqlite::writers;

/// How long a file that is no database is looked at while somebody keeps changing it.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// How long a file that somebody has open for writing must have been empty to count as a database without tables.
const LONGEST_STANDSTILL: Duration = Duration::from_secs(5);

/// How soon such a file is looked at again.
const NEXT_LOOK: Duration = Duration::from_millis(10);

/// What lies where a database is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Nothing, so nothing to lose: the database does not exist.
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
/// What is there is a folder, a device, unreadable, a link that leads to itself, or a file that does not begin as a database does (an encrypted
/// one looks like that, too).
pub(crate) fn examine(path: &Path) -> Result<Presence, SqliteError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Presence::Missing);
        }
        Err(source) if source.raw_os_error() == Some(libc::ELOOP) => {
            return Err(SqliteError::LinksInCircle { path: path.to_owned() });
        }
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

/// Looks as [`examine`] does, until what it found is no moment in the middle of somebody's writing: who writes a file anew
/// removes or empties it first.
///
/// # Errors
///
/// As of [`examine`], and [`SqliteError::KeepsChanging`].
pub(crate) fn examine_quiet(path: &Path) -> Result<Presence, SqliteError> {
    let started = Instant::now();
    loop {
        let (at, before) = (Moment::now(), stamp(path));
        match examine(path) {
            Ok(Presence::Missing | Presence::Empty) | Err(SqliteError::NotDatabase { .. })
                if !stays_quiet(path, at, before) => {}
            found => return found,
        }
        if started.elapsed() > LONGEST_LOOK {
            return Err(SqliteError::KeepsChanging { path: path.to_owned(), seconds: LONGEST_LOOK.as_secs() });
        }
    }
}

/// Tells whether nobody is writing the file, or, where there is none, has changed its folder's names for a while. Waits for
/// the rest of it.
pub(crate) fn is_quiet(path: &Path) -> bool {
    stays_quiet(path, Moment::now(), stamp(path))
}

fn stays_quiet(path: &Path, at: Moment, before: Option<Stamp>) -> bool {
    // A file without content is written from its beginning, which takes a while where the disk is busy.
    let quiet = match before {
        Some(Stamp { size: 0, .. }) => LONGEST_STANDSTILL,
        _ => QUIET_AFTER_A_WRITE,
    };
    let rest = before.map(|stamp| stamp.quiet_in(at, quiet)).unwrap_or_default();
    let rest = match regular::open(path) {
        _ if rest.is_zero() => rest,
        Ok(file) if writers::has_none(&file) => Duration::ZERO,
        Ok(_) => rest,
        Err(_) => rest.min(QUIET),
    };
    let started = Instant::now();
    while stamp(path) == before {
        let left = rest.saturating_sub(started.elapsed());
        if left.is_zero() {
            return true;
        }
        sleep(left.min(NEXT_LOOK));
    }
    false
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).or_else(|_| fs::metadata(path.parent().unwrap_or(path)));
    found.ok().map(|found| Stamp::of(&found))
}

/// Finds the true path of a database that has to be there: SQLite names its side files after it.
pub(crate) fn real_database(path: &Path) -> Result<PathBuf, SqliteError> {
    real(path, examine_quiet(path)?)
}

/// Finds the true path of what was found to be there.
pub(crate) fn real(path: &Path, found: Presence) -> Result<PathBuf, SqliteError> {
    match found {
        Presence::Missing | Presence::Empty => Err(SqliteError::NothingThere { path: path.to_owned() }),
        Presence::Database => {
            fs::canonicalize(path).map_err(|source| SqliteError::Unreadable { path: path.to_owned(), source })
        }
    }
}
