//! Which snapshots were made here: what the entries say that lead, hash by hash, back from the anchored end of the log.
//!
//! A line counts as ours where its hash is the anchor's, or is named by the line of ours behind it. So a log that came
//! with a clone says nothing, whatever stands in it, nor does a line that somebody put into ours. An entry that continues
//! a damaged log names the end that was expected, and it goes on from there: what was found instead is passed over, also
//! after a person has accepted it. What stood in a log before this machine watched it is not ours either.
//!
//! The log is read from its end, only as far as somebody asks: a run names the snapshots that it takes or takes over, so
//! those that matter to the next one are near.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::audit::entry::written_time;
use crate::audit::event::Head;
use crate::audit::log::anchors::LogPlace;
use crate::audit::log::backwards::Backwards;
use crate::audit::log::file;
use crate::audit::log::file::LogFile;
use crate::audit::log::inspect::remember;
use crate::audit::{AuditError, Log};
use crate::hash::Hash;
use crate::snapshot::{Making, Provenance, Restated, Standing};
use crate::text::shown;

/// How far a clock may have been set back for an id of that time to be found.
const CLOCKS_ARE_SET_BACK_BY: Duration = Duration::days(1);

/// What the log at one place, with its anchor on this machine, says of snapshots. Nothing is opened before it is asked.
#[derive(Debug)]
pub(crate) struct KnownSnapshots {
    log: Log,
    walk: OnceCell<RefCell<Walk>>,
}

impl KnownSnapshots {
    /// Asks `log`, as it is at the first question.
    #[must_use]
    pub(crate) fn of(log: &Log) -> Self {
        KnownSnapshots { log: log.clone(), walk: OnceCell::new() }
    }

    /// Tells whether an entry of ours made a snapshot of that name.
    #[must_use]
    pub(crate) fn names(&self, id: &str) -> bool {
        self.walk().borrow_mut().find(id).is_some()
    }

    /// Finds what the nearest entry of ours says of a database of that name that was about to be made on a server.
    #[must_use]
    pub(crate) fn made(&self, name: &str) -> Option<Making> {
        self.walk().borrow_mut().find_making(name)
    }

    /// Takes note of what this call has appended since the first question.
    pub(crate) fn take_note(&self, restated: &Restated) {
        self.walk().borrow_mut().restated.insert(restated.snapshot.clone(), restated.state.clone());
    }

    /// Tells why a snapshot is not known, a phrase.
    #[must_use]
    pub(crate) fn why_not(&self, standing: Standing) -> String {
        match (standing, &self.walk().borrow().silent) {
            (Standing::Changed, _) => "its manifest is not the one that was written down when it was made".to_owned(),
            (_, Some(why)) => why.clone(),
            (_, None) => {
                "no entry that this machine wrote to the audit log tells of it, so it may have come with a clone"
                    .to_owned()
            }
        }
    }

    fn walk(&self) -> &RefCell<Walk> {
        self.walk.get_or_init(|| {
            RefCell::new(Walk::begin(&self.log).unwrap_or_else(|error| Walk::silent(error.to_string())))
        })
    }
}

impl Provenance for KnownSnapshots {
    fn standing_of(&self, id: &str, hash: &Hash) -> Standing {
        match self.walk().borrow_mut().find(id) {
            None => Standing::Unknown,
            Some(Said::Name) => Standing::Named,
            Some(Said::Manifest(said)) if said == *hash => Standing::Known,
            Some(Said::Manifest(_)) => Standing::Changed,
        }
    }

    fn was_given(&self, id: &str, taken_at: DateTime<Utc>) -> bool {
        // Where the log cannot be read, nothing can be appended to it either, and no snapshot gets a name for long.
        self.log.mentions(id, taken_at - CLOCKS_ARE_SET_BACK_BY).unwrap_or(false)
    }

    fn was_made(&self, server: &str, database: &str, at: DateTime<Utc>) -> bool {
        self.walk().borrow_mut().was_made(server, database, at - CLOCKS_ARE_SET_BACK_BY)
    }

    fn restated(&self, id: &str, taken_at: DateTime<Utc>) -> Option<Value> {
        self.walk().borrow_mut().restated(id, taken_at - CLOCKS_ARE_SET_BACK_BY)
    }
}

impl Log {
    /// Tells whether a line names `id`, looking back until an entry is older than `oldest`. Any line counts, whoever wrote it.
    fn mentions(&self, id: &str, oldest: DateTime<Utc>) -> Result<bool, AuditError> {
        let path = file::settled(&self.path);
        let Some(file) = LogFile::lock_shared(&path)? else { return Ok(false) };
        let mut lines = file.into_backwards()?;
        let name = memchr::memmem::Finder::new(id);
        let oldest = written_time(oldest);
        while let Some(line) = lines.next_line().map_err(|source| AuditError::Read { path: path.clone(), source })? {
            if name.find_iter(&line).any(|at| is_whole(&line, at, id.len())) {
                return Ok(true);
            }
            if time_of(&line).is_some_and(|at| at < oldest.as_bytes()) {
                return Ok(false);
            }
        }
        Ok(false)
    }
}

/// Tells whether a text of JSON begins and ends with the `length` bytes at `at`.
fn is_whole(line: &[u8], at: usize, length: usize) -> bool {
    at > 0 && line[at - 1] == b'"' && line.get(at + length) == Some(&b'"')
}

/// Finds when an entry was written, as it stands near the beginning of its line: in one form, so that earlier is less.
fn time_of(line: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b"\"at\":\"";
    let near = &line[..line.len().min(80)];
    let at = memchr::memmem::find(near, KEY)? + KEY.len();
    near.get(at..at + memchr::memchr(b'"', &near[at..])?)
}

/// What the nearest entry says of a snapshot.
#[derive(Debug, Clone, Copy)]
enum Said {
    /// Its manifest's hash.
    Manifest(Hash),
    /// Its name alone, as earlier versions did.
    Name,
}

/// The way back from the end of the log, as far as it was gone.
#[derive(Debug)]
struct Walk {
    /// `None` where there is nothing to read any more.
    lines: Option<Backwards>,
    /// The line of ours that is to be met next, by number and hash; two where an append is not settled.
    expected: Vec<(u64, Hash)>,
    /// The first line that this machine has watched.
    since: u64,
    said: HashMap<String, Said>,
    /// The databases that were about to be made, by name, the nearest first.
    made: HashMap<String, Vec<Making>>,
    /// What was restated of snapshots, the nearest of each.
    restated: HashMap<String, Value>,
    /// The time of the last line that was read.
    reached: Option<String>,
    /// Why nothing is to be learned from this log.
    silent: Option<String>,
}

impl Walk {
    fn silent(why: String) -> Self {
        Walk {
            lines: None,
            expected: Vec::new(),
            since: 0,
            said: HashMap::new(),
            made: HashMap::new(),
            restated: HashMap::new(),
            reached: None,
            silent: Some(why),
        }
    }

    fn begin(log: &Log) -> Result<Self, AuditError> {
        let path = file::settled(&log.path);
        let Some(file) = LogFile::lock_shared(&path)? else {
            return Ok(Self::silent(format!("there is no audit log at {}", shown(&path))));
        };
        let kept = remember(&log.anchors, &file, &LogPlace::of(&path))?.kept;
        let Some(anchor) = kept.and_then(|kept| kept.anchor) else {
            return Ok(Self::silent(
                "this machine did not see its audit log grow: both came with a clone or a copy, or the state directory was \
                 lost or cannot be written"
                    .to_owned(),
            ));
        };
        let next = anchor.next.as_ref().map(|next| (next.seq, next.head));
        let end = anchor.end.head.map(|head| (anchor.end.seq, head));
        Ok(Walk {
            lines: Some(file.into_backwards()?),
            expected: next.into_iter().chain(end).collect(),
            since: anchor.since,
            said: HashMap::new(),
            made: HashMap::new(),
            restated: HashMap::new(),
            reached: None,
            silent: None,
        })
    }

    /// Finds what the nearest entry of ours says of `id`, going back no further than that. A name without a hash counts
    /// only where no entry has one.
    fn find(&mut self, id: &str) -> Option<Said> {
        while !matches!(self.said.get(id), Some(Said::Manifest(_))) && self.step() {}
        self.said.get(id).copied()
    }

    /// Finds what the nearest entry of ours says of a database `name` that was about to be made.
    fn find_making(&mut self, name: &str) -> Option<Making> {
        while !self.made.contains_key(name) && self.step() {}
        self.made.get(name)?.first().cloned()
    }

    /// Tells whether an entry of ours says that a database `name` was about to be made on `server`, going back no further
    /// than to `oldest`.
    fn was_made(&mut self, server: &str, name: &str, oldest: DateTime<Utc>) -> bool {
        let is_told = |walk: &Self| walk.made.get(name)?.iter().any(|making| making.server == server).then_some(());
        self.back_to(oldest, is_told).is_some()
    }

    /// Finds what the nearest entry of ours restates of a snapshot, going back no further than to `oldest`.
    fn restated(&mut self, id: &str, oldest: DateTime<Utc>) -> Option<Value> {
        self.back_to(oldest, |walk| walk.restated.get(id).cloned())
    }

    /// Goes back until something is found, and no further than to `oldest`.
    fn back_to<T>(&mut self, oldest: DateTime<Utc>, find: impl Fn(&Self) -> Option<T>) -> Option<T> {
        let oldest = written_time(oldest);
        loop {
            if let Some(found) = find(self) {
                return Some(found);
            }
            if self.reached.as_ref().is_some_and(|reached| *reached < oldest) || !self.step() {
                return None;
            }
        }
    }

    /// Goes back by a line; `false` at the end of the way. What cannot be read is its end.
    fn step(&mut self) -> bool {
        let line =
            self.lines.as_mut().filter(|_| !self.expected.is_empty()).and_then(|lines| lines.next_line().ok()?);
        let Some(line) = line else {
            self.lines = None;
            return false;
        };
        let hash = Hash::of(&line);
        let at = time_of(&line).and_then(|at| std::str::from_utf8(at).ok()).map(str::to_owned);
        self.reached = at.or(self.reached.take());
        if let Some(&(number, _)) = self.expected.iter().find(|(_, expected)| *expected == hash) {
            self.expected = Vec::new();
            if tells_nothing(&line) {
                self.expect(previous_of(&line).map(|previous| (number.saturating_sub(1), previous)), number);
            } else if let Ok(entry) = serde_json::from_slice::<Facts>(&line) {
                if entry.event == "making"
                    && let Ok(making) = serde_json::from_slice::<Making>(&line)
                {
                    for name in &making.making {
                        self.made.entry(name.clone()).or_default().push(making.clone());
                    }
                }
                if entry.event == "restated"
                    && let Ok(Restated { snapshot, state }) = serde_json::from_slice(&line)
                {
                    self.restated.entry(snapshot).or_insert(state);
                }
                self.take_in(number, entry);
            }
        }
        true
    }

    /// Goes on to `before` the line with this number, unless that is the first one that this machine watched.
    fn expect(&mut self, before: Option<(u64, Hash)>, number: u64) {
        self.expected.extend(before.filter(|_| number > self.since));
    }

    fn take_in(&mut self, number: u64, entry: Facts) {
        let before = match entry.event.as_str() {
            "continued" => entry.expected.and_then(|head| Some((head.seq, head.hash?))),
            _ => entry.previous.map(|previous| (number.saturating_sub(1), previous)),
        };
        self.expect(before, number);
        let made = match entry.event.as_str() {
            "run-started" | "snapshot" => entry.snapshots,
            "restore-started" | "restore" => entry.safety,
            _ => Vec::new(),
        };
        let of_earlier_versions = made.into_iter().filter(|id| !entry.manifests.contains_key(id));
        for id in of_earlier_versions {
            self.said.entry(id).or_insert(Said::Name);
        }
        for (id, hash) in entry.manifests {
            let said = self.said.entry(id).or_insert(Said::Name);
            if let Said::Name = said {
                *said = Said::Manifest(hash);
            }
        }
    }
}

/// Tells whether a line of ours speaks neither of what was made nor of the log itself: most do not, and need not be parsed. A
/// quote in a text is escaped, so no text looks like a key.
fn tells_nothing(line: &[u8]) -> bool {
    const KEYS: [&[u8]; 6] = [
        b"\"manifests\":",
        b"\"snapshots\":[\"",
        b"\"safety\":[\"",
        b"\"making\":[\"",
        b"\"event\":\"restated\"",
        b"\"event\":\"continued\"",
    ];
    KEYS.iter().all(|key| memchr::memmem::find(line, key).is_none())
}

/// Reads the hash that ends a line of ours: `previous` is an entry's last field.
fn previous_of(line: &[u8]) -> Option<Hash> {
    const KEY: &[u8] = b"\"previous\":\"";
    let rest = line.strip_suffix(b"\"}")?;
    let (before, hash) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
    before.ends_with(KEY).then(|| std::str::from_utf8(hash).ok()?.parse().ok())?
}

/// What is read of an entry here.
#[derive(Deserialize)]
struct Facts {
    event: String,
    previous: Option<Hash>,
    #[serde(default)]
    manifests: BTreeMap<String, Hash>,
    #[serde(default)]
    snapshots: Vec<String>,
    #[serde(default)]
    safety: Vec<String>,
    expected: Option<Head>,
}
