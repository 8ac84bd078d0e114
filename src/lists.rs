//! Reads the lists that stand as text files beside the code that asks them (`drivers.txt`, `words.txt`, …).
//!
//! Such a file has one entry a line: a name, and after blanks what goes with it, if anything does. A name that ends in
//! `*` stands for every name that begins so. Empty lines and lines that begin with `#` say nothing. The lines are
//! sorted by their bytes (`LC_ALL=C sort`), no name stands twice; `tests/integration/tidy.rs` checks both for every
//! `.txt` below `src`.
//!
//! ```text
//! # What reaches a database from PHP.
//! doctrine/*
//! laravel/framework
//! ```
#![forbid(unsafe_code)]

use std::sync::OnceLock;

/// Includes a list's text, and finds while compiling where its names stand: nothing is read or built before a list is
/// asked, and no pointers into the text have to be relocated when the program starts.
macro_rules! list {
    ($file:literal) => {{
        const TEXT: &str = include_str!($file);
        const NAMES: &[$crate::lists::Span] = &$crate::lists::names::<{ $crate::lists::count(TEXT) }>(TEXT);
        $crate::lists::List::new(TEXT, NAMES)
    }};
}
pub(crate) use list;

/// A list, by [`list!`]; keep it in a `static`.
pub(crate) struct List {
    text: &'static str,
    names: &'static [Span],
    has_prefixes: bool,
    /// The names that end in `*`, without it.
    prefixes: OnceLock<Vec<Entry>>,
}

/// Where in its text a name stands.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    start: u32,
    end: u32,
    /// How it begins, see [`beginning`].
    beginning: u64,
}

/// A name with what stands behind it.
type Entry = (&'static str, &'static str);

impl List {
    pub(crate) const fn new(text: &'static str, names: &'static [Span]) -> Self {
        List { text, names, has_prefixes: has_star(text.as_bytes()), prefixes: OnceLock::new() }
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Finds what stands behind `name` (empty where nothing does): its own entry, else that of its longest beginning.
    pub(crate) fn find(&self, name: &str) -> Option<&'static str> {
        self.find_exact(name).or_else(|| self.find_beginning(name))
    }

    fn find_exact(&self, name: &str) -> Option<&'static str> {
        // Most names are told apart without a look at the text.
        let wanted = beginning(name.as_bytes(), 0, name.len());
        let compared = |span: &Span| span.beginning.cmp(&wanted).then_with(|| self.name(span).cmp(name));
        let at = self.names.binary_search_by(compared).ok()?;
        Some(self.entry(&self.names[at]).1)
    }

    fn find_beginning(&self, name: &str) -> Option<&'static str> {
        if !self.has_prefixes {
            return None;
        }
        let bare = |(name, rest): Entry| Some((name.strip_suffix('*')?, rest));
        let prefixes = self.prefixes.get_or_init(|| self.iter().filter_map(bare).collect());
        // A longer beginning is sorted behind a shorter one.
        prefixes.iter().rev().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, rest)| *rest)
    }

    /// Lists the names with what stands behind each, in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Entry> {
        self.names.iter().map(|span| self.entry(span))
    }

    fn name(&self, span: &Span) -> &'static str {
        &self.text[span.start as usize..span.end as usize]
    }

    fn entry(&self, span: &Span) -> Entry {
        let rest = &self.text[span.end as usize..];
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        (self.name(span), line.trim_matches(|letter: char| letter.is_ascii_whitespace()))
    }
}

/// Gives the first eight bytes of a name as a number: numbers are ordered as their names are.
const fn beginning(text: &[u8], start: usize, length: usize) -> u64 {
    let (mut number, mut at) = (0, 0);
    while at < 8 {
        number = number << 8 | if at < length { text[start + at] as u64 } else { 0 };
        at += 1;
    }
    number
}

const fn has_star(text: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() && text[at] != b'*' {
        at += 1;
    }
    at < text.len()
}

/// Counts the entries of a list's text.
pub(crate) const fn count(text: &str) -> usize {
    let (mut count, mut at) = (0, next_entry(text.as_bytes(), 0));
    while at < text.len() {
        count += 1;
        at = next_entry(text.as_bytes(), next_line(text.as_bytes(), at));
    }
    count
}

/// Finds where the names of a list's text begin and end.
#[expect(clippy::cast_possible_truncation, reason = "no list is as long as 4 GiB")]
pub(crate) const fn names<const COUNT: usize>(text: &str) -> [Span; COUNT] {
    let mut names = [Span { start: 0, end: 0, beginning: 0 }; COUNT];
    let (mut found, mut at) = (0, next_entry(text.as_bytes(), 0));
    while at < text.len() {
        let start = at;
        while at < text.len() && !text.as_bytes()[at].is_ascii_whitespace() {
            at += 1;
        }
        names[found] =
            Span { start: start as u32, end: at as u32, beginning: beginning(text.as_bytes(), start, at - start) };
        found += 1;
        at = next_entry(text.as_bytes(), next_line(text.as_bytes(), at));
    }
    names
}

/// Where the first entry at or behind the beginning of the line at `at` begins: past blanks, empty lines and comments.
const fn next_entry(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        if text[at] == b'#' {
            at = next_line(text, at);
        } else if text[at].is_ascii_whitespace() {
            at += 1;
        } else {
            break;
        }
    }
    at
}

const fn next_line(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && text[at] != b'\n' {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_itself_and_by_its_longest_beginning() {
        const TEXT: &str = "# drivers\na/*   any of a\na/b*  any of a/b\na/bc  itself\n\nplain\n# the end\n\
                            same-begin\nsame-beginning  long\nsame-beginnings\nz.*\n";
        static LIST: List = List::new(TEXT, &names::<{ count(TEXT) }>(TEXT));
        let table = [
            ("a/x", Some("any of a")),
            ("a/by", Some("any of a/b")),
            ("a/bc", Some("itself")),
            ("a/bcd", Some("any of a/b")),
            ("plain", Some("")),
            ("same-begin", Some("")),
            ("same-beginning", Some("long")),
            ("same-beginnings", Some("")),
            ("same-be", None),
            ("same-beg\0", None),
            ("plain\0", None),
            ("z.y", Some("")),
            ("a", None),
            ("plainer", None),
            ("# drivers", None),
            ("", None),
        ];
        for (name, expected) in table {
            assert_eq!(LIST.find(name), expected, "{name}");
            assert_eq!(LIST.contains(name), expected.is_some(), "{name}");
        }
    }

    #[test]
    fn entries_are_found_behind_any_blanks_and_comments() {
        const TEXT: &str = "\n# a heading\n\n  first\tis  here \r\nsecond\n#\n# ü\nthird 3";
        static LIST: List = List::new(TEXT, &names::<{ count(TEXT) }>(TEXT));
        assert_eq!(LIST.iter().collect::<Vec<_>>(), [("first", "is  here"), ("second", ""), ("third", "3")]);
        for name in ["first", "second", "third"] {
            assert!(LIST.contains(name), "{name}");
        }
        assert_eq!((count(""), count("# nothing")), (0, 0));
    }
}
