//! The line pattern that Ruby's dotenv began with and the npm package dotenv took over.
//!
//! Both are a regular expression tried again and again over the whole text, where white space may span lines, so that
//! `A=` takes a quoted value from the next line. Matching it by hand keeps the time proportional to the text.

use crate::environment::readers::dotenv::text::{byte_at, find_or_end, skip};

/// What the two differ in.
pub(crate) struct Pattern {
    pub(crate) in_name: fn(u8) -> bool,
    pub(crate) quotes: &'static [u8],
    pub(crate) space: fn(char) -> bool,
    /// Whether a name alone on its line is a match.
    pub(crate) bare_names: bool,
}

/// One match.
pub(crate) struct Match<'t> {
    /// Where the name stands; an `export` may stand lines above it.
    pub(crate) at: usize,
    pub(crate) end: usize,
    pub(crate) name: &'t str,
    pub(crate) export: bool,
    /// As written, quotes and surrounding white space included.
    pub(crate) value: Option<&'t str>,
}

impl Pattern {
    /// Hands each match to `each`, from the first line to the last; stops where it returns `false`.
    pub(crate) fn each<'t>(&self, text: &'t str, mut each: impl FnMut(Match<'t>) -> bool) {
        let mut line = 0;
        loop {
            // The white space before a name cannot match in any other way, so a failure behind it is a failure for
            // every line in it.
            let start = skip(text, line, self.space);
            if start >= text.len() {
                return;
            }
            let mut end = start;
            if let Some(found) = self.match_at(text, start) {
                end = found.end;
                if !each(found) {
                    return;
                }
            }
            line = find_or_end(text, end, b'\n') + 1;
            if line > text.len() {
                return;
            }
        }
    }

    fn match_at<'t>(&self, text: &'t str, start: usize) -> Option<Match<'t>> {
        if let Some(rest) = text[start..].strip_prefix("export")
            && rest.starts_with(self.space)
        {
            let name = skip(text, start + "export".len(), self.space);
            if let Some(found) = self.match_name(text, name, true) {
                return Some(found);
            }
        }
        self.match_name(text, start, false)
    }

    fn match_name<'t>(&self, text: &'t str, start: usize, export: bool) -> Option<Match<'t>> {
        let length = text.as_bytes()[start..].iter().take_while(|byte| (self.in_name)(**byte)).count();
        let name_end = start + length;
        if length == 0 {
            return None;
        }
        let name = &text[start..name_end];
        let after_space = skip(text, name_end, self.space);
        let value_at = if byte_at(text, after_space) == b'=' {
            after_space + 1
        } else if byte_at(text, name_end) == b':' {
            match text[name_end + 1..].chars().next() {
                Some(c) if (self.space)(c) => name_end + 1 + c.len_utf8(),
                _ => return None,
            }
        } else if self.bare_names && self.ends_line(text, name_end) {
            return Some(Match { at: start, end: name_end, name, export, value: None });
        } else {
            return None;
        };
        let end = self.quoted_end(text, value_at).unwrap_or_else(|| unquoted_end(text, value_at));
        let value = (end > value_at).then(|| &text[value_at..end]);
        Some(Match { at: start, end, name, export, value })
    }

    /// Finds the end of a quoted value with nothing but a comment behind it.
    fn quoted_end(&self, text: &str, value_at: usize) -> Option<usize> {
        let open = skip(text, value_at, self.space);
        let quote = byte_at(text, open);
        if !self.quotes.contains(&quote) {
            return None;
        }
        let bytes = text.as_bytes();
        let mut escaped = Vec::new();
        let mut at = open + 1;
        loop {
            at = find_or_end(text, at, quote);
            if at >= bytes.len() {
                break;
            }
            if at - 1 > open && bytes[at - 1] == b'\\' {
                escaped.push(at);
            } else if self.ends_line(text, at + 1) {
                return Some(at + 1);
            } else {
                break;
            }
            at += 1;
        }
        // No proper end: the expression goes back and takes an escaped quote for one.
        escaped.into_iter().rev().map(|at| at + 1).find(|end| self.ends_line(text, *end))
    }

    /// Says whether only white space and a comment are left on this line.
    fn ends_line(&self, text: &str, at: usize) -> bool {
        let next = skip(text, at, |c| c != '\n' && (self.space)(c));
        next >= text.len() || matches!(byte_at(text, next), b'\n' | b'#')
    }
}

fn unquoted_end(text: &str, at: usize) -> usize {
    text.as_bytes()[at..].iter().position(|byte| matches!(byte, b'#' | b'\n')).map_or(text.len(), |offset| at + offset)
}

/// Takes equal quotes off both ends; gives the quote, too, where there was one.
pub(crate) fn unquote<'v>(value: &'v str, quotes: &[u8]) -> (&'v str, Option<u8>) {
    match value.as_bytes() {
        [first, .., last] if first == last && quotes.contains(first) => (&value[1..value.len() - 1], Some(*first)),
        _ => (value, None),
    }
}
