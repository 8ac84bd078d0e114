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

use std::cmp::Ordering;
use std::sync::OnceLock;

/// A list, searched as it stands: nothing is read or built before it is asked. Keep it in a `static`.
pub(crate) struct List {
    text: &'static str,
    has_prefixes: bool,
    prefixes: OnceLock<Vec<Entry>>,
}

/// A name with what stands behind it.
type Entry = (&'static str, &'static str);

impl List {
    /// `text` is the file, by `include_str!`.
    pub(crate) const fn new(text: &'static str) -> Self {
        List { text, has_prefixes: contains_star(text.as_bytes()), prefixes: OnceLock::new() }
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Finds what stands behind `name` (empty where nothing does): its own entry, else that of its longest beginning.
    pub(crate) fn find(&self, name: &str) -> Option<&'static str> {
        self.find_exact(name).or_else(|| self.find_beginning(name))
    }

    /// Halves the text at a line until the line of `name` is found.
    fn find_exact(&self, name: &str) -> Option<&'static str> {
        let (mut low, mut high) = (0, self.text.len());
        while low < high {
            let before = &self.text.as_bytes()[low..usize::midpoint(low, high)];
            let start = before.iter().rposition(|byte| *byte == b'\n').map_or(low, |at| low + at + 1);
            let mut end = start;
            let found = self.text[start..high].split_inclusive('\n').find_map(|line| {
                end += line.len();
                entry(line)
            });
            match found.map(|(known, rest)| (known.cmp(name), rest)) {
                Some((Ordering::Equal, rest)) => return Some(rest),
                Some((Ordering::Less, _)) => low = end,
                Some((Ordering::Greater, _)) | None => high = start,
            }
        }
        None
    }

    fn find_beginning(&self, name: &str) -> Option<&'static str> {
        if !self.has_prefixes {
            return None;
        }
        let prefixes = self
            .prefixes
            .get_or_init(|| self.iter().filter_map(|(name, rest)| Some((name.strip_suffix('*')?, rest))).collect());
        // A longer beginning is sorted behind a shorter one.
        prefixes.iter().rev().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, rest)| *rest)
    }

    /// Lists the names with what stands behind each, in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Entry> {
        self.text.lines().filter_map(entry)
    }
}

/// The entry of a line, if it has one.
fn entry(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    Some(line.split_once(char::is_whitespace).map_or((line, ""), |(name, rest)| (name, rest.trim_start())))
}

const fn contains_star(text: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'*' {
            return true;
        }
        at += 1;
    }
    false
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

    #[test]
    fn every_entry_of_any_list_is_found_and_nothing_between_them() {
        for count in 0..40 {
            let names: Vec<String> = (0..count).map(|number| format!("n{:03}", number * 2)).collect();
            for (heading, comments) in [("", 1000), ("# a heading with ü\n\n", 3), ("#\n", 1)] {
                let mut text = heading.to_owned();
                for (at, name) in names.iter().enumerate() {
                    let comment = if at % comments == 0 { "# and so on\n" } else { "" };
                    text.push_str(&format!("{comment}{name}  says {name}\n"));
                }
                let list = List::new(text.leak());
                for number in 0..count * 2 {
                    let name = format!("n{number:03}");
                    let expected = names.contains(&name).then(|| format!("says {name}"));
                    assert_eq!(list.find(&name), expected.as_deref(), "{name} of {count}");
                }
                assert_eq!((list.find(""), list.find("m"), list.find("o"), list.find("#")), (None, None, None, None));
            }
        }
    }
}
