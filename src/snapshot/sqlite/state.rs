//! The proof that a database was not written since: what its files look like from outside, in microseconds.
//!
//! Equal proofs mean unchanged content. What each part is there for (all measured, see the tests):
//!
//! - the header has the change counter, which every commit in a rollback-journal mode moves, whatever is done to the
//!   file's times; a WAL commit need not move it;
//! - size, inode and times of the file show a checkpoint, a replaced file, and writers that are not SQLite;
//! - size, times and header of the `-wal` file show a WAL commit. The second commit after the WAL was restarted
//!   changes neither its size nor its header, but its times and
//! - the header of the index in the `-shm` file, which counts transactions and does not depend on any clock.
//!
//! Readers move none of these, nor does a transaction that wrote nothing to the file yet. There is no proof (`None`)
//! while a journal is there that could be rolled back (a transaction is writing, or was cut short), and within the grain of the clock after a change ([`crate::snapshot::sqlite::stamp`]).
//! A false alarm costs one more snapshot, and these are unavoidable from outside: a checkpoint, also the one that
//! the last connection makes when it closes, moves pages from the WAL to the file without changing what they say;
//! the first connection after a crash rebuilds the `-shm` index; `chmod` and `touch` change times.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::files;
use crate::snapshot::sqlite::files::{HEADER, WAL_HEADER, beside};
use crate::snapshot::sqlite::presence;
use crate::snapshot::sqlite::stamp::{Moment, Stamp};
use crate::text::hex;

/// The length of the index header in a `-shm` file, which is there twice. Source: "WAL-Index Format", SQLite.
const INDEX_HEADER: usize = 48;

/// What a database's files look like at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fingerprint {
    version: u32,
    /// Permission bits, which a restore needs if the file is gone by then.
    mode: u32,
    file: Stamp,
    /// The database header, hexadecimal.
    header: String,
    /// A WAL with something in it. A missing one and an empty one say the same: all is in the file.
    wal: Option<Wal>,
    /// A journal that could be rolled back.
    #[serde(skip)]
    journal: Option<Stamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Wal {
    file: Stamp,
    header: String,
    /// The index header in the `-shm` file; `None` where no process has the WAL open.
    index: Option<String>,
}

impl Fingerprint {
    /// Tells whether a journal is there that could be rolled back.
    pub(crate) fn has_journal(&self) -> bool {
        self.journal.is_some()
    }

    /// Tells whether the database's own file is as it was, whatever is beside it.
    pub(crate) fn has_file_of(&self, other: &Fingerprint) -> bool {
        self.file == other.file && self.header == other.header
    }

    /// Tells whether a `-wal` file is there that has bytes.
    pub(crate) fn has_wal(&self) -> bool {
        self.wal.is_some()
    }
}

/// A fingerprint, and when it was taken: only one taken past the grain of the clock proves anything.
#[derive(Debug)]
pub(crate) struct Look {
    /// Just before the files were looked at.
    at: Moment,
    pub(crate) print: Fingerprint,
}

impl Look {
    /// Tells how much later this should have been taken for every later write to show: zero if it was late enough,
    /// `None` if that cannot be known.
    pub(crate) fn too_early_by(&self) -> Option<Duration> {
        let file = self.print.file.settles_in(self.at)?;
        match &self.print.wal {
            Some(wal) => Some(file.max(wal.file.settles_in(self.at)?)),
            None => Some(file),
        }
    }

    /// Tells whether this was too early, and another look within `limit` would not be.
    pub(crate) fn settles_within(&self, limit: Duration) -> bool {
        self.too_early_by().is_some_and(|rest| !rest.is_zero() && rest <= limit)
    }

    /// Tells whether every write after this look changes the fingerprint.
    pub(crate) fn is_late_enough(&self) -> bool {
        self.too_early_by() == Some(Duration::ZERO)
    }

    /// Tells how much longer the database's file must stay as it is to have been so for the time `quiet`.
    pub(crate) fn quiet_in(&self, quiet: Duration) -> Duration {
        self.print.file.quiet_in(self.at, quiet)
    }

    /// Finds the proof for the manifest, if this can be one.
    pub(crate) fn proof(&self) -> Option<Value> {
        if self.is_late_enough() && !self.print.has_journal() { serde_json::to_value(&self.print).ok() } else { None }
    }
}

/// The files of a database, opened before any connection to it and closed after: see [`super`] on locks.
#[derive(Debug)]
pub(crate) struct Handles {
    path: PathBuf,
    pub(crate) file: File,
    /// The `-shm` file, where it was there.
    index: Option<File>,
}

impl Handles {
    pub(crate) fn open(path: &Path) -> Result<Handles, SqliteError> {
        let file = files::open(path)?;
        let index = beside(path, "-shm");
        let index = files::open_if_there(&index).map_err(|source| SqliteError::Unreadable { path: index, source })?;
        Ok(Handles { path: path.to_owned(), file, index })
    }

    /// Tells whether a `-shm` file was there: some process has, or had, the database open in WAL mode.
    pub(crate) fn has_index(&self) -> bool {
        self.index.is_some()
    }

    /// Tells whether the file still bears its name.
    pub(crate) fn bears_its_name(&self) -> Result<bool, SqliteError> {
        let unreadable = |source| SqliteError::Unreadable { path: self.path.clone(), source };
        let inode = Stamp::of(&self.file.metadata().map_err(unreadable)?).inode;
        Ok(inode_at(&self.path).map_err(unreadable)? == Some(inode))
    }

    /// Reads the database header as it is now.
    pub(crate) fn header(&self) -> Result<Vec<u8>, SqliteError> {
        files::beginning(&self.file, HEADER)
            .map_err(|source| SqliteError::Unreadable { path: self.path.clone(), source })
    }

    /// Looks at the files as they are now; `None` where they are being replaced or written this very moment.
    pub(crate) fn look(&self) -> Result<Option<Look>, SqliteError> {
        let at = Moment::before_looking_at(&self.file);
        let print =
            self.read_fingerprint().map_err(|source| SqliteError::Unreadable { path: self.path.clone(), source })?;
        Ok(print.map(|print| Look { at, print }))
    }

    fn read_fingerprint(&self) -> io::Result<Option<Fingerprint>> {
        use std::os::unix::fs::MetadataExt;
        let metadata = self.file.metadata()?;
        let file = Stamp::of(&metadata);
        if inode_at(&self.path)? != Some(file.inode) {
            return Ok(None);
        }
        let header = hex(files::beginning(&self.file, HEADER)?);
        let wal = match self.read_wal()? {
            Reading::Steady(wal) => wal,
            Reading::Moving => return Ok(None),
        };
        let journal = read_journal(&beside(&self.path, "-journal"))?;
        Ok(Some(Fingerprint { version: 1, mode: metadata.mode() & 0o7777, file, header, wal, journal }))
    }

    fn read_wal(&self) -> io::Result<Reading> {
        let Some(wal) = files::open_if_there(&beside(&self.path, "-wal"))? else {
            return Ok(Reading::Steady(None));
        };
        let file = Stamp::of_wal(&wal.metadata()?);
        if file.size == 0 {
            return Ok(Reading::Steady(None));
        }
        let header = hex(files::beginning(&wal, WAL_HEADER)?);
        let there = inode_at(&beside(&self.path, "-shm"))?;
        let index = match &self.index {
            None => None,
            Some(index) => {
                if there != Some(Stamp::of(&index.metadata()?).inode) {
                    return Ok(Reading::Moving);
                }
                let bytes = files::beginning(index, 2 * INDEX_HEADER)?;
                let (first, second) = bytes.split_at(bytes.len().min(INDEX_HEADER));
                if first != second {
                    return Ok(Reading::Moving);
                }
                Some(hex(first))
            }
        };
        if index.is_none() && there.is_some() {
            return Ok(Reading::Moving);
        }
        Ok(Reading::Steady(Some(Wal { file, header, index })))
    }
}

enum Reading {
    Steady(Option<Wal>),
    Moving,
}

fn inode_at(path: &Path) -> io::Result<Option<(u64, u64)>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(Stamp::of(&metadata).inode)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A journal is finished by deleting it, cutting it to nothing, or overwriting the start of its header with zeros
/// (`PRAGMA journal_mode`): what is left then means nothing.
fn read_journal(path: &Path) -> io::Result<Option<Stamp>> {
    let Some(journal) = files::open_if_there(path)? else { return Ok(None) };
    match files::beginning(&journal, 1)?.first() {
        None | Some(0) => Ok(None),
        Some(_) => Ok(Some(Stamp::of(&journal.metadata()?))),
    }
}

/// Reads the cheap proof: two equal ones, the first from a [`crate::snapshot::sqlite::take()`], mean that nothing was written between.
///
/// Makes no connection and takes no lock; costs microseconds. `None` where nothing can be proved now: there is no
/// database, a transaction is under way or was cut short, or the file changed within the grain of the clock.
///
/// # Errors
///
/// The files cannot be read, or the path leads to something that is no database.
pub(crate) fn state(database: &Path) -> Result<Option<Value>, SqliteError> {
    let path = match presence::examine(database).and_then(|found| presence::real(database, found)) {
        Ok(path) => path,
        Err(SqliteError::NothingThere { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Handles::open(&path)?.look()?.and_then(|look| look.proof()))
}

/// Reads the permission bits of the database file when the proof was made.
pub(crate) fn recorded_mode(state: Option<&Value>) -> Option<u32> {
    Some(State::deserialize(state?).ok()?.mode)
}

/// Reads device and inode of the database file when the proof was made.
pub(crate) fn recorded_inode(state: Option<&Value>) -> Option<(u64, u64)> {
    Some(State::deserialize(state?).ok()?.file.inode)
}

/// What of a recorded proof is used for more than comparing.
#[derive(Deserialize)]
struct State {
    mode: u32,
    file: Inode,
}

#[derive(Deserialize)]
struct Inode {
    inode: (u64, u64),
}
