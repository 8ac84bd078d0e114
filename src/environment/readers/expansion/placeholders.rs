//! `${NAME:default}` in settings files, as Spring and those who do it like Spring fill it in, and `${NAME:-default}`, as
//! shells and Dropwizard do.

use std::cell::Cell;

use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::formats::FlatEntry;

/// Longer values are left as written.
const LONGEST_VALUE: usize = 8 * 1024;

/// How deep a value that was filled in is filled in again.
const DEEPEST: u8 = 16;

/// How many placeholders are filled in for one file, and for one value that refers to others.
const MOST_IN_A_FILE: u32 = 10_000;
const MOST_IN_A_VALUE: u32 = 64;

/// Fills placeholders in, as long as its budget lasts: values that double each other must not fill the memory.
pub(crate) struct Placeholders<'l> {
    lookup: Lookup<'l>,
    left: Cell<u32>,
}

impl<'l> Placeholders<'l> {
    /// Serves all values of one file.
    pub(crate) fn of_file(lookup: Lookup<'l>) -> Self {
        Placeholders { lookup, left: Cell::new(MOST_IN_A_FILE) }
    }

    /// Serves one value.
    pub(crate) fn of_value(lookup: Lookup<'l>) -> Self {
        Placeholders { lookup, left: Cell::new(MOST_IN_A_VALUE) }
    }

    /// Fills in what is known; the rest stays as written.
    pub(crate) fn filled(&self, text: &str) -> String {
        self.filled_at(text, 0)
    }

    fn filled_at(&self, text: &str, depth: u8) -> String {
        if text.len() > LONGEST_VALUE || depth > DEEPEST {
            return text.to_owned();
        }
        let mut value = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            value.push_str(before);
            let Some(end) = closing(after) else {
                value.push_str("${");
                rest = after;
                continue;
            };
            let inside = &after[..end];
            rest = &after[end + 1..];
            let (name, default) =
                inside.split_once(':').map_or((inside, None), |(name, default)| (name, Some(default)));
            let default = default.map(|default| default.strip_prefix('-').unwrap_or(default));
            match (self.lookup)(name).or(default.map(str::to_owned)) {
                Some(known) if self.left.get() > 0 => {
                    self.left.set(self.left.get() - 1);
                    value.push_str(&self.filled_at(&known, depth + 1));
                }
                _ => {
                    value.push_str("${");
                    value.push_str(inside);
                    value.push('}');
                }
            }
        }
        value.push_str(rest);
        value
    }
}

/// Fills in the placeholders of the entries' values.
pub(crate) fn filled(entries: &[FlatEntry], lookup: Lookup<'_>) -> Vec<FlatEntry> {
    let placeholders = Placeholders::of_file(lookup);
    entries.iter().map(|entry| entry.with_value(placeholders.filled(&entry.value))).collect()
}

/// Finds where the brace opened before `text` closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1u32;
    text.bytes().position(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_filled_in_and_the_rest_stays() {
        let lookup = |name: &str| match name {
            "HOST" => Some("db".to_owned()),
            "URL" => Some("pg://${HOST}/shop".to_owned()),
            "SELF" => Some("${SELF}${SELF}".to_owned()),
            _ => None,
        };
        let table = [
            ("plain", "plain"),
            ("${HOST}:5432", "db:5432"),
            ("${URL}", "pg://db/shop"),
            ("${UNSET:here}", "here"),
            ("${UNSET:${HOST}}", "db"),
            ("${UNSET}", "${UNSET}"),
            ("${open", "${open"),
        ];
        for (text, expected) in table {
            assert_eq!(Placeholders::of_value(&lookup).filled(text), expected, "{text}");
        }
        assert!(Placeholders::of_file(&lookup).filled("${SELF}").len() < 1 << 20);
    }
}
