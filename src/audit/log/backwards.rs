//! The lines of a log from its end, read in pieces as far as somebody wants them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::audit::MAX_LINE;

/// The first piece that is read, in bytes; what is looked for is nearly always in it. Later ones are larger, and as large
/// as what is held of a long line, which is moved each time.
const FIRST: u64 = 16 * 1024;
const LATER: u64 = 256 * 1024;

/// Lines of a file, last first, without their newlines.
#[derive(Debug)]
pub(crate) struct Backwards {
    file: File,
    /// Where `held` begins in the file.
    start: u64,
    /// What was read and not handed out yet.
    held: Vec<u8>,
}

impl Backwards {
    /// Reads the first `length` bytes of `file`.
    pub(crate) fn new(file: File, length: u64) -> Self {
        Backwards { file, start: length, held: Vec::new() }
    }

    /// Gives the line before; `None` at the beginning. A line longer than any that is written ([`MAX_LINE`]) counts as the
    /// beginning: nothing before it is looked at.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        // The newline that ends this line is not part of it.
        let mut searched = 0;
        loop {
            let end = self.held.len() - usize::from(self.held.last() == Some(&b'\n'));
            let unsearched = end.saturating_sub(searched);
            if let Some(newline) = memchr::memrchr(b'\n', &self.held[..unsearched]) {
                let line = self.held[newline + 1..end].to_vec();
                self.held.truncate(newline + 1);
                return Ok(Some(line));
            }
            if end > MAX_LINE || self.start == 0 {
                let line = (self.start == 0 && !self.held.is_empty()).then(|| self.held[..end].to_vec());
                (self.start, self.held) = (0, Vec::new());
                return Ok(line);
            }
            searched = end;
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let piece = if self.held.is_empty() { FIRST } else { LATER.max(self.held.len() as u64) }.min(self.start);
        let mut more = vec![0; piece as usize];
        self.file.read_exact_at(&mut more, self.start - piece)?;
        more.append(&mut self.held);
        (self.start, self.held) = (self.start - piece, more);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn backwards(text: &[u8]) -> Vec<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let mut lines = Backwards::new(file, text.len() as u64);
        std::iter::from_fn(|| lines.next_line().unwrap()).collect()
    }

    #[test]
    fn lines_come_last_first_whatever_their_length() {
        let lengths = [0, 1, 700, 16 * 1024 - 1, 16 * 1024, 300_000, 5, 256 * 1024, 0, 3, MAX_LINE];
        let lines: Vec<Vec<u8>> =
            lengths.iter().enumerate().map(|(at, &length)| vec![b'a' + at as u8; length]).collect();
        let text: Vec<u8> = lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
        let reversed: Vec<Vec<u8>> = lines.into_iter().rev().collect();
        assert_eq!(backwards(&text), reversed);
        assert_eq!(backwards(&text[..text.len() - 1]), reversed, "without the last newline");
        assert_eq!(backwards(b""), [b""; 0]);
        assert_eq!(backwards(b"\n"), [b""]);
    }

    #[test]
    fn a_line_beyond_the_cap_is_the_beginning() {
        let text = [b"first\n".to_vec(), vec![b'x'; 3 * MAX_LINE], b"\nlast\n".to_vec()].concat();
        assert_eq!(backwards(&text), [b"last"]);
    }
}
