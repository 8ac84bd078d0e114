//! The file system as a judgement saw it: every file, absence and listing that went into it, to be looked at once more
//! before the command starts.
//!
//! While a large database is saved, minutes pass in which somebody may save `.env`. The process environment needs no second
//! look: nothing but this process can change it, and the command gets it as it is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::environment::{Files, Folder};
use crate::reach::SIDE_FILES;

/// Seconds. A file that was last changed this much before we look changes its times with the next write, however coarse
/// the clock of its file system is.
const SETTLED: i64 = 2;

/// What the file system says of something without opening it: device, number, size, and when it was written and changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        let found = fs::metadata(path).ok()?;
        Some(Stamp {
            place: (found.dev(), found.ino()),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }

    fn is_settled(&self, since: DateTime<Utc>) -> bool {
        self.modified.0.max(self.changed.0) < since.timestamp() - SETTLED
    }
}

/// What was found in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Absent,
    Unreadable(io::ErrorKind),
    /// A hash of the bytes, and their number.
    Bytes(u64, usize),
    /// The stamp tells as much as a hash would.
    AsStamped,
}

/// What was found by path, and the stamp just before.
type Looks<T> = RefCell<HashMap<PathBuf, (Option<Stamp>, T)>>;

/// What was seen of the file system.
pub(crate) struct Seen {
    since: DateTime<Utc>,
    /// Without its key nobody can make other bytes of the same hash.
    key: RandomState,
    files: Looks<Content>,
    /// Files of which only the beginning was read.
    heads: Looks<Content>,
    folders: Looks<Vec<OsString>>,
    existing: RefCell<HashMap<PathBuf, bool>>,
}

impl Seen {
    /// Finds a path at which there is something else in `files` than there was, if there is one. That snapshots of ours
    /// appear in the folder `own` does not count.
    pub(crate) fn changed(&self, files: &dyn Files, own: &Path) -> Option<PathBuf> {
        let is_other = |path: &Path, (stamp, content): &(Option<Stamp>, Content), now: &dyn Fn() -> Read| {
            *stamp != Stamp::of(path) && *content == Content::AsStamped
                || *content != Content::AsStamped && *content != self.content(&now())
        };
        let file = |(path, look): &(&PathBuf, &_)| is_other(path, look, &|| files.read(path));
        let head = |(path, look): &(&PathBuf, &_)| is_other(path, look, &|| files.head(path));
        let existing = |(path, exists): &(&PathBuf, &bool)| files.exists(path) != **exists;
        let folder = |(path, (stamp, names)): &(&PathBuf, &(Option<Stamp>, Vec<OsString>))| {
            let is_settled = stamp.is_some_and(|stamp| stamp.is_settled(self.since));
            let is_same = path.starts_with(own) || is_settled && *stamp == Stamp::of(path);
            !is_same && lasting(path, names, own) != lasting(path, &files.list(path), own)
        };
        let (read, listed, asked) = (self.files.borrow(), self.folders.borrow(), self.existing.borrow());
        let begun = self.heads.borrow();
        let found = read.iter().find(file).or_else(|| begun.iter().find(head)).map(|(path, _)| path);
        let found = found.or_else(|| asked.iter().find(existing).map(|(path, _)| path));
        found.or_else(|| listed.iter().find(folder).map(|(path, _)| path)).cloned()
    }

    fn note(&self, path: &Path, looks: &Looks<Content>, read: impl Fn() -> Read) -> Read {
        // Looked at first: what is written in between makes a difference to the stamp.
        let stamp = Stamp::of(path);
        let read = read();
        let is_settled = stamp.is_some_and(|stamp| stamp.is_settled(self.since));
        let content = if is_settled && read.is_ok() { Content::AsStamped } else { self.content(&read) };
        looks.borrow_mut().entry(path.to_owned()).or_insert((stamp, content));
        read
    }

    fn content(&self, read: &Read) -> Content {
        match read {
            Ok(Some(bytes)) => Content::Bytes(self.key.hash_one(bytes), bytes.len()),
            Ok(None) => Content::Absent,
            Err(error) => Content::Unreadable(error.kind()),
        }
    }
}

type Read = io::Result<Option<Vec<u8>>>;

/// Lists the names in a folder that do not come and go with our own work and SQLite's, sorted.
fn lasting<'n>(folder: &Path, names: &'n [OsString], own: &Path) -> Vec<&'n OsStr> {
    let is_lasting = |name: &&OsStr| {
        let is_side_file = SIDE_FILES.iter().any(|end| name.as_encoded_bytes().ends_with(end.as_bytes()));
        !is_side_file && !own.starts_with(folder.join(name))
    };
    let mut names: Vec<_> = names.iter().map(OsString::as_os_str).filter(is_lasting).collect();
    names.sort_unstable();
    names
}

/// A file system, and what was seen of it so far.
pub(crate) struct Looking<'f> {
    files: &'f dyn Files,
    seen: Seen,
}

impl<'f> Looking<'f> {
    /// Begins to look at `files`; `since` is not later than now.
    pub(crate) fn new(files: &'f dyn Files, since: DateTime<Utc>) -> Self {
        let (key, existing) = (RandomState::new(), RefCell::default());
        let (read, heads, folders) = (RefCell::default(), RefCell::default(), RefCell::default());
        Looking { files, seen: Seen { since, key, files: read, heads, folders, existing } }
    }

    /// Looks at a file that is read by other means.
    pub(crate) fn watch(&self, path: &Path) {
        // Whether it can be read is what is noted.
        let _ = self.read(path);
    }

    pub(crate) fn into_seen(self) -> Seen {
        self.seen
    }
}

impl Files for Looking<'_> {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.seen.note(path, &self.seen.files, || self.files.read(path))
    }

    fn head(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.seen.note(path, &self.seen.heads, || self.files.head(path))
    }

    fn exists(&self, path: &Path) -> bool {
        let exists = self.files.exists(path);
        self.seen.existing.borrow_mut().entry(path.to_owned()).or_insert(exists);
        exists
    }

    fn list(&self, path: &Path) -> Vec<OsString> {
        let stamp = Stamp::of(path);
        let names = self.files.list(path);
        self.seen.folders.borrow_mut().entry(path.to_owned()).or_insert_with(|| (stamp, names.clone()));
        names
    }

    fn folder(&self, path: &Path) -> Option<Folder> {
        self.files.folder(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::disk::Disk;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::{Duration, SystemTime};

    /// Looks at a folder with a few things in it, from a time when all of it is settled or nothing is; then something is done,
    /// and the name of what changed is given.
    fn changed(settled: bool, act: impl FnOnce(&Path)) -> Option<String> {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path();
        fs::create_dir(root.join("config")).unwrap();
        for (name, text) in [(".env", "A=1\n"), ("other", "A=1\n"), ("config/x.yml", "x: 1\n")] {
            fs::write(root.join(name), text).unwrap();
        }
        let now = DateTime::<Utc>::from(SystemTime::now());
        let disk = Disk::default();
        let seen = Looking::new(&disk, if settled { now + Duration::from_secs(10) } else { now });
        seen.read(&root.join(".env")).unwrap();
        seen.read(&root.join(".env.local")).unwrap();
        let _ = seen.read(&root.join("config"));
        assert!(!seen.exists(&root.join("artisan")) && seen.exists(&root.join("other")));
        for folder in [root, &root.join("config"), &root.join("none")] {
            seen.list(folder);
        }
        act(root);
        let found = seen.into_seen().changed(&disk, &root.join("var/backups"))?;
        Some(found.strip_prefix(root).unwrap().display().to_string())
    }

    #[test]
    fn what_is_written_appears_or_vanishes_is_found() {
        type Act = fn(&Path);
        let cases: [(&str, Act); 11] = [
            (".env", |root| fs::write(root.join(".env"), "A=2\n").unwrap()),
            (".env", |root| fs::write(root.join(".env"), "").unwrap()),
            (".env", |root| fs::remove_file(root.join(".env")).unwrap()),
            (".env", |root| {
                fs::write(root.join("new"), "A=2\n").unwrap();
                fs::rename(root.join("new"), root.join(".env")).unwrap();
            }),
            (".env", |root| {
                fs::remove_file(root.join(".env")).unwrap();
                symlink("config/x.yml", root.join(".env")).unwrap();
            }),
            (".env", |root| {
                fs::remove_file(root.join(".env")).unwrap();
                fs::create_dir(root.join(".env")).unwrap();
            }),
            (".env.local", |root| fs::write(root.join(".env.local"), "").unwrap()),
            ("artisan", |root| fs::write(root.join("artisan"), "").unwrap()),
            ("other", |root| fs::remove_file(root.join("other")).unwrap()),
            ("config", |root| fs::write(root.join("config/y.yml"), "").unwrap()),
            ("none", |root| fs::create_dir_all(root.join("none/more")).unwrap()),
        ];
        for (at, (expected, act)) in cases.into_iter().enumerate() {
            for settled in [true, false] {
                let found = changed(settled, act);
                // A folder's own listing changes, too.
                assert!(
                    found.as_deref() == Some(expected) || found.as_deref() == Some(""),
                    "{at} {settled}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_as_it_was_or_ours_is_no_change() {
        let cases: [fn(&Path); 5] = [
            |_| {},
            |root| fs::create_dir_all(root.join("var/backups")).unwrap(),
            |root| {
                for end in SIDE_FILES {
                    fs::write(root.join(format!("app.db{end}")), "").unwrap();
                }
            },
            |root| fs::write(root.join("other"), "not read").unwrap(),
            |root| {
                fs::write(root.join("new"), "").unwrap();
                fs::remove_file(root.join("new")).unwrap();
            },
        ];
        for (at, act) in cases.into_iter().enumerate() {
            for settled in [true, false] {
                assert_eq!(changed(settled, act), None, "{at} {settled}");
            }
        }
        // The same bytes, written again.
        assert_eq!(changed(false, |root| fs::write(root.join(".env"), "A=1\n").unwrap()), None);
        let forbid = |root: &Path| fs::set_permissions(root.join("config"), PermissionsExt::from_mode(0o700)).unwrap();
        assert_eq!(changed(false, forbid), None);
    }

    #[test]
    fn a_file_that_was_read_counts_wherever_snapshots_are_kept() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path();
        let disk = Disk::default();
        let seen = Looking::new(&disk, DateTime::<Utc>::from(SystemTime::now()));
        seen.read(&root.join(".env")).unwrap();
        seen.list(root);
        let seen = seen.into_seen();
        fs::write(root.join("app_test_20261121_143022.dump"), "").unwrap();
        assert_eq!(seen.changed(&disk, root), None);
        fs::write(root.join(".env"), "").unwrap();
        assert_eq!(seen.changed(&disk, root), Some(root.join(".env")));
    }
}
