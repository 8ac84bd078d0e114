//! Keeping a database's bytes still while they are copied.
//!
//! There are three ways, and each is enough for a consistent copy where everybody keeps to SQLite's locks; `confirm`
//! looks whether somebody did not:
//!
//! 1. **Rollback journal.** A read transaction holds SQLite's SHARED lock. A writer needs EXCLUSIVE before it may
//!    touch the file, so the file is one committed state from the first byte to the last.
//! 2. **WAL that others have open.** A read transaction pins a place in the WAL: no checkpoint may write later
//!    content to the file, and the WAL may not start again from its beginning, before it ends. (At the mark that
//!    means "all is in the file" the WAL may start again, once, but then no checkpoint writes to the file at all.) So
//!    the file, however torn by a checkpoint meanwhile, together with the WAL copied *after* it is a committed state:
//!    every page that a checkpoint may have been writing stands in the WAL too. The only thing to look out for is a
//!    WAL that starts again while it is copied, and its header tells that.
//! 3. **Untouched.** Nobody has a WAL database open (no `-shm`), the journal of a crashed program waits to be rolled
//!    back, or the folder cannot be written, so that SQLite cannot open the database. A connection would write beside the
//!    database or into it; so none is made. File, WAL and journal are copied, and the copy stands if all of them look the
//!    same before and after, by times that are past their grain. SQLite's formats are made so that the files at any
//!    one moment can be recovered, and that moment was the whole time of copying.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::files;
use crate::snapshot::sqlite::state::{Handles, Look};
use crate::snapshot::sqlite::waiting::Wait;

/// How long is waited, with the database held still, for its times to settle: what a fine grain needs.
pub(crate) const SHORT_WHILE: Duration = Duration::from_millis(35);
/// The same where the copy depends on it.
const LONG_WHILE: Duration = Duration::from_millis(2_500);

/// How the bytes are kept still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// By the SHARED lock of a rollback-journal database.
    Locked,
    /// By a read mark in the WAL.
    Marked,
    /// By nothing; whether they were is seen afterwards.
    Untouched,
}

/// A database whose bytes are kept still until this is dropped.
pub(crate) struct Source {
    // Dropped first, and only then the descriptors below: closing those drops this connection's locks.
    connection: Option<Connection>,
    pub(crate) hold: Hold,
    pub(crate) handles: Handles,
    pub(crate) path: PathBuf,
    pub(crate) before: Option<Look>,
    /// For how long the file must not have changed where somebody may be writing to it without a lock.
    pub(crate) quiet: Duration,
}

impl Source {
    /// Holds the database at `path`, its true path, still.
    ///
    /// `Ok(None)` once `wait` is over.
    pub(crate) fn hold(path: &Path, quiet: Duration, wait: &mut Wait<'_>) -> Result<Option<Source>, SqliteError> {
        loop {
            if let Some(source) = try_to_hold(path, quiet)? {
                return Ok(Some(source));
            }
            if !wait.again(path)? {
                return Ok(None);
            }
        }
    }

    /// Tells whether the copy will need a journal rolled back, or a WAL applied, as far as can be told beforehand.
    pub(crate) fn has_side_files(&self) -> bool {
        self.hold != Hold::Locked
            && self.before.as_ref().is_none_or(|look| look.print.has_wal() || look.print.has_journal())
    }

    /// Tells whether a journal lies beside a database that nobody locks.
    pub(crate) fn has_journal(&self) -> bool {
        self.hold == Hold::Untouched && self.before.as_ref().is_some_and(|look| look.print.has_journal())
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // A connection that fails to close is dropped all the same; it was only read from.
        drop(self.connection.take());
    }
}

/// Tries once; `None` where somebody else is at it, so that another try is worth it.
fn try_to_hold(path: &Path, quiet: Duration) -> Result<Option<Source>, SqliteError> {
    if files::is_locked_by_folder(path) {
        return Ok(None);
    }
    let handles = Handles::open(path)?;
    let header = handles.header()?;
    if !files::is_database(&header) {
        return Err(SqliteError::NotDatabase { path: path.to_owned() });
    }
    let wal = uses_wal(path, &header);
    if wal && !handles.has_index() {
        return untouched(path, quiet, handles);
    }
    let connection = match begin_reading(path)? {
        Reading::Begun(connection) => connection,
        Reading::Busy => return Ok(None),
        Reading::WouldWrite => return untouched(path, quiet, handles),
    };
    // The mode, and the files themselves, may have changed before the lock was there.
    let Some(now) = handles.look()? else { return Ok(None) };
    if uses_wal(path, &handles.header()?) != wal {
        return Ok(None);
    }
    let (hold, before) = if wal { (Hold::Marked, settled(&handles, SHORT_WHILE)?) } else { (Hold::Locked, Some(now)) };
    Ok(Some(Source { connection: Some(connection), hold, handles, path: path.to_owned(), before, quiet }))
}

/// SQLite reads a `-wal` file wherever there is one, whatever the header says.
fn uses_wal(path: &Path, header: &[u8]) -> bool {
    files::says_wal(header) || files::beside(path, "-wal").exists()
}

fn untouched(path: &Path, quiet: Duration, handles: Handles) -> Result<Option<Source>, SqliteError> {
    let before = settled(&handles, LONG_WHILE)?;
    if !before.as_ref().is_some_and(Look::is_late_enough) {
        return Ok(None);
    }
    Ok(Some(Source { connection: None, hold: Hold::Untouched, handles, path: path.to_owned(), before, quiet }))
}

/// Looks at the files, after waiting at most `limit` for one that proves something.
pub(crate) fn settled(handles: &Handles, limit: Duration) -> Result<Option<Look>, SqliteError> {
    let started = Instant::now();
    loop {
        let look = handles.look()?;
        let left = limit.saturating_sub(started.elapsed());
        match look.as_ref().filter(|look| look.settles_within(left)).and_then(Look::too_early_by) {
            Some(rest) => std::thread::sleep(rest),
            None => return Ok(look),
        }
    }
}

enum Reading {
    Begun(Connection),
    Busy,
    /// SQLite would have to write first, or cannot open the database where it lies.
    WouldWrite,
}

/// Begins a read transaction on a connection that cannot write.
fn begin_reading(path: &Path) -> Result<Reading, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let begun = files::connect(path, path, flags).and_then(|connection| {
        connection.busy_timeout(Duration::ZERO)?;
        connection.execute_batch("BEGIN")?;
        connection.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0))?;
        Ok(connection)
    });
    match begun {
        Ok(connection) => Ok(Reading::Begun(connection)),
        Err(error) => match (error.sqlite_error_code(), extended_code(&error)) {
            (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed), _) => {
                Ok(Reading::Busy)
            }
            // A journal to roll back, an index to rebuild or to create: SQLITE_READONLY_ROLLBACK and its like.
            (Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen), _) | (_, Some(ffi::SQLITE_IOERR_SHMOPEN)) => {
                Ok(Reading::WouldWrite)
            }
            (Some(ErrorCode::NotADatabase), _) => Err(SqliteError::NotDatabase { path: path.to_owned() }),
            (Some(ErrorCode::DatabaseCorrupt), _) => {
                Err(SqliteError::Damaged { path: path.to_owned(), complaint: error.to_string() })
            }
            _ => Err(SqliteError::Engine { doing: "read", path: path.to_owned(), source: error }),
        },
    }
}

fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}
