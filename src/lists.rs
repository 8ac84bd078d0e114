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

/// A list that is read the first time it is asked; keep it in a `static`.
pub(crate) struct List {
    text: &'static str,
    read: OnceLock<Entries>,
}

/// Names with what stands behind them, sorted as in the file.
struct Entries {
    exact: Vec<(&'static str, &'static str)>,
    prefixes: Vec<(&'static str, &'static str)>,
}

impl List {
    /// `text` is the file, by `include_str!`.
    pub(crate) const fn new(text: &'static str) -> Self {
        List { text, read: OnceLock::new() }
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Finds what stands behind `name` (empty where nothing does): its own entry, else that of its longest beginning.
    pub(crate) fn find(&self, name: &str) -> Option<&'static str> {
        let Entries { exact, prefixes } = self.entries();
        if let Ok(at) = exact.binary_search_by_key(&name, |(known, _)| known) {
            return Some(exact[at].1);
        }
        // A longer beginning is sorted behind a shorter one.
        prefixes.iter().rev().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, rest)| *rest)
    }

    /// Lists the names with what stands behind each, in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        entries(self.text)
    }

    fn entries(&self) -> &Entries {
        self.read.get_or_init(|| {
            let (prefixes, exact) = entries(self.text).partition(|(name, _)| name.ends_with('*'));
            let prefixes: Vec<(&str, &str)> = prefixes;
            let bare = prefixes.into_iter().map(|(name, rest)| (name.trim_end_matches('*'), rest));
            Entries { exact, prefixes: bare.collect() }
        })
    }
}

/// The entries of a list's text, each name with what stands behind it.
fn entries(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(char::is_whitespace).map_or((line, ""), |(name, rest)| (name, rest.trim_start())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_itself_and_by_its_longest_beginning() {
        static LIST: List =
            List::new("# drivers\na/*   any of a\na/b*  any of a/b\na/bc  itself\n\nplain\n# the end\nz.*\n");
        let table = [
            ("a/x", Some("any of a")),
            ("a/by", Some("any of a/b")),
            ("a/bc", Some("itself")),
            ("a/bcd", Some("any of a/b")),
            ("plain", Some("")),
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
}
