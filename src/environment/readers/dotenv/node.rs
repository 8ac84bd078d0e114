//! The npm package dotenv, 16 to 18.
//!
//! Source: `lib/main.js` of dotenv 16.6 and 17.4; 18.0, in its usual and its fast mode, never differed in what was measured.

use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::pattern::{Pattern, unquote};
use crate::environment::readers::dotenv::text::unify_line_breaks;
use crate::text::LineIndex;

const QUOTES: &[u8] = b"'\"`";

const LINE: Pattern = Pattern {
    in_name: |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'),
    quotes: QUOTES,
    space: is_js_space,
    bare_names: false,
};

pub(crate) fn read(text: &str) -> Document {
    let text = unify_line_breaks(text);
    let lines = LineIndex::new(&text);
    let mut document = Document::default();
    LINE.each(&text, |found| {
        // Assigning to this property of a JavaScript object sets nothing.
        if found.name != "__proto__" {
            document.push(found.name, Some(value(found.value.unwrap_or(""))), lines.line(found.at));
        }
        true
    });
    document.settle(Wins::Last)
}

fn value(written: &str) -> String {
    let trimmed = written.trim_matches(is_js_space);
    let (value, _) = unquote(trimmed, QUOTES);
    if trimmed.starts_with('"') { value.replace("\\n", "\n").replace("\\r", "\r") } else { value.to_owned() }
}

/// Knows white space and line ends of JavaScript's `\s` and `trim()`.
pub(crate) fn is_js_space(c: char) -> bool {
    matches!(c, '\u{feff}') || (c.is_whitespace() && c != '\u{85}')
}
