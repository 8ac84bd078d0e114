//! Where the name of a database leads: kept with each snapshot, and looked at again before anything is put back.
//!
//! A name can come to mean another file: the run replaced it, or a folder on the way, by a link, gave the file a second
//! name, or mounted something over it. A restore writes into the file that the name leads to only where that cannot be
//! anybody else's; otherwise it gives the name itself a new file.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::snapshot::Manifest;
use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::state::recorded_inode;
use crate::text::shown;

/// What a database's name led to when it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Whereabouts {
    /// The true path of the name's folder, where links lead there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    folder_identity: Identity,
    /// The true path of the file, where a link stands in the name's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    file_identity: Identity,
    /// How many names the file had.
    names: u64,
    /// What is mounted that the file is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mount: Option<String>,
    /// Permission bits.
    pub(crate) mode: u32,
    /// User and group.
    pub(crate) owner: (u32, u32),
}

/// Tells one file or folder from all others: an inode's number is given again once it is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    /// Device and inode.
    inode: (u64, u64),
    /// When it was made, in nanoseconds since 1970, where the file system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    born: Option<u64>,
}

impl Identity {
    fn of(found: &Metadata) -> Identity {
        let since = found.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        let born = since.and_then(|since| u64::try_from(since.as_nanos()).ok());
        Identity { inode: (found.dev(), found.ino()), born }
    }
}

impl Whereabouts {
    /// Looks where the name of a database leads that is there.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn of(database: &Path) -> io::Result<Whereabouts> {
        let (folder, name) = split(database);
        let real_folder = folder.canonicalize()?;
        let file = database.canonicalize()?;
        let found = fs::metadata(&file)?;
        let is_link = fs::symlink_metadata(real_folder.join(name))?.is_symlink();
        Ok(Whereabouts {
            folder: (real_folder != folder).then(|| text(&real_folder)),
            folder_identity: Identity::of(&fs::metadata(&real_folder)?),
            file: is_link.then(|| text(&file)),
            file_identity: Identity::of(&found),
            names: found.nlink(),
            mount: mount_of(&file).map(|mount| text(&mount)),
            mode: found.mode() & 0o7777,
            owner: (found.uid(), found.gid()),
        })
    }

    /// Reads what a manifest says; `None` for one of an earlier version, which says nothing.
    pub(crate) fn recorded(manifest: &Manifest) -> Option<Whereabouts> {
        Whereabouts::deserialize(manifest.whereabouts.as_ref()?).ok()
    }

    pub(crate) fn to_json(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }
}

/// How a database is put back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// SQLite writes into this file: it is the database's, and nobody else's.
    Into(PathBuf),
    /// The file is made anew: there is none.
    Anew(PathBuf),
    /// The file is made anew under this name, and what bears it now gets another one. Why, a phrase.
    Instead(PathBuf, String),
}

/// Finds the way to put `database` back, which a manifest is of, and what to say of it, a sentence each.
///
/// # Errors
///
/// The name's folder is gone, or is another one than it was: what is in there is not the database's. Nothing is changed.
pub(crate) fn way(database: &Path, manifest: &Manifest, notes: &mut Vec<String>) -> Result<Way, SqliteError> {
    let then = Whereabouts::recorded(manifest);
    let (folder, name) = split(database);
    let folder = true_folder(database, folder, then.as_ref(), manifest)?;
    let at = folder.join(name);
    let found = match fs::symlink_metadata(&at) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            notes.extend(then.and_then(|then| then.file).map(|file| no_longer_a_link(&at, &file)));
            return Ok(Way::Anew(at));
        }
        Err(source) => return Err(SqliteError::Unreadable { path: at, source }),
    };
    if found.is_symlink() {
        return through_link(at, then.as_ref(), manifest);
    }
    if !found.is_file() {
        return Ok(Way::Instead(at, "what was there was no file".to_owned()));
    }
    if let Some(file) = then.as_ref().and_then(|then| then.file.as_ref()) {
        notes.push(no_longer_a_link(&at, file));
    }
    into_file(at, &found, then.as_ref(), manifest)
}

fn no_longer_a_link(at: &Path, file: &str) -> String {
    format!(
        "`{}` was a link to `{}` when the snapshot was taken; it is a file of its own now, and the other one was left as it is",
        shown(at),
        shown(file)
    )
}

/// Finds the true path of the name's folder, which must be the one that it was.
fn true_folder(
    database: &Path,
    folder: &Path,
    then: Option<&Whereabouts>,
    manifest: &Manifest,
) -> Result<PathBuf, SqliteError> {
    let now = match folder.canonicalize() {
        Ok(now) => now,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SqliteError::FolderMissing { path: database.to_owned() });
        }
        Err(source) => return Err(SqliteError::Unreadable { path: folder.to_owned(), source }),
    };
    let found = fs::metadata(&now).map_err(|source| SqliteError::Unreadable { path: now.clone(), source })?;
    let Some(then) = then else {
        // Where links led is not known; but none that came later may lead out of the project.
        let leaves = manifest.project.as_deref().is_some_and(|project| {
            folder.starts_with(project) && !Path::new(project).canonicalize().is_ok_and(|real| now.starts_with(real))
        });
        return if leaves { Err(elsewhere(folder, folder, now)) } else { Ok(now) };
    };
    let expected = then.folder.as_deref().map_or(folder, Path::new);
    let is_same = then.folder_identity == Identity::of(&found);
    if now != expected && !is_same {
        return Err(elsewhere(folder, expected, now));
    }
    // A folder that was made anew is the database's all the same, unless another one is mounted in its place.
    let mount = mount_of(&now).filter(|mount| is_within_project(mount, manifest));
    match mount.filter(|mount| !is_same && then.mount.as_deref() != Some(&*text(mount))) {
        Some(mount) => Err(SqliteError::Mounted { path: mount }),
        None => Ok(now),
    }
}

fn elsewhere(folder: &Path, led_to: &Path, leads_to: PathBuf) -> SqliteError {
    SqliteError::FolderElsewhere { path: folder.to_owned(), led_to: led_to.to_owned(), leads_to }
}

fn is_within_project(path: &Path, manifest: &Manifest) -> bool {
    let project = manifest.project.as_deref().and_then(|project| Path::new(project).canonicalize().ok());
    project.is_some_and(|project| path != project && path.starts_with(project))
}

/// A link in the name's place is followed where it leads to the file that it led to.
fn through_link(at: PathBuf, then: Option<&Whereabouts>, manifest: &Manifest) -> Result<Way, SqliteError> {
    let instead = |at: PathBuf| {
        let to = fs::read_link(&at).map(|to| format!(" to `{}`", shown(&to))).unwrap_or_default();
        Way::Instead(at, format!("it is a link{to}, which it was not when the snapshot was taken"))
    };
    let expected = then.and_then(|then| then.file.as_deref()).map(Path::new);
    let (real, found) = match at.canonicalize().and_then(|real| Ok((fs::metadata(&real)?, real))) {
        Ok((found, real)) => (real, found),
        // Its file is gone.
        Err(_) if expected.is_some() && follow(&at).as_deref() == expected => {
            return Ok(expected.map_or(instead(at), |file| Way::Anew(file.to_owned())));
        }
        Err(_) => return Ok(instead(at)),
    };
    let is_same_file = is_recorded(&found, then, manifest);
    if expected.map_or(then.is_none() && is_same_file, |expected| real == expected || is_same_file) {
        if !found.is_file() {
            return Ok(Way::Instead(real, "what was there was no file".to_owned()));
        }
        return into_file(real, &found, then, manifest);
    }
    Ok(instead(at))
}

/// Tells whether a file is the very one that was saved.
fn is_recorded(found: &Metadata, then: Option<&Whereabouts>, manifest: &Manifest) -> bool {
    match then {
        Some(then) => then.file_identity == Identity::of(found),
        None => recorded_inode(manifest.state.as_ref()) == Some(Identity::of(found).inode),
    }
}

/// A file is written into where it has no other name than those it had, and nothing is mounted in its place.
fn into_file(
    real: PathBuf,
    found: &Metadata,
    then: Option<&Whereabouts>,
    manifest: &Manifest,
) -> Result<Way, SqliteError> {
    let is_same = is_recorded(found, then, manifest);
    if !is_same && mount_of(&real).is_some_and(|mount| mount == real) {
        return Err(SqliteError::Mounted { path: real });
    }
    let had_as_many = is_same && then.is_none_or(|then| found.nlink() <= then.names);
    if found.nlink() == 1 || had_as_many {
        return Ok(Way::Into(real));
    }
    let others = found.nlink() - 1;
    Ok(Way::Instead(real, format!("its file has {others} other name(s), which it had not when the snapshot was taken")))
}

/// Finds what a chain of links names that leads to no file.
fn follow(link: &Path) -> Option<PathBuf> {
    let mut place = link.to_owned();
    for _ in 0..40 {
        let Ok(target) = fs::read_link(&place) else {
            let (folder, name) = split(&place);
            return Some(folder.canonicalize().ok()?.join(name));
        };
        place = place.parent()?.join(target);
    }
    None
}

/// Separates a database's path into its folder and its name there.
fn split(path: &Path) -> (&Path, &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    (folder, path.file_name().map_or(path, Path::new))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Finds the nearest mount that a true path is in, the path itself included.
#[cfg(target_os = "linux")]
fn mount_of(path: &Path) -> Option<PathBuf> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};

    let is_mount = |path: &&Path| {
        statx(CWD, *path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
            .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
    };
    path.ancestors().find(is_mount).map(Path::to_owned)
}

/// Finds the nearest folder on the way to a true path that is on another disk than the one above it.
#[cfg(not(target_os = "linux"))]
fn mount_of(path: &Path) -> Option<PathBuf> {
    let disk = |path: &Path| fs::metadata(path).ok().map(|found| found.dev());
    let is_mount = |path: &&Path| path.parent().is_none_or(|above| disk(above) != disk(path));
    path.ancestors().find(is_mount).map(Path::to_owned)
}
