//! Whether the lines of a log still follow from one another, and where they first do not.
//!
//! Decides over hashes alone: each line names the hash of the one before, so a change anywhere breaks the link
//! after it. Only the end of the log has nothing after it; that is what the anchor is for, which the caller brings.

use std::collections::HashMap;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::audit::Line;
use crate::audit::damage::{Damage, DamageKind, Integrity};
use crate::audit::event::Disorder;
use crate::hash::Hash;

/// What the chain needs to know of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    hash: Hash,
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Entry(Place),
    Nul,
    Torn,
    NotAnEntry,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    seq: u64,
    previous: Option<Hash>,
    log: Option<String>,
    mark: Mark,
}

/// The entries that speak of the log itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    Continued(Disorder),
    Accepted(Hash),
}

#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "schema")]
    _schema: u32,
    seq: u64,
    log: Option<String>,
    event: String,
    previous: Option<Hash>,
    damage: Option<Disorder>,
    digest: Option<Hash>,
}

impl Link {
    /// Reads a line as far as the chain is concerned.
    #[must_use]
    pub(crate) fn of(line: &Line) -> Self {
        let shape = if line.bytes.contains(&0) {
            Shape::Nul
        } else if !line.complete {
            Shape::Torn
        } else {
            place(line).map_or(Shape::NotAnEntry, Shape::Entry)
        };
        Link { hash: line.hash, shape }
    }

    /// Gives the number that the line has in its own words, where it is an entry.
    #[must_use]
    pub(crate) fn seq(&self) -> Option<u64> {
        self.place().map(|place| place.seq)
    }

    /// Gives the log's id, where the line holds it.
    #[must_use]
    pub(crate) fn log(&self) -> Option<&str> {
        self.place()?.log.as_deref()
    }

    fn place(&self) -> Option<&Place> {
        match &self.shape {
            Shape::Entry(place) => Some(place),
            Shape::Nul | Shape::Torn | Shape::NotAnEntry => None,
        }
    }

    fn mark(&self) -> Mark {
        self.place().map_or(Mark::None, |place| place.mark)
    }
}

fn place(line: &Line) -> Option<Place> {
    let fields: Fields = serde_json::from_slice(&line.bytes).ok()?;
    let mark = match (fields.event.as_str(), fields.damage, fields.digest) {
        ("continued", Some(damage), _) => Mark::Continued(damage),
        ("accepted", _, Some(digest)) => Mark::Accepted(digest),
        _ => Mark::None,
    };
    Some(Place { seq: fields.seq, previous: fields.previous, log: fields.log, mark })
}

/// What this machine remembers of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// It never wrote to this log.
    Nothing,
    /// It did, and the memory cannot be read.
    Unreadable,
    /// The log's end, as it was left.
    End(Ending),
}

/// Where a log has to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// The last line that is known to be written; 0 before the first.
    pub(crate) seq: u64,
    /// Its hash; `None` before the first.
    pub(crate) head: Option<Hash>,
    /// Where the log may end instead, while an append is not settled.
    pub(crate) next: Option<Pending>,
    /// The first line that this machine has watched.
    pub(crate) since: u64,
}

/// The end of an append that may or may not have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    /// The number of its last line.
    pub(crate) seq: u64,
    /// That line's hash.
    pub(crate) head: Hash,
}

/// Checks every link of `links`, in the order of the file, and its end against what is `known` of it.
///
/// Damage that a person accepted is left out as long as the lines before the acceptance are those they accepted.
#[must_use]
pub(crate) fn verify(links: &[Link], known: &Known) -> Integrity {
    let mut damages = Walk::new(links, known).damages();
    let end = ending_damage(links, known);
    let lines = links.len() as u64;
    if let Some(Damage { kind: DamageKind::Extended { .. }, line }) = end {
        // Rubbish behind the known end is first of all something that was added.
        damages
            .retain(|damage| damage.line < line || !matches!(damage.kind, DamageKind::NotAnEntry | DamageKind::Torn));
    }
    damages.extend(end);
    let accepted = accepted_through(links);
    damages.retain(|damage| damage.line > accepted);
    damages.sort_by_key(|damage| damage.line);
    Integrity {
        lines,
        log: links.first().and_then(Link::log).map(str::to_owned),
        damage: damages.first().copied(),
        damages: damages.len() as u64,
        watched_since: match known {
            Known::End(ending) => Some(ending.since),
            Known::Nothing | Known::Unreadable => None,
        },
        interrupted: false,
    }
}

/// Computes the digest that an acceptance after `hashes` holds for.
pub(crate) fn digest(hashes: impl IntoIterator<Item = Hash>) -> Hash {
    let mut hasher = Sha256::new();
    hashes.into_iter().for_each(|hash| hasher.update(hash.bytes()));
    Hash::finish(hasher)
}

/// Finds the last line before the last acceptance that still fits what stands before it; 0 where there is none.
fn accepted_through(links: &[Link]) -> u64 {
    let mut hasher = Sha256::new();
    let mut through = 0;
    for (before, link) in links.iter().enumerate() {
        if link.mark() == Mark::Accepted(Hash::finish(hasher.clone())) {
            through = before as u64;
        }
        hasher.update(link.hash.bytes());
    }
    through
}

fn ending_damage(links: &[Link], known: &Known) -> Option<Damage> {
    let lines = links.len() as u64;
    let ending = match known {
        Known::Nothing => return None,
        Known::Unreadable => return Some(Damage { line: lines.max(1), kind: DamageKind::AnchorUnreadable }),
        Known::End(ending) => ending,
    };
    let last = links.last().map(|link| link.hash);
    if last == ending.head || ending.next.as_ref().is_some_and(|next| last == Some(next.head)) {
        return None;
    }
    if lines == 0 {
        return Some(Damage { line: 1, kind: DamageKind::Missing { lines: ending.seq } });
    }
    let known_end = links.iter().rposition(|link| Some(link.hash) == ending.head).map(|index| index as u64 + 1);
    let kind = match known_end.or(ending.head.is_none().then_some(0)) {
        Some(end) => return Some(Damage { line: end + 1, kind: DamageKind::Extended { lines: lines - end } }),
        None if ending.seq > lines => DamageKind::CutAtEnd { missing: ending.seq - lines },
        None => return Some(Damage { line: ending.seq.max(1), kind: DamageKind::Edited { certain: true } }),
    };
    Some(Damage { line: lines + 1, kind })
}

/// One pass over the links, with what a look backwards or forwards needs.
struct Walk<'a> {
    links: &'a [Link],
    known: &'a Known,
    first_with_hash: HashMap<Hash, usize>,
    last_with_seq: HashMap<u64, usize>,
}

impl<'a> Walk<'a> {
    fn new(links: &'a [Link], known: &'a Known) -> Self {
        Walk { links, known, first_with_hash: HashMap::new(), last_with_seq: HashMap::new() }
    }

    fn damages(mut self) -> Vec<Damage> {
        let mut damages = Vec::new();
        for index in 0..self.links.len() {
            let (line, link) = (index as u64 + 1, &self.links[index]);
            let found = match &link.shape {
                Shape::Nul => Some(Damage { line, kind: DamageKind::NulBytes }),
                Shape::Torn => Some(Damage { line, kind: DamageKind::Torn }),
                Shape::NotAnEntry if self.is_recorded_as_torn(index) => Some(Damage { line, kind: DamageKind::Torn }),
                Shape::NotAnEntry => Some(Damage { line, kind: DamageKind::NotAnEntry }),
                Shape::Entry(place) => self.damage_at(index, place),
            };
            damages.extend(found);
            if let Mark::Continued(damage) = link.mark() {
                damages.push(Damage { line, kind: DamageKind::Recorded { damage } });
            }
        }
        damages
    }

    fn is_recorded_as_torn(&self, index: usize) -> bool {
        self.links.get(index + 1).is_some_and(|next| next.mark() == Mark::Continued(Disorder::Torn))
    }

    fn damage_at(&mut self, index: usize, place: &Place) -> Option<Damage> {
        let line = index as u64 + 1;
        let Some(before) = index.checked_sub(1).map(|before| &self.links[before]) else {
            let kind = match place.seq {
                1 if place.previous.is_none() && place.log.is_some() => return None,
                2.. => DamageKind::CutAtStart { missing: place.seq - 1 },
                _ => DamageKind::Edited { certain: true },
            };
            return Some(Damage { line, kind });
        };
        let linked = place.previous == Some(before.hash);
        // An entry that goes on after damage counts the lines that are there.
        let continues = matches!(place.mark, Mark::Continued(_)) && place.seq == line;
        let expected = before.seq().map_or(place.seq, |seq| seq.saturating_add(1));
        if linked && (place.seq == expected || continues) {
            return None;
        }
        if linked {
            return Some(Damage { line, kind: DamageKind::Edited { certain: true } });
        }
        Some(self.broken_link(index, place, expected))
    }

    /// Explains why line `index` does not name the line before it. The maps are only built for a log that is damaged.
    fn broken_link(&mut self, index: usize, place: &Place, expected: u64) -> Damage {
        if self.first_with_hash.is_empty() {
            for (at, link) in self.links.iter().enumerate() {
                self.first_with_hash.entry(link.hash).or_insert(at);
                if let Some(seq) = link.seq() {
                    self.last_with_seq.insert(seq, at);
                }
            }
        }
        let line = index as u64 + 1;
        if let Some(&first) = self.first_with_hash.get(&self.links[index].hash).filter(|&&first| first < index) {
            return Damage { line, kind: DamageKind::Duplicated { of: first as u64 + 1 } };
        }
        if place.seq > expected {
            let comes_later = self.last_with_seq.get(&expected).is_some_and(|&at| at > index);
            let missing = place.seq - expected;
            return Damage {
                line,
                kind: if comes_later { DamageKind::Reordered } else { DamageKind::Gap { missing } },
            };
        }
        if let Some(with) = self.other_successor(index, place) {
            return Damage { line, kind: DamageKind::Forked { with } };
        }
        if place.seq < expected {
            return Damage { line, kind: DamageKind::Edited { certain: true } };
        }
        Damage { line: line - 1, kind: DamageKind::Edited { certain: self.is_vouched_for(index) } }
    }

    /// Finds the earlier line that names the same line before it, if the line it names is there at all.
    fn other_successor(&self, index: usize, place: &Place) -> Option<u64> {
        let Some(previous) = place.previous else { return (index > 0).then_some(1) };
        let parent = *self.first_with_hash.get(&previous).filter(|&&parent| parent + 1 < index)?;
        Some(parent as u64 + 2)
    }

    /// Tells whether something after line `index` holds its hash, so that it stands as it was written.
    fn is_vouched_for(&self, index: usize) -> bool {
        let hash = Some(self.links[index].hash);
        match self.links.get(index + 1) {
            Some(next) => next.place().is_some_and(|place| place.previous == hash),
            None => matches!(self.known, Known::End(ending) if ending.head == hash),
        }
    }
}
