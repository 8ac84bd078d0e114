//! Hashes the rows of a table so that two copies of it can be compared whatever order their rows come in.

use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::ops::AddAssign;

use foldhash::SharedSeed;
use foldhash::quality::{FoldHasher, SeedableRandomState};

/// How many rows there are, and the sum of their hashes: equal for equal rows in any order.
///
/// The hashes are keyed anew in each process, so a digest is compared within it and never kept. Two tables that differ by
/// chance have one digest in 2^64 cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) rows: u64,
    sum: u64,
}

impl AddAssign for Digest {
    fn add_assign(&mut self, other: Digest) {
        self.rows += other.rows;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// A longer line is hashed in pieces of this size, so that it need not be held whole.
const PIECE: usize = 64 * 1024;

/// Takes the lines of a table, each in one piece or in several.
#[derive(Default)]
pub(crate) struct Lines {
    digest: Digest,
    begun: Vec<u8>,
    hasher: Option<FoldHasher<'static>>,
}

impl Lines {
    /// Takes the end of a line, or a whole one.
    pub(crate) fn end(&mut self, rest: &[u8]) {
        let hash = if self.begun.is_empty() && self.hasher.is_none() && rest.len() <= PIECE {
            let mut hasher = keyed();
            hasher.write(rest);
            hasher.finish()
        } else {
            self.part(rest);
            let begun = std::mem::take(&mut self.begun);
            let mut hasher = self.hasher.take().unwrap_or_else(keyed);
            if !begun.is_empty() {
                hasher.write(&begun);
            }
            self.begun = begun;
            self.begun.clear();
            hasher.finish()
        };
        self.digest += Digest { rows: 1, sum: hash };
    }

    /// Takes a part of a line that goes on.
    pub(crate) fn part(&mut self, mut part: &[u8]) {
        while !part.is_empty() {
            let (taken, rest) = part.split_at((PIECE - self.begun.len()).min(part.len()));
            self.begun.extend_from_slice(taken);
            if self.begun.len() == PIECE {
                self.hasher.get_or_insert_with(keyed).write(&self.begun);
                self.begun.clear();
            }
            part = rest;
        }
    }

    /// Returns the digest of the lines so far, and begins anew; a line that was not ended is forgotten.
    pub(crate) fn take(&mut self) -> Digest {
        self.begun.clear();
        self.hasher = None;
        std::mem::take(&mut self.digest)
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.digest)
    }
}

fn keyed() -> FoldHasher<'static> {
    SeedableRandomState::with_seed(0, SharedSeed::global_random()).build_hasher()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&[u8]], piece: usize) -> Digest {
        let mut taken = Lines::default();
        for line in lines {
            let whole = line.len() / piece * piece;
            line[..whole].chunks(piece).for_each(|part| taken.part(part));
            taken.end(&line[whole..]);
        }
        taken.take()
    }

    #[test]
    fn the_order_and_the_pieces_of_lines_do_not_matter() {
        let long = vec![b'x'; 3 * PIECE + 7];
        let lines: [&[u8]; 6] = [b"1\ta", b"", b"2\tb", &long, &long[..PIECE], &long[..2 * PIECE]];
        let mut turned = lines;
        turned.reverse();
        let expected = of(&lines, usize::MAX);
        for piece in [1, 3, 1000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE] {
            assert_eq!(of(&turned, piece), expected, "{piece}");
        }
        assert_eq!(expected.rows, 6);
    }

    #[test]
    fn every_change_shows() {
        let whole = of(&[b"1\ta", b"2\tb", b"2\tb"], 100);
        let others: [&[&[u8]]; 6] = [
            &[b"1\tb", b"2\ta", b"2\tb"],
            &[b"1\ta", b"1\ta", b"2\tb"],
            &[b"1\ta", b"2\tb"],
            &[b"1\ta", b"2\tb", b"2\tb", b""],
            &[b"1\ta", b"2\tb", b"2\tB"],
            &[b"1\ta2", b"\tb", b"2\tb"],
        ];
        for other in others {
            assert_ne!(of(other, 100), whole, "{other:?}");
        }
    }
}
