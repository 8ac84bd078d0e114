//! The folders that a command is judged in.

use std::path::{Path, PathBuf};

/// Where the command would run, and how far upwards files are looked up. All paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Project {
    /// The nearest folder upwards with `.safe-test.toml`, else the git top level, else `folder`.
    pub(crate) root: PathBuf,
    /// The folder that the command runs in.
    pub(crate) folder: PathBuf,
    /// The user's home, for `~/.pg_service.conf` and the like.
    pub(crate) home: Option<PathBuf>,
}

impl Project {
    /// Gives `path` as it is shown to people: relative to the root where it lies below it.
    #[must_use]
    pub(crate) fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }
}
