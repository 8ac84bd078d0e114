//! Writes the file of a snapshot, private, compressed and hashed on the way, and reads it while it grows.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::regular;
use crate::text::hex;

/// zstd's fastest ordinary level: a third of the time of `pg_dump`'s own compression, and a smaller file.
const LEVEL: i32 = 1;

/// Bytes of a dump or of its text that are handled at a time.
pub(crate) const PIECE: usize = 128 * 1024;

/// Compresses and hashes what a dump program writes, into the file: its size and hash.
pub(crate) fn write_compressed(stdout: Option<impl Read>, file: &File) -> io::Result<(u64, String)> {
    let mut encoder = compressor(Hashing::new(file))?;
    let mut piece = vec![0; PIECE];
    if let Some(mut stdout) = stdout {
        while let read @ 1.. = stdout.read(&mut piece)? {
            encoder.write_all(&piece[..read])?;
        }
    }
    Ok(encoder.finish()?.finish())
}

/// Opens a file for a dump: emptied, readable by its owner only, never through a symbolic link.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let file = regular::open_own_to_write(path, OpenOptions::new().write(true).create(true))?;
    file.set_permissions(PermissionsExt::from_mode(0o600))?;
    file.set_len(0)?;
    Ok(file)
}

/// A stream that hashes and counts what passes.
pub(crate) struct Hashing<F> {
    inner: F,
    digest: Sha256,
    bytes: u64,
}

impl<F> Hashing<F> {
    pub(crate) fn new(inner: F) -> Self {
        Hashing { inner, digest: Sha256::new(), bytes: 0 }
    }

    /// Bytes that passed, and their SHA-256 in hexadecimal digits.
    pub(crate) fn finish(self) -> (u64, String) {
        let digest = self.digest.finalize();
        (self.bytes, hex(digest))
    }
}

impl<F: Write> Write for Hashing<F> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.digest.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<F: Read> Read for Hashing<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

/// Opens a zstd stream with a checksum of its content, which `pg_dump`'s own has not.
pub(crate) fn compressor<W: Write>(inner: W) -> io::Result<zstd::Encoder<'static, W>> {
    let mut encoder = zstd::Encoder::new(inner, LEVEL)?;
    encoder.include_checksum(true)?;
    Ok(encoder)
}

/// A file that another thread still writes: its end is the end once that thread says so.
#[derive(Debug)]
pub(crate) struct Following<'a> {
    /// `None` for a device, which gives nothing back and may never end.
    file: File,
    writing: &'a Writing,
}

/// Whether a file is still written.
#[derive(Debug, Default)]
pub(crate) struct Writing {
    ended: Mutex<bool>,
    changed: Condvar,
}

impl Writing {
    /// Says that nothing more will be written.
    pub(crate) fn end(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits a little, and says whether it has ended.
    fn ended_after(&self, wait: Duration) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let (ended, _) =
            self.changed.wait_timeout_while(ended, wait, |ended| !*ended).unwrap_or_else(PoisonError::into_inner);
        *ended
    }

    /// Opens the file at `path` anew, to be read while it grows.
    ///
    /// # Errors
    ///
    /// Where it cannot be opened.
    pub(crate) fn follow(&self, path: &Path) -> io::Result<Following<'_>> {
        Ok(Following { file: regular::open_own(path)?, writing: self })
    }
}

impl Read for Following<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut wait = Duration::ZERO;
        loop {
            // Asked before reading: what is written afterwards is found by the next reading.
            let ended = self.writing.ended_after(wait);
            let read = self.file.read(buffer)?;
            if read > 0 || ended {
                return Ok(read);
            }
            wait = Duration::from_millis(5);
        }
    }
}
