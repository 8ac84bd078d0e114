//! The git repository around a project, read from git's own files: starting git would cost more than the rest of a run.
//!
//! They may be a stranger's, and name any file of this machine: what is read of them is looked at before it counts.

use std::path::{Path, PathBuf};

use crate::regular;

/// Where git keeps what it knows.
pub(crate) struct Repository {
    /// What belongs to one worktree.
    pub(crate) folder: PathBuf,
    /// What all worktrees share.
    pub(crate) common: PathBuf,
}

impl Repository {
    /// Finds the one that `root` lies in; `None` where there is none.
    pub(crate) fn around(root: &Path) -> Option<Repository> {
        let mark = root.ancestors().map(|above| above.join(".git")).find(|mark| mark.exists())?;
        // A worktree's `.git` is a file that names its folder; that folder names the common one.
        let folder = match read(&mark) {
            Some(text) => mark.parent()?.join(text.strip_prefix("gitdir: ")?),
            None => mark,
        };
        let common = read(&folder.join("commondir")).map_or_else(|| folder.clone(), |relative| folder.join(relative));
        Some(Repository { folder, common })
    }
}

/// Reads one of its files, without blanks around the text; `None` where there is none, or it is no text.
pub(crate) fn read(path: &Path) -> Option<String> {
    let text = String::from_utf8(regular::read(path, regular::LARGE).ok()?).ok()?;
    Some(text.trim().to_owned())
}
