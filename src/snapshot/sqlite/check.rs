//! Reading a copy back through SQLite: its own check, its tables, their rows.
//!
//! A copy is opened as `immutable`: no locks, no side files, and a `-wal` that lies beside it by mistake is not read.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::waiting::check_interrupted;
use crate::snapshot::{TableRows, Watch};

/// How thoroughly SQLite checks a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thoroughness {
    /// `PRAGMA quick_check`: every page and record, not whether indexes match their tables.
    Quick,
    /// `PRAGMA integrity_check`.
    Full,
}

/// What a copy holds.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) tables: Vec<TableRows>,
    pub(crate) notes: Vec<String>,
}

/// Complaints about what a row says, not about how the file is built: the database works and was like that before.
const ABOUT_CONTENT: [&str; 5] =
    ["NULL value in ", "NUMERIC value in ", "TEXT value in ", "CHECK constraint failed", "non-"];

/// How many functions that only the application knows are stood in for.
const MOST_STAND_INS: usize = 100;

/// Checks a copy and counts its rows, both at once. Reports no more than the first complaint.
///
/// # Errors
///
/// [`SqliteError::Damaged`] for whatever SQLite finds wrong with the file, [`SqliteError::Interrupted`].
pub(crate) fn read_back(file: &Path, how: Thoroughness, watch: &dyn Watch) -> Result<Contents, SqliteError> {
    let failed = |source| engine(file, source);
    let checker = open_copy(file).map_err(failed)?;
    let counter = open_copy(file).map_err(failed)?;
    let stops = [checker.get_interrupt_handle(), counter.get_interrupt_handle()];
    let (report, reports) = channel();
    let (complaints, tables) = thread::scope(|scope| {
        let counted = report.clone();
        let checking = scope.spawn(move || {
            let complaints = check(&checker, how);
            drop(report);
            complaints
        });
        let counting = scope.spawn(move || {
            let tables = count_tables(&counter);
            drop(counted);
            tables
        });
        // Nothing is ever sent: the channel closes when both are done, and that wakes us at once.
        while reports.recv_timeout(Duration::from_millis(50)) == Err::<(), _>(RecvTimeoutError::Timeout) {
            if watch.interrupted() {
                stops.iter().for_each(rusqlite::InterruptHandle::interrupt);
            }
        }
        (joined(checking), joined(counting))
    });
    check_interrupted(watch, file)?;
    let notes = judge(file, complaints.map_err(failed)?)?;
    Ok(Contents { tables: tables.map_err(failed)?, notes })
}

/// What a thread of ours returned; its panic, if it had one, goes on here.
pub(crate) fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Opens a copy that nobody changes.
pub(crate) fn open_copy(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(immutable(file), flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Makes a connection fit to read a database of any application: what only that one knows must not stand in the way.
pub(crate) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.collation_needed(|connection, name| connection.create_collation(name, str::cmp))?;
    // CHECK constraints are content, and may call functions that only the application has.
    connection.execute_batch("PRAGMA trusted_schema=OFF; PRAGMA ignore_check_constraints=ON;")
}

/// The `file:` URL for a copy. Percent-encoding takes any byte, so paths that are not UTF-8 work, too.
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

/// Runs SQLite's check; one complaint a line, none if all is well.
fn check(connection: &Connection, how: Thoroughness) -> rusqlite::Result<Vec<String>> {
    let pragma = match how {
        Thoroughness::Quick => "PRAGMA quick_check",
        Thoroughness::Full => "PRAGMA integrity_check",
    };
    let mut stand_ins = 0;
    loop {
        let lines = connection
            .prepare(pragma)
            .and_then(|mut statement| statement.query_map([], |row| row.get::<_, String>(0))?.collect());
        match lines {
            Err(error) if stand_ins < MOST_STAND_INS && stand_in(connection, &error)? => stand_ins += 1,
            Err(error) => return Err(error),
            Ok(lines) => return Ok(real_complaints(lines, stand_ins > 0)),
        }
    }
}

/// One row "ok" means that all is well. With functions stood in for, what columns and indexes made from them say is
/// of our own making.
fn real_complaints(lines: Vec<String>, stood_in: bool) -> Vec<String> {
    let is_ours = |line: &str| {
        stood_in && (is_about_content(line) || line.starts_with("row ") && line.contains(" missing from index "))
    };
    lines.into_iter().filter(|line| line != "ok" && !is_ours(line)).collect()
}

/// Defines the function that `error` says is missing, so that a generated column or an index made with it can be
/// read. Says whether it did.
fn stand_in(connection: &Connection, error: &rusqlite::Error) -> rusqlite::Result<bool> {
    let message = error.to_string();
    let Some(name) = missing_function(&message) else { return Ok(false) };
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function(name, -1, flags, |_| Ok(rusqlite::types::Null))?;
    Ok(true)
}

/// SQLite says `no such function: f` for a statement and `unknown function: f()` for a schema.
fn missing_function(message: &str) -> Option<&str> {
    let (_, name) = message.split_once("no such function: ").or_else(|| message.split_once("unknown function: "))?;
    name.split([' ', '(']).next()
}

fn is_about_content(line: &str) -> bool {
    ABOUT_CONTENT.iter().any(|start| line.starts_with(start)) && !line.starts_with("non-unique")
}

/// Refuses a file that is built wrongly; what its rows say becomes a note.
fn judge(file: &Path, complaints: Vec<String>) -> Result<Vec<String>, SqliteError> {
    if let Some(complaint) = complaints.iter().find(|line| !is_about_content(line)) {
        let complaint = complaint.trim_start_matches("*** in database main ***\n").replace('\n', "; ");
        return Err(SqliteError::Damaged { path: file.to_owned(), complaint });
    }
    Ok(match complaints.as_slice() {
        [] => Vec::new(),
        [only] => vec![format!("SQLite's check says: {only}")],
        [first, rest @ ..] => vec![format!("SQLite's check says: {first}, and {} more such lines", rest.len())],
    })
}

/// The tables of the main database with their rows, in the order of their names.
///
/// The rows of a virtual table are not counted (its module may be missing, or cost what it likes; the tables it keeps
/// its data in are counted), nor are those of a table that cannot be read without the application.
pub(crate) fn count_tables(connection: &Connection) -> rusqlite::Result<Vec<TableRows>> {
    let mut listed = connection.prepare(
        "SELECT name, rootpage FROM main.sqlite_schema
         WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let names = listed.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)))?;
    names
        .map(|table| {
            let (name, root) = table?;
            let rows = if root.unwrap_or(0) == 0 { None } else { count_rows(connection, &name)? };
            Ok(TableRows { name, rows })
        })
        .collect()
}

fn count_rows(connection: &Connection, table: &str) -> rusqlite::Result<Option<u64>> {
    let quoted = table.replace('"', "\"\"");
    let counted =
        connection.query_row(&format!("SELECT count(*) FROM main.\"{quoted}\""), [], |row| row.get::<_, i64>(0));
    match counted {
        Ok(rows) => Ok(u64::try_from(rows).ok()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The first difference between two lists of tables, in words; rows that either side did not count are not compared.
pub(crate) fn difference(expected: &[TableRows], found: &[TableRows]) -> Option<String> {
    for table in expected {
        match (table.rows, found.iter().find(|other| other.name == table.name).map(|other| other.rows)) {
            (_, None) => return Some(format!("table `{}` is missing", table.name)),
            (Some(expected), Some(Some(found))) if expected != found => {
                return Some(format!("table `{}` has {found} rows instead of {expected}", table.name));
            }
            _ => {}
        }
    }
    let extra = found.iter().find(|table| !expected.iter().any(|other| other.name == table.name))?;
    Some(format!("table `{}` is not in the manifest", extra.name))
}

/// What SQLite said of a file, as damage where it is.
pub(crate) fn engine(file: &Path, source: rusqlite::Error) -> SqliteError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            SqliteError::Damaged { path: file.to_owned(), complaint: source.to_string() }
        }
        _ => SqliteError::Engine { doing: "read back", path: file.to_owned(), source },
    }
}
