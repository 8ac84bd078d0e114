//! Reads the SQL text that `pg_restore` makes of a dump, as a stream: which tables, how many rows of each, what else.
//!
//! The rows themselves are only counted, or digested besides.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use memchr::{memchr_iter, memmem};

use crate::snapshot::postgres::data::{Data, DataReader, WRITE_LARGE_OBJECT};
use crate::snapshot::postgres::definitions::{Definition, DefinitionReader};
use crate::snapshot::postgres::names::{canonical, qualified, shown};
use crate::snapshot::postgres::statements::{Part, Statements};
use crate::snapshot::postgres::words::name;

/// What a whole dump holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    /// Rows by table, named as the catalog names it.
    pub(crate) rows: BTreeMap<String, u64>,
    /// Rows by partition of those that are loaded by way of another table.
    pub(crate) rows_by_way: BTreeMap<String, u64>,
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
    /// Whether the text came to its end.
    pub(crate) complete: bool,
    /// The data themselves; nothing where they were only counted.
    pub(crate) data: Data,
    /// What it defines; nothing where its rows were only counted.
    pub(crate) definitions: Vec<Definition>,
}

/// The reader; fed with pieces of any size.
#[derive(Debug)]
pub(crate) struct ScriptReader {
    statements: Statements,
    held: Held,
}

/// What was read so far.
#[derive(Debug, Default)]
struct Held {
    script: Script,
    table: Option<String>,
    /// The table whose rows come according to the comment above them, where the statement itself may name another: rows of
    /// a partition are loaded by way of the partitioned table where their place may be another after a restore.
    announced: Option<String>,
    rows: u64,
    data: Option<DataReader>,
    definitions: Option<DefinitionReader>,
}

impl ScriptReader {
    /// Makes one that counts.
    pub(crate) fn counting() -> Self {
        ScriptReader { statements: Statements::new(), held: Held::default() }
    }

    /// Makes one that digests the data, and keeps the definitions, besides.
    pub(crate) fn digesting() -> Self {
        let (data, definitions) = (Some(DataReader::default()), Some(DefinitionReader::default()));
        let held = Held { data, definitions, ..Held::default() };
        ScriptReader { held, ..Self::counting() }
    }

    /// Takes the next piece.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        let Ok(()) = self.pass(piece, &mut |_| Ok::<(), Infallible>(()));
    }

    /// Takes the next piece, and passes its parts on to `take`.
    ///
    /// # Errors
    ///
    /// The first of `take`; nothing more can be fed then.
    pub(crate) fn pass<E>(&mut self, piece: &[u8], take: &mut impl FnMut(Part<'_>) -> Result<(), E>) -> Result<(), E> {
        let held = &mut self.held;
        self.statements.feed(piece, &mut |part| {
            held.take(part);
            take(part)
        })
    }

    /// Returns what was read, once the text has ended; `complete` is false where it broke off.
    pub(crate) fn finish(mut self) -> Script {
        self.held.script.complete = self.statements.is_whole();
        self.held.script.data = self.held.data.map(DataReader::finish).unwrap_or_default();
        self.held.script.definitions = self.held.definitions.map(DefinitionReader::finish).unwrap_or_default();
        self.held.script
    }
}

impl Held {
    fn take(&mut self, part: Part<'_>) {
        match part {
            Part::Statement(statement) => self.statement(statement),
            Part::Line(line) => self.comment(line),
            Part::Data(rows) => self.rows(rows),
            Part::EndOfData => {
                if let Some(partition) =
                    self.announced.take().filter(|partition| Some(partition) != self.table.as_ref())
                {
                    *self.script.rows_by_way.entry(partition).or_default() += self.rows;
                }
                if let Some(table) = self.table.take() {
                    *self.script.rows.entry(table).or_default() += self.rows;
                }
                if let Some(data) = &mut self.data {
                    data.table_ends();
                }
            }
        }
    }

    fn rows(&mut self, rows: &[u8]) {
        let mut begin = 0;
        for end in memchr_iter(b'\n', rows) {
            if let Some(data) = &mut self.data {
                data.row(&rows[begin..end]);
            }
            begin = end + 1;
            self.rows += 1;
        }
        if let Some(data) = &mut self.data {
            data.part_of_row(&rows[begin..]);
        }
    }

    fn comment(&mut self, line: &[u8]) {
        if let Some(definitions) = &mut self.definitions {
            definitions.comment(line);
        }
        if let Some(version) = line.strip_prefix(b"-- Dumped by pg_dump version ") {
            self.script.dumped_by = Some(String::from_utf8_lossy(version).trim_end().to_owned());
        } else if let Some(announced) = line.strip_prefix(b"-- Data for Name: ") {
            self.announced = announced_table(announced);
        }
    }

    fn statement(&mut self, statement: &[u8]) {
        if let Some(definitions) = &mut self.definitions {
            definitions.statement(statement);
        }
        if let Some(data) = &mut self.data {
            data.statement(statement.trim_ascii_end());
            if let Some(written) = statement.strip_prefix(WRITE_LARGE_OBJECT) {
                data.large_object(written);
            }
        }
        let after = |start: &str| statement.strip_prefix(start.as_bytes());
        if let Some(rest) = after("COPY ") {
            self.table = Some(canonical(name(rest)));
            self.rows = 0;
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

/// Reads `t1; Type: TABLE DATA; Schema: public; Owner: ann`, what stands for it where a name has such words in it aside.
fn announced_table(comment: &[u8]) -> Option<String> {
    let at = memmem::rfind(comment, b"; Type: TABLE DATA; Schema: ")?;
    let (table, rest) = (&comment[..at], &comment[at + b"; Type: TABLE DATA; Schema: ".len()..]);
    let end = memmem::rfind(rest, b"; Owner: ")?;
    Some(qualified(&rest[..end], table))
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

--
-- Data for Name: t 1; Type: TABLE DATA; Schema: public; Owner: ann
--

-- load via partition root public.root
COPY public.root (a) FROM stdin;
1
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
            rows_by_way: [("public.\"t 1\"".to_owned(), 1)].into(),
            rows: [
                ("public.root".to_owned(), 1),
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
            definitions: Vec::new(),
        };
        for piece in [1, 2, 3, 7, 64, 4096] {
            let found = Script { data: Data::default(), definitions: Vec::new(), ..read(TEXT.as_bytes(), piece) };
            assert_eq!(found, expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn the_data_are_digested_in_pieces_of_any_size() {
        let Data { tables, sequences, large_objects, encoding } = read(TEXT.as_bytes(), 4096).data;
        let rows: Vec<_> =
            tables.iter().map(|(statement, digest)| (String::from_utf8_lossy(statement), digest.rows)).collect();
        let odd = "COPY public.\"we \"\"(ird\nCOPY public.false\" (a)";
        let (root, t, z) = ("COPY public.root (a)", "COPY public.t (a, b)", "COPY public.z ");
        assert_eq!(rows, [(odd.into(), 0), (root.into(), 1), (t.into(), 4), (z.into(), 2)]);
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
