//! Reading a copy back through SQLite: its own check, its tables, their rows.
//!
//! A copy is opened as `immutable`: no locks, no side files, and a `-wal` that lies beside it by mistake is not read.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::complaints::{Thoroughness, check, judge};
use crate::snapshot::sqlite::files;
use crate::snapshot::sqlite::tables::count_tables;
use crate::snapshot::sqlite::waiting::check_interrupted;
use crate::snapshot::threads;
use crate::snapshot::threads::joined;
use crate::snapshot::{TableRows, Watch};

/// What a copy holds.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) tables: Vec<TableRows>,
    pub(crate) notes: Vec<String>,
}

/// Who may change a file while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// This process alone, which has just written it under a name of its own.
    OursAlone,
    /// Anybody.
    Shared,
}

/// The most bytes that are checked and counted on one thread, which costs less than a second thread and its memory;
/// and the most that are mapped, which saves a copy of every page. What is mapped counts as memory of this process,
/// and a mapped file that somebody cuts short ends it (SIGBUS): so only a small one, and only our own.
const SMALL: u64 = 8 << 20;

/// Checks a copy and counts its rows, a large one both at once. Reports no more than the first complaint.
///
/// # Errors
///
/// [`SqliteError::Damaged`] for whatever SQLite finds wrong with the file, [`SqliteError::Interrupted`].
pub(crate) fn read_back(
    file: &Path,
    access: Access,
    how: Thoroughness,
    watch: &dyn Watch,
) -> Result<Contents, SqliteError> {
    let failed = |source| engine(file, source);
    let size = file.metadata().map_err(|source| SqliteError::Unreadable { path: file.to_owned(), source })?.len();
    let connection = open_copy(file).map_err(failed)?;
    let (tables, complaints) = if size > SMALL {
        at_once(connection, open_copy(file).map_err(failed)?, how, watch)
            .map_err(|source| SqliteError::Unreadable { path: file.to_owned(), source })?
    } else {
        if access == Access::OursAlone {
            connection.execute_batch(&format!("PRAGMA mmap_size={SMALL}")).map_err(failed)?;
        }
        // In this order: a function that stands in for the check must not change what can be counted.
        (count_tables(&connection), check(&connection, how))
    };
    check_interrupted(watch, file)?;
    let notes = judge(file, complaints.map_err(failed)?)?;
    Ok(Contents { tables: tables.map_err(failed)?, notes })
}

type CountedAndChecked = (rusqlite::Result<Vec<TableRows>>, rusqlite::Result<Vec<String>>);

/// Counts and checks on a thread each, until the watch asks to stop.
fn at_once(
    counter: Connection,
    checker: Connection,
    how: Thoroughness,
    watch: &dyn Watch,
) -> io::Result<CountedAndChecked> {
    let stops = [counter.get_interrupt_handle(), checker.get_interrupt_handle()];
    let (counted, ends) = channel();
    let checked = counted.clone();
    thread::scope(|scope| {
        let counting = threads::start(scope, move || {
            let tables = count_tables(&counter);
            drop(counted);
            tables
        })?;
        let checking = threads::start(scope, move || {
            let complaints = check(&checker, how);
            drop(checked);
            complaints
        })?;
        // Nothing is ever sent: the channel closes when both are done, and that wakes us at once.
        while ends.recv_timeout(Duration::from_millis(50)) == Err::<(), _>(RecvTimeoutError::Timeout) {
            if watch.interrupted() {
                stops.iter().for_each(rusqlite::InterruptHandle::interrupt);
            }
        }
        Ok((joined(counting), joined(checking)))
    })
}

/// Opens a copy that nobody changes.
pub(crate) fn open_copy(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = files::connect(file, Path::new(&immutable(file)), flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Makes a connection fit to read a database of any application: what only that one knows must not stand in the way.
pub(crate) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.collation_needed(|connection, name| connection.create_collation(name, str::cmp))?;
    // CHECK constraints are content, and may call functions that only the application has.
    connection.execute_batch("PRAGMA trusted_schema=OFF; PRAGMA ignore_check_constraints=ON;")
}

/// Makes the `file:` URL for a copy. Percent-encoding takes any byte, so paths that are not UTF-8 work, too.
fn immutable(file: &Path) -> String {
    use std::fmt::Write as _;
    let mut url = String::from("file:");
    for &byte in file.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url.push_str("?immutable=1");
    url
}

/// Tells what SQLite said of a file, as damage where it is.
pub(crate) fn engine(file: &Path, source: rusqlite::Error) -> SqliteError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            SqliteError::Damaged { path: file.to_owned(), complaint: source.to_string() }
        }
        _ => SqliteError::Engine { doing: "read back", path: file.to_owned(), source },
    }
}
