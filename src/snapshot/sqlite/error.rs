//! What can go wrong with a SQLite database or its snapshot.

use std::io;
use std::path::PathBuf;

use crate::error::Explain;
use crate::exit::Exit;
use crate::text::shown;

/// A SQLite database that could not be saved, checked or put back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqliteError {
    /// The path is a folder.
    #[error("`{}` is a folder, not a SQLite database", shown(path))]
    Folder {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The path is a device, a pipe or a socket.
    #[error("`{}` is no regular file, so no SQLite database", shown(path))]
    NotAFile {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The path leads to symbolic links that lead to each other.
    #[error("`{}` leads to symbolic links that lead in a circle", shown(path))]
    LinksInCircle {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The file system refused to let the file be read.
    #[error("cannot read `{}`", shown(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file does not begin as a SQLite database does.
    #[error("`{}` is not a SQLite database, or is encrypted", shown(path))]
    NotDatabase {
        /// The file.
        path: PathBuf,
    },
    /// There is no file, or it has no bytes: nothing that could be saved.
    #[error("`{}` holds no database yet", shown(path))]
    NothingThere {
        /// The file.
        path: PathBuf,
    },
    /// SQLite's own check found the file damaged.
    #[error("the SQLite database `{}` is damaged: {complaint}", shown(path))]
    Damaged {
        /// The database or the snapshot.
        path: PathBuf,
        /// The first thing that SQLite said about it.
        complaint: String,
    },
    /// Another program kept the database locked for the whole time that was waited.
    #[error("another program kept the SQLite database `{}` locked for {seconds} s", shown(path))]
    Locked {
        /// The database.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// Another program kept changing the database, and no lock could be taken to hold it still.
    #[error("the SQLite database `{}` kept changing for {seconds} s while it was copied", shown(path))]
    KeepsChanging {
        /// The database.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// The person or a signal asked to stop.
    #[error("interrupted while working on `{}`", shown(path))]
    Interrupted {
        /// The database or the snapshot.
        path: PathBuf,
    },
    /// A file of the snapshot could not be written.
    #[error("cannot write `{}`", shown(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// SQLite itself failed.
    #[error("cannot {doing} `{}`", shown(path))]
    Engine {
        /// What was attempted, as a verb.
        doing: &'static str,
        /// The database or the snapshot.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The snapshot's file has another length than its manifest says.
    #[error("`{}` has {found} bytes, its manifest says {expected}", shown(path))]
    Size {
        /// The snapshot's file.
        path: PathBuf,
        /// Bytes by the manifest.
        expected: u64,
        /// Bytes in the file.
        found: u64,
    },
    /// The snapshot's bytes are not those that were saved.
    #[error("`{}` is not what was saved: its SHA-256 is not the manifest's", shown(path))]
    Hash {
        /// The snapshot's file.
        path: PathBuf,
    },
    /// The snapshot's tables are not those of its manifest.
    #[error("`{}` does not hold what its manifest says: {difference}", shown(path))]
    Contents {
        /// The snapshot's file, or its scratch copy.
        path: PathBuf,
        /// The first difference.
        difference: String,
    },
    /// The folder that the database was in is gone.
    #[error("cannot restore `{}`: its folder does not exist", shown(path))]
    FolderMissing {
        /// The database.
        path: PathBuf,
    },
    /// The folder that the database was in is another one now.
    #[error(
        "cannot restore `{}`: it leads to `{}` now, and led to `{}` when the snapshot was taken",
        shown(path),
        shown(leads_to),
        shown(led_to)
    )]
    FolderElsewhere {
        /// The folder as the database's path has it.
        path: PathBuf,
        /// Where it led.
        led_to: PathBuf,
        /// Where it leads.
        leads_to: PathBuf,
    },
    /// Something is mounted where the database was.
    #[error("cannot restore into `{}`: it is mounted there, and was not when the snapshot was taken", shown(path))]
    Mounted {
        /// The mount.
        path: PathBuf,
    },
    /// What lies in the database's place is no database, so that SQLite cannot restore into it.
    #[error("cannot restore into `{}`: what is there is not a SQLite database", shown(path))]
    NotReplaceable {
        /// The database.
        path: PathBuf,
    },
    /// Another program kept the database locked, so nothing was restored.
    #[error("another program kept `{}` locked for {seconds} s; it was not restored and is as it was", shown(path))]
    RestoreLocked {
        /// The database.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// The page sizes differ, and the database cannot change its own while other programs use it.
    #[error(
        "cannot restore `{}` while other programs have it open: its pages have {live} bytes, the snapshot's {snapshot}; it is as it was",
        shown(path)
    )]
    PageSize {
        /// The database.
        path: PathBuf,
        /// Bytes in a page of the database.
        live: u32,
        /// Bytes in a page of the snapshot.
        snapshot: u32,
    },
    /// The restore failed, and SQLite took back what it had done.
    #[error("cannot restore `{}`; it is as it was", shown(path))]
    RestoreFailed {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The database's file, which was missing, could not be created.
    #[error("cannot create `{}`", shown(path))]
    Create {
        /// The database.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The restore was asked to stop, and SQLite took back what it had done.
    #[error("interrupted: `{}` was not restored and is as it was", shown(path))]
    RestoreInterrupted {
        /// The database.
        path: PathBuf,
    },
    /// The restore was carried out, but the database does not hold what the manifest says.
    #[error("`{}` was restored, but does not hold what the snapshot's manifest says: {difference}", shown(path))]
    RestoredDiffers {
        /// The database.
        path: PathBuf,
        /// The first difference.
        difference: String,
    },
}

impl SqliteError {
    /// Says that an interruption of a restore left the database as it was.
    pub(crate) fn during_restore(self) -> SqliteError {
        match self {
            SqliteError::Interrupted { path } => SqliteError::RestoreInterrupted { path },
            other => other,
        }
    }
}

impl Explain for SqliteError {
    fn hint(&self) -> Option<String> {
        match self {
            SqliteError::Folder { .. } | SqliteError::NotAFile { .. } => {
                Some("name the database file itself".to_owned())
            }
            SqliteError::LinksInCircle { .. } => Some("correct the link".to_owned()),
            SqliteError::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Some("it is gone: see whether another snapshot will do, `safe-test list` shows them".to_owned())
            }
            SqliteError::Unreadable { path, .. } => Some(format!("make `{}` readable for this account", shown(path))),
            SqliteError::NotDatabase { .. } => {
                Some("correct the path, or, if the database is encrypted, say in the policy how it is kept".to_owned())
            }
            SqliteError::NothingThere { .. } => None,
            SqliteError::Damaged { path, .. } => Some(format!(
                "see what is left with `sqlite3 '{}' .recover`, or go back to an older snapshot",
                shown(path)
            )),
            SqliteError::Locked { path, .. } | SqliteError::RestoreLocked { path, .. } => Some(format!(
                "wait for the other program's transaction to end, or stop it; `fuser` names it; if there is a folder `{}.lock`, \
                 that is its lock",
                shown(path)
            )),
            SqliteError::KeepsChanging { .. } => Some("stop the program that writes to it, then try again".to_owned()),
            SqliteError::Interrupted { .. } | SqliteError::RestoreInterrupted { .. } => None,
            SqliteError::Write { source, .. } | SqliteError::Create { source, .. } => hint_for_writing(source),
            SqliteError::Engine { .. } => None,
            SqliteError::Size { .. } | SqliteError::Hash { .. } | SqliteError::Contents { .. } => {
                Some("it cannot be trusted: use an older snapshot".to_owned())
            }
            SqliteError::FolderMissing { path } => {
                path.parent().map(|folder| format!("create `{}`, then restore again", shown(folder)))
            }
            SqliteError::FolderElsewhere { path, .. } => {
                Some(format!("move the link away, make `{}` a folder again, then restore again", shown(path)))
            }
            SqliteError::Mounted { .. } => Some("unmount it, then restore again".to_owned()),
            SqliteError::NotReplaceable { .. } => Some("move that file away, then restore again".to_owned()),
            SqliteError::PageSize { .. } => Some("close the programs that use it, then restore again".to_owned()),
            SqliteError::RestoreFailed { .. } => Some("see that the file and its folder can be written".to_owned()),
            SqliteError::RestoredDiffers { .. } => {
                Some("another program may be writing to it: stop that and restore again".to_owned())
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            SqliteError::Folder { .. }
            | SqliteError::NotAFile { .. }
            | SqliteError::LinksInCircle { .. }
            | SqliteError::Unreadable { .. }
            | SqliteError::NotDatabase { .. }
            | SqliteError::NothingThere { .. }
            | SqliteError::Damaged { .. }
            | SqliteError::Locked { .. }
            | SqliteError::KeepsChanging { .. }
            | SqliteError::Interrupted { .. }
            | SqliteError::Write { .. }
            | SqliteError::Engine { .. }
            | SqliteError::Size { .. }
            | SqliteError::Hash { .. }
            | SqliteError::Contents { .. } => Exit::NoSnapshot,
            SqliteError::FolderMissing { .. }
            | SqliteError::FolderElsewhere { .. }
            | SqliteError::Mounted { .. }
            | SqliteError::NotReplaceable { .. }
            | SqliteError::RestoreLocked { .. }
            | SqliteError::PageSize { .. }
            | SqliteError::RestoreFailed { .. }
            | SqliteError::Create { .. }
            | SqliteError::RestoreInterrupted { .. }
            | SqliteError::RestoredDiffers { .. } => Exit::Failed,
        }
    }
}

fn hint_for_writing(error: &io::Error) -> Option<String> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("free disk space, then try again".to_owned()),
        io::ErrorKind::FileTooLarge => Some("the limit on file sizes (`ulimit -f`) is too low for it".to_owned()),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some("see that its folder can be written".to_owned())
        }
        _ => None,
    }
}
