//! What can go wrong with the folder of snapshots.

use std::io;
use std::path::PathBuf;

use crate::error::Explain;
use crate::exit::Exit;
use crate::text::shown;

/// Why the store cannot be used, or a snapshot in it cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The folder, or one above it, is a symbolic link.
    #[error("the snapshots' folder {} is a symbolic link", shown(path))]
    Link {
        /// The folder.
        path: PathBuf,
    },
    /// Something that is no folder stands in its place.
    #[error("{} is not a folder", shown(path))]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// A link on the way leads out of the project.
    #[error("a symbolic link leads the snapshots' folder {} out of the project", shown(path))]
    LedOutside {
        /// The folder as it is named.
        path: PathBuf,
    },
    /// The folder belongs to an account that could put anything into it.
    #[error("the snapshots' folder {} belongs to another account, the one with the id {owner}", shown(path))]
    Owner {
        /// The folder.
        path: PathBuf,
        /// The account's id.
        owner: u32,
    },
    /// Others can put files into the folder.
    #[error("others can write into the snapshots' folder {}", shown(path))]
    WritableByOthers {
        /// The folder.
        path: PathBuf,
    },
    /// The folder cannot be made or read.
    #[error("cannot use the snapshots' folder {}", shown(path))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file in it cannot be written or removed.
    #[error("cannot write {}", shown(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A manifest is missing or cannot be read.
    #[error("cannot read the manifest {}: {reason}", shown(path))]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A manifest is not the one that was written down.
    #[error("the manifest {} was changed since the audit log wrote it down", shown(path))]
    Changed {
        /// The manifest.
        path: PathBuf,
    },
    /// A running command depends on the snapshot.
    #[error("the snapshot {id} is needed by a running command")]
    InUse {
        /// The snapshot.
        id: String,
    },
}

impl Explain for StoreError {
    fn hint(&self) -> Option<String> {
        match self {
            StoreError::Link { .. } => {
                Some("make it a real folder, or name another one in .safe-test.toml ([snapshots] directory)".to_owned())
            }
            StoreError::NotAFolder { .. } | StoreError::Folder { .. } => Some(
                "make it a folder that you can write, or name another one in .safe-test.toml ([snapshots] directory)"
                    .to_owned(),
            ),
            StoreError::LedOutside { .. } => Some(
                "write the folder's own path in .safe-test.toml ([snapshots] directory), which a person then approves".to_owned(),
            ),
            StoreError::Owner { .. } => Some(
                "run it as that account, make the folder yours (`chown -R`), or name another one in .safe-test.toml \
                 ([snapshots] directory)"
                    .to_owned(),
            ),
            StoreError::WritableByOthers { .. } => Some(
                "see whether all in it is yours, then close it (`chmod go-w`); on a file system without permissions name \
                 another folder in .safe-test.toml ([snapshots] directory)"
                    .to_owned(),
            ),
            StoreError::Write { cause, .. } if cause.kind() == io::ErrorKind::StorageFull => {
                Some("make room on the disk; `safe-test prune` removes old snapshots".to_owned())
            }
            StoreError::Write { .. } => {
                Some("check the folder's owner, its permissions and the room on its disk".to_owned())
            }
            StoreError::Manifest { .. } => Some("`safe-test verify --all` lists what is whole".to_owned()),
            StoreError::Changed { .. } => Some(
                "put it back as it was, from a copy of your own, or name another snapshot: `safe-test list` shows them"
                    .to_owned(),
            ),
            StoreError::InUse { .. } => Some("try again when the command has ended".to_owned()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            StoreError::Link { .. }
            | StoreError::NotAFolder { .. }
            | StoreError::LedOutside { .. }
            | StoreError::Owner { .. }
            | StoreError::WritableByOthers { .. }
            | StoreError::Folder { .. }
            | StoreError::Write { .. }
            | StoreError::Manifest { .. }
            | StoreError::Changed { .. } => Exit::NoSnapshot,
            StoreError::InUse { .. } => Exit::Failed,
        }
    }
}
