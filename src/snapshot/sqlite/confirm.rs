//! Tells, after copying, whether the copy is of one moment.
//!
//! SQLite's locks keep out those who ask for them. Others do not: SQLite opened with `nolock`, with `unix-none` or
//! `unix-dotfile`, a program that writes the whole file anew (sql.js, `cp`, `rsync`), one that writes into a memory map.
//! So, whatever holds the database still, the look before copying is compared with one after it, and the bytes of the file
//! with those of the copy, since what is written through a map moves no time until the system writes it out. A copy
//! that still equals the file after the last byte was copied is what the file was at that moment. The bytes need no comparing
//! where a lease [kept everybody out](crate::snapshot::sqlite::writers) who would write.
//!
//! That moment may lie between two writes of one change. Who takes no locks shows nothing of that, so a file that somebody
//! has open for writing must besides have been [quiet](crate::snapshot::sqlite::stamp::QUIET) for a while.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};
use serde_json::Value;

use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::sqlite::disk;
use crate::snapshot::sqlite::disk::Disk;
use crate::snapshot::sqlite::files;
use crate::snapshot::sqlite::files::{WAL_FRAME_HEADER, WAL_HEADER, is_locked_by_folder};
use crate::snapshot::sqlite::source::{Hold, SHORT_WHILE, Source, settled};
use crate::snapshot::sqlite::state::Look;
use crate::snapshot::sqlite::writers;

/// Where SQLite locks a database whose journal is being written. Source: `RESERVED_BYTE` in SQLite's os.h.
const RESERVED_BYTE: u64 = 0x4000_0001;

/// How long a file that somebody has open for writing is looked at, whatever its times say: what is written through a map need
/// not have moved them yet.
const LEAST_QUIET: Duration = Duration::from_millis(100);

/// How long ago a file must have changed last for its times to tell of what is written through a map, too. Linux writes out what
/// was changed 30 s ago, and looks for it each 5 s (`vm.dirty_expire_centisecs`).
const WRITTEN_OUT: Duration = Duration::from_secs(60);

/// Bytes compared at once.
const COMPARED_AT_ONCE: usize = 64 << 10;

/// Whether the copy can be used.
pub(crate) enum Confirmed {
    /// It is of one moment; with the proof that nothing was written since, where there is one.
    Whole(Option<Value>),
    /// So it seems, but the database has to be held until it was quiet for that long.
    TooEarly(Duration),
    /// Somebody wrote while it was made.
    Changed,
}

impl Source {
    /// Called after copying to `copy`, and its WAL to `wal`.
    pub(crate) fn confirm(&self, copy: &File, wal: Option<&Path>) -> Result<Confirmed, SqliteError> {
        if !self.is_kept_from_writers() {
            // What is written into a map from now on moves the times, and whoever is kept from going on by the disk is let go.
            // Where nothing can be synced there is no such wait.
            let _ = self.handles.file.sync_data();
        }
        let after = self.handles.look()?;
        if !self.handles.bears_its_name()? || !(self.is_kept_from_writers() || self.still_equals(copy, wal)?) {
            return Ok(Confirmed::Changed);
        }
        if self.hold == Hold::Marked {
            // Others write to the WAL, and from it to the file.
            let is_same = |after: &&Look| self.before.as_ref().is_some_and(|before| before.print == after.print);
            return Ok(Confirmed::Whole(after.as_ref().filter(is_same).and_then(Look::proof)));
        }
        let Some(after) = after.filter(|after| self.is_as_before(after)) else { return Ok(Confirmed::Changed) };
        let rest = self.must_stay(&after);
        if !self.has_all_pages(!rest.is_zero())? {
            return Ok(Confirmed::Changed);
        }
        Ok(if rest.is_zero() { Confirmed::Whole(after.proof()) } else { Confirmed::TooEarly(rest) })
    }

    /// Tells whether nobody has had the file open for writing since before the first byte was copied.
    fn is_kept_from_writers(&self) -> bool {
        writers::are_kept_out(&self.handles.file)
    }

    /// Tells how much longer the file must stay as it is: until nobody can be in the midst of writing to it, and every later
    /// write shows.
    fn must_stay(&self, after: &Look) -> Duration {
        if self.is_kept_from_writers() || writers::has_none(&self.handles.file) {
            // Who wrote last has closed the file.
            return after.too_early_by().filter(|rest| *rest <= SHORT_WHILE).unwrap_or_default();
        }
        let is_written_out =
            disk::of(&self.handles.file) == Some(Disk::Lasting) && after.quiet_in(WRITTEN_OUT).is_zero();
        let least = if is_written_out { Duration::ZERO } else { LEAST_QUIET };
        after.quiet_in(self.quiet).max(least)
    }

    /// Called after [`Confirmed::TooEarly`], and after whatever else there was to do. `copy` is compared again, unless it was
    /// changed.
    pub(crate) fn confirm_once_quiet(&self, rest: Duration, copy: Option<&File>) -> Result<Confirmed, SqliteError> {
        if rest > SHORT_WHILE {
            sleep(rest);
        }
        let after = settled(&self.handles, SHORT_WHILE)?;
        let copy = copy.filter(|_| !self.is_kept_from_writers());
        let equals = copy.map_or(Ok(true), |copy| self.still_equals(copy, None))? && self.has_all_pages(true)?;
        Ok(match after.filter(|after| equals && self.is_as_before(after)) {
            None => Confirmed::Changed,
            Some(after) => Confirmed::Whole(after.proof()),
        })
    }

    /// Tells whether the file begins as a database does and, where somebody may still be writing, has the pages that it says
    /// it has. One that stays too short is damaged, which SQLite's check tells.
    fn has_all_pages(&self, may_be_written: bool) -> Result<bool, SqliteError> {
        let header = self.handles.header()?;
        let length = self.handles.file.metadata().map(|found| found.len());
        let length = length.map_err(|source| SqliteError::Unreadable { path: self.path.clone(), source })?;
        let is_short = may_be_written && self.hold == Hold::Locked && length < files::least_length(&header);
        Ok(files::is_database(&header) && !is_short)
    }

    /// Tells whether nobody has written since the look before copying, by what the file system says.
    fn is_as_before(&self, after: &Look) -> bool {
        let is_same = self.before.as_ref().is_some_and(|before| match self.hold {
            Hold::Untouched => before.print == after.print,
            _ => before.print.has_file_of(&after.print),
        });
        // Whoever writes a journal under a lock waits for us before touching the file.
        let is_writing = self.hold == Hold::Locked && after.print.has_journal() && !self.is_reserved();
        is_same && !is_writing && !is_locked_by_folder(&self.path)
    }

    /// Tells whether another process has the lock that comes before writing.
    fn is_reserved(&self) -> bool {
        let mut lock = Flock::from(FlockType::WriteLock);
        (lock.offset_type, lock.start, lock.length) = (FlockOffsetType::Set, RESERVED_BYTE, 1);
        matches!(fcntl_getlk(&self.handles.file, &lock), Ok(Some(_)))
    }

    /// Tells whether the file's bytes are those of the copy, but for pages that stand in the WAL too: those are written to
    /// the file by whoever tidies the WAL, and the WAL's count.
    fn still_equals(&self, copy: &File, wal: Option<&Path>) -> Result<bool, SqliteError> {
        let unreadable = |source| SqliteError::Unreadable { path: self.path.clone(), source };
        let length = copy.metadata().map_err(unreadable)?.len();
        let header = self.handles.header()?;
        let page_size = u64::from(files::page_size(&header)).max(512);
        let mut differing = differing_pages(&self.handles.file, copy, length, page_size).map_err(unreadable)?;
        if differing.is_empty() {
            return Ok(true);
        }
        let Some(wal) = wal.filter(|_| self.hold == Hold::Marked) else { return Ok(false) };
        let in_wal = pages_in_wal(wal, page_size).map_err(unreadable)?;
        differing.retain(|page| !in_wal.contains(page));
        Ok(differing.is_empty())
    }
}

/// Lists the pages, counted from 1, in which two files differ within `length`.
fn differing_pages(one: &File, other: &File, length: u64, page_size: u64) -> io::Result<Vec<u64>> {
    let (mut left, mut right) = (vec![0; COMPARED_AT_ONCE], vec![0; COMPARED_AT_ONCE]);
    let mut pages = Vec::new();
    let mut at = 0;
    while at < length {
        let part = COMPARED_AT_ONCE.min(usize::try_from(length - at).unwrap_or(COMPARED_AT_ONCE));
        let (left, right) = (&mut left[..part], &mut right[..part]);
        other.read_exact_at(right, at)?;
        match one.read_exact_at(left, at) {
            // It was cut short, which nobody does who keeps to the locks: a page that is in no WAL says so.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(vec![0]),
            read => read?,
        }
        if left != right {
            let step = usize::try_from(page_size).unwrap_or(COMPARED_AT_ONCE);
            let differing = left.chunks(step).zip(right.chunks(step)).enumerate().filter(|(_, (a, b))| a != b);
            pages.extend(differing.map(|(index, _)| at / page_size + index as u64 + 1));
        }
        at += part as u64;
    }
    Ok(pages)
}

/// Lists the pages in a WAL's frames since it was begun last. Source: "The WAL File Format", SQLite file format.
fn pages_in_wal(wal: &Path, page_size: u64) -> io::Result<Vec<u64>> {
    let Some(wal) = files::open_if_there(wal)? else { return Ok(Vec::new()) };
    let header = files::beginning(&wal, WAL_HEADER)?;
    let mut pages = Vec::new();
    let mut frame = [0; WAL_FRAME_HEADER];
    let mut at = WAL_HEADER as u64;
    while wal.read_exact_at(&mut frame, at).is_ok() && header.get(16..24) == frame.get(8..16) {
        pages.push(u64::from(u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]])));
        at += WAL_FRAME_HEADER as u64 + page_size;
    }
    Ok(pages)
}
