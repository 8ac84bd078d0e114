//! Node.js's own parser: `node --env-file`, `process.loadEnvFile()` and `util.parseEnv`; and Vite, which builds on it.
//!
//! Source: `src/node_dotenv.cc` of Node.js 24; what version 20 does otherwise was measured on 20.20.

use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::dotenv_expand;
use crate::environment::readers::dotenv::salvage::salvage;
use crate::environment::readers::dotenv::text::{byte_at, find_or_end};
use crate::environment::readers::expansion::Lookup;
use crate::text::LineIndex;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V20,
    V24,
}

pub(crate) fn read(text: &str, lookup: Lookup<'_>, version: Version) -> Document {
    let text = text.replace('\r', "");
    let space: &[char] = match version {
        Version::V20 => &[' '],
        Version::V24 => &[' ', '\t', '\n'],
    };
    let text = text.trim_end_matches(space);
    let mut parser = Parser { text, at: 0, lines: LineIndex::new(text), version, space, lookup };
    let mut document = Document::default();
    if text.starts_with('\u{feff}') {
        document.problem(1, "a byte order mark, which this loader takes for a part of the first name");
    }
    parser.skip_space();
    while parser.at < text.len() {
        if !parser.statement(&mut document) {
            let line = parser.lines.line(parser.at);
            document.problem(line, "a line without a name; this loader stops here");
            salvage(&mut document, &text[parser.at..], line, lookup);
            break;
        }
    }
    document.settle(Wins::Last)
}

/// Reads as Vite does: it gets the names sorted, so a variable sees only those before it in the alphabet.
pub(crate) fn read_for_vite(text: &str, lookup: Lookup<'_>) -> Document {
    let mut document = read(text, lookup, Version::V24);
    document.entries.sort_by(|one, other| one.name.cmp(&other.name));
    let mut document = dotenv_expand::expand(document, lookup, dotenv_expand::Version::V12);
    document.entries.sort_by_key(|entry| entry.line);
    document
}

struct Parser<'t, 'a> {
    lookup: Lookup<'a>,
    text: &'t str,
    at: usize,
    lines: LineIndex,
    version: Version,
    space: &'static [char],
}

impl Parser<'_, '_> {
    fn skip_space(&mut self) {
        self.at = self.text.len() - self.text[self.at..].trim_start_matches(self.space).len();
    }

    fn next_line(&mut self, from: usize) {
        self.at = (find_or_end(self.text, from, b'\n') + 1).min(self.text.len());
    }

    /// Reads one comment, empty line, skipped line or variable; `false` where version 20 stops.
    fn statement(&mut self, document: &mut Document) -> bool {
        let start = self.at;
        let first = byte_at(self.text, start);
        let last_line = find_or_end(self.text, start, b'\n') == self.text.len();
        // Version 20 looks for a variable in a comment that ends the file without a line break.
        if first == b'\n' || (first == b'#' && !(last_line && self.version == Version::V20)) {
            self.next_line(start);
            return true;
        }
        let Some(equals) = self.equals(start) else {
            if self.version == Version::V20 {
                // No `=` in the rest of the file.
                self.at = self.text.len();
            } else {
                self.next_line(start);
                self.skip_space();
            }
            return true;
        };
        let name = self.text[start..equals].trim_matches(self.space);
        self.at = equals + 1;
        if self.at == self.text.len() || byte_at(self.text, self.at) == b'\n' {
            // Version 24 leaves the `export` in the name here.
            let name = if self.version == Version::V20 { name.strip_prefix("export ").unwrap_or(name) } else { name };
            self.set(document, start, name, "");
            return self.version == Version::V24 || equals > start;
        }
        self.skip_space();
        if name.is_empty() && (self.version == Version::V24 || equals == start) {
            self.at = if self.version == Version::V24 { self.at } else { start };
            return self.version == Version::V24;
        }
        let name = match (name.strip_prefix("export "), self.version) {
            (Some(rest), Version::V24) => rest.trim_matches(self.space),
            (Some(rest), Version::V20) => rest,
            (None, _) => name,
        };
        self.value(document, start, name);
        true
    }

    /// Finds the `=` of a variable; in version 20 the name may hold whole lines.
    fn equals(&self, start: usize) -> Option<usize> {
        let end = match self.version {
            Version::V20 => self.text.len(),
            Version::V24 => find_or_end(self.text, start, b'\n'),
        };
        self.text[start..end].find('=').map(|offset| start + offset)
    }

    fn value(&mut self, document: &mut Document, start: usize, name: &str) {
        let text = self.text;
        let quote = byte_at(text, self.at);
        if matches!(quote, b'"' | b'\'' | b'`') {
            let close = find_or_end(text, self.at + 1, quote);
            if close < text.len() {
                let value = &text[self.at + 1..close];
                let value = if quote == b'"' { value.replace("\\n", "\n") } else { value.to_owned() };
                self.set(document, start, name, &value);
                self.next_line(close + 1);
                return;
            }
            let line_end = find_or_end(text, self.at, b'\n');
            if line_end < text.len() || self.version == Version::V24 {
                self.set(document, start, name, &text[self.at..line_end]);
            } else {
                // Version 20 forgets the name and looks for another variable in the value.
                let line = self.lines.line(start);
                document.problem(line, "a quote that is not closed; this loader drops the variable");
                salvage(document, &text[start..], line, self.lookup);
                return;
            }
            self.next_line(self.at);
        } else {
            let line_end = find_or_end(text, self.at, b'\n');
            let value = &text[self.at..line_end];
            let value = value.split('#').next().unwrap_or(value).trim_matches(self.space);
            self.set(document, start, name, value);
            self.next_line(self.at);
        }
        if self.version == Version::V24 {
            self.skip_space();
        }
    }

    fn set(&mut self, document: &mut Document, start: usize, name: &str, value: &str) {
        // White space alone is no name; what version 20 makes of it depends on what lies before it in memory.
        if !name.is_empty() {
            let line = self.lines.line(start);
            document.push(name, Some(value.to_owned()), line);
        }
    }
}
