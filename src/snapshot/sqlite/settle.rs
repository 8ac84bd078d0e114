//! Making one file of a copy that came with a WAL or a journal: SQLite itself recovers the copy.

use std::fs;
use std::path::Path;

use rusqlite::OpenFlags;

use crate::reach::SIDE_FILES;
use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::copy::remove_if_there;
use crate::snapshot::sqlite::files::{beside, connect};

/// Applies the copied `-wal` to the copy, or rolls back the copied `-journal`, and removes them.
///
/// The copy is ours alone: EXCLUSIVE locking keeps the WAL index in memory, and nothing is synced on the way, since
/// the finished file is synced once. A failure leaves the partial file and its side files, for who removes both.
pub(crate) fn settle(partial: &Path) -> Result<(), SqliteError> {
    let failed = |source| SqliteError::Engine { doing: "recover the copy", path: partial.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(partial, partial, flags).map_err(failed)?;
    connection.execute_batch("PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF;").map_err(failed)?;
    connection.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0)).map_err(failed)?;
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(failed)?;
    connection.close().map_err(|(_, source)| failed(source))?;
    let left = fs::metadata(beside(partial, "-wal")).map_or(0, |wal| wal.len());
    if busy != 0 || left != 0 {
        return Err(SqliteError::Damaged {
            path: partial.to_owned(),
            complaint: "its WAL could not be applied".to_owned(),
        });
    }
    remove_leftovers(partial)
}

/// Removes what SQLite leaves beside a partial file (`-wal`, `-shm`, `-journal`), not the partial file itself.
///
/// For who removes a partial file, after a failure or the kill of another process. Never call it for a database that
/// is in use: its `-wal` is part of it.
///
/// # Errors
///
/// [`SqliteError::Write`] if one of them is there and cannot be removed.
pub(crate) fn remove_leftovers(partial: &Path) -> Result<(), SqliteError> {
    SIDE_FILES.iter().try_for_each(|ending| remove_if_there(&beside(partial, ending)))
}
