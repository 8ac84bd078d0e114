//! The log's file: opened without following links, locked, read from its end, appended to.
//!
//! The lock is `flock` on the log itself. There is no lock file that could be left over or removed; in return the
//! file may have been removed or replaced while a process waited, so that is looked at once the lock is held.

use std::borrow::Borrow;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::audit::lines::{LONGEST_LINE, too_long};
use crate::audit::log::backwards::Backwards;
use crate::audit::{AuditError, MAX_LINE};
use crate::durable;
use crate::hash::Hash;
use crate::regular;
use crate::regular::{FromStart, NotRegular};

/// How long an append waits for others: ten of them take milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const BLOCK: usize = 8 * 1024;

/// A log that is open and locked until this is dropped.
#[derive(Debug)]
pub(crate) struct LogFile {
    file: File,
    path: PathBuf,
    length: u64,
}

/// The last line of a file or of its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tail {
    /// The line's hash; `None` where there is no line.
    pub(crate) hash: Option<Hash>,
    /// The line without its newline, as far as it is looked into.
    pub(crate) bytes: Vec<u8>,
    /// Whether a newline ends it; true for no line.
    pub(crate) complete: bool,
}

impl LogFile {
    /// Opens the log for appending, makes it (0600) and its folder (0700) where they are not there, and locks it, for
    /// which it waits no longer than `patience`.
    pub(crate) fn lock(path: &Path, patience: Duration) -> Result<Self, AuditError> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists && !folder.is_dir() => {
                return Err(AuditError::Folder { path: folder.to_owned(), source });
            }
            Ok(()) | Err(_) => {}
        }
        loop {
            let options = &mut OpenOptions::new();
            let file = regular::open_own_to_write(path, options.read(true).append(true).create(true));
            let file = file.map_err(|source| not_open(path, source))?;
            wait_for_lock(&file, path, FlockOperation::NonBlockingLockExclusive, patience)?;
            if let Some(log) = Self::still_in_place(file, path)? {
                return Ok(log);
            }
        }
    }

    /// Opens the log for reading while nobody appends; `None` where it is not there.
    pub(crate) fn lock_shared(path: &Path) -> Result<Option<Self>, AuditError> {
        loop {
            let file = match regular::open_own(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                other => other.map_err(|source| not_open(path, source))?,
            };
            wait_for_lock(&file, path, FlockOperation::NonBlockingLockShared, PATIENCE)?;
            if let Some(log) = Self::still_in_place(file, path)? {
                return Ok(Some(log));
            }
        }
    }

    fn still_in_place(file: File, path: &Path) -> Result<Option<Self>, AuditError> {
        let read = |source| AuditError::Read { path: path.to_owned(), source };
        let ours = file.metadata().map_err(read)?;
        match fs::symlink_metadata(path) {
            Ok(there) if same_file(&there, &ours) => {}
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(read(source)),
        }
        Ok(Some(LogFile { file, path: path.to_owned(), length: ours.len() }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the file's length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Tells whether `path` leads to this very file.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let ours = self.file.metadata();
        matches!((fs::symlink_metadata(path), ours), (Ok(there), Ok(ours)) if same_file(&there, &ours))
    }

    /// Reads the first line without its newline, as far as it is looked into.
    pub(crate) fn first_line(&self) -> Result<Vec<u8>, AuditError> {
        let (mut line, mut block) = (Vec::new(), [0; BLOCK]);
        while line.len() < MAX_LINE {
            let count = self.read_at(&mut block, line.len() as u64)?;
            let end = block[..count].iter().position(|&byte| byte == b'\n');
            line.extend_from_slice(&block[..end.unwrap_or(count)]);
            if count == 0 || end.is_some() {
                break;
            }
        }
        Ok(line)
    }

    /// Finds the last line of the first `length` bytes. Reads that line and no more.
    pub(crate) fn tail(&self, length: u64) -> Result<Tail, AuditError> {
        if length == 0 {
            return Ok(Tail { hash: None, bytes: Vec::new(), complete: true });
        }
        let mut last = [0];
        self.read_at(&mut last, length - 1)?;
        let complete = last == *b"\n";
        let end = length - u64::from(complete);
        let start = self.start_of_line(end)?;
        let (mut hasher, mut bytes, mut at, mut block) = (Sha256::new(), Vec::new(), start, [0; BLOCK]);
        while at < end {
            let wanted = (end - at).min(BLOCK as u64) as usize;
            let count = self.read_at(&mut block[..wanted], at)?;
            if count == 0 {
                break;
            }
            hasher.update(&block[..count]);
            bytes.extend_from_slice(&block[..count.min(MAX_LINE - bytes.len())]);
            at += count as u64;
        }
        Ok(Tail { hash: Some(Hash::finish(hasher)), bytes, complete })
    }

    fn start_of_line(&self, end: u64) -> Result<u64, AuditError> {
        let (last, mut end, mut block) = (end, end, [0; BLOCK]);
        while end > 0 {
            if last - end > LONGEST_LINE {
                return Err(AuditError::Read { path: self.path.clone(), source: too_long() });
            }
            let from = end.saturating_sub(BLOCK as u64);
            let wanted = (end - from) as usize;
            let count = self.read_at(&mut block[..wanted], from)?;
            if let Some(newline) = block[..count].iter().rposition(|&byte| byte == b'\n') {
                return Ok(from + newline as u64 + 1);
            }
            end = from;
        }
        Ok(0)
    }

    /// Reads the bytes from `offset` to the end, if they are at most `limit`.
    pub(crate) fn rest(&self, offset: u64, limit: usize) -> Result<Option<Vec<u8>>, AuditError> {
        let Some(length) = self.length.checked_sub(offset).filter(|&length| length <= limit as u64) else {
            return Ok(None);
        };
        let mut bytes = vec![0; length as usize];
        let count = self.read_at(&mut bytes, offset)?;
        bytes.truncate(count);
        Ok(Some(bytes))
    }

    /// Returns the whole file as a stream, under the lock.
    pub(crate) fn reader(&self) -> impl io::BufRead + use<'_> {
        stream(&self.file, self.length)
    }

    /// Returns the first `length` bytes as a stream, without the lock: what is written stays as it is.
    pub(crate) fn into_reader(self, length: u64) -> Result<impl io::BufRead + use<>, AuditError> {
        flock(&self.file, FlockOperation::Unlock)
            .map_err(|error| AuditError::Lock { path: self.path, source: error.into() })?;
        Ok(stream(self.file, length))
    }

    /// Returns the lines from the last to the first, without the lock.
    pub(crate) fn into_backwards(self) -> Result<Backwards, AuditError> {
        flock(&self.file, FlockOperation::Unlock)
            .map_err(|error| AuditError::Lock { path: self.path, source: error.into() })?;
        Ok(Backwards::new(self.file, self.length))
    }

    /// Appends `text` and syncs it. What was written of it is taken back where it cannot be written whole.
    pub(crate) fn append(&mut self, text: &[u8]) -> Result<(), AuditError> {
        let written = self.file.write_all(text).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            // Where even this fails (a file that may only grow), the anchor's copy completes the line later.
            let _ = self.file.set_len(self.length);
            return Err(AuditError::Write { path: self.path.clone(), source });
        }
        self.length += text.len() as u64;
        Ok(())
    }

    /// Writes and syncs the beginning of `text`, as a kill in the middle of an append would leave it.
    #[cfg(test)]
    pub(crate) fn append_torn(&mut self, text: &[u8]) {
        self.file.write_all(text).unwrap();
    }

    /// Tells whether the file has the length that it had before an append that failed.
    pub(crate) fn is_as_before(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.len() == self.length)
    }

    /// Makes a file that was just created survive a power loss under its name.
    pub(crate) fn sync_name(&self) -> Result<(), AuditError> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        durable::sync_folder(folder).map_err(|source| AuditError::Folder { path: folder.to_owned(), source })
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, AuditError> {
        read_full(&self.file, buffer, offset).map_err(|source| AuditError::Read { path: self.path.clone(), source })
    }
}

fn read_full(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn stream<F: Borrow<File>>(file: F, length: u64) -> impl io::BufRead {
    io::BufReader::with_capacity(64 * 1024, FromStart::new(file).take(length))
}

/// Gives `path` without links, as far as it exists: the name that a log goes by on this machine.
pub(crate) fn settled(path: &Path) -> PathBuf {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return path.to_owned() };
    // The log itself is not followed: a link in its place is refused.
    match folder.canonicalize() {
        Ok(folder) => folder.join(name),
        Err(_) => settled(folder).join(name),
    }
}

fn same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn not_open(path: &Path, source: io::Error) -> AuditError {
    let path = path.to_owned();
    match NotRegular::of(&source) {
        Some(found) if found.is_link() => AuditError::Symlink { path },
        Some(_) => AuditError::NotAFile { path },
        None => AuditError::Open { path, source },
    }
}

fn wait_for_lock(file: &File, path: &Path, operation: FlockOperation, patience: Duration) -> Result<(), AuditError> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        match flock(file, operation) {
            Ok(()) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) if started.elapsed() < patience => {
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(5));
            }
            Err(Errno::WOULDBLOCK) => return Err(AuditError::Busy { path: path.to_owned(), waited: patience }),
            Err(error) => return Err(AuditError::Lock { path: path.to_owned(), source: error.into() }),
        }
    }
}
