//! The log at the edge: one append from lock to settled anchor, and the reading side.
//!
//! An append is three writes: the anchor announces the line, which is synced; the line is appended, which is synced;
//! the anchor is settled. Killed after any of them, the log ends where the anchor says it may; killed in the middle of
//! the line, the next append completes it from the anchor's copy. The last write is not waited for: where a power loss
//! takes it, the announcement stands, and the next append settles it. Only the last line is read, whatever the size.

mod anchors;
mod backwards;
mod file;
mod inspect;
mod known;
mod last_time;
mod read;

#[cfg(test)]
mod concurrency_tests;
#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod failure_tests;
#[cfg(test)]
mod known_tests;
#[cfg(test)]
mod test_support;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use crate::audit::log::anchors::anchors_folder;
pub(crate) use crate::audit::log::known::KnownSnapshots;
pub(crate) use crate::audit::log::read::verify_file;

use crate::audit::anchor::{Anchor, End, Next, next_announcement};
use crate::audit::chain::digest;
use crate::audit::log::anchors::{AnchorFile, Anchors, LogPlace};
use crate::audit::log::file::LogFile;
use crate::audit::log::inspect::{Inspection, inspect};
use crate::audit::{Accepted, AuditError, Continued, Entry, Event, Lines, MAX_LINE, Record};
use crate::hash::Hash;
use crate::text::hex;

/// The audit log of one project.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    path: PathBuf,
    anchors: Anchors,
    patience: Duration,
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Appended {
    /// The log's id.
    pub(crate) log: String,
    /// The entry's line.
    pub(crate) line: u64,
    /// How the log was found, where it was not as it was left; the log says so in an entry of its own.
    pub(crate) damage: Option<Continued>,
}

/// Where an append stops, as a kill would stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Nowhere,
    #[cfg(test)]
    BeforeLine,
    #[cfg(test)]
    InLine(usize),
    #[cfg(test)]
    BeforeSettling,
}

impl Log {
    /// Names the log at `path`, whose anchor is kept below `state_directory`. Nothing is opened or made yet: each
    /// append does so, since the guarded command may remove the log in between.
    #[must_use]
    pub(crate) fn open(path: &Path, state_directory: &Path) -> Self {
        Log { path: path.to_owned(), anchors: Anchors::below(state_directory), patience: file::PATIENCE }
    }

    /// Waits for other appends no longer than this, in place of 30 s.
    #[must_use]
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Log { patience, ..self }
    }

    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends `record` and syncs it; makes the log where there is none.
    ///
    /// A log that is not as it was left gets a `continued` entry first. Waits up to 30 s for other appends, or as long as
    /// [`Log::with_patience`] says.
    ///
    /// # Errors
    ///
    /// [`AuditError`] where the log or its anchor cannot be written. The record is then not in the log, except
    /// where only settling the anchor failed: then it is, and the next append settles it.
    pub(crate) fn append(&self, record: &Record) -> Result<Appended, AuditError> {
        self.append_until(record, Stop::Nowhere)
    }

    /// Removes what killed calls have left unfinished in the state directory.
    pub(crate) fn clear_unfinished(&self) {
        self.anchors.clear_unfinished();
    }

    /// Appends the entry by which a person accepts everything that is wrong with the log so far.
    ///
    /// `record`'s event is replaced: the acceptance holds for exactly the lines that are there now.
    ///
    /// # Errors
    ///
    /// As [`Log::append`].
    pub(crate) fn accept(&self, record: &Record) -> Result<Appended, AuditError> {
        let event = Event::Accepted(Accepted { digest: digest([]) });
        self.append(&Record { event, ..record.clone() })
    }

    fn append_until(&self, record: &Record, stop: Stop) -> Result<Appended, AuditError> {
        let mut file = LogFile::lock(&file::settled(&self.path), self.patience)?;
        let place = LogPlace::of(file.path());
        let mut found = inspect(&self.anchors, &file, &place)?;
        if let Some(missing) = found.unwritten.take() {
            file.append(&missing)?;
        }
        let id = match found.log.take() {
            Some(id) => id,
            None => random_id()?,
        };
        let batch = compose(&file, record, &found, &id)?;
        // Until the log itself tells of damage, the anchor goes on expecting the end that it knows.
        let known = found.expected.unwrap_or(End { seq: found.seq, head: found.head, length: file.length() });
        let announced = Anchor {
            schema: 1,
            generation: next_announcement(found.generation),
            log: id.clone(),
            path: file.path().to_string_lossy().into_owned(),
            since: found.since.filter(|_| found.seq > 0).unwrap_or(found.seq + 1),
            end: known,
            next: Some(Next { seq: batch.seq, head: batch.head, text: Some(batch.text.clone()) }),
        };
        let new = file.length() == 0;
        let anchor = self.announce(&announced, &found, &place)?;
        if found.seen_here.is_none() {
            self.anchors.set_log_at(&place, &id)?;
        }
        #[cfg(test)]
        match stop {
            Stop::BeforeLine => return Ok(Appended { log: id, line: batch.seq, damage: found.damage }),
            Stop::InLine(bytes) => {
                file.append_torn(&batch.text.as_bytes()[..bytes]);
                return Ok(Appended { log: id, line: batch.seq, damage: found.damage });
            }
            Stop::Nowhere | Stop::BeforeSettling => {}
        }
        let appended = file.append(batch.text.as_bytes()).and_then(|()| if new { file.sync_name() } else { Ok(()) });
        let settled = Anchor { generation: announced.generation + 1, next: None, ..announced };
        if let Err(error) = appended {
            // Taken back: the log ends where it ended before. Where this cannot be written, both ends stay allowed.
            let _ = if file.is_as_before() { anchor.write(&settled) } else { Ok(()) };
            return Err(error);
        }
        if stop == Stop::Nowhere {
            let end = End { seq: batch.seq, head: Some(batch.head), length: file.length() };
            anchor.write_unsynced(&Anchor { end, ..settled })?;
        }
        if found.seen_here.as_ref().is_some_and(|seen| *seen != id) {
            // Only now: until the log itself says that another one was here, this is the only trace of it.
            self.anchors.set_log_at(&place, &id)?;
        }
        Ok(Appended { log: id, line: batch.seq, damage: found.damage })
    }

    fn announce(&self, announced: &Anchor, found: &Inspection, place: &LogPlace) -> Result<AnchorFile, AuditError> {
        let own = self.anchors.anchor_path(&announced.log, place);
        match &found.kept {
            Some(kept) if kept.anchor.is_some() => {
                let anchor = match found.moved {
                    true => AnchorFile::open(&self.anchors.follow(&kept.path, &announced.log, place)?)?,
                    false => AnchorFile::open(&kept.path)?,
                };
                anchor.write(announced)?;
                Ok(anchor)
            }
            Some(_) | None => self.anchors.create(&own, announced),
        }
    }
}

/// The lines of one append.
struct Batch {
    text: String,
    seq: u64,
    head: Hash,
}

/// Puts `record` behind what was found, with the entries that open or continue the log where they are due.
fn compose(file: &LogFile, record: &Record, found: &Inspection, id: &str) -> Result<Batch, AuditError> {
    let mut batch = Batch { text: String::new(), seq: found.seq, head: found.head.unwrap_or(Hash::of(b"")) };
    let mut hashes = Vec::new();
    if matches!(record.event, Event::Accepted(_)) {
        for line in Lines::new(file.reader()) {
            hashes.push(line.map_err(|source| AuditError::Read { path: file.path().to_owned(), source })?.hash);
        }
    }
    if found.torn {
        batch.text.push('\n');
    }
    let mut events = Vec::new();
    match &found.damage {
        Some(damage) => events.push(Event::Continued(damage.clone())),
        None if found.seq == 0 => events.push(Event::Opened),
        None => {}
    }
    events.push(record.event.clone());
    for event in events {
        let event = match event {
            Event::Accepted(_) => Event::Accepted(Accepted { digest: digest(hashes.iter().copied()) }),
            other => other,
        };
        let log = (batch.seq == 0).then(|| id.to_owned());
        let previous = (batch.seq > 0).then_some(batch.head);
        let line = Entry::place(&Record { event, ..record.clone() }, batch.seq + 1, log, previous).line();
        let line = line.map_err(|source| AuditError::Encode { path: file.path().to_owned(), source })?;
        if line.len() > MAX_LINE {
            return Err(AuditError::TooLong { path: file.path().to_owned(), bytes: line.len() });
        }
        batch.seq += 1;
        batch.head = Hash::of(line.as_bytes());
        hashes.push(batch.head);
        batch.text.push_str(&line);
        batch.text.push('\n');
    }
    Ok(batch)
}

/// 128 random bits in hexadecimal.
fn random_id() -> Result<String, AuditError> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    #[expect(clippy::disallowed_methods, reason = "the system's random bytes are a device's")]
    let read = File::open(path).and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|source| AuditError::Random { path: path.to_owned(), source })?;
    Ok(hex(bytes))
}
