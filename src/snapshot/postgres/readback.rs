//! Reads a whole dump back through the engine's own reader: hash, decompression, archive, and every row counted or
//! digested.

use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::thread;

use crate::regular;
use crate::snapshot::Watch;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_stream::Hashing;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::process;
use crate::snapshot::postgres::script::{Script, ScriptReader};
use crate::snapshot::postgres::tools::Tools;
use crate::snapshot::threads;
use crate::snapshot::tool_process::{Running, ToolError, attended};

/// Bytes of a dump or of its text that are handled at a time.
pub(crate) const PIECE: usize = 128 * 1024;

/// What is to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DumpFile<'a> {
    pub(crate) path: &'a Path,
    /// What its bytes must hash to, in hexadecimal digits.
    pub(crate) sha256: &'a str,
    /// Whether it is compressed by us.
    pub(crate) compressed: bool,
}

impl DumpFile<'_> {
    /// Tells whether the bytes that were read are those that were written.
    pub(crate) fn expect(&self, found: &str) -> Result<(), PostgresError> {
        Ok(DumpError::expect_hash(self.path, self.sha256, found)?)
    }
}

/// Reads a dump to its end and says what it holds, its data digested. One pass: the hash is taken of the very bytes that are read.
///
/// # Errors
///
/// [`DumpError::HashMismatch`] before any other, since it explains them; [`DumpError::Damaged`] where the reader
/// or the decompression finds fault; [`ToolError::Interrupted`].
pub(crate) fn read_back(tools: &Tools, dump: DumpFile<'_>, watch: &dyn Watch) -> Result<Script, PostgresError> {
    let mut reader = start_reader(tools)?;
    let file = regular::open_own(dump.path).map_err(PostgresError::file("read", dump.path))?;
    let stopper = reader.stopper();
    let (script, found) = attended(watch, &[stopper], || {
        read(&mut reader, dump.path, file, dump.compressed, ScriptReader::digesting(), watch)
    })?;
    dump.expect(&found)?;
    script
}

/// Hashes a whole file.
///
/// # Errors
///
/// [`DumpError::File`], [`ToolError::Interrupted`].
pub(crate) fn hash(path: &Path, watch: &dyn Watch) -> Result<String, PostgresError> {
    let file = regular::open_own(path).map_err(PostgresError::file("read", path))?;
    let (mut file, mut piece) = (Hashing::new(file), vec![0; PIECE]);
    while let read @ 1.. = file.read(&mut piece).map_err(PostgresError::file("read", path))? {
        watch.advance(read as u64);
        if watch.interrupted() {
            return Err(ToolError::Interrupted.into());
        }
    }
    Ok(file.finish().1)
}

/// Starts the engine's own reader.
pub(crate) fn start_reader(tools: &Tools) -> Result<Running, PostgresError> {
    // It connects to nothing: no environment, no locale.
    let mut command = tools.command("pg_restore", &[]);
    command.args(["-f", "-"]);
    Ok(process::start("pg_restore", command, &[])?)
}

/// Reads a dump from `file` through `reader`, its text by `script`: what it holds, or what is wrong with it, and the hash of its bytes.
pub(crate) fn read(
    reader: &mut Running,
    path: &Path,
    file: impl Read + Send,
    compressed: bool,
    mut script: ScriptReader,
    watch: &dyn Watch,
) -> Result<(Result<Script, PostgresError>, String), PostgresError> {
    let mut text = reader.stdout();
    let (fed, found) = thread::scope(|scope| {
        let feeder = threads::start(scope, || feed(path, file, compressed, reader, watch))
            .map_err(PostgresError::file("read", path))?;
        let mut piece = vec![0; PIECE];
        while let Some(read @ 1..) = text.as_mut().and_then(|text| text.read(&mut piece).ok()) {
            script.feed(&piece[..read]);
        }
        threads::joined(feeder)
    })?;
    let ended = reader.finish();
    let script = match (fed, ended, script.finish()) {
        (_, Err(error), _) if reader.was_cut_off() => Err(error.into()),
        (Err(source), _, _) => Err(damaged(path, &source.to_string())),
        (Ok(()), Err(error), _) => Err(damaged(path, &error.to_string())),
        (Ok(()), Ok(()), script) if !script.complete => Err(damaged(path, "the dump breaks off")),
        (Ok(()), Ok(()), script) => Ok(script),
    };
    Ok((script, found))
}

/// Gives a dump to a reader's stdin, and hashes it to its end whatever the reader makes of it: what went wrong on the
/// way, if something did, and the hash.
pub(crate) fn feed(
    path: &Path,
    file: impl Read,
    compressed: bool,
    reader: &mut Running,
    watch: &dyn Watch,
) -> Result<(io::Result<()>, String), PostgresError> {
    let mut stdin = reader.stdin();
    let mut source = if compressed {
        Source::Compressed(zstd::Decoder::new(Hashing::new(file)).map_err(PostgresError::file("read", path))?)
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
    let found = source.finish(watch).map_err(PostgresError::file("read", path))?;
    Ok((result, found))
}

enum Source<F: Read> {
    Compressed(zstd::Decoder<'static, BufReader<Hashing<F>>>),
    Plain(Hashing<F>),
}

impl<F: Read> Source<F> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::Compressed(decoder) => decoder.read(piece),
            Source::Plain(file) => file.read(piece),
        }
    }

    /// Returns the hash of the whole file, what was not read included.
    fn finish(self, watch: &dyn Watch) -> io::Result<String> {
        let mut file = match self {
            Source::Compressed(decoder) => decoder.finish().into_inner(),
            Source::Plain(file) => file,
        };
        let mut piece = vec![0; PIECE];
        while file.read(&mut piece)? > 0 && !watch.interrupted() {}
        Ok(file.finish().1)
    }
}

fn damaged(path: &Path, reason: &str) -> PostgresError {
    PostgresError::Dump(DumpError::Damaged { path: path.to_owned(), reason: reason.to_owned() })
}
