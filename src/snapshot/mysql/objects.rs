//! Says of a statement in a dump what it makes, drops or sets.

use crate::text::lossless;

/// What kind of object a dump makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Table,
    Sequence,
    View,
    Trigger,
    Function,
    Procedure,
    Package,
    PackageBody,
    Event,
}

impl Kind {
    /// Those that hold no data.
    pub(crate) const DEFINITIONS: [Kind; 7] =
        [Kind::View, Kind::Trigger, Kind::Function, Kind::Procedure, Kind::Package, Kind::PackageBody, Kind::Event];

    /// Names the kind, one of it.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Table => "table",
            Kind::Sequence => "sequence",
            Kind::View => "view",
            Kind::Trigger => "trigger",
            Kind::Function => "function",
            Kind::Procedure => "procedure",
            Kind::Package => "package",
            Kind::PackageBody => "package body",
            Kind::Event => "event",
        }
    }

    /// Tells whether objects of the kind hold data.
    #[must_use]
    pub(crate) fn holds_data(self) -> bool {
        matches!(self, Kind::Table | Kind::Sequence)
    }

    /// Tells whether objects of the kind are run by name.
    #[must_use]
    pub(crate) fn is_routine(self) -> bool {
        matches!(self, Kind::Function | Kind::Procedure | Kind::Package | Kind::PackageBody)
    }
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Does {
    /// Makes an object; `definer` is the account that it works for, `is_stand_in` whether it only stands for a view until
    /// all are there.
    Create { kind: Kind, name: String, definer: Option<String>, is_stand_in: bool },
    /// Drops an object, so that it can be made; or, in a comment, what only stood for a view.
    Drop { kind: Kind, name: String, is_stand_in: bool },
    /// Fills a table: its head.
    Insert { table: String },
    /// Sets where a sequence goes on.
    SetSequence { name: String },
    /// Sets a variable of the session, or of the client.
    Set,
    /// Locks tables, or puts off the work on their indexes, while they are filled.
    Fill,
    /// Sets the database's own character set for a while.
    AlterDatabase,
    /// Nothing that is known.
    Unknown,
}

/// Where in a statement the account stands that an object works for, as the dump programs write it: `DEFINER` and the
/// account, from the first byte to behind the last.
pub(crate) type Span = (usize, usize);

/// A word of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// A bare word or number, as written.
    Bare(String),
    /// A name in quotes, read.
    Name(String),
    /// A text in single quotes.
    Text,
    /// A sign.
    Sign(u8),
}

impl Word {
    fn is(&self, wanted: &str) -> bool {
        matches!(self, Word::Bare(word) if word.eq_ignore_ascii_case(wanted))
    }

    fn name(&self) -> Option<&str> {
        match self {
            Word::Bare(name) | Word::Name(name) => Some(name),
            Word::Text | Word::Sign(_) => None,
        }
    }
}

/// How many words are read of a statement: enough for all that stands before an object's name.
const MOST_WORDS: usize = 40;

/// Reads the first words of a statement, each with where it stands. The marks of executed comments are no words.
fn first_words(text: &[u8]) -> Vec<(Word, Span)> {
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii();
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (mut words, mut at) = (Vec::new(), 0);
    while at < text.len() && words.len() < MOST_WORDS {
        let rest = &text[at..];
        let (length, word) = match rest {
            [byte, ..] if byte.is_ascii_whitespace() => (1, None),
            [b'/', b'*', b'!', ..] => (3 + digits(&rest[3..]), None),
            [b'/', b'*', b'M', b'!', ..] => (4 + digits(&rest[4..]), None),
            [b'*', b'/', ..] => (2, None),
            // In double quotes, too, where an object was made with `ANSI_QUOTES`.
            [quote @ (b'`' | b'"'), ..] => {
                let (length, name) = quoted_name(rest, *quote);
                (length, Some(Word::Name(name)))
            }
            [b'\'', ..] => (quoted_text(rest), Some(Word::Text)),
            [byte, ..] if is_of_word(byte) => {
                let length = rest.iter().take_while(|byte| is_of_word(byte)).count();
                (length, Some(Word::Bare(lossless(&rest[..length]).into_owned())))
            }
            _ => (1, Some(Word::Sign(rest[0]))),
        };
        words.extend(word.map(|word| (word, (at, at + length))));
        at += length;
    }
    words
}

/// Reads a name in quotes: its length as written, and the name.
fn quoted_name(rest: &[u8], quote: u8) -> (usize, String) {
    let (mut name, mut at) = (Vec::new(), 1);
    while at < rest.len() {
        let byte = rest[at];
        if byte == quote && rest.get(at + 1) != Some(&quote) {
            at += 1;
            break;
        }
        name.push(byte);
        at += if byte == quote { 2 } else { 1 };
    }
    (at.min(rest.len()), lossless(&name).into_owned())
}

/// Measures a text in single quotes, as written.
fn quoted_text(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'\'' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Reads what a statement does, and where in it the definer stands.
#[must_use]
pub(crate) fn read(text: &[u8]) -> (Does, Option<Span>) {
    let words = first_words(text);
    let word = |at: usize| match words.get(at) {
        Some((Word::Bare(word), _)) => word.to_ascii_uppercase(),
        _ => String::new(),
    };
    let first_name = || {
        let name = |(word, _): &(Word, Span)| match word {
            Word::Name(name) => Some(name.clone()),
            _ => None,
        };
        words.iter().find_map(name)
    };
    // A table made in such a comment only stands for a view.
    let is_in_comment = text.starts_with(b"/*!");
    let does = match word(0).as_str() {
        "CREATE" => return created(&words, is_in_comment),
        "DROP" => match kind_at(&words, 1).and_then(|(kind, length)| Some((kind, name_at(&words, 1 + length)?))) {
            Some((kind, name)) => Does::Drop { kind, name, is_stand_in: is_in_comment },
            None => Does::Unknown,
        },
        "INSERT" | "REPLACE" => first_name().map_or(Does::Unknown, |table| Does::Insert { table }),
        "SET" | "START" | "COMMIT" => Does::Set,
        "LOCK" | "UNLOCK" => Does::Fill,
        "ALTER" if word(1) == "TABLE" => Does::Fill,
        "ALTER" if word(1) == "DATABASE" => Does::AlterDatabase,
        "DO" | "SELECT" if word(1) == "SETVAL" => first_name().map_or(Does::Unknown, |name| Does::SetSequence { name }),
        _ => Does::Unknown,
    };
    (does, None)
}

/// Reads a kind of object: which, and how many words name it.
fn kind_at(words: &[(Word, Span)], at: usize) -> Option<(Kind, usize)> {
    let is = |at: usize, wanted: &str| words.get(at).is_some_and(|(word, _)| word.is(wanted));
    let kinds = [
        ("TABLE", Kind::Table),
        ("SEQUENCE", Kind::Sequence),
        ("VIEW", Kind::View),
        ("TRIGGER", Kind::Trigger),
        ("FUNCTION", Kind::Function),
        ("PROCEDURE", Kind::Procedure),
        ("EVENT", Kind::Event),
    ];
    if is(at, "PACKAGE") {
        return Some(if is(at + 1, "BODY") { (Kind::PackageBody, 2) } else { (Kind::Package, 1) });
    }
    kinds.iter().find(|(word, _)| is(at, word)).map(|(_, kind)| (*kind, 1))
}

/// Reads a `CREATE`: what stands before the kind, the kind, the name.
fn created(words: &[(Word, Span)], is_in_comment: bool) -> (Does, Option<Span>) {
    let is_sign = |at: usize, sign: u8| matches!(words.get(at), Some((Word::Sign(found), _)) if *found == sign);
    let (mut at, mut definer) = (1, None);
    let (kind, length) = loop {
        let Some((word, (from, _))) = words.get(at) else { return (Does::Unknown, None) };
        if word.is("DEFINER") && is_sign(at + 1, b'=') {
            // `` `app`@`%` ``, a role, or `CURRENT_USER`.
            let last = if is_sign(at + 3, b'@') { at + 4 } else { at + 2 };
            let (Some((user, _)), Some((host, (_, end)))) = (words.get(at + 2), words.get(last)) else {
                return (Does::Unknown, None);
            };
            let named = |word: &Word| word.name().unwrap_or_default().to_owned();
            let host = if last > at + 2 { format!("@{}", named(host)) } else { String::new() };
            definer = Some((named(user) + &host, (*from, *end)));
            at = last + 1;
        } else if let Some(kind) = kind_at(words, at) {
            break kind;
        } else {
            at += 1;
        }
    };
    let Some(name) = name_at(words, at + length) else { return (Does::Unknown, None) };
    let is_stand_in = match kind {
        Kind::View => definer.is_none(),
        Kind::Table => is_in_comment,
        _ => false,
    };
    let (definer, span) = definer.unzip();
    (Does::Create { kind, name, definer, is_stand_in }, span)
}

/// Reads an object's name, behind `IF NOT EXISTS` and the name of its database.
fn name_at(words: &[(Word, Span)], mut at: usize) -> Option<String> {
    while words.get(at).is_some_and(|(word, _)| ["IF", "NOT", "EXISTS"].iter().any(|skipped| word.is(skipped))) {
        at += 1;
    }
    if matches!(words.get(at + 1), Some((Word::Sign(b'.'), _))) {
        at += 2;
    }
    words.get(at).and_then(|(word, _)| word.name()).map(str::to_owned)
}

/// Finds the sequences that a table's columns take their defaults from: ``DEFAULT nextval(`shop`.`numbers`)``.
pub(crate) fn sequences_in(text: &[u8]) -> Vec<String> {
    let finder = memchr::memmem::Finder::new(b"nextval(`");
    let name = |at: usize| {
        let rest = &text[at + b"nextval(".len()..];
        let (length, first) = quoted_name(rest, b'`');
        match rest.get(length..)? {
            [b'.', after @ ..] => Some(quoted_name(after, b'`').1),
            _ => Some(first),
        }
    };
    finder.find_iter(text).filter_map(name).collect()
}

/// Finds the tables of the same database that a table's foreign keys lead to: ``REFERENCES `customers` (`id`)``.
pub(crate) fn referenced_in(text: &[u8]) -> Vec<String> {
    let finder = memchr::memmem::Finder::new(b" REFERENCES `");
    let name = |at: usize| {
        let rest = &text[at + b" REFERENCES ".len()..];
        let (length, name) = quoted_name(rest, b'`');
        (rest.get(length) != Some(&b'.')).then_some(name)
    };
    finder.find_iter(text).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(kind: Kind, name: &str, definer: Option<&str>, is_stand_in: bool) -> Does {
        Does::Create { kind, name: name.to_owned(), definer: definer.map(str::to_owned), is_stand_in }
    }

    fn dropped(kind: Kind, name: &str, is_stand_in: bool) -> Does {
        Does::Drop { kind, name: name.to_owned(), is_stand_in }
    }

    #[test]
    fn every_statement_of_a_dump_is_known() {
        let root = Some("root@localhost");
        for (text, expected) in [
            ("CREATE TABLE `a``b` (\n `x` int)", create(Kind::Table, "a`b", None, false)),
            ("/*!50001 CREATE TABLE `v` (`a` tinyint) ENGINE=MyISAM */", create(Kind::Table, "v", None, true)),
            ("/*!50001 CREATE VIEW `v` AS SELECT\n 1 AS `a` */", create(Kind::View, "v", None, true)),
            (
                "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */\n\
                 /*!50001 VIEW `v` AS select 1 AS `1` */",
                create(Kind::View, "v", root, false),
            ),
            (
                "/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER shop.t1 before insert on orders \
                 for each row set NEW.a = 1 */",
                create(Kind::Trigger, "t1", root, false),
            ),
            (
                "/*!50003 CREATE*/ /*!50017 DEFINER=\"root\"@\"localhost\"*/ /*!50003 TRIGGER \"a \"\"b\" AFTER DELETE ON t */",
                create(Kind::Trigger, "a \"b", root, false),
            ),
            ("CREATE DEFINER=`root`@`localhost` PROCEDURE `p`()\nBEGIN END", create(Kind::Procedure, "p", root, false)),
            (
                "CREATE DEFINER=`keeper` FUNCTION `f`() RETURNS int RETURN 1",
                create(Kind::Function, "f", Some("keeper"), false),
            ),
            (
                "CREATE DEFINER=`root`@`localhost` AGGREGATE FUNCTION `f`(x int)",
                create(Kind::Function, "f", root, false),
            ),
            ("CREATE DEFINER=`root`@`localhost` PACKAGE BODY `k` AS", create(Kind::PackageBody, "k", root, false)),
            (
                "/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY */",
                create(Kind::Event, "e", root, false),
            ),
            ("CREATE SEQUENCE `s` start with 1 minvalue 1", create(Kind::Sequence, "s", None, false)),
            ("DO SETVAL(`s`, 1001, 0)", Does::SetSequence { name: "s".to_owned() }),
            ("SELECT SETVAL(`s`, 1001, 0)", Does::SetSequence { name: "s".to_owned() }),
            ("DROP TABLE IF EXISTS `t`", dropped(Kind::Table, "t", false)),
            ("/*!50001 DROP VIEW IF EXISTS `v`*/", dropped(Kind::View, "v", true)),
            ("/*!50003 DROP FUNCTION IF EXISTS `f` */", dropped(Kind::Function, "f", true)),
            ("INSERT INTO `t` (`a`) VALUES", Does::Insert { table: "t".to_owned() }),
            ("LOCK TABLES `t` WRITE", Does::Fill),
            ("/*!40000 ALTER TABLE `t` DISABLE KEYS */", Does::Fill),
            ("ALTER DATABASE `shop` CHARACTER SET latin1 COLLATE latin1_swedish_ci ", Does::AlterDatabase),
            ("/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE */", Does::Set),
            ("/*M!100616 SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY, NOTE_VERBOSITY=0 */", Does::Set),
            ("GRANT ALL ON *.* TO `x`", Does::Unknown),
            ("CREATE USER `x`", Does::Unknown),
            ("", Does::Unknown),
        ] {
            assert_eq!(read(text.as_bytes()).0, expected, "{text}");
        }
    }

    #[test]
    fn what_a_table_needs_is_found() {
        let text =
            b"CREATE TABLE `t` (`a` int DEFAULT nextval(`shop`.`one``s`), `b` int DEFAULT nextval(`two`), `c` int)";
        assert_eq!(sequences_in(text), ["one`s", "two"]);
        let text = b"KEY (`a`), CONSTRAINT `x` FOREIGN KEY (`a`) REFERENCES `c d` (`id`), FOREIGN KEY (`b`) REFERENCES `o`.`t` (`id`)";
        assert_eq!(referenced_in(text), ["c d"]);
    }

    #[test]
    fn the_definer_is_found_where_it_stands() {
        for (text, expected) in [
            ("/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`%`*/ /*!50003 TRIGGER t */", "DEFINER=`a`@`%`"),
            ("CREATE DEFINER=`odd``@name`@`local host` FUNCTION `f`()", "DEFINER=`odd``@name`@`local host`"),
            ("CREATE DEFINER=`keeper` PROCEDURE `p`()", "DEFINER=`keeper`"),
        ] {
            let (_, span) = read(text.as_bytes());
            let (from, to) = span.unwrap();
            assert_eq!(&text[from..to], expected);
        }
    }
}
