//! What can keep the log from being written or read.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Explain;
use crate::exit::Exit;
use crate::text::shown;

/// A failure of the log. Whenever an append fails, the log holds either the whole entry or nothing of it, or its
/// next append repairs what is half written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    /// The folder of the log cannot be made or looked at.
    #[error("cannot use the folder of the audit log, {}", shown(path))]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A symbolic link stands in the log's place.
    #[error("the audit log {} is a symbolic link", shown(path))]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// A folder, a pipe or a device stands in the log's place.
    #[error("the audit log {} is not a regular file", shown(path))]
    NotAFile {
        /// What stands there.
        path: PathBuf,
    },
    /// Another program's file stands in the log's place.
    #[error("{} is not an audit log of safe-test", shown(path))]
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// The log cannot be opened.
    #[error("cannot open the audit log {}", shown(path))]
    Open {
        /// The log.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The log cannot be locked.
    #[error("cannot lock the audit log {}", shown(path))]
    Lock {
        /// The log.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process has held the lock for all of `waited`.
    #[error("the audit log {} has been locked by another process for {} s", shown(path), waited.as_secs())]
    Busy {
        /// The log.
        path: PathBuf,
        /// How long this process waited.
        waited: Duration,
    },
    /// The log cannot be read.
    #[error("cannot read the audit log {}", shown(path))]
    Read {
        /// The log.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The log cannot be written or synced.
    #[error("cannot write the audit log {}", shown(path))]
    Write {
        /// The log.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The entry is longer than any line may be.
    #[error("an entry of {bytes} bytes is too long for the audit log {}", shown(path))]
    TooLong {
        /// The log.
        path: PathBuf,
        /// The length of the line.
        bytes: usize,
    },
    /// The entry is no JSON.
    #[error("an entry for the audit log {} cannot be put as JSON", shown(path))]
    Encode {
        /// The log.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// What this machine remembers of the log cannot be read or written.
    #[error("cannot keep the audit log's anchor in {}", shown(path))]
    Anchor {
        /// The file or folder in the state directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system gave no random bytes for a new log's id.
    #[error("cannot draw a random id from {}", shown(path))]
    Random {
        /// The source of random bytes.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Explain for AuditError {
    fn hint(&self) -> Option<String> {
        match self {
            AuditError::Folder { path, source }
            | AuditError::Open { path, source }
            | AuditError::Write { path, source }
            | AuditError::Anchor { path, source } => Some(match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    format!("free some space where {} is", shown(path))
                }
                io::ErrorKind::ReadOnlyFilesystem => format!("{} is on a read-only file system", shown(path)),
                io::ErrorKind::PermissionDenied => {
                    format!("give this user permission to write {}; `ls -ld` shows its owner", shown(path))
                }
                _ => format!("make sure that {} can be written; every run is written down first", shown(path)),
            }),
            AuditError::Symlink { .. } => Some("put the log itself there: links are not followed".to_owned()),
            AuditError::NotAFile { path } | AuditError::NotALog { path } => {
                Some(format!("move {} away, or set another snapshot directory", shown(path)))
            }
            AuditError::Lock { .. } => Some("the file system has to support flock".to_owned()),
            AuditError::Busy { path, .. } => {
                Some(format!("`fuser {}` shows the process; it may be stopped", shown(path)))
            }
            AuditError::Read { path, source } if source.kind() == io::ErrorKind::InvalidData => {
                Some(format!("no log of safe-test has such a line: see what wrote it, and move {} away", shown(path)))
            }
            AuditError::Read { path, .. } => Some(format!("make sure that this user can read {}", shown(path))),
            AuditError::TooLong { .. } => Some("run fewer arguments at once".to_owned()),
            AuditError::Encode { .. } | AuditError::Random { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            AuditError::Folder { .. }
            | AuditError::Symlink { .. }
            | AuditError::NotAFile { .. }
            | AuditError::NotALog { .. }
            | AuditError::Open { .. }
            | AuditError::Lock { .. }
            | AuditError::Busy { .. }
            | AuditError::Read { .. }
            | AuditError::Write { .. }
            | AuditError::TooLong { .. }
            | AuditError::Encode { .. }
            | AuditError::Anchor { .. }
            | AuditError::Random { .. } => Exit::Failed,
        }
    }
}
