//! Reads past values, or sums them by what they hold: in whichever form a server writes them, the sum is the same.
//!
//! Source: Redis, `src/rdb.h` and `rdbLoadObject` in `src/rdb.c`.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::snapshot::redis::rdb::packed::{Entries, intset, listpack, ziplist};
use crate::snapshot::redis::rdb::source::Source;

/// What a value is summed to, or that it is only to be read past.
pub(super) struct Sum(Option<Parts>);

/// What comes in an order, and what in none.
struct Parts {
    sequence: Sha256,
    members: u128,
}

/// The first half of a hash.
pub(super) fn half(digest: Sha256) -> u128 {
    let digest: [u8; 32] = digest.finalize().into();
    u128::from_le_bytes(*digest.first_chunk().unwrap_or(&[0; 16]))
}

pub(super) fn add(digest: &mut Sha256, part: &[u8]) {
    digest.update((part.len() as u64).to_le_bytes());
    digest.update(part);
}

impl Sum {
    pub(super) fn new(is_wanted: bool) -> Sum {
        Sum(is_wanted.then(|| Parts { sequence: Sha256::new(), members: 0 }))
    }

    fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Takes in what has its place.
    fn next(&mut self, part: &[u8]) {
        if let Some(parts) = &mut self.0 {
            add(&mut parts.sequence, part);
        }
    }

    /// Takes in a member of what has no order, with what belongs to it.
    fn member(&mut self, member: &[&[u8]]) {
        if let Some(parts) = &mut self.0 {
            let mut digest = Sha256::new();
            member.iter().for_each(|part| add(&mut digest, part));
            parts.members = parts.members.wrapping_add(half(digest));
        }
    }

    /// Gives what it comes to; `None` where it was not wanted.
    pub(super) fn finish(self, class: u8) -> Option<u128> {
        let mut parts = self.0?;
        parts.sequence.update(parts.members.to_le_bytes());
        parts.sequence.update([class]);
        Some(half(parts.sequence))
    }

    fn all_next(&mut self, entries: &[Vec<u8>]) {
        entries.iter().for_each(|entry| self.next(entry));
    }

    fn all_members(&mut self, entries: &[Vec<u8>]) {
        entries.iter().for_each(|entry| self.member(&[entry]));
    }

    fn pairs(&mut self, entries: &[Vec<u8>]) {
        entries.chunks(2).for_each(|pair| self.member(&pair.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    }

    fn scored(&mut self, entries: &[Vec<u8>]) -> Result<(), String> {
        for pair in entries.chunks(2) {
            let [member, score] = pair else { return Err("a member has no score".to_owned()) };
            let score: f64 =
                std::str::from_utf8(score).ok().and_then(|text| text.parse().ok()).ok_or("a score is no number")?;
            self.member(&[member, &score.to_le_bytes()]);
        }
        Ok(())
    }
}

/// The classes of values, by what a server calls them.
const STRING: u8 = 0;
const LIST: u8 = 1;
const SET: u8 = 2;
const SORTED_SET: u8 = 3;
const HASH: u8 = 4;
const STREAM: u8 = 5;
const MODULE: u8 = 6;

/// Reads a value of the form `form`, and names its class. The modules whose values are met are added to `modules`.
///
/// # Errors
///
/// It is cut off, damaged, or of a form that is not known.
pub(super) fn read(
    source: &mut Source<'_>,
    form: u8,
    sum: &mut Sum,
    modules: &mut BTreeSet<String>,
) -> Result<u8, String> {
    let is_wanted = sum.is_wanted();
    Ok(match form {
        0 => {
            let text = source.string(is_wanted)?;
            sum.next(&text);
            STRING
        }
        1 => {
            for _ in 0..source.length()? {
                let entry = source.string(is_wanted)?;
                sum.next(&entry);
            }
            LIST
        }
        10 => packed(source, sum, ziplist, |sum, entries| {
            sum.all_next(entries);
            Ok(LIST)
        })?,
        14 => {
            for _ in 0..source.length()? {
                packed(source, sum, ziplist, |sum, entries| {
                    sum.all_next(entries);
                    Ok(LIST)
                })?;
            }
            LIST
        }
        18 => {
            for _ in 0..source.length()? {
                match source.length()? {
                    1 => {
                        let entry = source.string(is_wanted)?;
                        sum.next(&entry);
                    }
                    2 => {
                        packed(source, sum, listpack, |sum, entries| {
                            sum.all_next(entries);
                            Ok(LIST)
                        })?;
                    }
                    other => return Err(format!("a part of a list is of a form ({other}) that is not known")),
                }
            }
            LIST
        }
        2 => {
            for _ in 0..source.length()? {
                let member = source.string(is_wanted)?;
                sum.member(&[&member]);
            }
            SET
        }
        11 | 20 => packed(source, sum, if form == 11 { intset } else { listpack }, |sum, entries| {
            sum.all_members(entries);
            Ok(SET)
        })?,
        3 | 5 => {
            for _ in 0..source.length()? {
                let member = source.string(is_wanted)?;
                let score = if form == 5 { f64::from_le_bytes(source.bytes()?) } else { written_score(source)? };
                sum.member(&[&member, &score.to_le_bytes()]);
            }
            SORTED_SET
        }
        12 | 17 => packed(source, sum, if form == 12 { ziplist } else { listpack }, |sum, entries| {
            sum.scored(entries)?;
            Ok(SORTED_SET)
        })?,
        4 => {
            for _ in 0..source.length()? {
                let (field, value) = (source.string(is_wanted)?, source.string(is_wanted)?);
                sum.member(&[&field, &value]);
            }
            HASH
        }
        13 | 16 => packed(source, sum, if form == 13 { ziplist } else { listpack }, |sum, entries| {
            sum.pairs(entries);
            Ok(HASH)
        })?,
        15 | 19 | 21 => {
            stream(source, form, sum)?;
            STREAM
        }
        7 => {
            let name = module_name(source.length()?);
            sum.next(name.as_bytes());
            modules.insert(name);
            module(source, sum)?;
            MODULE
        }
        other => return Err(format!("it holds a value of a form ({other}) that safe-test does not know")),
    })
}

/// Reads a string that is a packed collection, and hands on its entries where they are wanted.
fn packed(
    source: &mut Source<'_>,
    sum: &mut Sum,
    entries: fn(&[u8]) -> Result<Entries, String>,
    take: impl FnOnce(&mut Sum, &[Vec<u8>]) -> Result<u8, String>,
) -> Result<u8, String> {
    let bytes = source.string(sum.is_wanted())?;
    let entries = if sum.is_wanted() { entries(&bytes)? } else { Vec::new() };
    take(sum, &entries)
}

/// Reads a score as servers before 4.0 write it: in digits.
fn written_score(source: &mut Source<'_>) -> Result<f64, String> {
    match source.byte()? {
        253 => Ok(f64::NAN),
        254 => Ok(f64::INFINITY),
        255 => Ok(f64::NEG_INFINITY),
        length => {
            let mut digits = String::new();
            for _ in 0..length {
                digits.push(char::from(source.byte()?));
            }
            digits.parse().map_err(|_| "a score is no number".to_owned())
        }
    }
}

/// Takes in some lengths that have their place.
fn lengths(source: &mut Source<'_>, sum: &mut Sum, count: usize) -> Result<(), String> {
    for _ in 0..count {
        let length = source.length()?;
        sum.next(&length.to_le_bytes());
    }
    Ok(())
}

/// Reads a stream: a server writes its parts as it keeps them, and in their order.
fn stream(source: &mut Source<'_>, form: u8, sum: &mut Sum) -> Result<(), String> {
    let is_wanted = sum.is_wanted();
    for _ in 0..source.length()? {
        for _ in 0..2 {
            let part = source.string(is_wanted)?;
            sum.next(&part);
        }
    }
    // How many there are, and the last; from 7.0 on also the first, the last deleted, and how many there were.
    lengths(source, sum, if form == 15 { 3 } else { 8 })?;
    for _ in 0..source.length()? {
        let group = source.string(is_wanted)?;
        sum.next(&group);
        lengths(source, sum, if form == 15 { 2 } else { 3 })?;
        for _ in 0..source.length()? {
            let given: [u8; 24] = source.bytes()?;
            sum.next(&given);
            lengths(source, sum, 1)?;
        }
        for _ in 0..source.length()? {
            let consumer = source.string(is_wanted)?;
            sum.next(&consumer);
            for _ in 0..if form == 21 { 2 } else { 1 } {
                let seen: [u8; 8] = source.bytes()?;
                sum.next(&seen);
            }
            for _ in 0..source.length()? {
                let given: [u8; 16] = source.bytes()?;
                sum.next(&given);
            }
        }
    }
    Ok(())
}

/// Reads a value of a module to its end: each part says what it is.
pub(super) fn module(source: &mut Source<'_>, sum: &mut Sum) -> Result<(), String> {
    loop {
        match source.length()? {
            0 => return Ok(()),
            1 | 2 => lengths(source, sum, 1)?,
            3 => sum.next(&source.bytes::<4>()?),
            4 => sum.next(&source.bytes::<8>()?),
            5 => {
                let text = source.string(sum.is_wanted())?;
                sum.next(&text);
            }
            other => return Err(format!("a module wrote something of a form ({other}) that is not known")),
        }
    }
}

/// Reads the name in a module's number: nine signs of six bits, and ten bits for a version.
pub(super) fn module_name(number: u64) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let sign = |at: u32| char::from(SIGNS[(number >> (10 + 6 * (8 - at)) & 0x3f) as usize]);
    (0..9).map(sign).collect()
}
