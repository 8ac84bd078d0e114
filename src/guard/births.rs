//! When what lies in folders was made.
//!
//! A file's birth is the time that nothing changes later: neither moving nor linking it, nor `touch`. So a new folder into
//! which older data was moved does not pass for new.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::guard::newness::Kept;
use crate::text::shown;

/// More files than a server has that a test starts.
const MOST_FILES: usize = 100_000;

/// Between when the command was started and now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    since: SystemTime,
    now: SystemTime,
}

/// Whether what links lead to counts as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    Followed,
    /// Where they lead is not here, as out of a container.
    Passed,
}

impl Span {
    pub(super) fn since(since: SystemTime) -> Span {
        Span::between(since, SystemTime::now())
    }

    pub(super) fn between(since: SystemTime, now: SystemTime) -> Span {
        Span { since, now }
    }

    /// Looks at all that is in a folder; the folder itself may be older. `inside` is how we reach it, `folder` what it is
    /// called.
    ///
    /// # Errors
    ///
    /// Where something may not be looked at.
    pub(super) fn all(self, inside: PathBuf, folder: PathBuf, links: Links) -> io::Result<Kept> {
        let mut seen = HashSet::new();
        let mut looked_at = 0;
        let mut folders = VecDeque::from([(inside, folder)]);
        while let Some((inside, folder)) = folders.pop_front() {
            let Some(found) = there(fs::metadata(&inside))? else { continue };
            if !seen.insert((found.dev(), found.ino())) {
                continue;
            }
            for entry in fs::read_dir(&inside)? {
                let entry = entry?;
                let (path, name) = (entry.path(), folder.join(entry.file_name()));
                looked_at += 1;
                if looked_at > MOST_FILES {
                    return Ok(Kept::Unknown("it keeps more files than can be looked at".to_owned()));
                }
                // A server removes files of its own meanwhile.
                let Some(found) = there(fs::symlink_metadata(&path))? else { continue };
                if let Some(kept) = self.unless_made_since(&found, &name) {
                    return Ok(kept);
                }
                if found.is_dir() {
                    folders.push_back((path, name));
                } else if found.is_symlink() && links == Links::Followed {
                    let Some(found) = there(fs::metadata(&path))? else { continue };
                    let name = fs::canonicalize(&path)?;
                    if let Some(kept) = self.unless_made_since(&found, &name) {
                        return Ok(kept);
                    }
                    if found.is_dir() {
                        folders.push_back((path, name));
                    }
                }
            }
        }
        Ok(Kept::MadeSince)
    }

    /// Tells what is wrong with a file's birth, if it is not within the span.
    pub(super) fn unless_made_since(self, found: &Metadata, name: &Path) -> Option<Kept> {
        match found.created() {
            Ok(born) if born < self.since => Some(Kept::Older(name.to_owned())),
            Ok(born) if born <= self.now => None,
            // A clock that was wrong, then or now.
            Ok(_) => Some(Kept::Unknown(format!("{} is from the future", shown(name)))),
            Err(_) => Some(Kept::Unknown(format!("nobody can tell when {} was made", shown(name)))),
        }
    }
}

/// What is not there any more is not looked at.
pub(super) fn there(found: io::Result<Metadata>) -> io::Result<Option<Metadata>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}
