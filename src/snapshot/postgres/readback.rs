//! Reading a whole dump back through the engine's own reader: hash, decompression, archive, and every row counted.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::process::Command;
use std::thread;

use super::PostgresError;
use super::process::{Running, attended};
use super::script::{Script, ScriptReader};
use super::tools::Tools;
use super::writer::Hashing;
use crate::snapshot::Watch;

/// Bytes handled at a time.
const PIECE: usize = 128 * 1024;

/// What is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) path: &'a Path,
    /// What its bytes must hash to, in hexadecimal digits.
    pub(super) sha256: &'a str,
    /// Whether it is compressed by us.
    pub(super) compressed: bool,
}

/// Reads a dump to its end and says what it holds. One pass: the hash is taken of the very bytes that are read.
///
/// # Errors
///
/// [`PostgresError::HashMismatch`] before any other, since it explains them; [`PostgresError::Damaged`] where the reader
/// or the decompression finds fault; [`PostgresError::Interrupted`].
pub(super) fn read_back(tools: &Tools, stored: Stored<'_>, watch: &dyn Watch) -> Result<Script, PostgresError> {
    let mut command = Command::new(tools.program("pg_restore"));
    // It connects to nothing: no environment, no locale.
    command.env_clear().args(["-f", "-"]);
    let mut reader = Running::start("pg_restore", command, None)?;
    let mut script = reader.stdout();
    let mut counter = ScriptReader::new();
    let stopper = reader.stopper();
    let fed = attended(watch, &[stopper], || {
        thread::scope(|scope| {
            let feeder = scope.spawn(|| feed(stored, &mut reader, watch));
            let mut piece = vec![0; PIECE];
            while let Some(read @ 1..) = script.as_mut().and_then(|script| script.read(&mut piece).ok()) {
                counter.feed(&piece[..read]);
            }
            feeder.join().unwrap_or_else(|_| Err(damaged(stored.path, "its reader failed")))
        })
    })?;
    let ended = reader.finish();
    if let Err(source) = fed {
        return Err(damaged(stored.path, &source.to_string()));
    }
    if let Err(error) = ended {
        return Err(damaged(stored.path, &error.to_string()));
    }
    let script = counter.finish();
    if !script.complete {
        return Err(damaged(stored.path, "the dump breaks off"));
    }
    Ok(script)
}

/// Gives a dump to a reader's stdin, and hashes it to its end whatever the reader makes of it. The inner result is what
/// went wrong on the way, where the hash is right.
pub(super) fn feed(
    stored: Stored<'_>,
    reader: &mut Running,
    watch: &dyn Watch,
) -> Result<Result<(), io::Error>, PostgresError> {
    let path = stored.path;
    let file = File::open(path).map_err(PostgresError::file("read", path))?;
    let mut stdin = reader.stdin();
    let mut source: Source = if stored.compressed {
        let decoder = zstd::Decoder::new(Hashing::new(file)).map_err(PostgresError::file("read", path))?;
        Source::Compressed(decoder)
    } else {
        Source::Plain(Hashing::new(file))
    };
    let mut piece = vec![0; PIECE];
    let result = loop {
        let read = match source.read(&mut piece) {
            Ok(0) => break Ok(()),
            Ok(read) => read,
            Err(error) => break Err(error),
        };
        watch.advance(read as u64);
        if let Some(open) = &mut stdin
            && open.write_all(&piece[..read]).is_err()
        {
            // The reader's own exit status says whether it had reason to stop reading.
            stdin = None;
        }
    };
    drop(stdin);
    let found = source.finish().map_err(PostgresError::file("read", path))?;
    if found != stored.sha256 {
        return Err(PostgresError::HashMismatch { path: path.to_owned(), expected: stored.sha256.to_owned(), found });
    }
    Ok(result)
}

enum Source {
    Compressed(zstd::Decoder<'static, BufReader<Hashing<File>>>),
    Plain(Hashing<File>),
}

impl Source {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::Compressed(decoder) => decoder.read(piece),
            Source::Plain(file) => file.read(piece),
        }
    }

    /// The hash of the whole file, what was not read included.
    fn finish(self) -> io::Result<String> {
        let mut file = match self {
            Source::Compressed(decoder) => decoder.finish().into_inner(),
            Source::Plain(file) => file,
        };
        io::copy(&mut file, &mut io::sink())?;
        Ok(file.finish().1)
    }
}

fn damaged(path: &Path, reason: &str) -> PostgresError {
    PostgresError::Damaged { path: path.to_owned(), reason: reason.to_owned() }
}
