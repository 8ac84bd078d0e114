//! How a log is found: as it was left, or not, compared with what this machine remembers of it.

use std::io;
use std::path::Path;

use crate::audit::anchor::{Anchor, End};
use crate::audit::event::{Continued, Disorder, Head};
use crate::audit::log::anchors::{Anchors, Kept, LogPlace, is_id};
use crate::audit::log::file::{LogFile, Tail};
use crate::audit::{AuditError, Line, Lines, Link};
use crate::hash::Hash;
use crate::regular;

/// What an append goes on from.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// The log's id; `None` for a log that is only about to begin.
    pub(crate) log: Option<String>,
    /// The last line; 0 where there is none.
    pub(crate) seq: u64,
    /// Its hash.
    pub(crate) head: Option<Hash>,
    /// Whether the last line lacks its newline.
    pub(crate) torn: bool,
    /// The end of an interrupted append that is still to be written.
    pub(crate) unwritten: Option<Vec<u8>>,
    /// How the log was found, where it is not as it was left.
    pub(crate) damage: Option<Continued>,
    /// Where it should have ended, where it is damaged and this is known.
    pub(crate) expected: Option<End>,
    /// The anchor, and whether it was kept for another place.
    pub(crate) kept: Option<Kept>,
    pub(crate) moved: bool,
    /// The anchor's generation and first watched line.
    pub(crate) generation: u64,
    pub(crate) since: Option<u64>,
    /// The log that was last seen at this place.
    pub(crate) seen_here: Option<String>,
}

/// What is remembered of a log: its id, its anchor, and how they were found.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) log: Option<String>,
    pub(crate) seen_here: Option<String>,
    pub(crate) kept: Option<Kept>,
    pub(crate) moved: bool,
}

/// Finds the anchor that belongs to `file`: by the id in its first line, else by its place.
pub(crate) fn remember(anchors: &Anchors, file: &LogFile, place: &LogPlace) -> Result<Memory, AuditError> {
    let seen_here = anchors.log_at(place)?;
    let written = id_in(&file.first_line()?);
    let Some(log) = written.or_else(|| seen_here.clone()) else {
        return Ok(Memory { log: None, seen_here, kept: None, moved: false });
    };
    if let Some(kept) = anchors.load(&log, place)? {
        return Ok(Memory { log: Some(log), seen_here, kept: Some(kept), moved: false });
    }
    let tail = file.tail(file.length())?;
    let mut candidates = Vec::new();
    for kept in anchors.load_all(&log)? {
        let Some(anchor) = &kept.anchor else { continue };
        let there = Path::new(&anchor.path);
        let same = file.is_at(there);
        if same || !holds(there, &log) {
            candidates.push((anchor.end.head == tail.hash, anchor.end.seq, !same, kept));
        }
    }
    // Several where a project was copied and its copies removed: the one that fits, else the one that knows most.
    let best = candidates.into_iter().max_by_key(|(fits, seq, ..)| (*fits, *seq));
    let (moved, kept) = best.map_or((false, None), |(_, _, moved, kept)| (moved, Some(kept)));
    Ok(Memory { log: Some(log), seen_here, kept, moved })
}

/// Compares the log with what is remembered of it.
pub(crate) fn inspect(anchors: &Anchors, file: &LogFile, place: &LogPlace) -> Result<Inspection, AuditError> {
    compared(remember(anchors, file, place)?, |gone| anchors.load(gone, place), file)
}

/// Looks at the log alone, where nothing is, or can be, remembered of it.
pub(crate) fn inspect_alone(file: &LogFile) -> Result<Inspection, AuditError> {
    let memory = Memory { log: id_in(&file.first_line()?), seen_here: None, kept: None, moved: false };
    compared(memory, |_| Ok(None), file)
}

fn compared(
    memory: Memory,
    load: impl Fn(&str) -> Result<Option<Kept>, AuditError>,
    file: &LogFile,
) -> Result<Inspection, AuditError> {
    let Memory { log, seen_here, kept, moved } = memory;
    if log.is_none() && file.length() > 0 {
        return Err(AuditError::NotALog { path: file.path().to_owned() });
    }
    let tail = file.tail(file.length())?;
    let anchor = kept.as_ref().and_then(|kept| kept.anchor.as_ref());
    let forgotten = anchor.is_none() && (kept.is_some() || file.length() == 0) && log.is_some();
    let (generation, since) = anchor.map_or((0, None), |anchor| (anchor.generation, Some(anchor.since)));
    let replaced = seen_here.as_ref().filter(|seen| Some(*seen) != log.as_ref());

    let mut position = Position { seq: 0, head: tail.hash };
    let mut unwritten = None;
    let disorder = match anchor {
        _ if forgotten => Some(Disorder::Forgotten),
        None if !tail.complete => Some(Disorder::Torn),
        None if file.length() == 0 => None,
        None => match last_seq(&tail) {
            Some(seq) => {
                position.seq = seq;
                None
            }
            None => Some(Disorder::Changed),
        },
        Some(anchor) => match compare(anchor, file, &tail)? {
            Comparison::AsLeft(end, rest) => {
                (position, unwritten) = (end, rest);
                None
            }
            Comparison::Damaged(disorder) => Some(disorder),
        },
    };
    if disorder.is_some() {
        position.seq = count_lines(file)?;
    }
    let id = log.clone().unwrap_or_default();
    let expected = anchor.filter(|_| disorder.is_some()).map(|anchor| anchor.end);
    let found = (file.length() > 0).then(|| Head { log: id.clone(), seq: position.seq, hash: position.head });
    let damage = match (replaced, disorder) {
        (Some(gone), _) => {
            let end = load(gone)?.and_then(|kept| kept.anchor).map(|anchor| anchor.end);
            Some(Continued { damage: Disorder::Replaced, expected: Some(head(gone, end)), found })
        }
        (None, Some(damage)) => Some(Continued { damage, expected: expected.map(|end| head(&id, Some(end))), found }),
        (None, None) => None,
    };
    Ok(Inspection {
        log,
        seq: position.seq,
        head: position.head,
        torn: damage.is_some() && !tail.complete,
        unwritten,
        damage,
        expected,
        kept,
        moved,
        generation,
        since,
        seen_here,
    })
}

fn head(log: &str, end: Option<End>) -> Head {
    Head { log: log.to_owned(), seq: end.map_or(0, |end| end.seq), hash: end.and_then(|end| end.head) }
}

/// Where a log ends.
struct Position {
    seq: u64,
    head: Option<Hash>,
}

enum Comparison {
    /// Where the log ends, and what an interrupted append still has to write to get there.
    AsLeft(Position, Option<Vec<u8>>),
    Damaged(Disorder),
}

fn compare(anchor: &Anchor, file: &LogFile, tail: &Tail) -> Result<Comparison, AuditError> {
    let known = anchor.end;
    if file.length() == known.length && tail.hash == known.head && tail.complete {
        return Ok(Comparison::AsLeft(Position { seq: known.seq, head: known.head }, None));
    }
    if let Some(next) = &anchor.next {
        let end = Position { seq: next.seq, head: Some(next.head) };
        if tail.hash == end.head && tail.complete {
            return Ok(Comparison::AsLeft(end, None));
        }
        if let (Some(text), Some(written)) = (&next.text, begun(anchor, file)?) {
            return Ok(Comparison::AsLeft(end, Some(text.as_bytes()[written..].to_vec())));
        }
    }
    Ok(Comparison::Damaged(match file.length() {
        0 => Disorder::Missing,
        _ if !tail.complete => Disorder::Torn,
        length if length < known.length => Disorder::Cut,
        length if length > known.length => Disorder::Extended,
        _ => Disorder::Changed,
    }))
}

/// Counts how many bytes of the announced append are in the file, if they and nothing else follow the known end.
pub(crate) fn begun(anchor: &Anchor, file: &LogFile) -> Result<Option<usize>, AuditError> {
    let Some(text) = anchor.next.as_ref().and_then(|next| next.text.as_ref()) else { return Ok(None) };
    if file.length() < anchor.end.length || file.tail(anchor.end.length)?.hash != anchor.end.head {
        return Ok(None);
    }
    let rest = file.rest(anchor.end.length, text.len())?;
    Ok(rest.filter(|rest| text.as_bytes().starts_with(rest)).map(|rest| rest.len()))
}

/// Finds the id that a log's first line holds.
fn id_in(first_line: &[u8]) -> Option<String> {
    let line = Line {
        number: 1,
        bytes: first_line.to_vec(),
        length: first_line.len() as u64,
        hash: Hash::of(b""),
        complete: true,
    };
    Link::of(&line).log().filter(|id| is_id(id)).map(str::to_owned)
}

/// Tells whether the log with that id is at `path`.
fn holds(path: &Path, id: &str) -> bool {
    let Ok(file) = regular::open_own(path) else { return false };
    let first = Lines::new(io::BufReader::new(file)).next();
    matches!(first, Some(Ok(line)) if id_in(&line.bytes).as_deref() == Some(id))
}

fn last_seq(tail: &Tail) -> Option<u64> {
    let hash = tail.hash?;
    let line = Line { number: 0, bytes: tail.bytes.clone(), length: 0, hash, complete: tail.complete };
    Link::of(&line).seq()
}

fn count_lines(file: &LogFile) -> Result<u64, AuditError> {
    let mut lines = 0;
    for line in Lines::new(file.reader()) {
        line.map_err(|source| AuditError::Read { path: file.path().to_owned(), source })?;
        lines += 1;
    }
    Ok(lines)
}
