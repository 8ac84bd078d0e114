//! What can keep a folder from being saved, checked or put back.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::error::Explain;
use crate::exit::Exit;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_reading::ReadError;
use crate::snapshot::engine_error::{Consequence, EngineFailure};
use crate::snapshot::tool_process::ToolError;
use crate::text::shown;

/// A failure with a folder or its archive.
#[derive(Debug, Error)]
pub(crate) enum FolderError {
    /// It, or a file in it, could not be read or written.
    #[error("cannot {action} {}", shown(path))]
    File {
        /// What was attempted.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What stands there cannot be saved so that it comes back.
    #[error("{} is {what}", shown(path))]
    NotSavable {
        /// What stands there.
        path: PathBuf,
        /// What it is, a phrase.
        what: &'static str,
    },
    /// A file became shorter while it was read.
    #[error("{} changed while it was read", shown(path))]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The archive is bad, or could not be read or written.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// The manifest is of another folder than the target.
    #[error("the snapshot is of `{snapshot}`, but the target is `{target}`")]
    OtherFolder {
        /// The snapshot's.
        snapshot: String,
        /// The target.
        target: String,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl FolderError {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| FolderError::File { action, path: path.to_owned(), source }
    }
}

impl From<ReadError> for FolderError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Dump(error) => error.into(),
            ReadError::Tool(ToolError::Interrupted) => FolderError::Interrupted,
            ReadError::Tool(error) => {
                FolderError::File { action: "read", path: PathBuf::new(), source: io::Error::other(error) }
            }
        }
    }
}

impl Explain for FolderError {
    fn hint(&self) -> Option<String> {
        match self {
            FolderError::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space, or move the snapshots' directory".to_owned())
            }
            FolderError::File { .. } => Some("check the permissions and the disk".to_owned()),
            FolderError::NotSavable { .. } => Some(
                "name a folder without it as `path` below [[snapshots.folders]] in .safe-test.toml, or several"
                    .to_owned(),
            ),
            FolderError::Changed { .. } => Some("stop what writes there, or name a folder without it".to_owned()),
            FolderError::Dump(error) => error.hint(),
            FolderError::OtherFolder { .. } | FolderError::Interrupted => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            FolderError::File { .. }
            | FolderError::NotSavable { .. }
            | FolderError::Changed { .. }
            | FolderError::OtherFolder { .. }
            | FolderError::Interrupted => Exit::NoSnapshot,
            FolderError::Dump(error) => error.exit(),
        }
    }
}

impl EngineFailure for FolderError {
    fn consequence(&self) -> Consequence {
        match self {
            // Until the two are exchanged, which is one step, nothing of the folder is touched.
            FolderError::File { .. }
            | FolderError::NotSavable { .. }
            | FolderError::Changed { .. }
            | FolderError::Dump(_)
            | FolderError::OtherFolder { .. }
            | FolderError::Interrupted => Consequence::Untouched,
        }
    }
}
