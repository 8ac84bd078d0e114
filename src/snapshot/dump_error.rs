//! What can be wrong with the file of a dump, or with what it holds, whatever wrote it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::error::Explain;
use crate::exit::Exit;
use crate::text::shown;

/// A failure that is the file's. No variant holds a row of data.
#[derive(Debug, Error)]
pub(crate) enum DumpError {
    /// A file could not be written or read.
    #[error("cannot {action} {}", shown(path))]
    File {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file's bytes are not those that were written.
    #[error("{} is not what was written: its SHA-256 is {found}, the manifest says {expected}", shown(path))]
    HashMismatch {
        /// The snapshot.
        path: PathBuf,
        /// What the manifest says.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// The dump cannot be read to its end.
    #[error("{} cannot be read back: {reason}", shown(path))]
    Damaged {
        /// The snapshot.
        path: PathBuf,
        /// What was met.
        reason: String,
    },
    /// The dump reads well, but holds something else than the database did.
    #[error("{what} is not whole: {differences}")]
    NotWhole {
        /// The dump or the restored database.
        what: String,
        /// The first differences.
        differences: String,
    },
}

impl DumpError {
    /// Makes the error of a file from that of the system.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| DumpError::File { action, path: path.to_owned(), source }
    }

    /// Compares the hash of the bytes that were read with that of those that were written.
    ///
    /// # Errors
    ///
    /// [`DumpError::HashMismatch`].
    pub(crate) fn expect_hash(path: &Path, expected: &str, found: &str) -> Result<(), Self> {
        if found == expected {
            return Ok(());
        }
        Err(DumpError::HashMismatch { path: path.to_owned(), expected: expected.to_owned(), found: found.to_owned() })
    }

    /// Tells whether the snapshot itself is bad, rather than that it could not be looked at.
    pub(crate) fn is_of_a_bad_snapshot(&self) -> bool {
        match self {
            DumpError::HashMismatch { .. } | DumpError::Damaged { .. } | DumpError::NotWhole { .. } => true,
            DumpError::File { .. } => false,
        }
    }
}

impl Explain for DumpError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            DumpError::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "free some space, or move the snapshots' directory"
            }
            DumpError::File { .. } => "check the permissions and the disk",
            DumpError::HashMismatch { .. } | DumpError::Damaged { .. } | DumpError::NotWhole { .. } => {
                "do not rely on it; `safe-test list` shows the others"
            }
        };
        Some(hint.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            DumpError::File { .. }
            | DumpError::HashMismatch { .. }
            | DumpError::Damaged { .. }
            | DumpError::NotWhole { .. } => Exit::NoSnapshot,
        }
    }
}
