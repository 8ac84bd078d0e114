//! Reads a whole dump back: hash, decompression, and all that it holds, by whoever understands it.

use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::regular;
use crate::snapshot::Watch;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_stream::{Hashing, PIECE};
use crate::snapshot::tool_process::ToolError;

/// One who understands a dump, and takes it in pieces.
pub(crate) trait DumpText {
    /// What it makes of a dump.
    type Held;

    /// Takes the next piece.
    fn feed(&mut self, piece: &[u8]);

    /// Tells whether what it hands on could not be written: whoever was to take it has ended.
    fn is_refused(&self) -> bool {
        false
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    ///
    /// What is wrong with the dump, a phrase.
    fn finish(self) -> Result<Self::Held, String>;
}

/// What kept a dump from being read.
#[derive(Debug)]
pub(crate) enum ReadError {
    Dump(DumpError),
    /// Somebody asked to stop.
    Tool(ToolError),
}

impl From<DumpError> for ReadError {
    fn from(error: DumpError) -> Self {
        ReadError::Dump(error)
    }
}

/// What is to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DumpFile<'a> {
    pub(crate) path: &'a Path,
    /// What its bytes must hash to, in hexadecimal digits.
    pub(crate) sha256: &'a str,
}

impl DumpFile<'_> {
    /// Tells whether the bytes that were read are those that were written.
    pub(crate) fn expect(&self, found: &str) -> Result<(), DumpError> {
        DumpError::expect_hash(self.path, self.sha256, found)
    }

    /// Reads it to its end through `reader`, which says what it holds. The hash is taken of the very bytes that are read.
    ///
    /// # Errors
    ///
    /// [`DumpError::HashMismatch`] before any other, since it explains them; [`DumpError::Damaged`], [`ToolError::Interrupted`].
    pub(crate) fn read<T: DumpText>(&self, reader: T, watch: &dyn Watch) -> Result<T::Held, ReadError> {
        let file = regular::open_own(self.path).map_err(DumpError::file("read", self.path))?;
        let (held, found) = read(self.path, file, reader, watch)?;
        self.expect(&found)?;
        Ok(held?)
    }

    /// Reads it to its end as [`read`](DumpFile::read) does, by one who takes the bytes when they are wanted.
    ///
    /// # Errors
    ///
    /// Those of [`read`](DumpFile::read).
    pub(crate) fn pull<T>(
        &self,
        reader: impl FnOnce(&mut dyn Read) -> Result<T, String>,
        watch: &dyn Watch,
    ) -> Result<T, ReadError> {
        let file = regular::open_own(self.path).map_err(DumpError::file("read", self.path))?;
        let (held, found) = pull(self.path, file, reader, watch)?;
        self.expect(&found)?;
        Ok(held?)
    }

    /// Checks that the file is the one that was written. No byte of another reaches a server.
    ///
    /// # Errors
    ///
    /// [`DumpError::HashMismatch`], [`DumpError::File`], [`ToolError::Interrupted`].
    pub(crate) fn expect_file(&self, watch: &dyn Watch) -> Result<(), ReadError> {
        let file = regular::open_own(self.path).map_err(DumpError::file("read", self.path))?;
        let (mut file, mut piece) = (Hashing::new(file), vec![0; PIECE]);
        while let read @ 1.. = file.read(&mut piece).map_err(DumpError::file("read", self.path))? {
            advance(watch, read)?;
        }
        Ok(self.expect(&file.finish().1)?)
    }
}

/// Reads a compressed dump from `file`: what it holds, or what is wrong with it, and the hash of its bytes.
///
/// # Errors
///
/// [`DumpError::File`] where it cannot be read at all, [`ToolError::Interrupted`].
pub(crate) fn read<T: DumpText>(
    path: &Path,
    file: impl Read,
    mut reader: T,
    watch: &dyn Watch,
) -> Result<(Result<T::Held, DumpError>, String), ReadError> {
    let mut decoder = zstd::Decoder::new(Hashing::new(file)).map_err(DumpError::file("read", path))?;
    let mut piece = vec![0; PIECE];
    let fault = loop {
        match decoder.read(&mut piece) {
            Ok(0) => break None,
            Ok(read) => {
                advance(watch, read)?;
                reader.feed(&piece[..read]);
                // Whoever was to take the statements tells better why it did not.
                if reader.is_refused() {
                    break None;
                }
            }
            Err(error) => break Some(error),
        }
    };
    let found = finish(decoder, watch).map_err(DumpError::file("read", path))?;
    let damaged = |reason: String| DumpError::Damaged { path: path.to_owned(), reason };
    let held = match fault {
        Some(error) => Err(damaged(error.to_string())),
        None => reader.finish().map_err(damaged),
    };
    Ok((held, found))
}

/// Reads a compressed dump from `file` as [`read`] does, by one who takes the bytes when they are wanted.
///
/// # Errors
///
/// Those of [`read`].
pub(crate) fn pull<T>(
    path: &Path,
    file: impl Read,
    reader: impl FnOnce(&mut dyn Read) -> Result<T, String>,
    watch: &dyn Watch,
) -> Result<(Result<T, DumpError>, String), ReadError> {
    let decoder = zstd::Decoder::new(Hashing::new(file)).map_err(DumpError::file("read", path))?;
    let mut watched = Watched { decoder, watch };
    let held = reader(&mut watched);
    if watch.interrupted() {
        return Err(ReadError::Tool(ToolError::Interrupted));
    }
    let found = finish(watched.decoder, watch).map_err(DumpError::file("read", path))?;
    Ok((held.map_err(|reason| DumpError::Damaged { path: path.to_owned(), reason }), found))
}

/// A dump that is read under the eyes of one who waits.
struct Watched<'w, R: Read> {
    decoder: zstd::Decoder<'static, BufReader<R>>,
    watch: &'w dyn Watch,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        self.watch.advance(read as u64);
        if self.watch.interrupted() { Err(io::ErrorKind::Interrupted.into()) } else { Ok(read) }
    }
}

fn advance(watch: &dyn Watch, read: usize) -> Result<(), ReadError> {
    watch.advance(read as u64);
    if watch.interrupted() { Err(ReadError::Tool(ToolError::Interrupted)) } else { Ok(()) }
}

/// Returns the hash of the whole file, what was not read included.
fn finish<R: Read>(decoder: zstd::Decoder<'static, BufReader<Hashing<R>>>, watch: &dyn Watch) -> io::Result<String> {
    let mut file = decoder.finish().into_inner();
    let mut piece = vec![0; PIECE];
    while file.read(&mut piece)? > 0 && !watch.interrupted() {}
    Ok(file.finish().1)
}
