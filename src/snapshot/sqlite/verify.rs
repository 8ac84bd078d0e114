//! Checking a snapshot against its manifest.

use std::path::Path;
use std::thread;

use rusqlite::OpenFlags;
use rusqlite::backup::{Backup, StepResult};

use crate::durable;
use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::complaints::Thoroughness;
use crate::snapshot::sqlite::copy::hash_whole;
use crate::snapshot::sqlite::files;
use crate::snapshot::sqlite::read_back::{Access, Contents, engine, open_copy, read_back};
use crate::snapshot::sqlite::tables::difference;
use crate::snapshot::sqlite::waiting::check_interrupted;
use crate::snapshot::threads;
use crate::snapshot::threads::joined;
use crate::snapshot::{Manifest, TableRows, VerificationLevel, Watch};

/// Pages copied between two looks at the watch.
const PAGES: i32 = 1_000;

/// Checks a snapshot's file against its manifest, and gives the tables that it holds.
///
/// [`VerificationLevel::Read`]: size, SHA-256, `PRAGMA quick_check`, tables and rows. [`VerificationLevel::Restore`]: also restored into a
/// scratch file beside it, which is removed again, with `PRAGMA integrity_check`. Rows that point to missing rows are
/// told to the watch, not refused: they were saved as they were.
///
/// # Errors
///
/// The snapshot cannot be trusted, or not be read, or the scratch file not be written. The snapshot is never changed.
pub(crate) fn verify(
    file: &Path,
    manifest: &Manifest,
    level: VerificationLevel,
    watch: &dyn Watch,
) -> Result<Vec<TableRows>, SqliteError> {
    let contents = verify_read(file, manifest, watch)?;
    match level {
        VerificationLevel::Read => Ok(contents.tables),
        VerificationLevel::Restore => restore_into_scratch(file, &contents.tables, watch),
    }
}

fn verify_read(file: &Path, manifest: &Manifest, watch: &dyn Watch) -> Result<Contents, SqliteError> {
    let contents = thread::scope(|scope| {
        let hashing = threads::start(scope, || verify_bytes(file, manifest, watch))
            .map_err(|source| SqliteError::Unreadable { path: file.to_owned(), source })?;
        let contents = read_back(file, Access::Shared, Thoroughness::Quick, watch);
        // A wrong hash says more than what SQLite then finds.
        joined(hashing)?;
        contents
    })?;
    match difference(&manifest.tables, &contents.tables) {
        Some(difference) => Err(SqliteError::Contents { path: file.to_owned(), difference }),
        None => Ok(contents),
    }
}

/// Tells whether the file's bytes are those that were saved: size, SHA-256, and the first bytes of a database.
pub(crate) fn verify_bytes(file: &Path, manifest: &Manifest, watch: &dyn Watch) -> Result<(), SqliteError> {
    let unreadable = |source| SqliteError::Unreadable { path: file.to_owned(), source };
    let opened = files::open(file)?;
    let found = opened.metadata().map_err(unreadable)?.len();
    if found != manifest.size {
        return Err(SqliteError::Size { path: file.to_owned(), expected: manifest.size, found });
    }
    let sha256 = hash_whole(&opened, found, watch).map_err(unreadable)?;
    check_interrupted(watch, file)?;
    if !sha256.eq_ignore_ascii_case(&manifest.sha256) {
        return Err(SqliteError::Hash { path: file.to_owned() });
    }
    if files::is_database(&files::beginning(&opened, files::HEADER).map_err(unreadable)?) {
        Ok(())
    } else {
        Err(SqliteError::NotDatabase { path: file.to_owned() })
    }
}

/// Restores into a scratch file in the snapshot's folder, checks that whole, and removes it.
///
/// One that was left by a kill is known for what it is.
fn restore_into_scratch(file: &Path, expected: &[TableRows], watch: &dyn Watch) -> Result<Vec<TableRows>, SqliteError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let scratch =
        durable::unfinished(folder).map_err(|source| SqliteError::Write { path: folder.to_owned(), source })?;
    let path = scratch.path();
    let failed = |source| engine(path, source);
    let source = open_copy(file).map_err(|source| engine(file, source))?;
    let mut into = files::connect(path, path, OpenFlags::default()).map_err(failed)?;
    into.execute_batch("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;")
        .map_err(failed)?;
    let backup = Backup::new(&source, &mut into).map_err(failed)?;
    while backup.step(PAGES).map_err(failed)? != StepResult::Done {
        check_interrupted(watch, file)?;
    }
    drop(backup);
    drop(into);
    let contents = read_back(path, Access::OursAlone, Thoroughness::Full, watch)?;
    if let Some(difference) = difference(expected, &contents.tables) {
        return Err(SqliteError::Contents { path: path.to_owned(), difference });
    }
    for note in &contents.notes {
        watch.remark(note);
    }
    if let Some(broken) = broken_references(path)? {
        watch.remark(&broken);
    }
    Ok(contents.tables)
}

/// Says in words how many rows point to rows that are not there.
fn broken_references(file: &Path) -> Result<Option<String>, SqliteError> {
    let connection = open_copy(file).map_err(|source| engine(file, source))?;
    let counted = connection.query_row("SELECT count(*), min(\"table\") FROM pragma_foreign_key_check", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?))
    });
    Ok(match counted {
        Ok((0, _)) => None,
        Ok((rows, table)) => Some(format!(
            "{rows} rows refer to rows that do not exist, in `{}` and perhaps others; they were saved as they were",
            table.unwrap_or_default()
        )),
        // A key that refers to a table or column that does not exist: SQLite refuses to check such a schema.
        Err(error) => Some(format!("foreign keys could not be checked: {error}")),
    })
}
