//! INI: sections of keys and values, in the spellings of Python's configparser, libpq's service files and MySQL's option
//! files.
//!
//! Source: `configparser.py` of Python 3; `parseServiceFile` in `fe-connect.c` of libpq; `my_default.cc` of MySQL.

use std::borrow::Cow;

use crate::environment::readers::escapes::unescape;
use crate::environment::readers::formats::{Capped, Collector, Flat, Stop, finish, within_size};
use crate::text::line_number;

/// What the readers of INI differ in.
struct Grammar {
    /// What begins a comment at the start of a line.
    comments: &'static [char],
    /// What stands between a key and its value.
    separators: &'static [char],
    values: Values,
    /// A line that is indented deeper than the key above it continues that key. It becomes an item of its own, because
    /// such lists (`env =`, `setenv =`) hold one setting a line.
    continues: bool,
    /// Lines that pull in another file; each becomes an entry without a section.
    includes: &'static [&'static str],
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq)]
enum Values {
    /// To the end of its line.
    Bare,
    /// In quotes or to a comment mark behind a blank.
    Quoted,
    /// To a `#` outside of quotes; quotes around it are taken off, and backslashes escape.
    Escaped,
}

/// `alembic.ini`, `pytest.ini`, `tox.ini` and their like.
const CONFIGPARSER: Grammar =
    Grammar { comments: &['#', ';'], separators: &['=', ':'], values: Values::Quoted, continues: true, includes: &[] };

/// `pg_service.conf`.
const SERVICE_FILE: Grammar =
    Grammar { comments: &['#'], separators: &['='], values: Values::Bare, continues: false, includes: &[] };

/// `my.cnf`.
const OPTION_FILE: Grammar = Grammar {
    comments: &['#', ';'],
    separators: &['='],
    values: Values::Escaped,
    continues: false,
    includes: &["!includedir", "!include"],
};

/// Reads settings as Python's configparser does: the path is the section and the key, or the key alone above the first
/// section.
/// Any line is taken as well as can be.
pub(crate) fn flatten(text: &str) -> Flat {
    within_size(text, |text| read(text, &CONFIGPARSER))
}

/// Reads a service file of libpq, as [`flatten`] does.
pub(crate) fn service_file(text: &str) -> Flat {
    within_size(text, |text| read(text, &SERVICE_FILE))
}

/// Reads an option file of MySQL, as [`flatten`] does; `!include` and `!includedir` are keys without a section.
pub(crate) fn option_file(text: &str) -> Flat {
    within_size(text, |text| read(text, &OPTION_FILE))
}

fn read(text: &str, grammar: &Grammar) -> Flat {
    let mut reader = Reader { grammar, collector: Collector::new(), section: None, key: None };
    let mut stop = None;
    for (index, line) in text.lines().enumerate() {
        if let Err(capped) = reader.line(line, line_number(index)) {
            stop = Some(Stop::too_much(line_number(index), capped));
            break;
        }
    }
    finish(text, reader.collector.entries, stop)
}

struct Reader<'g> {
    grammar: &'g Grammar,
    collector: Collector,
    section: Option<String>,
    /// The key that an indented line would continue, its indentation, and how many lines have continued it.
    key: Option<(String, usize, usize)>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str, number: u32) -> Result<(), Capped> {
        let trimmed = line.trim();
        let indentation = line.len() - line.trim_start().len();
        if trimmed.is_empty() || trimmed.starts_with(self.grammar.comments) {
            return Ok(());
        }
        if self.grammar.continues
            && let Some((key, depth, items)) = &mut self.key
            && indentation > *depth
        {
            let (key, item) = (key.clone(), items.to_string());
            *items += 1;
            return self.note(&[&key, &item], without_comment(trimmed), number);
        }
        if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            self.section = Some(section.0.trim().to_owned());
            self.key = None;
            return Ok(());
        }
        for directive in self.grammar.includes {
            if let Some(path) = trimmed.strip_prefix(directive).filter(|rest| rest.starts_with([' ', '\t'])) {
                let section = self.section.take();
                self.note(&[directive], path.trim(), number)?;
                self.section = section;
                return Ok(());
            }
        }
        let values = self.grammar.values;
        let trimmed = if values == Values::Escaped { before_hash(trimmed) } else { trimmed };
        let end = trimmed.find(self.grammar.separators).unwrap_or(trimmed.len());
        let bare = trimmed[..end].trim_end();
        let key = if values == Values::Quoted { without_comment(bare) } else { bare };
        self.key = Some((key.to_owned(), indentation, 0));
        // A separator inside a comment separates nothing.
        let value = if key == bare { trimmed.get(end + 1..).unwrap_or("").trim_start() } else { "" };
        let value = match values {
            Values::Bare => Cow::Borrowed(value),
            Values::Quoted => Cow::Borrowed(unquoted(value)),
            Values::Escaped => unescaped(value),
        };
        self.note(&[key], &value, number)
    }

    fn note(&mut self, keys: &[&str], value: &str, number: u32) -> Result<(), Capped> {
        self.collector.step()?;
        let section = self.section.take();
        for segment in section.as_deref().iter().chain(keys) {
            self.collector.enter(segment)?;
        }
        self.collector.push(value, number)?;
        self.collector.path.clear();
        self.section = section;
        Ok(())
    }
}

/// Gives the value inside its quotes, or up to a comment.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((inside, behind)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            let behind = behind.trim_start();
            if behind.is_empty() || behind.starts_with(['#', ';']) {
                return inside;
            }
        }
    }
    without_comment(value)
}

/// Gives the text up to a `#` or `;` that follows a blank.
fn without_comment(text: &str) -> &str {
    let comment = text.match_indices(['#', ';']).find(|(at, _)| text[..*at].ends_with([' ', '\t']));
    comment.map_or(text, |(at, _)| text[..at].trim_end())
}

/// Gives the text up to a `#` outside of quotes.
fn before_hash(text: &str) -> &str {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' | '\'' if !escaped && quote.is_none() => quote = Some(c),
            '"' | '\'' if !escaped && quote == Some(c) => quote = None,
            '#' if quote.is_none() => return text[..at].trim_end(),
            _ => {}
        }
        escaped = quote.is_some() && c == '\\' && !escaped;
    }
    text
}

/// Takes the quotes off, and replaces backslashes by what they stand for.
fn unescaped(value: &str) -> Cow<'_, str> {
    let inside = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote).and_then(|rest| rest.strip_suffix(*quote)))
        .unwrap_or(value);
    unescape(inside, |c| {
        Some(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            's' => ' ',
            '"' | '\'' | '\\' => c,
            _ => return None,
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::environment::readers::formats::Flatten;
    use crate::environment::readers::formats::ini::{flatten, option_file, service_file};
    use crate::environment::readers::formats::testing::{hostile, shown, survive};
    use proptest::prelude::*;

    #[test]
    fn settings_have_their_section_key_and_line() {
        let cases: [(&str, &[&str]); 8] = [
            ("[qwc]\nhost=db\nport = 5432\n", &["2 qwc.host=db", "3 qwc.port=5432"]),
            ("top = 1\n; said\n# too\n[client]\nskip-networking\n", &["1 top=1", "5 client.skip-networking="]),
            (
                "a = 'x # y' ; said\nb = \"p\"q\"\nc = p#q # said\nd='o",
                &["1 a=x # y", "2 b=\"p\"q\"", "3 c=p#q", "4 d='o"],
            ),
            (
                "[alembic]\nsqlalchemy.url = postgresql://u:p@h:5/d\n",
                &["2 alembic.sqlalchemy.url=postgresql://u:p@h:5/d"],
            ),
            (
                "[pytest]\nenv =\n    DB=x\n    D:HOST = y\nnext: 1\n",
                &["2 pytest.env=", "3 pytest.env.0=DB=x", "4 pytest.env.1=D:HOST = y", "5 pytest.next=1"],
            ),
            ("[a]\n  host = x\n  port = 1\n[b]\nhost = y\n", &["2 a.host=x", "3 a.port=1", "5 b.host=y"]),
            ("\u{feff}[ a ] # said\r\nk = v\r\n", &["2 a.k=v"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&flatten(text).read()), expected, "{text:?}");
        }
    }

    #[test]
    fn the_grammars_differ() {
        let readers: [Flatten; 3] = [flatten, service_file, option_file];
        let cases: [(&str, [&[&str]; 3]); 8] = [
            ("[a]\nk = v ; said\n", [&["2 a.k=v"], &["2 a.k=v ; said"], &["2 a.k=v ; said"]]),
            ("[a]\nk = v#w # said\n", [&["2 a.k=v#w"], &["2 a.k=v#w # said"], &["2 a.k=v"]]),
            ("[a]\n;k = v\n", [&[], &["2 a.;k=v"], &[]]),
            ("[a]\nk = \"x # y\" # said\n", [&["2 a.k=x # y"], &["2 a.k=\"x # y\" # said"], &["2 a.k=x # y"]]),
            ("[a]\nk = 'x\\s\\\\y'\n", [&["2 a.k=x\\s\\\\y"], &["2 a.k='x\\s\\\\y'"], &["2 a.k=x \\y"]]),
            ("[a]\nk: v=w\n", [&["2 a.k=v=w"], &["2 a.k: v=w"], &["2 a.k: v=w"]]),
            (
                "[a]\nk = v\n  l = w\n",
                [&["2 a.k=v", "3 a.k.0=l = w"], &["2 a.k=v", "3 a.l=w"], &["2 a.k=v", "3 a.l=w"]],
            ),
            (
                "[a]\n!include /x.cnf\nk = v\n!includedir  /d\n",
                [
                    &["2 a.!include /x.cnf=", "3 a.k=v", "4 a.!includedir  /d="],
                    &["2 a.!include /x.cnf=", "3 a.k=v", "4 a.!includedir  /d="],
                    &["2 !include=/x.cnf", "3 a.k=v", "4 !includedir=/d"],
                ],
            ),
        ];
        for (text, expected) in cases {
            for (read, expected) in readers.into_iter().zip(expected) {
                assert_eq!(shown(&read(text).read()), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn hostile_texts_are_survived() {
        for read in [flatten, service_file, option_file] {
            let pieces = ["[", "a=1\n", "a\n ", "=", "\n", "'", "[a]\n", "#", "a ;", "a=\"\\\n", "!include a\n"];
            survive(hostile(300_000, &pieces), read);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "([a-c\\[\\]=:#;\"'\\\\\t\r\n é]|!include ){0,60}") {
            survive(vec![text.clone()], flatten);
            survive(vec![text.clone()], service_file);
            survive(vec![text], option_file);
        }
    }
}
