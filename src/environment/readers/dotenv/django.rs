//! django-environ, `Env.read_env()` without `overwrite` and `parse_comments`.
//!
//! A value that starts with `$` is looked up when the program asks for it, which is not done here.
//!
//! Source: `environ/environ.py` of django-environ 0.14.0.

use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::salvage::salvage;
use crate::environment::readers::dotenv::text::unify_line_breaks;
use crate::environment::readers::escapes::unescape;
use crate::environment::readers::expansion::Lookup;

pub(crate) fn read(text: &str, lookup: Lookup<'_>) -> Document {
    let text = unify_line_breaks(text);
    let mut document = Document::default();
    for (whole, number) in text.split('\n').zip(1..) {
        for line in whole.split(is_line_end) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, written)) = split(line) else {
                document.problem(number, "a line that this loader cannot read and skips");
                salvage(&mut document, line, number, lookup);
                continue;
            };
            document.push(name, Some(unquote(written)), number);
            if lookup(name).is_some() {
                document.shadow_last();
            }
        }
    }
    document.settle(Wins::Last)
}

fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let valid = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    valid.then_some((name, value))
}

fn unquote(written: &str) -> String {
    let mut value = written;
    for quote in ['\'', '"'] {
        let Some(inside) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) else { continue };
        if quote == '"' {
            // Backslashes go away, but not from `\n`, `\r` and `\t`.
            return unescape(inside, |c| (!matches!(c, 'n' | 'r' | 't')).then_some(c)).into_owned();
        }
        value = inside;
    }
    value.to_owned()
}

/// Knows where Python's `splitlines()` cuts, besides `\n`.
fn is_line_end(c: char) -> bool {
    matches!(c, '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
