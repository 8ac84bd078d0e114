//! Putting a snapshot back into the database's place.
//!
//! SQLite itself writes it, by its backup API in one transaction: connections that other programs have open see the
//! restored database, a `-wal` that is there cannot undo it, and a failure half way is rolled back.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::create::create_anew;
use crate::snapshot::sqlite::files;
use crate::snapshot::sqlite::files::{STEP, beside};
use crate::snapshot::sqlite::presence::{Presence, examine};
use crate::snapshot::sqlite::read_back::{engine, open_copy, prepare};
use crate::snapshot::sqlite::tables::{count_tables, difference};
use crate::snapshot::sqlite::verify::verify_bytes;
use crate::snapshot::sqlite::waiting::{PATIENCE, Wait, check_interrupted};
use crate::snapshot::{Manifest, TableRows, Watch};

/// What a restore came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restored {
    /// The tables of the database as it is now.
    pub(crate) tables: Vec<TableRows>,
    /// Whether the database's file was missing and was created anew.
    pub(crate) created: bool,
    /// What a person should know, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// Puts the snapshot `file` into the place of `database`, and compares what is there then with the manifest.
///
/// The snapshot's bytes are checked first. A safety snapshot of what is replaced is the caller's to take. A lock of
/// another program is waited for, at most 30 s; a read transaction in rollback-journal mode is such a lock.
/// Where the database's file is missing it is created with the permissions it had, or 0600.
///
/// # Errors
///
/// Any but [`SqliteError::RestoredDiffers`]: nothing is changed, SQLite has taken back what was written.
pub(crate) fn restore(
    file: &Path,
    manifest: &Manifest,
    database: &Path,
    watch: &dyn Watch,
) -> Result<Restored, SqliteError> {
    restore_within(PATIENCE, file, manifest, database, watch)
}

/// Puts the snapshot `file` into the place of a `database` that is too damaged to be saved or written into: what is there
/// gets another name, with the time `now` in it, in the same folder.
///
/// Programs that have the damaged file open keep it open.
///
/// # Errors
///
/// Any but [`SqliteError::RestoredDiffers`]: the snapshot is not in place; what was there is, or bears its other name.
pub(crate) fn replace(
    file: &Path,
    manifest: &Manifest,
    database: &Path,
    now: DateTime<Utc>,
    watch: &dyn Watch,
) -> Result<Restored, SqliteError> {
    verify_bytes(file, manifest, watch)?;
    let place = follow_links(database);
    match examine(&place) {
        Err(error @ (SqliteError::Folder { .. } | SqliteError::NotAFile { .. })) => return Err(error),
        // A link that came with a later version of the project may lead to any file of the person's.
        Err(SqliteError::NotDatabase { path }) if leaves_the_project(database, &place, manifest) => {
            return Err(SqliteError::NotReplaceable { path });
        }
        _ => {}
    }
    let mut notes = Vec::new();
    create_anew(file, manifest, &place, Some(now), watch, &mut notes)?;
    let tables = compare(manifest, &place, &mut notes)?;
    Ok(Restored { tables, created: true, notes })
}

/// Tells whether links lead out of the project to `place`, though the database's own path lies in it.
fn leaves_the_project(database: &Path, place: &Path, manifest: &Manifest) -> bool {
    let Some(project) = manifest.project.as_deref().map(Path::new) else { return false };
    database.starts_with(project) && !project.canonicalize().is_ok_and(|real| place.starts_with(real))
}

/// [`restore`], waiting for other programs for as long as `patience`.
pub(crate) fn restore_within(
    patience: Duration,
    file: &Path,
    manifest: &Manifest,
    database: &Path,
    watch: &dyn Watch,
) -> Result<Restored, SqliteError> {
    verify_bytes(file, manifest, watch)?;
    let place = follow_links(database);
    let mut notes = Vec::new();
    let created = match examine(&place) {
        Ok(Presence::Missing) => {
            create_anew(file, manifest, &place, None, watch, &mut notes)?;
            true
        }
        Ok(Presence::Empty | Presence::Database) => {
            write_into(file, &place, &mut Wait::new(watch, patience), watch)?;
            false
        }
        Err(SqliteError::NotDatabase { path }) => return Err(SqliteError::NotReplaceable { path }),
        Err(error) => return Err(error),
    };
    let tables = compare(manifest, &place, &mut notes)?;
    Ok(Restored { tables, created, notes })
}

/// Finds the file that a chain of symbolic links leads to, which need not exist.
fn follow_links(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    let mut place = path.to_owned();
    for _ in 0..40 {
        let Ok(target) = fs::read_link(&place) else { break };
        place = place.parent().unwrap_or(Path::new("")).join(target);
    }
    place
}

/// Writes the snapshot over the database in one transaction of SQLite's.
fn write_into(file: &Path, place: &Path, wait: &mut Wait<'_>, watch: &dyn Watch) -> Result<(), SqliteError> {
    let failed = |source: rusqlite::Error| explain(place, source);
    let source = open_copy(file).map_err(|source| engine(file, source))?;
    // Read and closed before there is a connection whose locks that would drop.
    let (live, in_wal) = page_size_and_mode(place)?;
    let snapshot = source.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0)).map_err(failed)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut into = files::connect(place, place, flags).map_err(failed)?;
    into.busy_timeout(Duration::ZERO).map_err(failed)?;
    let leave_wal = in_wal && live != snapshot;
    if leave_wal && !set_journal_mode(&into, "delete", place, wait)? {
        return Err(SqliteError::PageSize { path: place.to_owned(), live, snapshot });
    }
    let written = run_backup(&source, &mut into, snapshot, place, wait, watch);
    if written.is_err() && leave_wal {
        // As it was; where that fails, the database works in the other mode just as well.
        let _ = into.query_row("PRAGMA journal_mode=wal", [], |_| Ok(()));
    }
    written?;
    // Only tidies up: what is committed is in the WAL, and safe there.
    let _ = into.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    Ok(())
}

fn page_size_and_mode(place: &Path) -> Result<(u32, bool), SqliteError> {
    let header = files::beginning(&files::open(place)?, files::HEADER)
        .map_err(|source| SqliteError::Unreadable { path: place.to_owned(), source })?;
    let in_wal = files::says_wal(&header) || !header.is_empty() && beside(place, "-wal").exists();
    Ok((files::page_size(&header), in_wal))
}

/// SQLite cannot change the page size of a database in WAL mode. `false` if others kept it from leaving that mode.
fn set_journal_mode(
    connection: &Connection,
    mode: &str,
    place: &Path,
    wait: &mut Wait<'_>,
) -> Result<bool, SqliteError> {
    loop {
        let now = connection.query_row(&format!("PRAGMA journal_mode={mode}"), [], |row| row.get::<_, String>(0));
        match now {
            Ok(now) if now.eq_ignore_ascii_case(mode) => return Ok(true),
            Err(error) if !is_busy(&error) => return Err(explain(place, error)),
            _ if pause(wait, place)? => {}
            _ => return Ok(false),
        }
    }
}

fn run_backup(
    source: &Connection,
    into: &mut Connection,
    page_size: u32,
    place: &Path,
    wait: &mut Wait<'_>,
    watch: &dyn Watch,
) -> Result<(), SqliteError> {
    let failed = |source: rusqlite::Error| explain(place, source);
    let pages = i32::try_from(STEP / u64::from(page_size.max(512))).unwrap_or(1);
    let backup = Backup::new(source, into).map_err(failed)?;
    // Dropping the backup before it is done rolls the transaction back.
    loop {
        match backup.step(pages).map_err(failed)? {
            StepResult::Done => return Ok(()),
            StepResult::Busy | StepResult::Locked => {
                if !pause(wait, place)? {
                    return Err(SqliteError::RestoreLocked { path: place.to_owned(), seconds: wait.seconds() });
                }
            }
            _ => {
                watch.advance(STEP);
                check_interrupted(watch, place).map_err(SqliteError::during_restore)?;
            }
        }
    }
}

fn pause(wait: &mut Wait<'_>, place: &Path) -> Result<bool, SqliteError> {
    wait.again(place).map_err(SqliteError::during_restore)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn explain(place: &Path, source: rusqlite::Error) -> SqliteError {
    let path = place.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => SqliteError::NotReplaceable { path },
        _ => SqliteError::RestoreFailed { path, source },
    }
}

/// Compares the database with the manifest, on a connection as any program would make it.
fn compare(manifest: &Manifest, place: &Path, notes: &mut Vec<String>) -> Result<Vec<TableRows>, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let counted = files::connect(place, place, flags).and_then(|connection| {
        connection.busy_timeout(Duration::from_secs(5))?;
        prepare(&connection)?;
        connection.execute_batch("BEGIN")?;
        count_tables(&connection)
    });
    match counted {
        Ok(tables) => match difference(&manifest.tables, &tables) {
            Some(difference) => Err(SqliteError::RestoredDiffers { path: place.to_owned(), difference }),
            None => Ok(tables),
        },
        Err(error) => {
            notes.push(format!("restored, but not compared with the manifest: {error}"));
            Ok(Vec::new())
        }
    }
}
