//! Locks files of ours (`flock`): who holds a lock is alive, and it is gone with its process.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A lock for one, or for many.
#[derive(Clone, Copy)]
pub(crate) enum Lock {
    Shared,
    Exclusive,
}

/// Waits for the lock.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    rustix::fs::flock(file, rustix::fs::FlockOperation::LockExclusive).map_err(Into::into)
}

/// Takes the lock if it is free; says whether it is held now.
pub(crate) fn try_lock(file: &File, kind: Lock) -> io::Result<bool> {
    let operation = match kind {
        Lock::Shared => rustix::fs::FlockOperation::NonBlockingLockShared,
        Lock::Exclusive => rustix::fs::FlockOperation::NonBlockingLockExclusive,
    };
    match rustix::fs::flock(file, operation) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Tells whether the file at `path` is the one that is open.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    file.metadata().map(identity).ok().is_some_and(|open| fs::metadata(path).map(identity).ok() == Some(open))
}
