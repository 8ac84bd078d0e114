//! Making a database's file of a snapshot where there is none, or none that SQLite could write into.

use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::durable;
use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::copy::remove_if_there;
use crate::snapshot::sqlite::files;
use crate::snapshot::sqlite::files::{SIDE_FILES, STEP, beside};
use crate::snapshot::sqlite::state::recorded_mode;
use crate::snapshot::sqlite::waiting::check_interrupted;
use crate::snapshot::{Manifest, Watch};
use crate::text::shown;

/// Creates the database's file from the snapshot: written beside it, synced, then given its name.
///
/// What a removed database left beside it would be replayed into the new one, and means nothing without it. With a time,
/// what is in the place is kept under another name, and so is what belongs to it.
pub(crate) fn create_anew(
    file: &Path,
    manifest: &Manifest,
    place: &Path,
    set_aside: Option<DateTime<Utc>>,
    watch: &dyn Watch,
    notes: &mut Vec<String>,
) -> Result<(), SqliteError> {
    let folder = match place.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(SqliteError::Folder { path: place.to_owned() }),
    };
    if !folder.is_dir() {
        return Err(SqliteError::FolderMissing { path: place.to_owned() });
    }
    let failed = |source| SqliteError::Create { path: place.to_owned(), source };
    let mut from = files::open(file)?;
    durable::clear_unfinished(folder);
    let mut beside_it = durable::unfinished(folder).map_err(failed)?;
    while io::copy(&mut from.by_ref().take(STEP), beside_it.as_file_mut()).map_err(failed)? > 0 {
        watch.advance(STEP);
        check_interrupted(watch, place).map_err(SqliteError::during_restore)?;
    }
    match fs::metadata(place) {
        Ok(found) => {
            // Only root may give a file away; for others it is their own already, or stays so.
            let _ = fchown(beside_it.as_file(), Some(found.uid()), Some(found.gid()));
            beside_it.as_file().set_permissions(Permissions::from_mode(found.mode() & 0o7777)).map_err(failed)?;
        }
        Err(_) => match recorded_mode(manifest.state.as_ref()) {
            Some(mode) => beside_it.as_file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?,
            None => notes.push("the database's file was created anew, readable for this account only".to_owned()),
        },
    }
    beside_it.as_file().sync_all().map_err(failed)?;
    match set_aside {
        Some(now) => notes.push(keep_as_another(place, now).map_err(failed)?),
        None => remove_side_files(place, notes)?,
    }
    beside_it.persist_noclobber(place).map_err(|error| failed(error.error))?;
    durable::sync_folder(folder).map_err(failed)
}

fn remove_side_files(place: &Path, notes: &mut Vec<String>) -> Result<(), SqliteError> {
    for ending in SIDE_FILES {
        let stale = beside(place, ending);
        if stale.exists() {
            remove_if_there(&stale)?;
            notes.push(format!("removed `{}`, which the missing database had left", shown(&stale)));
        }
    }
    Ok(())
}

/// Renames what is at `place` with its side files, which keep belonging to it; says under which name it is kept.
///
/// The database itself goes last: whenever this is cut short, it is still there, and a new attempt goes on.
fn keep_as_another(place: &Path, now: DateTime<Utc>) -> io::Result<String> {
    let ending = now.format(".damaged_%Y%m%d_%H%M%S");
    let is_free = |name: &PathBuf| {
        std::iter::once("").chain(SIDE_FILES).all(|side| fs::symlink_metadata(beside(name, side)).is_err())
    };
    let other = (1_u32..)
        .map(|number| beside(place, &if number == 1 { ending.to_string() } else { format!("{ending}_{number}") }))
        .find(is_free)
        .ok_or(io::ErrorKind::AlreadyExists)?;
    for side in SIDE_FILES.into_iter().chain([""]) {
        match fs::rename(beside(place, side), beside(&other, side)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(format!(
        "what was there could not be read as a database and is kept as `{}`; programs that have it open must be started anew",
        shown(&other)
    ))
}
