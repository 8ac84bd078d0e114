//! Lists a folder: what is in it, in the order of the paths.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::snapshot::Watch;
use crate::snapshot::folder::error::FolderError;
use crate::text::hex;

/// What a folder holds, itself first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) entries: Vec<Entry>,
    /// What is neither file, folder nor link, from the folder.
    pub(crate) left_out: Vec<PathBuf>,
}

/// One thing in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// From the folder; empty for itself.
    pub(crate) path: PathBuf,
    pub(crate) kind: EntryKind,
    /// Permissions, without the kind.
    pub(crate) mode: u32,
    /// Bytes of a file's content, else 0.
    pub(crate) size: u64,
    /// What else the file system says of it.
    pub(crate) rest: Rest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Folder,
    File,
    /// Where it leads.
    Link(PathBuf),
}

/// What two equal things in two places differ by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rest {
    /// User and group.
    pub(crate) owner: (u32, u32),
    /// Last change of content, seconds and nanoseconds.
    pub(crate) modified: (i64, i64),
    /// Last change of the inode, seconds and nanoseconds.
    pub(crate) changed: (i64, i64),
    /// Device and inode.
    pub(crate) inode: (u64, u64),
}

impl Listing {
    /// Lists the folder at `root`, which no link leads to.
    ///
    /// # Errors
    ///
    /// It is no folder, cannot be read, or holds what an archive of it would lack.
    pub(crate) fn of(root: &Path, watch: &dyn Watch) -> Result<Listing, FolderError> {
        let mut listing = Listing { entries: Vec::new(), left_out: Vec::new() };
        let found = fs::symlink_metadata(root).map_err(FolderError::file("look at", root))?;
        if !found.is_dir() {
            return Err(FolderError::NotSavable { path: root.to_owned(), what: "no folder" });
        }
        let mut waiting = vec![(PathBuf::new(), found.clone())];
        while let Some((path, metadata)) = waiting.pop() {
            if watch.interrupted() {
                return Err(FolderError::Interrupted);
            }
            let at = root.join(&path);
            if path.file_name().is_some_and(|name| name.eq_ignore_ascii_case(".git")) {
                return Err(FolderError::NotSavable { path: at, what: "git's own" });
            }
            if metadata.dev() != found.dev() {
                return Err(FolderError::NotSavable { path: at, what: "on another file system" });
            }
            let kind = match metadata.file_type() {
                kind if kind.is_dir() => {
                    waiting.extend(within(root, &path)?);
                    EntryKind::Folder
                }
                kind if kind.is_file() => EntryKind::File,
                kind if kind.is_symlink() => {
                    EntryKind::Link(fs::read_link(&at).map_err(FolderError::file("read", &at))?)
                }
                kind => {
                    debug_assert!(
                        kind.is_fifo() || kind.is_socket() || kind.is_block_device() || kind.is_char_device()
                    );
                    listing.left_out.push(path);
                    continue;
                }
            };
            listing.entries.push(Entry::new(path, kind, &metadata));
        }
        listing.entries.sort_by(|one, other| one.path.cmp(&other.path));
        listing.left_out.sort();
        Ok(listing)
    }

    /// How many files and links there are.
    pub(crate) fn files(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.kind != EntryKind::Folder).count() as u64
    }

    /// Hashes all that it says: equal for an equal folder in the same place.
    pub(crate) fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for entry in &self.entries {
            let (kind, link) = match &entry.kind {
                EntryKind::Folder => ("folder", None),
                EntryKind::File => ("file", None),
                EntryKind::Link(to) => ("link", Some(to.as_path())),
            };
            for part in [Some(entry.path.as_path()), link].into_iter().flatten() {
                hash.update((part.as_os_str().len() as u64).to_le_bytes());
                hash.update(part.as_os_str().as_bytes());
            }
            hash.update(format!("{kind} {} {} {:?}\n", entry.mode, entry.size, entry.rest));
        }
        for path in &self.left_out {
            hash.update(path.as_os_str().as_bytes());
            hash.update([0]);
        }
        hex(hash.finalize())
    }

    /// Tells whether everything in it had been as it is for longer than clocks of file systems are coarse, at that time.
    pub(crate) fn is_settled(&self, now: (i64, i64)) -> bool {
        const COARSE: i64 = 2;
        self.entries.iter().all(|entry| entry.rest.changed.0 + COARSE < now.0)
    }
}

impl Entry {
    fn new(path: PathBuf, kind: EntryKind, found: &Metadata) -> Entry {
        let size = if kind == EntryKind::File { found.size() } else { 0 };
        // A link has no permissions of its own.
        let mode = if found.is_symlink() { 0 } else { found.mode() & 0o7777 };
        let rest = Rest {
            owner: (found.uid(), found.gid()),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            inode: (found.dev(), found.ino()),
        };
        Entry { path, kind, mode, size, rest }
    }

    /// Tells whether two things are the same but for where and when they were made.
    pub(crate) fn is_like(&self, other: &Entry) -> bool {
        Entry { rest: Rest::default(), ..self.clone() } == Entry { rest: Rest::default(), ..other.clone() }
    }
}

/// Lists what is directly in a folder.
fn within(root: &Path, folder: &Path) -> Result<Vec<(PathBuf, Metadata)>, FolderError> {
    let at = root.join(folder);
    let read = |source: io::Error| FolderError::File { action: "read", path: at.clone(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(&at).map_err(read)? {
        let entry = entry.map_err(read)?;
        // Of a link itself.
        match entry.metadata() {
            Ok(metadata) => found.push((folder.join(entry.file_name()), metadata)),
            // It went meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(read(error)),
        }
    }
    Ok(found)
}
