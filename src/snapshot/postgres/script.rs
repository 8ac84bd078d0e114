//! Reads the SQL text that `pg_restore` makes of a dump, as a stream: which tables, how many rows of each, what else.
//!
//! The text of a function or a comment may look like anything, also like the start of a table's data. So statements are
//! told apart by their quotes (`'`, `"`, `$tag$`), as a server would do it; the rows themselves are only counted.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memchr;

use crate::snapshot::postgres::data::{Data, DataReader, WRITE_LARGE_OBJECT};
use crate::snapshot::postgres::names::{canonical, shown};

/// What a whole dump holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    /// Rows by table, named as the catalog names it.
    pub(crate) rows: BTreeMap<String, u64>,
    /// Materialised views.
    pub(crate) materialised: BTreeSet<String>,
    /// Extensions that it creates.
    pub(crate) extensions: Vec<String>,
    /// Large objects whose content it holds.
    pub(crate) large_objects: u64,
    /// Sequences whose value it sets.
    pub(crate) sequences: u64,
    /// The version of `pg_dump` that wrote it.
    pub(crate) dumped_by: Option<String>,
    /// Whether the line was seen with which `pg_restore` ends.
    pub(crate) complete: bool,
    /// The data themselves; nothing where they were only counted.
    pub(crate) data: Data,
}

/// How much of a statement's beginning is kept: enough for a schema and a name of 63 bytes, quoted and doubled.
const KEPT: usize = 1024;
/// How a line of a table's data ends the table.
const END_OF_DATA: &[u8] = b"\\.";

#[derive(Debug, PartialEq, Eq)]
enum Within {
    /// Between statements or in one, outside quotes.
    Sql,
    /// In quotes that this byte ends.
    Quote(u8),
    /// In quotes that this text ends.
    Dollar(Vec<u8>),
    /// A comment or a command of psql, up to the end of the line.
    Line,
    /// Rows of a table.
    Data,
}

/// The reader; fed with pieces of any size.
#[derive(Debug)]
pub(crate) struct ScriptReader {
    script: Script,
    within: Within,
    /// The beginning of the present statement or line; in data, of the present line.
    kept: Vec<u8>,
    /// A `$` was met, and perhaps a tag after it.
    tag: Option<Vec<u8>>,
    table: Option<String>,
    rows: u64,
    last: u8,
    data: Option<DataReader>,
}

impl ScriptReader {
    /// Makes one that counts.
    pub(crate) fn counting() -> Self {
        ScriptReader {
            script: Script::default(),
            within: Within::Sql,
            kept: Vec::new(),
            tag: None,
            table: None,
            rows: 0,
            last: b'\n',
            data: None,
        }
    }

    /// Makes one that digests the data besides.
    pub(crate) fn digesting() -> Self {
        ScriptReader { data: Some(DataReader::default()), ..Self::counting() }
    }

    /// Takes the next piece.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) {
        while let Some(first) = piece.first() {
            let used = match &self.within {
                Within::Data => self.data(piece),
                Within::Quote(end) => self.quoted(piece, *end),
                Within::Line => self.line(piece),
                Within::Dollar(_) => self.dollar(*first),
                Within::Sql => self.sql(*first),
            };
            self.last = piece[used - 1];
            piece = &piece[used..];
        }
    }

    /// Returns what was read, once the text has ended; `complete` is false where it broke off.
    pub(crate) fn finish(mut self) -> Script {
        self.script.complete &= matches!(self.within, Within::Sql) && self.table.is_none();
        self.script.data = self.data.map(DataReader::finish).unwrap_or_default();
        self.script
    }

    fn data(&mut self, piece: &[u8]) -> usize {
        let mut at = 0;
        while let Some(end) = memchr(b'\n', &piece[at..]) {
            let line = &piece[at..at + end];
            at += end + 1;
            let ends = match self.kept.is_empty() {
                true => line == END_OF_DATA,
                false => self.kept.len() + line.len() == 2 && [self.kept.as_slice(), line].concat() == END_OF_DATA,
            };
            self.kept.clear();
            if ends {
                if let Some(table) = self.table.take() {
                    *self.script.rows.entry(table).or_default() += self.rows;
                }
                if let Some(data) = &mut self.data {
                    data.table_ends();
                }
                self.within = Within::Sql;
                return at;
            }
            if let Some(data) = &mut self.data {
                data.row(line);
            }
            self.rows += 1;
        }
        // An unfinished line: three bytes of it are enough to see that it is not the end.
        let rest = &piece[at..];
        if let Some(data) = &mut self.data {
            data.part_of_row(rest);
        }
        let room = 3usize.saturating_sub(self.kept.len()).min(rest.len());
        self.kept.extend_from_slice(&rest[..room]);
        piece.len()
    }

    fn quoted(&mut self, piece: &[u8], end: u8) -> usize {
        let used = memchr(end, piece).map_or(piece.len(), |at| at + 1);
        if let Some(data) = &mut self.data
            && self.kept.starts_with(WRITE_LARGE_OBJECT)
        {
            data.large_object(&piece[..used]);
        }
        self.keep(&piece[..used]);
        if piece[used - 1] == end {
            // A doubled quote ends one quotation and begins the next.
            self.within = Within::Sql;
        }
        used
    }

    fn line(&mut self, piece: &[u8]) -> usize {
        let used = memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
        self.keep(&piece[..used]);
        if piece[used - 1] == b'\n' {
            self.comment();
            self.kept.clear();
            self.within = Within::Sql;
        }
        used
    }

    fn dollar(&mut self, byte: u8) -> usize {
        let Within::Dollar(end) = &self.within else { return 1 };
        let end = end.clone();
        let met = self.tag.get_or_insert_with(Vec::new);
        met.push(byte);
        if *met == end {
            self.tag = None;
            self.within = Within::Sql;
        } else if !end.starts_with(met) {
            *met = if byte == b'$' { vec![byte] } else { Vec::new() };
        }
        1
    }

    fn sql(&mut self, byte: u8) -> usize {
        if let Some(tag) = &mut self.tag {
            tag.push(byte);
            if byte == b'$' {
                self.within = Within::Dollar(std::mem::take(tag));
                self.tag = None;
                return 1;
            }
            // `$1` is a parameter, and a tag is a name.
            let first = tag.len() == 2;
            if !(byte == b'_' || byte.is_ascii_alphabetic() || byte >= 0x80 || (byte.is_ascii_digit() && !first)) {
                self.tag = None;
            }
        } else if byte == b'$' && !(self.last.is_ascii_alphanumeric() || self.last == b'_') {
            self.tag = Some(vec![byte]);
        }
        if self.kept.is_empty() {
            match byte {
                b'\n' | b' ' => return 1,
                b'\\' => self.within = Within::Line,
                _ => {}
            }
        }
        self.keep(&[byte]);
        match byte {
            b'\'' | b'"' => self.within = Within::Quote(byte),
            b'-' if self.kept == b"--" => self.within = Within::Line,
            b'\n' if self.last == b';' => self.statement(),
            _ => {}
        }
        1
    }

    fn keep(&mut self, bytes: &[u8]) {
        // A table's columns may be many.
        let most = if self.kept.starts_with(b"COPY ") { usize::MAX } else { KEPT };
        let room = most.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..room]);
    }

    fn comment(&mut self) {
        if self.kept.starts_with(b"-- PostgreSQL database dump complete") {
            self.script.complete = true;
        } else if let Some(version) = self.kept.strip_prefix(b"-- Dumped by pg_dump version ") {
            self.script.dumped_by = Some(String::from_utf8_lossy(version).trim_end().to_owned());
        }
    }

    fn statement(&mut self) {
        let statement = std::mem::take(&mut self.kept);
        if let Some(data) = &mut self.data {
            data.statement(statement.trim_ascii_end());
        }
        let after = |start: &str| statement.strip_prefix(start.as_bytes());
        if let Some(rest) = after("COPY ") {
            self.table = Some(canonical(name(rest)));
            self.rows = 0;
            self.within = Within::Data;
        } else if let Some(rest) = after("CREATE MATERIALIZED VIEW ") {
            self.script.materialised.insert(canonical(name(rest)));
        } else if let Some(rest) = after("CREATE EXTENSION IF NOT EXISTS ") {
            let name = shown(name(rest));
            self.script.extensions.push(name.trim_matches('"').to_owned());
        } else if after("SELECT pg_catalog.lo_open(").is_some() {
            self.script.large_objects += 1;
        } else if after("SELECT pg_catalog.setval(").is_some() {
            self.script.sequences += 1;
        }
    }
}

/// Reads the name at the beginning of a text: up to the first blank or parenthesis outside double quotes.
pub(crate) fn name(text: &[u8]) -> &[u8] {
    let mut quoted = false;
    let end = text.iter().position(|byte| {
        quoted ^= *byte == b'"';
        !quoted && matches!(byte, b' ' | b'\n' | b'(' | b';')
    });
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"--
-- PostgreSQL database dump
--

\restrict abc'def

-- Dumped by pg_dump version 15.18 (Debian)
SET client_encoding = 'UTF8';

CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;

CREATE FUNCTION public.f(a integer) RETURNS text
    LANGUAGE sql
    AS $_$select $1; select '
COPY public.false FROM stdin;
'$_$;

COMMENT ON TABLE public.t IS 'it''s $$ -- "
COPY public.false (a) FROM stdin;
';

CREATE MATERIALIZED VIEW public.mv AS
 SELECT 1
  WITH NO DATA;

CREATE FUNCTION public.g() RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT 1;
END;

COPY public.t (a, b) FROM stdin;
1	'
2	"
\\.
3	$x$
\.

COPY public."we ""(ird
COPY public.false" (a) FROM stdin;
\.

COPY public.z  FROM stdin;


\.

SELECT pg_catalog.setval('public.s', 1, false);

SELECT pg_catalog.lo_open('16397', 131072);
SELECT pg_catalog.lowrite(0, '\x27');
SELECT pg_catalog.lo_close(0);

--
-- PostgreSQL database dump complete
--

\unrestrict abc'def

"#;

    fn read(text: &[u8], piece: usize) -> Script {
        let mut reader = ScriptReader::digesting();
        text.chunks(piece).for_each(|piece| reader.feed(piece));
        reader.finish()
    }

    #[test]
    fn tables_and_rows_are_counted_whatever_stands_in_texts() {
        let expected = Script {
            rows: [
                ("public.t".to_owned(), 4),
                ("public.\"we \"\"(ird\nCOPY public.false\"".to_owned(), 0),
                ("public.z".to_owned(), 2),
            ]
            .into(),
            materialised: ["public.mv".to_owned()].into(),
            extensions: vec!["uuid-ossp".to_owned()],
            large_objects: 1,
            sequences: 1,
            dumped_by: Some("15.18 (Debian)".to_owned()),
            complete: true,
            data: Data::default(),
        };
        for piece in [1, 2, 3, 7, 64, 4096] {
            let found = Script { data: Data::default(), ..read(TEXT.as_bytes(), piece) };
            assert_eq!(found, expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn the_data_are_digested_in_pieces_of_any_size() {
        let Data { tables, sequences, large_objects, encoding } = read(TEXT.as_bytes(), 4096).data;
        let rows: Vec<_> =
            tables.iter().map(|(statement, digest)| (String::from_utf8_lossy(statement), digest.rows)).collect();
        let odd = "COPY public.\"we \"\"(ird\nCOPY public.false\" (a)";
        assert_eq!(rows, [(odd.into(), 0), ("COPY public.t (a, b)".into(), 4), ("COPY public.z ".into(), 2)]);
        assert_eq!((sequences.len(), large_objects.rows, &*encoding), (1, 1, b"UTF8".as_slice()));
        for piece in [1, 2, 3, 7, 64] {
            let other = read(TEXT.as_bytes(), piece).data;
            assert_eq!((&other.tables, other.large_objects), (&tables, large_objects), "in pieces of {piece}");
        }
    }

    #[test]
    fn a_text_that_breaks_off_is_not_complete() {
        let whole = TEXT.find("database dump complete").unwrap();
        for cut in (0..whole).step_by(5) {
            assert!(!read(&TEXT.as_bytes()[..cut], 100).complete, "cut at {cut}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_input_makes_it_panic(text in proptest::collection::vec(0u8..128, 0..400), piece in 1usize..20) {
            let _ = read(&text, piece);
        }
    }
}
