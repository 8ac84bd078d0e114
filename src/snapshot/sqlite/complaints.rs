//! What SQLite's own check complains of, and which of it means that a file is damaged.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::snapshot::sqlite::SqliteError;

/// How thoroughly SQLite checks a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thoroughness {
    /// `PRAGMA quick_check`: every page and record, not whether indexes match their tables.
    Quick,
    /// `PRAGMA integrity_check`.
    Full,
}

/// Complaints about what a row says, not about how the file is built: the database works and was like that before.
const ABOUT_CONTENT: [&str; 5] =
    ["NULL value in ", "NUMERIC value in ", "TEXT value in ", "CHECK constraint failed", "non-"];

/// How many functions that only the application knows are stood in for.
const MOST_STAND_INS: usize = 100;

/// Runs SQLite's check; one complaint a line, none if all is well.
pub(crate) fn check(connection: &Connection, how: Thoroughness) -> rusqlite::Result<Vec<String>> {
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
pub(crate) fn judge(file: &Path, complaints: Vec<String>) -> Result<Vec<String>, SqliteError> {
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
