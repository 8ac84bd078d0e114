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

use std::io;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use crate::audit::log::anchors::anchors_folder;
pub(crate) use crate::audit::log::known::KnownSnapshots;
pub(crate) use crate::audit::log::read::verify_file;

use crate::audit::anchor::{Anchor, End, Next, next_announcement};
use crate::audit::chain::digest;
use crate::audit::log::anchors::{AnchorFile, Anchors, LogPlace};
use crate::audit::log::file::LogFile;
use crate::audit::log::inspect::{Inspection, inspect, inspect_alone};
use crate::audit::{Accepted, AuditError, Continued, Entry, Event, Lines, MAX_LINE, Record};
use crate::hash::Hash;
use crate::random;
use crate::random::random_id;

/// The audit log of one project.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    path: PathBuf,
    anchors: Anchors,
    patience: Duration,
    needs_anchor: bool,
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
    /// The folder of this user's that could not be written, so that this machine does not remember the entry.
    pub(crate) not_anchored: Option<PathBuf>,
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
        Log {
            path: path.to_owned(),
            anchors: Anchors::below(state_directory),
            patience: file::PATIENCE,
            needs_anchor: false,
        }
    }

    /// Waits for other appends no longer than this, in place of 30 s.
    #[must_use]
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Log { patience, ..self }
    }

    /// Returns the log with appends that fail where the anchor cannot be kept, if `needs_anchor` says so.
    #[must_use]
    pub(crate) fn anchored(self, needs_anchor: bool) -> Self {
        Log { needs_anchor, ..self }
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
    /// Where this account may not write to the state directory, as in a sandbox, the entry is chained and not anchored:
    /// what is remembered of the log is then neither asked nor changed, and the next append that can be anchored finds
    /// the log longer than it was left.
    ///
    /// # Errors
    ///
    /// [`AuditError`] where the log cannot be written, or its anchor for another reason or where it
    /// [is needed](Log::anchored). The record is then not in the log, except
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
        let mut found = match inspect(&self.anchors, &file, &place) {
            Err(error) if self.does_without(&error) => return self.append_alone(&mut file, record),
            found => found?,
        };
        if let Some(missing) = found.unwritten.take() {
            file.append(&missing)?;
        }
        let id = match found.log.take() {
            Some(id) => id,
            None => random_id().map_err(not_random)?,
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
        let announced_in = self.announce(&announced, &found, &place).and_then(|anchor| {
            if found.seen_here.is_none() {
                self.anchors.set_log_at(&place, &id)?;
            }
            Ok(anchor)
        });
        let anchor = match announced_in {
            Err(error) if self.does_without(&error) => return self.append_alone(&mut file, record),
            anchor => anchor?,
        };
        #[cfg(test)]
        match stop {
            Stop::BeforeLine => {
                return Ok(Appended { log: id, line: batch.seq, damage: found.damage, not_anchored: None });
            }
            Stop::InLine(bytes) => {
                file.append_torn(&batch.text.as_bytes()[..bytes]);
                return Ok(Appended { log: id, line: batch.seq, damage: found.damage, not_anchored: None });
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
        Ok(Appended { log: id, line: batch.seq, damage: found.damage, not_anchored: None })
    }

    /// Tells whether an entry is written although its anchor cannot be: only where this account may write nothing there.
    fn does_without(&self, error: &AuditError) -> bool {
        let may_not = |kind| matches!(kind, ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied);
        matches!(error, AuditError::Anchor { source, .. } if !self.needs_anchor && may_not(source.kind()))
    }

    /// Appends `record` to what is there, whatever this machine remembers.
    fn append_alone(&self, file: &mut LogFile, record: &Record) -> Result<Appended, AuditError> {
        let mut found = inspect_alone(file)?;
        let id = match found.log.take() {
            Some(id) => id,
            None => random_id().map_err(not_random)?,
        };
        let batch = compose(file, record, &found, &id)?;
        let new = file.length() == 0;
        file.append(batch.text.as_bytes())?;
        if new {
            file.sync_name()?;
        }
        let folder = self.anchors.folder().to_owned();
        Ok(Appended { log: id, line: batch.seq, damage: found.damage, not_anchored: Some(folder) })
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

fn not_random(source: io::Error) -> AuditError {
    AuditError::Random { path: random::SOURCE.into(), source }
}
