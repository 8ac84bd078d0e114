//! Cuts the SQL text that `pg_restore` makes of a dump into its statements and the rows of its tables, as a stream.
//!
//! The text of a function or a comment may look like anything, also like the start of a table's data. So statements are
//! told apart by their quotes (`'`, `"`, `$tag$`), parentheses (the actions of a rule) and `BEGIN ATOMIC`, as psql does it.

use memchr::{memchr, memmem};

/// A piece of the text. What stands between statements is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A statement with its semicolon and the end of its line.
    Statement(&'a [u8]),
    /// A comment, or a command of psql, with the end of its line.
    Line(&'a [u8]),
    /// Rows of the table that the last statement copies into, cut anywhere.
    Data(&'a [u8]),
    /// The end of those rows.
    EndOfData,
}

/// What ends the rows of a table, after the end of a line.
const END_OF_DATA: &[u8] = b"\\.\n";

/// The line with which `pg_restore` ends a text.
const COMPLETE: &[u8] = b"-- PostgreSQL database dump complete";

#[derive(Debug, PartialEq, Eq)]
enum Within {
    /// Between statements or in one, outside quotes.
    Sql,
    /// In quotes that this byte ends.
    Quote(u8),
    /// In quotes that this text ends; where they begin.
    Dollar(Vec<u8>, usize),
    /// A comment or a command of psql, up to the end of the line.
    Line,
    /// Rows of a table.
    Data,
}

/// The cutter; fed with pieces of any size.
#[derive(Debug)]
pub(crate) struct Statements {
    within: Within,
    /// The present statement or line; in data, what may be the end of them.
    kept: Vec<u8>,
    /// A `$` was met, and perhaps a tag after it.
    tag: Option<Vec<u8>>,
    /// Parentheses that are open.
    open: usize,
    /// Whether the present statement is a function whose body is statements.
    atomic: bool,
    line_begins: bool,
    last: u8,
    /// Whether the line was met with which a text ends.
    complete: bool,
}

impl Statements {
    pub(crate) fn new() -> Self {
        Statements {
            within: Within::Sql,
            kept: Vec::new(),
            tag: None,
            open: 0,
            atomic: false,
            line_begins: true,
            last: b'\n',
            complete: false,
        }
    }

    /// Takes the next piece, and gives what it completes to `take`.
    ///
    /// # Errors
    ///
    /// The first of `take`; nothing more can be fed then.
    pub(crate) fn feed<E>(
        &mut self,
        mut piece: &[u8],
        take: &mut impl FnMut(Part<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(first) = piece.first() {
            let used = match &self.within {
                Within::Data => self.data(piece, take)?,
                Within::Quote(end) => self.quoted(piece, *end),
                Within::Line => self.line(piece, take)?,
                Within::Dollar(..) => self.dollar(piece),
                Within::Sql => self.sql(*first, take)?,
            };
            self.last = piece[used - 1];
            piece = &piece[used..];
        }
        Ok(())
    }

    /// Tells whether the text came to its end: it does not break off.
    pub(crate) fn is_whole(&self) -> bool {
        self.complete && self.within == Within::Sql && self.kept.is_empty()
    }

    fn data<E>(&mut self, piece: &[u8], take: &mut impl FnMut(Part<'_>) -> Result<(), E>) -> Result<usize, E> {
        if self.line_begins {
            // At most three bytes tell whether this line is the end.
            let missing = &END_OF_DATA[self.kept.len()..];
            let same = missing.iter().zip(piece).take_while(|(one, other)| one == other).count();
            if same == missing.len() {
                self.kept.clear();
                self.within = Within::Sql;
                take(Part::EndOfData)?;
                return Ok(same);
            }
            if same == piece.len() {
                self.kept.extend_from_slice(piece);
                return Ok(same);
            }
            self.line_begins = false;
            if !self.kept.is_empty() {
                take(Part::Data(&self.kept))?;
                self.kept.clear();
            }
        }
        let used = match memmem::find(piece, b"\n\\.\n") {
            Some(at) => at + 1,
            None => {
                let begun = [b"\n\\.".as_slice(), b"\n\\", b"\n"].into_iter().find(|begun| piece.ends_with(begun));
                piece.len() + 1 - begun.map_or(1, <[u8]>::len)
            }
        };
        self.line_begins = piece[used - 1] == b'\n';
        take(Part::Data(&piece[..used]))?;
        Ok(used)
    }

    fn quoted(&mut self, piece: &[u8], end: u8) -> usize {
        let used = memchr(end, piece).map_or(piece.len(), |at| at + 1);
        self.kept.extend_from_slice(&piece[..used]);
        if piece[used - 1] == end {
            // A doubled quote ends one quotation and begins the next.
            self.within = Within::Sql;
        }
        used
    }

    fn line<E>(&mut self, piece: &[u8], take: &mut impl FnMut(Part<'_>) -> Result<(), E>) -> Result<usize, E> {
        let used = memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
        self.kept.extend_from_slice(&piece[..used]);
        if piece[used - 1] == b'\n' {
            self.within = Within::Sql;
            self.complete |= self.kept.starts_with(COMPLETE);
            take(Part::Line(&self.kept))?;
            self.kept.clear();
        }
        Ok(used)
    }

    fn dollar(&mut self, piece: &[u8]) -> usize {
        let used = memchr(b'$', piece).map_or(piece.len(), |at| at + 1);
        self.kept.extend_from_slice(&piece[..used]);
        if let Within::Dollar(end, from) = &self.within
            && self.kept[*from..].ends_with(end)
        {
            self.within = Within::Sql;
        }
        used
    }

    fn sql<E>(&mut self, byte: u8, take: &mut impl FnMut(Part<'_>) -> Result<(), E>) -> Result<usize, E> {
        if self.kept.is_empty() {
            match byte {
                b'\n' | b' ' => return Ok(1),
                b'\\' => self.within = Within::Line,
                _ => {}
            }
        }
        self.kept.push(byte);
        let in_name = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80;
        if let Some(tag) = &mut self.tag {
            tag.push(byte);
            if byte == b'$' {
                self.within = Within::Dollar(std::mem::take(tag), self.kept.len());
                self.tag = None;
                return Ok(1);
            }
            // `$1` is a parameter, and a tag is a name.
            if !in_name(byte) || (tag.len() == 2 && byte.is_ascii_digit()) {
                self.tag = None;
            }
        } else if byte == b'$' && !in_name(self.last) {
            self.tag = Some(vec![byte]);
        }
        match byte {
            b'\'' | b'"' => self.within = Within::Quote(byte),
            b'-' if self.kept == b"--" => self.within = Within::Line,
            b'(' => self.open += 1,
            b')' => self.open = self.open.saturating_sub(1),
            b'\n' => self.line_ends(take)?,
            _ => {}
        }
        Ok(1)
    }

    fn line_ends<E>(&mut self, take: &mut impl FnMut(Part<'_>) -> Result<(), E>) -> Result<(), E> {
        let function = [b"CREATE FUNCTION ".as_slice(), b"CREATE PROCEDURE "];
        if self.kept.ends_with(b"BEGIN ATOMIC\n") && function.iter().any(|begin| self.kept.starts_with(begin)) {
            self.atomic = true;
        }
        if self.last != b';' || self.open > 0 || (self.atomic && !self.kept.ends_with(b"\nEND;\n")) {
            return Ok(());
        }
        if self.kept.starts_with(b"COPY ") {
            (self.within, self.line_begins) = (Within::Data, true);
        }
        self.atomic = false;
        let statement = std::mem::take(&mut self.kept);
        take(Part::Statement(&statement))?;
        self.kept = statement;
        self.kept.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"--
-- PostgreSQL database dump
--

\restrict abc'def

CREATE FUNCTION public.f(a integer) RETURNS text
    LANGUAGE sql
    AS $_$select $1; select $$
COPY public.false FROM stdin;
$$$_$;

COMMENT ON TABLE public.t IS 'it''s $$ -- "
COPY public.false (a) FROM stdin;
';

CREATE FUNCTION public.g() RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT
     CASE
         WHEN true THEN 1
         ELSE 2
     END;
 SELECT 1;
END;

CREATE RULE r AS ON INSERT TO public.t DO ( SELECT 1;
 SELECT 2;
);

COPY public.t (a, b) FROM stdin;
1	'
2	"
\\.
3	\.
\N	.
\.

COPY public.z  FROM stdin;
\.

SELECT 1;
"#;

    fn parts(text: &[u8], piece: usize) -> (Vec<(char, String)>, bool) {
        let mut cutter = Statements::new();
        let mut parts: Vec<(char, String)> = Vec::new();
        for piece in text.chunks(piece) {
            let mut take = |part: Part<'_>| {
                let (kind, bytes) = match part {
                    Part::Statement(bytes) => ('s', bytes),
                    Part::Line(bytes) => ('l', bytes),
                    Part::Data(bytes) => ('d', bytes),
                    Part::EndOfData => ('e', b"".as_slice()),
                };
                let bytes = String::from_utf8_lossy(bytes);
                match parts.last_mut() {
                    Some(('d', data)) if kind == 'd' => data.push_str(&bytes),
                    _ => parts.push((kind, bytes.into_owned())),
                }
                Ok::<(), ()>(())
            };
            cutter.feed(piece, &mut take).unwrap();
        }
        (parts, cutter.is_whole())
    }

    #[test]
    fn statements_and_rows_are_told_apart_whatever_stands_in_texts() {
        let (whole, _) = parts(TEXT.as_bytes(), TEXT.len());
        let begins: Vec<String> = whole.iter().map(|(kind, text)| format!("{kind} {:.14}", text)).collect();
        assert_eq!(
            begins,
            [
                "l --\n",
                "l -- PostgreSQL ",
                "l --\n",
                "l \\restrict abc'",
                "s CREATE FUNCTIO",
                "s COMMENT ON TAB",
                "s CREATE FUNCTIO",
                "s CREATE RULE r ",
                "s COPY public.t ",
                "d 1\t'\n2\t\"\n\\\\.\n3\t",
                "e ",
                "s COPY public.z ",
                "e ",
                "s SELECT 1;\n"
            ]
        );
        assert!(whole[6].1.ends_with("SELECT 1;\nEND;\n") && whole[9].1.ends_with("\\.\n\\N\t.\n"), "{whole:?}");
        for piece in [1, 2, 3, 7, 64] {
            assert_eq!(parts(TEXT.as_bytes(), piece).0, whole, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_text_is_whole_once_its_last_line_was_met_outside_a_statement() {
        let end = "--\n-- PostgreSQL database dump complete\n--\n";
        let cases = [
            (format!("{TEXT}{end}\\unrestrict abc\n"), true),
            (TEXT.to_owned(), false),
            (format!("{TEXT}SELECT '\n{end}'"), false),
            (format!("{end}SELECT 1"), false),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text.as_bytes(), 7).1, expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost_of_rows_and_no_input_makes_it_panic(
            rows in proptest::collection::vec("[\\\\.a]{0,4}", 0..20), rest in proptest::collection::vec(0u8..128, 0..200),
            piece in 1usize..20,
        ) {
            let rows: String = rows.iter().filter(|row| *row != "\\.").map(|row| format!("{row}\n")).collect();
            let text = format!("COPY t FROM stdin;\n{rows}\\.\n");
            let (found, _) = parts(text.as_bytes(), piece);
            let data: String = found.iter().filter(|(kind, _)| *kind == 'd').map(|(_, text)| text.as_str()).collect();
            proptest::prop_assert_eq!(data, rows);
            let _ = parts(&rest, piece);
        }
    }
}
