//! The bytes of an RDB file, summed as they are read: lengths, numbers and strings.
//!
//! Source: Redis, `src/rdb.c` and `src/lzf_d.c`.

use std::io::Read;

use crate::snapshot::crc64::Crc64;
use crate::snapshot::dump_stream::PIECE;

/// Bytes that are set aside at once for what a file says to be longer: it may be damaged.
const MOST_AT_ONCE: usize = 1 << 20;

/// What is said where the file ends too early.
const CUT_OFF: &str = "it is cut off";

/// Reads a file piece by piece.
pub(super) struct Source<'r> {
    inner: &'r mut dyn Read,
    buffer: Vec<u8>,
    /// What of the buffer is not yet read, and where what was read and is not yet summed begins.
    at: usize,
    end: usize,
    summed: usize,
    crc: Crc64,
}

/// A length, or how a string that is none of plain bytes is written.
enum Length {
    Plain(u64),
    Encoded(u8),
}

impl<'r> Source<'r> {
    pub(super) fn new(inner: &'r mut dyn Read) -> Source<'r> {
        Source { inner, buffer: vec![0; PIECE], at: 0, end: 0, summed: 0, crc: Crc64::jones() }
    }

    /// Reads on where nothing is left; `false` at the end.
    fn fill(&mut self) -> Result<bool, String> {
        if self.at < self.end {
            return Ok(true);
        }
        self.crc.update(&self.buffer[self.summed..self.end]);
        (self.at, self.end, self.summed) = (0, 0, 0);
        self.end = self.inner.read(&mut self.buffer).map_err(|error| error.to_string())?;
        Ok(self.end > 0)
    }

    /// Sums what was read until now.
    pub(super) fn sum(&mut self) -> u64 {
        self.crc.update(&self.buffer[self.summed..self.at]);
        self.summed = self.at;
        self.crc.sum()
    }

    /// Tells whether nothing follows.
    pub(super) fn is_at_end(&mut self) -> Result<bool, String> {
        self.fill().map(|more| !more)
    }

    /// Hands on the next `count` bytes as they come.
    fn each(&mut self, count: u64, mut take: impl FnMut(&[u8])) -> Result<(), String> {
        let mut left = count;
        while left > 0 {
            if !self.fill()? {
                return Err(CUT_OFF.to_owned());
            }
            let there = self.end - self.at;
            let next = usize::try_from(left).map_or(there, |left| left.min(there));
            take(&self.buffer[self.at..self.at + next]);
            self.at += next;
            left -= next as u64;
        }
        Ok(())
    }

    pub(super) fn skip(&mut self, count: u64) -> Result<(), String> {
        self.each(count, |_| {})
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (mut bytes, mut at) = ([0; N], 0);
        self.each(N as u64, |piece| {
            bytes[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
        })?;
        Ok(bytes)
    }

    fn gather(&mut self, count: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::with_capacity(usize::try_from(count).unwrap_or(usize::MAX).min(MOST_AT_ONCE));
        self.each(count, |piece| bytes.extend_from_slice(piece))?;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, String> {
        if self.at < self.end {
            self.at += 1;
            return Ok(self.buffer[self.at - 1]);
        }
        self.bytes::<1>().map(|[byte]| byte)
    }

    fn length_or_encoding(&mut self) -> Result<Length, String> {
        let first = self.byte()?;
        Ok(match first >> 6 {
            0 => Length::Plain(u64::from(first)),
            1 => Length::Plain(u64::from(first & 0x3f) << 8 | u64::from(self.byte()?)),
            2 if first == 0x80 => Length::Plain(u64::from(u32::from_be_bytes(self.bytes()?))),
            2 if first == 0x81 => Length::Plain(u64::from_be_bytes(self.bytes()?)),
            2 => return Err(format!("a length begins with {first:#x}")),
            _ => Length::Encoded(first & 0x3f),
        })
    }

    pub(super) fn length(&mut self) -> Result<u64, String> {
        match self.length_or_encoding()? {
            Length::Plain(length) => Ok(length),
            Length::Encoded(_) => Err("a string stands where a length was to be".to_owned()),
        }
    }

    /// Reads a string, or only reads past it: then what is given is empty.
    pub(super) fn string(&mut self, is_wanted: bool) -> Result<Vec<u8>, String> {
        let decimal = |number: i64| number.to_string().into_bytes();
        match self.length_or_encoding()? {
            Length::Plain(length) if is_wanted => self.gather(length),
            Length::Plain(length) => self.skip(length).map(|()| Vec::new()),
            Length::Encoded(0) => Ok(decimal(i64::from(i8::from_le_bytes(self.bytes()?)))),
            Length::Encoded(1) => Ok(decimal(i64::from(i16::from_le_bytes(self.bytes()?)))),
            Length::Encoded(2) => Ok(decimal(i64::from(i32::from_le_bytes(self.bytes()?)))),
            Length::Encoded(3) => {
                let (packed, length) = (self.length()?, self.length()?);
                if !is_wanted {
                    return self.skip(packed).map(|()| Vec::new());
                }
                let packed = self.gather(packed)?;
                unpacked(&packed, length).ok_or_else(|| "a compressed string is damaged".to_owned())
            }
            Length::Encoded(other) => Err(format!("a string is written in a way ({other}) that is not known")),
        }
    }
}

/// Undoes LZF, where what comes out is as long as was said.
fn unpacked(packed: &[u8], length: u64) -> Option<Vec<u8>> {
    let length = usize::try_from(length).ok()?;
    let mut out: Vec<u8> = Vec::with_capacity(length.min(MOST_AT_ONCE));
    let mut rest = packed.iter().copied();
    while let Some(control) = rest.next() {
        let control = usize::from(control);
        if control < 32 {
            for _ in 0..=control {
                out.push(rest.next()?);
            }
        } else {
            let count = match control >> 5 {
                7 => 7 + usize::from(rest.next()?),
                some => some,
            } + 2;
            let back = ((control & 0x1f) << 8 | usize::from(rest.next()?)) + 1;
            let from = out.len().checked_sub(back)?;
            for at in from..from + count {
                out.push(out[at]);
            }
        }
        if out.len() > length {
            return None;
        }
    }
    (out.len() == length).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_strings_are_read_in_each_way_that_they_are_written() {
        for (bytes, expected) in [
            (&b"\x03abc"[..], &b"abc"[..]),
            (b"\x40\x01x", b"x"),
            (b"\x80\0\0\0\x02xy", b"xy"),
            (b"\x81\0\0\0\0\0\0\0\x02xy", b"xy"),
            (b"\xc0\xff", b"-1"),
            (b"\xc1\x00\x80", b"-32768"),
            (b"\xc2\x01\0\0\0", b"1"),
            (b"\xc3\x06\x12\x01ab\xe0\x07\x01", b"ababababababababab"),
        ] {
            let mut read = bytes;
            let mut source = Source::new(&mut read);
            let found = source.string(true);
            assert_eq!(found.as_deref(), Ok(expected), "{bytes:?}");
            assert!(source.is_at_end().unwrap());
            let mut read = bytes;
            let mut source = Source::new(&mut read);
            source.string(false).unwrap();
            assert!(source.is_at_end().unwrap(), "{bytes:?}");
        }
        for bytes in
            [&b"\x05abc"[..], b"", b"\x82", b"\xc4", b"\xc3\x03\x09\0a", b"\x81\xff\xff\xff\xff\xff\xff\xff\xff"]
        {
            let mut read = bytes;
            assert!(Source::new(&mut read).string(true).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_compressed_comes_back() {
        // `ab`, then sixteen bytes from two before.
        assert_eq!(unpacked(&[1, b'a', b'b', 0xe0, 7, 1], 18).as_deref(), Some(&b"ababababababababab"[..]));
        for (packed, length) in
            [(&[1, b'a', b'b', 0xe0, 7, 1][..], 17), (&[0xe0, 7, 1], 16), (&[1, b'a'], 2), (&[0xe0], 3)]
        {
            assert_eq!(unpacked(packed, length), None, "{packed:?}");
        }
    }
}
