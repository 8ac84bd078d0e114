//! A log as lines with their hashes, read in a stream: memory stays bounded whatever the file holds.

use std::io::{self, BufRead};

use sha2::{Digest, Sha256};

use crate::hash::Hash;

/// The longest line that is looked into: 1 MiB. Longer ones are hashed and passed over; none is ever written.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// Where reading gives up: a line of more than 64 MiB is nobody's, and may go on for gigabytes.
pub(crate) const LONGEST_LINE: u64 = 64 << 20;

/// Says that a line has more than [`LONGEST_LINE`] bytes.
pub(crate) fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a line is longer than {} MiB", LONGEST_LINE >> 20))
}

/// One line of a log, as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// From 1.
    pub(crate) number: u64,
    /// The bytes without the newline; the first [`MAX_LINE`] of them where there are more.
    pub(crate) bytes: Vec<u8>,
    /// How many bytes the line has, without the newline.
    pub(crate) length: u64,
    /// SHA-256 of all its bytes, without the newline.
    pub(crate) hash: Hash,
    /// Whether a newline ends it.
    pub(crate) complete: bool,
}

/// The lines of `R`, in order.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines from `reader`, which stands at the start of a line.
    pub(crate) fn new(reader: R) -> Self {
        Lines { reader, number: 0 }
    }

    fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let mut hasher = Sha256::new();
        let mut length = 0;
        let mut complete = false;
        while !complete {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            let end = chunk.iter().position(|&byte| byte == b'\n');
            complete = end.is_some();
            let part = &chunk[..end.unwrap_or(chunk.len())];
            hasher.update(part);
            bytes.extend_from_slice(&part[..part.len().min(MAX_LINE - bytes.len())]);
            length += part.len() as u64;
            if length > LONGEST_LINE {
                return Err(too_long());
            }
            let used = part.len() + usize::from(complete);
            self.reader.consume(used);
        }
        if !complete && length == 0 {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(Line { number: self.number, bytes, length, hash: Hash::finish(hasher), complete }))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        self.next_line().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_hashed_without_their_newline() {
        type Expected = &'static [(&'static [u8], bool)];
        let cases: [(&[u8], Expected); 4] = [
            (b"", &[]),
            (b"a\n\nb\n", &[(b"a", true), (b"", true), (b"b", true)]),
            (b"a\nb", &[(b"a", true), (b"b", false)]),
            (b"\0\0\xff", &[(b"\0\0\xff", false)]),
        ];
        for (text, expected) in cases {
            let lines: Vec<Line> = Lines::new(text).map(Result::unwrap).collect();
            let found: Vec<(&[u8], bool)> = lines.iter().map(|line| (line.bytes.as_slice(), line.complete)).collect();
            assert_eq!(found, expected);
            assert!(lines.iter().all(|line| line.hash == Hash::of(&line.bytes)));
        }
    }

    #[test]
    fn a_line_beyond_the_cap_is_hashed_whole_and_kept_in_part() {
        let text = [vec![b'x'; MAX_LINE + 10], b"\nnext\n".to_vec()].concat();
        let lines: Vec<Line> = Lines::new(io::BufReader::with_capacity(777, &text[..])).map(Result::unwrap).collect();
        assert_eq!(lines[0].bytes.len(), MAX_LINE);
        assert_eq!(lines[0].length, MAX_LINE as u64 + 10);
        assert_eq!(lines[0].hash, Hash::of(&text[..MAX_LINE + 10]));
        assert_eq!(lines[1].bytes, b"next");
    }

    #[test]
    fn a_line_that_goes_on_and_on_is_given_up() {
        let endless = io::BufReader::new(io::Read::take(io::repeat(0), LONGEST_LINE + 1));
        let error = Lines::new(endless).next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "a line is longer than 64 MiB");
    }
}
