//! joho/godotenv.
//!
//! It looks at single bytes where it checks names, takes `A="x" B="y"` for two variables, and gives nothing of a file
//! with an error. A `#` right at the start of a value makes 1.6.0-pre panic.
//!
//! Source: `parser.go` of godotenv 1.5.1 and 1.6.0-pre.4.

use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::salvage::reject;
use crate::environment::readers::dotenv::text::{byte_at, find_or_end, skip, statement_start};
use crate::environment::readers::escapes::unescape;
use crate::environment::readers::expansion::{Budget, Lookup, Obstacle, Scope};
use crate::text::LineIndex;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V15,
    V16,
}

pub(crate) fn read(text: &str, lookup: Lookup<'_>, version: Version) -> Document {
    let text = text.replace("\r\n", "\n");
    let lines = LineIndex::new(&text);
    let mut document = Document::default();
    let mut parser = Parser { text: &text, at: 0, scope: Scope::new(lookup), budget: Budget::new(), version };
    while let Some(start) = statement_start(&text, parser.at) {
        let line = lines.line(start);
        match parser.statement(start) {
            // A last line without a separator is taken for the value of no name.
            Ok(("", _, _)) => document.problem(line, "a value without a name"),
            Ok((name, written, value)) => {
                parser.scope.set(name, value.clone());
                document.push_expanded(name, line, &written, value);
            }
            Err(Broken(message)) => {
                reject(&mut document, line, message, &text[start..], lookup);
                break;
            }
        }
    }
    document.settle(Wins::Last)
}

struct Broken(&'static str);

type Value = Result<String, Obstacle>;

struct Parser<'t, 'a> {
    text: &'t str,
    at: usize,
    scope: Scope<'a>,
    budget: Budget,
    version: Version,
}

impl<'t> Parser<'t, '_> {
    fn statement(&mut self, start: usize) -> Result<(&'t str, String, Value), Broken> {
        let name = self.name(start)?;
        let (written, value) = self.value()?;
        Ok((name, written, value))
    }

    fn name(&mut self, start: usize) -> Result<&'t str, Broken> {
        let text = self.text;
        let mut start = start;
        if text[start..].starts_with("export") && text[start + "export".len()..].starts_with(is_space) {
            start = skip(text, start + "export".len(), is_space);
        }
        for (offset, byte) in text.as_bytes()[start..].iter().enumerate() {
            match byte {
                b'=' | b':' => {
                    self.at = skip(text, start + offset + 1, is_space);
                    return Ok(text[start..start + offset].trim_end());
                }
                _ if is_space(char::from(*byte)) || in_name(*byte, self.version) => {}
                _ => return Err(Broken("a character that no name may have; this loader rejects the file")),
            }
        }
        if start == text.len() {
            return Err(Broken("an export of nothing; this loader rejects the file"));
        }
        self.at = skip(text, start, is_space);
        Ok("")
    }

    fn value(&mut self) -> Result<(String, Value), Broken> {
        let quote = byte_at(self.text, self.at);
        if matches!(quote, b'"' | b'\'') { self.quoted(quote) } else { self.unquoted() }
    }

    fn unquoted(&mut self) -> Result<(String, Value), Broken> {
        let start = self.at;
        self.at = skip(self.text, start, |c| c != '\n' && c != '\r');
        let line = &self.text[start..self.at];
        let mut hashes = line.match_indices('#').map(|(at, _)| at).filter(|at| match (self.version, *at) {
            (Version::V15, 0) => false,
            (Version::V16, 0) => true,
            (_, at) => line[..at].ends_with(is_space),
        });
        let comment = match self.version {
            Version::V15 => hashes.next_back(),
            Version::V16 => hashes.next(),
        };
        if comment == Some(0) {
            return Err(Broken("a value that starts with `#`, on which this loader panics"));
        }
        let written = line[..comment.unwrap_or(line.len())].trim_matches(is_space);
        Ok((written.to_owned(), self.expand(written)))
    }

    fn quoted(&mut self, quote: u8) -> Result<(String, Value), Broken> {
        let bytes = self.text.as_bytes();
        let open = self.at;
        let mut close = open;
        loop {
            close = find_or_end(self.text, close + 1, quote);
            if close == bytes.len() {
                return Err(Broken("a quote that is not closed; this loader rejects the file"));
            }
            let backslashes = bytes[open..close].iter().rev().take_while(|byte| **byte == b'\\').count();
            let escaped = match self.version {
                Version::V15 => backslashes > 0,
                Version::V16 => backslashes % 2 == 1,
            };
            if !escaped {
                break;
            }
        }
        self.at = close + 1;
        let inside = self.text[open..close].trim_matches(char::from(quote));
        if quote == b'\'' {
            return Ok((inside.to_owned(), Ok(inside.to_owned())));
        }
        let unescaped = unescape_twice(inside);
        let value = self.expand(&unescaped);
        Ok((unescaped, value))
    }

    /// Replaces `$NAME` and `${NAME}` for names in capitals; either brace may be missing.
    fn expand(&mut self, text: &str) -> Value {
        let bytes = text.as_bytes();
        let mut result = String::with_capacity(text.len());
        let mut from = 0;
        while let Some(offset) = text[from..].find('$') {
            let dollar = from + offset;
            let escaped = dollar > from && bytes[dollar - 1] == b'\\';
            result.push_str(&text[from..dollar - usize::from(escaped)]);
            let mut name = dollar + 1;
            name += usize::from(bytes.get(name) == Some(&b'('));
            name += usize::from(bytes.get(name) == Some(&b'{'));
            let in_name = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b'_';
            let name_end = name + bytes[name..].iter().take_while(in_name).count();
            let end = name_end + usize::from(bytes.get(name_end) == Some(&b'}'));
            if escaped || name == name_end {
                result.push_str(&text[dollar..end]);
            } else {
                let found = match self.version {
                    Version::V15 => self.scope.in_file(&text[name..name_end])?,
                    Version::V16 => self.scope.file_then_process(&text[name..name_end])?,
                };
                let value = found.unwrap_or_default();
                self.budget.add(value.len())?;
                result.push_str(&value);
            }
            from = end;
        }
        result.push_str(&text[from..]);
        Ok(result)
    }
}

/// Replaces `\n` and `\r` by what they stand for; then, before anything else but `$`, a backslash goes away.
fn unescape_twice(text: &str) -> String {
    let first = unescape(text, |c| match c {
        'n' => Some('\n'),
        'r' => Some('\r'),
        _ => None,
    });
    unescape(&first, |c| (c != '$').then_some(c)).into_owned()
}

/// Knows white space as the library does: the line break is none.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

/// Names are checked byte by byte, each taken for a character of Latin-1.
fn in_name(byte: u8, version: Version) -> bool {
    let c = char::from(byte);
    c == '_' || c == '.' || c.is_alphanumeric() || (c == '-' && version == Version::V16)
}
