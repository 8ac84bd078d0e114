//! Putting a snapshot back into the database's place.
//!
//! SQLite itself writes it, by its backup API in one transaction: connections that other programs have open see the
//! restored database, a `-wal` that is there cannot undo it, and a failure half way is rolled back. Where the file is gone, or
//! the name leads to another one by now, a file is made anew.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::durable;
use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::create::{Aside, create_anew};
use crate::snapshot::sqlite::files;
use crate::snapshot::sqlite::files::{STEP, beside};
use crate::snapshot::sqlite::presence::examine;
use crate::snapshot::sqlite::read_back::{engine, open_copy, prepare};
use crate::snapshot::sqlite::tables::{count_tables, difference};
use crate::snapshot::sqlite::verify::verify_bytes;
use crate::snapshot::sqlite::waiting::{PATIENCE, Wait, check_interrupted};
use crate::snapshot::sqlite::whereabouts::{Way, way};
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

/// What a restore has to know of the time and of what is there.
pub(crate) struct Occasion {
    /// For the names of what is kept.
    pub(crate) now: DateTime<Utc>,
    /// How long other programs are waited for.
    pub(crate) patience: Duration,
    /// Whether what is there is too damaged to be saved or written into: it then gets another name, in the same folder.
    pub(crate) damaged: bool,
}

impl Occasion {
    /// Makes the usual one.
    pub(crate) fn at(now: DateTime<Utc>) -> Occasion {
        Occasion { now, patience: PATIENCE, damaged: false }
    }
}

/// Puts the snapshot `file` into the place of `database`, and compares what is there then with the manifest.
///
/// The snapshot's bytes are checked first. A safety snapshot of what is replaced is the caller's to take. A lock of
/// another program is waited for, at most 30 s; a read transaction in rollback-journal mode is such a lock. Where the
/// database's file is missing it is created with the owner and the permissions it had. Where its name leads elsewhere than it
/// did, the name gets a new file, and what bears it now another name; programs that have that open keep it open.
///
/// # Errors
///
/// Any but [`SqliteError::RestoredDiffers`]: the snapshot is not in place. What was there is, as it was, or bears its other
/// name.
pub(crate) fn restore(
    file: &Path,
    manifest: &Manifest,
    database: &Path,
    occasion: &Occasion,
    watch: &dyn Watch,
) -> Result<Restored, SqliteError> {
    verify_bytes(file, manifest, watch)?;
    let mut notes = Vec::new();
    let mut found = way(database, manifest, &mut notes)?;
    // A second name may be what a restore that was killed has left.
    if let Way::Instead(at, _) = &found
        && !at.parent().map(durable::clear_unfinished).unwrap_or_default().is_empty()
    {
        notes.clear();
        found = way(database, manifest, &mut notes)?;
    }
    let (at, aside) = match found {
        Way::Into(at) if occasion.damaged => (at, Some(Aside::damaged(occasion.now))),
        Way::Into(at) => {
            match examine(&at) {
                Ok(_) => {}
                Err(SqliteError::NotDatabase { path }) => return Err(SqliteError::NotReplaceable { path }),
                Err(error) => return Err(error),
            }
            let written = write_into(file, &at, &mut Wait::new(watch, occasion.patience), watch)?;
            let tables = compare(manifest, &at, &written, &mut notes)?;
            return Ok(Restored { tables, created: false, notes });
        }
        Way::Anew(at) => (at, None),
        Way::Instead(at, why) => (at, Some(Aside::replaced(occasion.now, why))),
    };
    let tables = create_anew(file, manifest, &at, aside.as_ref(), occasion.now, watch, &mut notes)?;
    Ok(Restored { tables, created: true, notes })
}

/// The connection that wrote a snapshot, and how to see whether others have written since it was made.
struct Written {
    into: Connection,
    /// SQLite's count of what others wrote, before.
    version: i64,
    /// Whether the size of pages was changed, which counts once.
    resized: bool,
}

impl Written {
    fn by_others_too(&self) -> bool {
        let unseen = |now: i64| now == self.version || self.resized && now == self.version + 1;
        !data_version(&self.into).is_ok_and(unseen)
    }
}

/// Reads the number that moves whenever another connection commits.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}

/// Writes the snapshot over the database in one transaction of SQLite's.
fn write_into(file: &Path, place: &Path, wait: &mut Wait<'_>, watch: &dyn Watch) -> Result<Written, SqliteError> {
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
    let locked = |wait: &Wait<'_>| SqliteError::RestoreLocked { path: place.to_owned(), seconds: wait.seconds() };
    let version = loop {
        match data_version(&into) {
            Ok(version) if !files::is_locked_by_folder(place) => break version,
            Err(error) if !is_busy(&error) => return Err(failed(error)),
            _ if !pause(wait, place)? => return Err(locked(wait)),
            _ => {}
        }
    };
    let written = run_backup(&source, &mut into, snapshot, place, wait, watch);
    if written.is_err() && leave_wal {
        // As it was; where that fails, the database works in the other mode just as well.
        let _ = into.query_row("PRAGMA journal_mode=wal", [], |_| Ok(()));
    }
    written?;
    // Only tidies up: what is committed is in the WAL, and safe there.
    let _ = into.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    Ok(Written { into, version, resized: live != snapshot })
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

/// Compares the database with the manifest, on a connection as any program would make it. What others have written by then
/// is theirs.
fn compare(
    manifest: &Manifest,
    place: &Path,
    written: &Written,
    notes: &mut Vec<String>,
) -> Result<Vec<TableRows>, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let counted = files::connect(place, place, flags).and_then(|connection| {
        connection.busy_timeout(Duration::from_secs(5))?;
        prepare(&connection)?;
        connection.execute_batch("BEGIN")?;
        count_tables(&connection)
    });
    match counted.map(|tables| (difference(&manifest.tables, &tables), tables)) {
        Ok((None, tables)) => Ok(tables),
        Ok((Some(_), tables)) if written.by_others_too() => {
            notes.push("another program wrote to it meanwhile, so it was not compared with the manifest".to_owned());
            Ok(tables)
        }
        Ok((Some(difference), _)) => Err(SqliteError::RestoredDiffers { path: place.to_owned(), difference }),
        Err(error) => {
            notes.push(format!("restored, but not compared with the manifest: {error}"));
            Ok(Vec::new())
        }
    }
}
