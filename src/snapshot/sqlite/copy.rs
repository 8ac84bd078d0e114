//! Copying the bytes of a held database, and hashing them on the way.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender};

use sha2::{Digest, Sha256};

use crate::regular;
use crate::snapshot::Watch;
use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::files;
use crate::snapshot::sqlite::files::{STEP, WAL_HEADER, beside};
use crate::snapshot::sqlite::source::Source;
use crate::snapshot::sqlite::waiting::check_interrupted;
use crate::snapshot::sqlite::writers;
use crate::text::hex;

/// Bytes hashed at once: few enough to stay in the processor's cache, many enough to make the calls cheap.
const HASHED_AT_ONCE: usize = 64 << 10;

/// How often a WAL that starts again while it is copied is copied anew. Under a read mark that happens once.
const WAL_TRIES: usize = 10;

/// Creates a file that must not exist yet, for this account alone.
pub(crate) fn create(path: &Path) -> Result<File, SqliteError> {
    regular::create(path).map_err(|source| SqliteError::Write { path: path.to_owned(), source })
}

/// Copies the database file to `partial`, telling `lengths` how far it is. Keeps out who would open it for writing, until
/// somebody does.
pub(crate) fn copy_file(
    source: &Source,
    partial: &Path,
    mut into: &File,
    lengths: &Sender<u64>,
    watch: &dyn Watch,
) -> Result<u64, SqliteError> {
    let unreadable = |error| SqliteError::Unreadable { path: source.path.clone(), source: error };
    let mut from = &source.handles.file;
    from.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    // Where that is not granted, the copy will be compared.
    writers::keep_out(from);
    let total = from.metadata().map_err(unreadable)?.len();
    let mut copied = 0;
    while copied < total {
        check_interrupted(watch, &source.path)?;
        let step = io::copy(&mut from.take(STEP.min(total - copied)), &mut into)
            .map_err(|source| SqliteError::Write { path: partial.to_owned(), source })?;
        if step == 0 {
            break;
        }
        copied += step;
        if !writers::are_kept_out(from) {
            // Who wants to write does not wait for all of a large file.
            writers::let_in(from);
        }
        watch.advance(step);
        // Where nobody hashes along, nobody listens.
        let _ = lengths.send(copied);
    }
    Ok(copied)
}

/// Copies the `-wal` file of a held database beside `partial`, if it has any frames. Says whether it has.
pub(crate) fn copy_wal(source: &Source, partial: &Path, watch: &dyn Watch) -> Result<bool, SqliteError> {
    let from = beside(&source.path, "-wal");
    let to = beside(partial, "-wal");
    let unreadable = |error| SqliteError::Unreadable { path: from.clone(), source: error };
    for _ in 0..WAL_TRIES {
        remove_if_there(&to)?;
        let Some(mut wal) = files::open_if_there(&from).map_err(unreadable)? else { return Ok(false) };
        let before = files::beginning(&wal, WAL_HEADER).map_err(unreadable)?;
        // SQLite takes nothing from such a file, however long it is.
        if !files::begins_wal(&before) {
            return Ok(false);
        }
        let mut into = create(&to)?;
        let copied = copy_steps(&mut wal, &mut into, watch, &source.path)
            .map_err(|error| error.or(|source| SqliteError::Write { path: to.clone(), source }))?;
        if files::beginning(&wal, WAL_HEADER).map_err(unreadable)? == before {
            if copied > WAL_HEADER as u64 {
                return Ok(true);
            }
            remove_if_there(&to)?;
            return Ok(false);
        }
    }
    Err(SqliteError::KeepsChanging { path: source.path.clone(), seconds: 0 })
}

/// Copies the `-journal` file beside `partial`.
pub(crate) fn copy_journal(source: &Source, partial: &Path, watch: &dyn Watch) -> Result<(), SqliteError> {
    let from = beside(&source.path, "-journal");
    let to = beside(partial, "-journal");
    let unreadable = |error| SqliteError::Unreadable { path: from.clone(), source: error };
    // One that is gone by now shows in the look after copying.
    let Some(mut journal) = files::open_if_there(&from).map_err(unreadable)? else { return Ok(()) };
    let mut into = create(&to)?;
    copy_steps(&mut journal, &mut into, watch, &source.path)
        .map_err(|error| error.or(|source| SqliteError::Write { path: to.clone(), source }))?;
    Ok(())
}

enum Stopped {
    ByWatch(SqliteError),
    BySystem(io::Error),
}

impl Stopped {
    fn or(self, otherwise: impl FnOnce(io::Error) -> SqliteError) -> SqliteError {
        match self {
            Stopped::ByWatch(error) => error,
            Stopped::BySystem(error) => otherwise(error),
        }
    }
}

fn copy_steps(from: &mut File, into: &mut File, watch: &dyn Watch, path: &Path) -> Result<u64, Stopped> {
    let mut copied = 0;
    loop {
        check_interrupted(watch, path).map_err(Stopped::ByWatch)?;
        let step = io::copy(&mut from.by_ref().take(STEP), into).map_err(Stopped::BySystem)?;
        if step == 0 {
            return Ok(copied);
        }
        copied += step;
        watch.advance(step);
    }
}

/// Removes a file of ours that need not be there.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), SqliteError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SqliteError::Write { path: path.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

/// Hashes a file as it grows: each message says how far it is written. Ends when the sender is gone.
pub(crate) fn hash_as_it_grows(file: &File, lengths: &Receiver<u64>) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; HASHED_AT_ONCE];
    let mut hashed = 0;
    for length in lengths {
        while hashed < length {
            let part = HASHED_AT_ONCE.min(usize::try_from(length - hashed).unwrap_or(HASHED_AT_ONCE));
            file.read_exact_at(&mut buffer[..part], hashed)?;
            hash.update(&buffer[..part]);
            hashed += part as u64;
        }
    }
    Ok((hashed, hex(hash.finalize())))
}

/// Hashes a whole file of `length` bytes, asking the watch now and then.
pub(crate) fn hash_whole(file: &File, length: u64, watch: &dyn Watch) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; HASHED_AT_ONCE];
    let mut hashed = 0;
    while hashed < length && !watch.interrupted() {
        let part = HASHED_AT_ONCE.min(usize::try_from(length - hashed).unwrap_or(HASHED_AT_ONCE));
        file.read_exact_at(&mut buffer[..part], hashed)?;
        hash.update(&buffer[..part]);
        hashed += part as u64;
    }
    Ok(hex(hash.finalize()))
}
