//! Making a database's file of a snapshot where there is none, or none that SQLite could write into.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::NamedTempFile;

use crate::durable;
use crate::reach::SIDE_FILES;
use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::files;
use crate::snapshot::sqlite::files::{STEP, beside};
use crate::snapshot::sqlite::read_back::{engine, open_copy};
use crate::snapshot::sqlite::state::recorded_mode;
use crate::snapshot::sqlite::tables::{count_tables, difference};
use crate::snapshot::sqlite::waiting::check_interrupted;
use crate::snapshot::sqlite::whereabouts::Whereabouts;
use crate::snapshot::{Manifest, TableRows, Watch};
use crate::text::shown;

/// What is kept of that which bears the database's name.
pub(crate) struct Aside {
    /// What its other name ends with.
    ending: String,
    /// Why it has to go, a phrase.
    why: String,
}

impl Aside {
    /// Keeps what is too damaged to be written into.
    pub(crate) fn damaged(now: DateTime<Utc>) -> Aside {
        Aside { ending: name_ending("damaged", now), why: "what was there could not be read as a database".to_owned() }
    }

    /// Keeps what is not the database that the name meant.
    pub(crate) fn replaced(now: DateTime<Utc>, why: String) -> Aside {
        Aside { ending: name_ending("replaced", now), why }
    }
}

fn name_ending(word: &str, now: DateTime<Utc>) -> String {
    format!(".{word}_{}", now.format("%Y%m%d_%H%M%S"))
}

/// Creates the database's file from the snapshot: written beside it, compared and synced, then given its name. Gives its
/// tables.
///
/// What is in the place is kept under another name, and so is what belongs to it, or was left by a removed database.
pub(crate) fn create_anew(
    file: &Path,
    manifest: &Manifest,
    place: &Path,
    aside: Option<&Aside>,
    now: DateTime<Utc>,
    watch: &dyn Watch,
    notes: &mut Vec<String>,
) -> Result<Vec<TableRows>, SqliteError> {
    let Some(folder) = place.parent() else { return Err(SqliteError::Folder { path: place.to_owned() }) };
    let failed = |source| SqliteError::Create { path: place.to_owned(), source };
    let mut from = files::open(file)?;
    durable::clear_unfinished(folder);
    let mut beside_it = durable::unfinished(folder).map_err(failed)?;
    while io::copy(&mut from.by_ref().take(STEP), beside_it.as_file_mut()).map_err(failed)? > 0 {
        watch.advance(STEP);
        check_interrupted(watch, place).map_err(SqliteError::during_restore)?;
    }
    give_away(beside_it.as_file(), manifest, place, notes).map_err(failed)?;
    beside_it.as_file().sync_all().map_err(failed)?;
    let tables =
        open_copy(beside_it.path()).and_then(|copy| count_tables(&copy)).map_err(|error| engine(file, error))?;
    if let Some(difference) = difference(&manifest.tables, &tables) {
        return Err(SqliteError::Contents { path: file.to_owned(), difference });
    }
    match aside {
        Some(aside) => notes.push(exchange(beside_it, place, aside).map_err(failed)?),
        None => {
            keep_side_files(place, now, notes).map_err(failed)?;
            beside_it.persist_noclobber(place).map_err(|error| failed(error.error))?;
        }
    }
    durable::sync_folder(folder).map_err(failed)?;
    Ok(tables)
}

/// Gives a new file the owner and the permissions that the database's had; those of a file in its place where an earlier
/// version wrote nothing down.
fn give_away(new: &File, manifest: &Manifest, place: &Path, notes: &mut Vec<String>) -> io::Result<()> {
    let recorded = Whereabouts::recorded(manifest).map(|then| (then.mode, Some(then.owner)));
    let found = || fs::metadata(place).ok().filter(fs::Metadata::is_file);
    let known = recorded
        .or_else(|| found().map(|found| (found.mode() & 0o7777, Some((found.uid(), found.gid())))))
        .or_else(|| recorded_mode(manifest.state.as_ref()).map(|mode| (mode, None)));
    let Some((mode, owner)) = known else {
        notes.push("the database's file was created anew, readable for this account only".to_owned());
        return Ok(());
    };
    if let Some((user, group)) = owner {
        let now = new.metadata()?;
        // Only root may give a file away; others may give it to a group of theirs.
        let given = fchown(new, Some(user), Some(group)).or_else(|_| fchown(new, None, Some(group)));
        if given.is_err() || now.uid() != user && new.metadata()?.uid() != user {
            notes.push(format!(
                "the database's file belonged to user {user} and group {group}, and is this account's now"
            ));
        }
    }
    new.set_permissions(Permissions::from_mode(mode))
}

/// Makes way for a new file: SQLite would apply what was left to it. A WAL or a journal may belong to a file that was moved away,
/// and be all that has what was written last: both are kept under another name.
fn keep_side_files(place: &Path, now: DateTime<Utc>, notes: &mut Vec<String>) -> io::Result<()> {
    let other = free_name(place, &name_ending("replaced", now))?;
    for side in SIDE_FILES {
        let (left, kept) = (beside(place, side), beside(&other, side));
        match fs::rename(&left, &kept) {
            Ok(()) => notes.push(format!(
                "`{}` was there without its database; it is kept as `{}`",
                shown(&left),
                shown(&kept)
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Finds another name for what is at `place`, which neither a file nor one that belongs to it has.
fn free_name(place: &Path, ending: &str) -> io::Result<PathBuf> {
    let is_free = |name: &PathBuf| {
        std::iter::once("").chain(SIDE_FILES).all(|side| fs::symlink_metadata(beside(name, side)).is_err())
    };
    let mut names = (1_u32..).map(|number| match number {
        1 => beside(place, ending),
        number => beside(place, &format!("{ending}_{number}")),
    });
    names.find(is_free).ok_or_else(|| io::ErrorKind::AlreadyExists.into())
}

/// Gives a new file the name of what is at `place`, which is kept under another name with its side files; says under which.
///
/// The side files go first: with the new file they would be replayed into it. Whenever this is cut short after that, the name
/// leads to what was there or to the new file, where the system can exchange two names; and a new attempt goes on.
fn exchange(new: NamedTempFile, place: &Path, aside: &Aside) -> io::Result<String> {
    let other = free_name(place, &aside.ending)?;
    for side in SIDE_FILES {
        match fs::rename(beside(place, side), beside(&other, side)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let is_linked = fs::hard_link(new.path(), &other).is_ok();
    if !is_linked || renameat_with(CWD, &other, CWD, place, RenameFlags::EXCHANGE).is_err() {
        if is_linked {
            fs::remove_file(&other)?;
        }
        fs::rename(place, &other)?;
        new.persist_noclobber(place).map_err(|error| error.error)?;
    }
    let Aside { why, .. } = aside;
    Ok(format!("{why}; it is kept as `{}`; programs that have it open must be started anew", shown(&other)))
}
