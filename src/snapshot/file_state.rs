//! Tells whether a dump file is still the one that was hashed: by what the file system says of it, or by hashing it again.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::regular;
use crate::snapshot::{FileState, Watch};
use crate::text::hex;

/// Reads what the file system says of `path`; `now` is when it was hashed.
///
/// # Errors
///
/// Where it cannot be looked at.
pub(crate) fn file_state(path: &Path, now: DateTime<Utc>) -> io::Result<FileState> {
    let found = fs::symlink_metadata(path)?;
    Ok(FileState {
        hashed_at: now,
        inode: (found.dev(), found.ino()),
        size: found.size(),
        modified: (found.mtime(), found.mtime_nsec()),
        changed: (found.ctime(), found.ctime_nsec()),
    })
}

/// Hashes a file: SHA-256, hexadecimal.
///
/// # Errors
///
/// Where it cannot be read, or the watch asks to stop ([`io::ErrorKind::Interrupted`]).
pub(crate) fn hash_file(path: &Path, watch: &dyn Watch) -> io::Result<String> {
    let mut file = regular::open_own(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex(hash.finalize()));
        }
        if watch.interrupted() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        hash.update(&buffer[..read]);
        watch.advance(read as u64);
    }
}
