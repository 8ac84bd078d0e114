//! What this machine remembers of a log's end, and the form in which it survives a power loss.
//!
//! An anchor file has two slots that are written in place: a torn write spoils one slot and leaves the other, and
//! syncing it needs no change to the file system's own records. (Measured on ext4: 0.08 ms for a slot, 0.49 ms for a
//! new file, its rename and its folder; a run pays this twice.) A settled anchor and the announcement after it share a
//! slot: the former is not synced, so both may be on their way to the disk at once, and the announcement before them,
//! which is there, is left alone.

use serde::{Deserialize, Serialize};

use crate::audit::chain::{Ending, Pending};
use crate::hash::Hash;

/// The size of one slot in bytes; the file holds two.
pub(crate) const SLOT: usize = 16 * 1024;

/// The end of a log as it was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    /// The version of this format: 1.
    pub(crate) schema: u32,
    /// Counts the writes; of two readable slots the higher one holds. Odd for an announcement, else even.
    pub(crate) generation: u64,
    /// The log's id.
    pub(crate) log: String,
    /// Where the log was, for telling a moved log from a copied one.
    pub(crate) path: String,
    /// The first line that this machine has watched.
    pub(crate) since: u64,
    /// Where it is known to end.
    #[serde(flatten)]
    pub(crate) end: End,
    /// The append that is under way, until it is settled.
    pub(crate) next: Option<Next>,
}

/// The end of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    /// The last line; 0 before the first.
    pub(crate) seq: u64,
    /// Its hash; `None` before the first.
    pub(crate) head: Option<Hash>,
    /// The file's length in bytes with that line.
    pub(crate) length: u64,
}

/// An append that was announced: it may have happened, in whole or in part, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Next {
    /// The number of its last line.
    pub(crate) seq: u64,
    /// That line's hash.
    pub(crate) head: Hash,
    /// The bytes themselves, so that a torn append can be completed; `None` where they do not fit into a slot.
    pub(crate) text: Option<String>,
}

/// Gives the generation of the announcement after `generation`.
pub(crate) fn next_announcement(generation: u64) -> u64 {
    (generation + 1) | 1
}

impl Anchor {
    /// Tells where the log has to end.
    pub(crate) fn ending(&self) -> Ending {
        Ending {
            seq: self.end.seq,
            head: self.end.head,
            next: self.next.as_ref().map(|next| Pending { seq: next.seq, head: next.head }),
            since: self.since,
        }
    }

    /// Gives the bytes of this anchor's slot, and the offset in the file where they belong.
    pub(crate) fn encode(&self) -> Result<(Vec<u8>, u64), serde_json::Error> {
        let mut bytes = framed(&serde_json::to_string(self)?);
        if bytes.len() > SLOT {
            let mut shorter = self.clone();
            shorter.next = shorter.next.map(|next| Next { text: None, ..next });
            bytes = framed(&serde_json::to_string(&shorter)?);
        }
        Ok((bytes, (self.generation / 2 % 2) * SLOT as u64))
    }

    /// Picks the newer of the two slots that can be read; `None` where neither can.
    pub(crate) fn decode(file: &[u8]) -> Option<Self> {
        file.chunks(SLOT).take(2).filter_map(unframed).max_by_key(|anchor| anchor.generation)
    }
}

fn framed(body: &str) -> Vec<u8> {
    format!("{} {body}\n", Hash::of(body.as_bytes())).into_bytes()
}

fn unframed(slot: &[u8]) -> Option<Anchor> {
    let line = slot.split(|&byte| byte == b'\n').next()?;
    let (hash, body) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let intact = hash.parse() == Ok(Hash::of(body.as_bytes()));
    intact.then(|| serde_json::from_str(body).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(generation: u64, text: Option<String>) -> Anchor {
        Anchor {
            schema: 1,
            generation,
            log: "0".repeat(32),
            path: "/p/backups/audit.log".to_owned(),
            since: 1,
            end: End { seq: 3, head: Some(Hash::of(b"3")), length: 900 },
            next: Some(Next { seq: 4, head: Hash::of(b"4"), text }),
        }
    }

    fn file(anchors: &[Anchor]) -> Vec<u8> {
        let mut file = vec![0; 2 * SLOT];
        for anchor in anchors {
            let (bytes, at) = anchor.encode().unwrap();
            file[at as usize..at as usize + bytes.len()].copy_from_slice(&bytes);
        }
        file
    }

    #[test]
    fn the_newer_slot_holds_and_a_torn_one_falls_back_to_the_older() {
        let (old, new) = (anchor(7, None), anchor(9, Some("line\n".to_owned())));
        let mut file = file(&[old.clone(), new.clone()]);
        assert_eq!(Anchor::decode(&file), Some(new));
        file[40] ^= 1;
        assert_eq!(Anchor::decode(&file), Some(old));
        file[SLOT + 90] ^= 1;
        assert_eq!(Anchor::decode(&file), None);
        for nothing in [&b""[..], &[0; 100], b"\n\n", b"abc def\n"] {
            assert_eq!(Anchor::decode(nothing), None);
        }
    }

    #[test]
    fn an_announcement_never_goes_into_the_slot_of_the_one_before() {
        let slot = |generation| anchor(generation, None).encode().unwrap().1;
        for before in (1..9).step_by(2) {
            let settled = before + 1;
            assert_ne!(slot(settled), slot(before), "{before}");
            // The same after an append that was settled and after one that was killed.
            for found in [before, settled] {
                let next = next_announcement(found);
                assert!(next > settled, "{found}");
                assert_ne!(slot(next), slot(before), "{found}");
            }
        }
        assert_eq!(next_announcement(0), 1);
    }

    #[test]
    fn an_append_too_long_for_a_slot_is_announced_by_its_hash_alone() {
        let long = anchor(2, Some("x".repeat(SLOT)));
        assert_eq!(Anchor::decode(&file(&[long])), Some(anchor(2, None)));
    }
}
