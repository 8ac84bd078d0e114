//! What a dump's data are: a digest of each table's rows and of the large objects, the values of the sequences.
//!
//! It is made while a dump is read back for a restore, and compared with what the restored database gives.

use std::collections::BTreeMap;

use crate::snapshot::digest::{Digest, Lines};
use crate::snapshot::postgres::words::quoted;

/// The data of a whole dump.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Data {
    /// By the beginning of the statement that loads them: `COPY public.t (a, b)`, in the dump's own bytes.
    pub(crate) tables: BTreeMap<Vec<u8>, Digest>,
    /// By name, quoted as in a statement, in the dump's own bytes.
    pub(crate) sequences: BTreeMap<Vec<u8>, SequenceValue>,
    /// The lines that [`large_objects`] gives.
    pub(crate) large_objects: Digest,
    /// The encoding that the dump is in.
    pub(crate) encoding: Vec<u8>,
}

/// Where a sequence stands: the number as it is written, and whether it was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SequenceValue {
    pub(crate) last: Vec<u8>,
    pub(crate) is_called: bool,
}

/// Bytes of a large object in one line.
const LARGE_OBJECT_PIECE: usize = 16 * 1024;

/// Lists the large objects of a database, piece by piece, as [`DataReader`] digests those of a dump.
pub(crate) fn large_objects() -> String {
    format!(
        "COPY (SELECT m.oid, n, pg_catalog.encode(pg_catalog.lo_get(m.oid, n * {LARGE_OBJECT_PIECE}, {LARGE_OBJECT_PIECE}), 'hex') \
         FROM pg_catalog.pg_largeobject_metadata m, \
         LATERAL (SELECT pg_catalog.lo_lseek64(pg_catalog.lo_open(m.oid, 262144), 0, 2) AS size) s, \
         pg_catalog.generate_series(0, (s.size + {LARGE_OBJECT_PIECE} - 1) / {LARGE_OBJECT_PIECE} - 1) n) TO STDOUT"
    )
}

/// The beginning of the statement that writes a piece of the large object that was opened last.
pub(crate) const WRITE_LARGE_OBJECT: &[u8] = b"SELECT pg_catalog.lowrite(0, '";

/// Takes the data of a dump as its text is read.
#[derive(Debug, Default)]
pub(crate) struct DataReader {
    data: Data,
    /// The table whose rows come.
    table: Vec<u8>,
    rows: Lines,
    large_objects: Lines,
    /// The number of the large object that is open, and of the next piece of it.
    open: (Vec<u8>, u64),
    /// Hexadecimal digits of that piece.
    digits: Vec<u8>,
}

impl DataReader {
    /// Takes the end of a row, or a whole one.
    pub(crate) fn row(&mut self, rest: &[u8]) {
        self.rows.end(rest);
    }

    /// Takes a part of a row that goes on.
    pub(crate) fn part_of_row(&mut self, part: &[u8]) {
        self.rows.part(part);
    }

    pub(crate) fn table_ends(&mut self) {
        *self.data.tables.entry(std::mem::take(&mut self.table)).or_default() += self.rows.take();
    }

    /// Takes a part of the text that a statement of [`WRITE_LARGE_OBJECT`] writes: `\x`, then digits.
    pub(crate) fn large_object(&mut self, part: &[u8]) {
        for byte in part.iter().filter(|byte| byte.is_ascii_hexdigit()) {
            self.digits.push(*byte);
            if self.digits.len() == 2 * LARGE_OBJECT_PIECE {
                self.piece();
            }
        }
    }

    fn piece(&mut self) {
        let (number, piece) = &mut self.open;
        self.large_objects.part(number);
        self.large_objects.part(format!("\t{piece}\t").as_bytes());
        self.large_objects.end(&self.digits);
        *piece += 1;
        self.digits.clear();
    }

    /// Takes the beginning of a statement; that of one that loads a table is whole.
    pub(crate) fn statement(&mut self, statement: &[u8]) {
        let after = |start: &str| statement.strip_prefix(start.as_bytes());
        if let Some(table) = statement.strip_suffix(b" FROM stdin;").filter(|text| text.starts_with(b"COPY ")) {
            self.table = table.to_owned();
        } else if let Some(rest) = after("SELECT pg_catalog.setval(") {
            self.data.sequences.extend(set_value(rest));
        } else if let Some(rest) = after("SELECT pg_catalog.lo_open('") {
            self.open = (rest.iter().take_while(|byte| byte.is_ascii_digit()).copied().collect(), 0);
        } else if statement.starts_with(b"SELECT pg_catalog.lo_close(") && !self.digits.is_empty() {
            self.piece();
        } else if let Some(rest) = after("SET client_encoding = '") {
            self.data.encoding = rest.iter().take_while(|byte| **byte != b'\'').copied().collect();
        }
    }

    pub(crate) fn finish(mut self) -> Data {
        self.data.large_objects = self.large_objects.take();
        self.data
    }
}

/// Reads what stands between the parentheses of `setval('public.s', 1, true);`.
fn set_value(text: &[u8]) -> Option<(Vec<u8>, SequenceValue)> {
    let (length, name) = Some(text).filter(|text| text.starts_with(b"'")).map(quoted)?;
    let rest = text[length..].strip_prefix(b", ")?;
    let end = rest.iter().position(|byte| *byte == b',')?;
    let is_called = rest[end..].starts_with(b", true");
    Some((name, SequenceValue { last: rest[..end].to_owned(), is_called }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_sequence_is_read() {
        let value = |last: &str, is_called| SequenceValue { last: last.into(), is_called };
        let cases = [
            ("'public.s', 12, true);", "public.s", value("12", true)),
            (r#"'"it''s".", ""''"', -3, false);"#, r#""it's".", ""'""#, value("-3", false)),
        ];
        for (text, name, value) in cases {
            assert_eq!(set_value(text.as_bytes()), Some((name.into(), value)));
        }
        assert_eq!(set_value(b"'public.s"), None);
    }

    #[test]
    fn large_objects_are_the_same_however_they_were_written() {
        let written = |pieces: &[&str]| {
            let mut reader = DataReader::default();
            reader.statement(b"SELECT pg_catalog.lo_open('16397', 131072);");
            pieces.iter().for_each(|piece| reader.large_object(piece.as_bytes()));
            reader.statement(b"SELECT pg_catalog.lo_close(0);");
            reader.finish().large_objects
        };
        let all = "ab".repeat(20_000);
        assert_eq!(written(&[&all]), written(&[&all[..1_001], &all[1_001..]]));
        assert_eq!((written(&[&all]).rows, written(&[]).rows), (2, 0));
        assert_ne!(written(&[&all]), written(&[&all.replacen('b', "c", 1)]));
    }
}
