//! Takes a dump apart into its statements as it streams by, of any length, and digests the rows of its INSERTs.
//!
//! What is between quotes or in comments ends nothing; what stands in comments that servers execute (`/*!40101 … */`,
//! `/*M!100616 … */`) counts like any other text. DELIMITER is the client's own word, at the beginning of a line.

use memchr::memchr2;

use crate::snapshot::digest::{Digest, Lines};

/// The longest statement other than an INSERT that is held whole, in bytes.
const LONGEST_HELD: usize = 64 * 1024 * 1024;

/// What is given the statements.
pub(crate) trait Sink {
    /// A statement that is no INSERT of rows, without its delimiter and what stands before it.
    fn statement(&mut self, text: &[u8]);

    /// An INSERT begins: all of it up to and with `VALUES`.
    fn insert_begins(&mut self, head: &[u8]);

    /// It goes on.
    fn insert_part(&mut self, bytes: &[u8]);

    /// It has ended: with these rows, and as many bytes all in all.
    fn insert_ends(&mut self, rows: Digest, length: u64);

    /// A line of comment between statements, without its mark: `Dump completed`.
    fn comment(&mut self, line: &[u8]);
}

/// Where in a statement the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Plain,
    /// Text between such quotes.
    Quotes(u8),
    /// `-- …` or `# …` to the end of the line.
    LineComment,
    /// `/* … */`, of which no server executes anything.
    BlockComment,
}

/// How a server reads what stands between quotes, which decides where a statement ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mode {
    /// `NO_BACKSLASH_ESCAPES`: `\` is a character like any other.
    without_escapes: bool,
    /// `ANSI_QUOTES`: names stand between double quotes.
    has_quoted_names: bool,
}

impl Mode {
    /// Reads what a statement makes of it; `None` where it does not set it. What it is put back to is that of the dump's
    /// beginning.
    fn set_by(text: &[u8]) -> Option<Mode> {
        if !is_setting(text) {
            return None;
        }
        let text = text.to_ascii_uppercase();
        let after = |at: usize| text[at + b"SQL_MODE".len()..].trim_ascii_start().strip_prefix(b"=");
        let is_of_the_session = |at: &usize| *at > 0 && matches!(text[at - 1], b' ' | b',' | b'\t' | b'\n');
        let value = memchr::memmem::find_iter(&text, b"SQL_MODE").filter(is_of_the_session).find_map(after)?;
        let has = |word: &[u8]| memchr::memmem::find(value, word).is_some();
        Some(match value.trim_ascii_start().first() {
            Some(b'@') => Mode::default(),
            _ => Mode { without_escapes: has(b"NO_BACKSLASH_ESCAPES"), has_quoted_names: has(b"ANSI_QUOTES") },
        })
    }

    /// Tells whether `\` takes the next byte's meaning away between such quotes.
    fn escapes(self, quote: u8) -> bool {
        match quote {
            b'`' => false,
            b'"' => !self.without_escapes && !self.has_quoted_names,
            _ => !self.without_escapes,
        }
    }
}

/// Tells whether a statement sets variables, also in a comment that servers execute: `/*!50003 SET …`.
fn is_setting(text: &[u8]) -> bool {
    let executed = text.strip_prefix(b"/*!").or_else(|| text.strip_prefix(b"/*M!"));
    let digits = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = executed.map_or(text, |rest| rest[digits(rest)..].trim_ascii_start());
    text.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"SET "))
}

/// Takes the text of a dump apart.
#[derive(Debug)]
pub(crate) struct Splitter {
    within: Within,
    /// The statement so far, or, of an INSERT, its head.
    held: Vec<u8>,
    /// The last bytes before a piece's end that could begin something.
    pending: Vec<u8>,
    delimiter: Vec<u8>,
    is_inserting: bool,
    is_in_row: bool,
    /// The next byte is escaped by `\`.
    is_escaped: bool,
    /// How statements are read, as the last `SET sql_mode` says.
    mode: Mode,
    rows: Lines,
    length: u64,
    comment: Vec<u8>,
    /// The last two bytes of a block comment seen so far end it.
    last: u8,
    fault: Option<&'static str>,
}

impl Default for Splitter {
    fn default() -> Self {
        Splitter {
            within: Within::Plain,
            held: Vec::new(),
            pending: Vec::new(),
            delimiter: b";".to_vec(),
            is_inserting: false,
            is_in_row: false,
            is_escaped: false,
            mode: Mode::default(),
            rows: Lines::default(),
            length: 0,
            comment: Vec::new(),
            last: 0,
            fault: None,
        }
    }
}

/// How many bytes are looked at together: what begins a comment that servers execute, or a delimiter of usual length.
const AHEAD: usize = 16;

impl Splitter {
    /// Takes the next piece.
    pub(crate) fn feed(&mut self, piece: &[u8], sink: &mut impl Sink) {
        if self.pending.is_empty() {
            self.take(piece, false, sink);
            return;
        }
        // Few bytes: those that could not be told without what follows them.
        let mut joined = std::mem::take(&mut self.pending);
        let (near, far) = piece.split_at(piece.len().min(4 * AHEAD));
        joined.extend_from_slice(near);
        if far.is_empty() {
            self.take(&joined, false, sink);
        } else {
            self.take(&joined, false, sink);
            let mut rest = std::mem::take(&mut self.pending);
            if rest.is_empty() {
                self.take(far, false, sink);
            } else {
                rest.extend_from_slice(far);
                self.take(&rest, false, sink);
            }
        }
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    ///
    /// What is wrong with the text as a whole, a phrase.
    pub(crate) fn finish(mut self, sink: &mut impl Sink) -> Result<(), &'static str> {
        let rest = std::mem::take(&mut self.pending);
        self.take(&rest, true, sink);
        if self.within == Within::LineComment {
            sink.comment(&self.comment);
            self.within = Within::Plain;
        }
        match self.fault {
            Some(fault) => Err(fault),
            None if self.is_inserting || !self.held.is_empty() || self.within != Within::Plain => {
                Err("it breaks off within a statement")
            }
            None => Ok(()),
        }
    }

    fn take(&mut self, bytes: &[u8], is_last: bool, sink: &mut impl Sink) {
        let mut at = 0;
        while at < bytes.len() {
            at = match self.within {
                Within::Quotes(quote) => self.quoted(bytes, at, quote, sink),
                Within::LineComment => self.line_comment(bytes, at, sink),
                Within::BlockComment => self.block_comment(bytes, at),
                Within::Plain => {
                    let next = self.plain(bytes, at, is_last, sink);
                    if next == at {
                        self.pending = bytes[at..].to_vec();
                        return;
                    }
                    next
                }
            };
        }
    }

    /// Adds bytes to the statement.
    fn add(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        self.length += bytes.len() as u64;
        if self.is_inserting {
            sink.insert_part(bytes);
            if self.is_in_row {
                self.rows.part(bytes);
            }
        } else if self.held.len() + bytes.len() > LONGEST_HELD {
            self.fault = Some("a statement that is no INSERT is longer than 64 MiB");
        } else {
            self.held.extend_from_slice(bytes);
        }
    }

    fn quoted(&mut self, bytes: &[u8], from: usize, quote: u8, sink: &mut impl Sink) -> usize {
        let mut at = from;
        if self.is_escaped {
            self.is_escaped = false;
            at += 1;
        }
        let escape = if self.mode.escapes(quote) { b'\\' } else { quote };
        while let Some(found) = memchr2(quote, escape, &bytes[at..]) {
            at += found + 1;
            if bytes[at - 1] == quote {
                self.within = Within::Plain;
                self.add(&bytes[from..at], sink);
                return at;
            }
            if at == bytes.len() {
                self.is_escaped = true;
            }
            at = (at + 1).min(bytes.len());
        }
        self.add(&bytes[from..], sink);
        bytes.len()
    }

    fn line_comment(&mut self, bytes: &[u8], from: usize, sink: &mut impl Sink) -> usize {
        let end = memchr::memchr(b'\n', &bytes[from..]).map(|found| from + found);
        let part = &bytes[from..end.unwrap_or(bytes.len())];
        if self.comment.len() < 4096 {
            self.comment.extend_from_slice(part);
        }
        let Some(end) = end else { return bytes.len() };
        self.within = Within::Plain;
        if self.held.is_empty() && !self.is_inserting {
            sink.comment(&self.comment);
        } else {
            // Within a routine's body it is part of the statement.
            let comment = std::mem::take(&mut self.comment);
            self.add(&comment, sink);
        }
        self.comment.clear();
        end
    }

    fn block_comment(&mut self, bytes: &[u8], from: usize) -> usize {
        let mut last = std::mem::take(&mut self.last);
        for (at, byte) in bytes.iter().enumerate().skip(from) {
            if !self.held.is_empty() {
                self.held.push(*byte);
            }
            if last == b'*' && *byte == b'/' {
                self.within = Within::Plain;
                return at + 1;
            }
            last = *byte;
        }
        self.last = last;
        bytes.len()
    }

    /// Goes on from a byte outside of quotes and comments. Gives back `from` where what follows has to be seen first.
    fn plain(&mut self, bytes: &[u8], from: usize, is_last: bool, sink: &mut impl Sink) -> usize {
        let is_special = |byte: &u8| {
            matches!(byte, b'\'' | b'"' | b'`' | b'-' | b'#' | b'/' | b'(' | b')') || *byte == self.delimiter[0]
        };
        // Blanks between statements belong to none.
        if self.held.is_empty() && !self.is_inserting && bytes[from].is_ascii_whitespace() {
            return from + bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        }
        // The client's own word stands at the beginning of a statement only.
        let may_be_word = self.is_between() && matches!(bytes[from], b'D' | b'd');
        let ordinary = bytes[from..].iter().take_while(|byte| !is_special(byte)).count();
        if ordinary > 0 && !may_be_word {
            self.add(&bytes[from..from + ordinary], sink);
            return from + ordinary;
        }
        let rest = &bytes[from..];
        if rest.len() < AHEAD.max(self.delimiter.len())
            && !is_last
            && !matches!(rest[0], b'\'' | b'"' | b'`' | b'(' | b')')
        {
            return from;
        }
        if rest.starts_with(&self.delimiter) {
            self.end(sink);
            return from + self.delimiter.len();
        }
        match rest[0] {
            quote @ (b'\'' | b'"' | b'`') => {
                self.within = Within::Quotes(quote);
                self.add(&rest[..1], sink);
                from + 1
            }
            b'D' | b'd' if self.is_between() && starts_with_word(rest, b"DELIMITER") => {
                let Some(end) = memchr::memchr(b'\n', rest).or(is_last.then_some(rest.len())) else { return from };
                let word = rest[b"DELIMITER".len()..end].trim_ascii();
                if word.is_empty() {
                    self.fault = Some("a delimiter is missing");
                } else {
                    self.delimiter = word.to_vec();
                }
                from + end
            }
            b'-' if rest.starts_with(b"--") && rest.get(2).is_none_or(u8::is_ascii_whitespace) => {
                self.begin_comment(&rest[..2], sink);
                from + 2
            }
            b'#' => {
                self.begin_comment(&rest[..1], sink);
                from + 1
            }
            b'/' if rest.starts_with(b"/*") && !is_executed(rest) => {
                self.within = Within::BlockComment;
                if self.held.is_empty() && !self.is_inserting {
                    return from + 2;
                }
                self.add(&rest[..2], sink);
                from + 2
            }
            b'(' => {
                self.open(sink);
                from + 1
            }
            b')' => {
                if self.is_in_row {
                    self.is_in_row = false;
                    self.rows.end(b")");
                }
                self.add(b")", sink);
                from + 1
            }
            _ => {
                self.add(&rest[..1], sink);
                from + 1
            }
        }
    }

    /// Tells whether a statement is yet to begin.
    fn is_between(&self) -> bool {
        self.held.is_empty() && !self.is_inserting
    }

    fn begin_comment(&mut self, mark: &[u8], sink: &mut impl Sink) {
        self.within = Within::LineComment;
        self.comment.clear();
        if !self.is_between() {
            self.add(mark, sink);
        }
    }

    /// Takes a bracket that opens: the first behind VALUES begins the rows, and each of them is a row.
    fn open(&mut self, sink: &mut impl Sink) {
        if !self.is_inserting && is_head_of_insert(&self.held) {
            let head = std::mem::take(&mut self.held);
            sink.insert_begins(&head);
            self.is_inserting = true;
        }
        if self.is_inserting && !self.is_in_row {
            self.is_in_row = true;
        }
        self.add(b"(", sink);
    }

    fn end(&mut self, sink: &mut impl Sink) {
        let length = std::mem::take(&mut self.length);
        if self.is_inserting {
            sink.insert_ends(self.rows.take(), length);
            (self.is_inserting, self.is_in_row) = (false, false);
        } else if !self.held.is_empty() {
            let text = std::mem::take(&mut self.held);
            self.mode = Mode::set_by(&text).unwrap_or(self.mode);
            sink.statement(text.trim_ascii_end());
        }
    }
}

/// Tells whether a comment is one that some server executes. The first line of newer dumps is for MariaDB's client: it shuts
/// off what would start programs, which the client that we start does not know in any case.
fn is_executed(rest: &[u8]) -> bool {
    let is_for_the_client = rest.starts_with(b"/*!999999\\-") || rest.starts_with(b"/*M!999999\\-");
    (rest.starts_with(b"/*!") || rest.starts_with(b"/*M!")) && !is_for_the_client
}

fn starts_with_word(rest: &[u8], word: &[u8]) -> bool {
    rest.len() > word.len() && rest[..word.len()].eq_ignore_ascii_case(word) && rest[word.len()].is_ascii_whitespace()
}

/// Tells whether what stands before a bracket begins the rows of an INSERT: ``INSERT INTO `t` (`a`) VALUES``.
fn is_head_of_insert(held: &[u8]) -> bool {
    let ends_with_values = held.trim_ascii_end().to_ascii_uppercase().ends_with(b"VALUES");
    ends_with_values && ["INSERT ", "REPLACE "].iter().any(|word| held.starts_with(word.as_bytes()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Keeps what it is given.
    #[derive(Default, Debug, PartialEq, Eq)]
    struct Kept {
        statements: Vec<String>,
        inserts: Vec<(String, u64)>,
        comments: Vec<String>,
        digests: Vec<Digest>,
    }

    impl Sink for Kept {
        fn statement(&mut self, text: &[u8]) {
            self.statements.push(String::from_utf8_lossy(text).into_owned());
        }
        fn insert_begins(&mut self, head: &[u8]) {
            self.inserts.push((String::from_utf8_lossy(head).into_owned(), 0));
        }
        fn insert_part(&mut self, bytes: &[u8]) {
            self.inserts.last_mut().unwrap().0.push_str(&String::from_utf8_lossy(bytes));
        }
        fn insert_ends(&mut self, rows: Digest, length: u64) {
            let last = self.inserts.last_mut().unwrap();
            assert_eq!(last.0.len() as u64, length);
            last.1 = rows.rows;
            self.digests.push(rows);
        }
        fn comment(&mut self, line: &[u8]) {
            self.comments.push(String::from_utf8_lossy(line).trim().to_owned());
        }
    }

    const DUMP: &str = "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump\n--\n\n/*!40101 SET NAMES utf8mb4 */;\n\
        DROP TABLE IF EXISTS `a;b`;\nCREATE TABLE `a;b` (\n  `x` int COMMENT 'it''s; \\'(a)',\n  `-- y` text -- z;\n) ENGINE=InnoDB;\n\
        INSERT INTO `a;b` VALUES\n(1,'a),(b'),\n(2,'it\\'s \\\\'),(3,NULL);\n/* plain ; comment */\n\
        INSERT INTO `c` (`a`, `b`) VALUES (1,0x00FF);\nDELIMITER ;;\n\
        /*!50003 CREATE*/ /*!50017 DEFINER=`r`@`h`*/ /*!50003 TRIGGER t BEFORE INSERT ON `c` FOR EACH ROW BEGIN\n\
        -- it's a comment;\n/* another; ' */ SET NEW.a = 1; # last's\nEND */;;\nDELIMITER ;\n\
        SET sql_mode = @saved;\n-- Dump completed on 2026-11-21\n";

    fn split(text: &str, piece: usize) -> (Kept, Result<(), &'static str>) {
        let (mut kept, mut splitter) = (Kept::default(), Splitter::default());
        for piece in text.as_bytes().chunks(piece) {
            splitter.feed(piece, &mut kept);
        }
        let end = splitter.finish(&mut kept);
        (kept, end)
    }

    #[test]
    fn statements_are_told_apart_whatever_they_hold() {
        let (kept, end) = split(DUMP, DUMP.len());
        assert_eq!(end, Ok(()));
        let expected = [
            "/*!40101 SET NAMES utf8mb4 */",
            "DROP TABLE IF EXISTS `a;b`",
            "CREATE TABLE `a;b` (\n  `x` int COMMENT 'it''s; \\'(a)',\n  `-- y` text -- z;\n) ENGINE=InnoDB",
            "/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`h`*/ /*!50003 TRIGGER t BEFORE INSERT ON `c` FOR EACH ROW BEGIN\n\
             -- it's a comment;\n/* another; ' */ SET NEW.a = 1; # last's\nEND */",
            "SET sql_mode = @saved",
        ];
        assert_eq!(kept.statements, expected);
        let inserts: Vec<_> = kept.inserts.iter().map(|(text, rows)| (text.as_str(), *rows)).collect();
        assert_eq!(
            inserts,
            [
                ("INSERT INTO `a;b` VALUES\n(1,'a),(b'),\n(2,'it\\'s \\\\'),(3,NULL)", 3),
                ("INSERT INTO `c` (`a`, `b`) VALUES (1,0x00FF)", 1)
            ]
        );
        assert_eq!(kept.comments.last().unwrap(), "Dump completed on 2026-11-21");
    }

    #[test]
    fn where_backslashes_mean_nothing_they_end_nothing() {
        let text = r#"/*!50003 SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' */ ;
            DELIMITER ;;
            CREATE PROCEDURE "a\"() SELECT 'x\', 'y;;'
            ;;
            SET @saved = @@sql_mode;;
            /*!50003 SET sql_mode = @saved */ ;;
            CREATE PROCEDURE p() SET sql_mode = 'NO_BACKSLASH_ESCAPES';;
            SELECT 'it\';;s', "\";;"
            ;;
            DELIMITER ;
            /*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI_QUOTES' */;
            SELECT "a\", 'b\';';
            "#
        .replace("            ", "");
        for piece in [1, 7, 1000] {
            let (kept, end) = split(&text, piece);
            assert_eq!(end, Ok(()));
            let starts: Vec<String> = kept.statements.iter().map(|one| one.chars().take(19).collect()).collect();
            let expected = [
                "/*!50003 SET sql_mo",
                "CREATE PROCEDURE \"a",
                "SET @saved = @@sql_",
                "/*!50003 SET sql_mo",
                "CREATE PROCEDURE p(",
                "SELECT 'it\\';;s', \"",
                "/*!40101 SET @OLD_S",
                "SELECT \"a\\\", 'b\\';'",
            ];
            assert_eq!(starts, expected, "{kept:#?}");
        }
    }

    #[test]
    fn the_pieces_that_a_dump_comes_in_do_not_matter() {
        let whole = split(DUMP, DUMP.len());
        for piece in 1..70 {
            assert_eq!(split(DUMP, piece), whole, "{piece}");
        }
    }

    #[test]
    fn a_text_that_breaks_off_is_no_whole_one() {
        // Whatever is cut off, a statement is left unfinished, or the last line is missing.
        for end in 1..DUMP.len() - 1 {
            let cut = &DUMP[..end];
            let (kept, outcome) = split(cut, 1000);
            let is_complete = kept.comments.last().is_some_and(|line| line.starts_with("Dump completed"));
            assert!(outcome.is_err() || !is_complete || cut.contains("-- Dump completed"), "{cut}");
        }
        for cut in ["INSERT INTO `a` VALUES (1", "INSERT INTO `a` VALUES ('x", "SET a", "/* b"] {
            assert!(split(cut, 3).1.is_err(), "{cut}");
        }
    }

    #[test]
    fn rows_have_one_digest_in_whatever_order_and_lines_they_come() {
        let digest = |text: &str| {
            split(text, 7).0.digests.iter().fold(Digest::default(), |mut sum, one| {
                sum += *one;
                sum
            })
        };
        let whole = digest("INSERT INTO `a` VALUES (1,'x'),(2,'y)');");
        assert_eq!(digest("INSERT INTO `a` VALUES\n(2,'y)'),\n(1,'x');"), whole);
        assert_eq!(digest("INSERT INTO `a` VALUES (2,'y)');INSERT INTO `a` VALUES (1,'x');"), whole);
        assert_ne!(digest("INSERT INTO `a` VALUES (1,'y)'),(2,'x');"), whole);
        assert_ne!(digest("INSERT INTO `a` VALUES (1,'x'),(2,'y)'),(2,'y)');"), whole);
    }
}
