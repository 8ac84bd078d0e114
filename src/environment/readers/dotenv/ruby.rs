//! The Ruby gem dotenv 3, without overwriting.
//!
//! It executes `$(…)`; here such a value is unresolved.
//!
//! Source: `lib/dotenv/parser.rb` and `lib/dotenv/substitutions/` of dotenv 3.2.

use crate::environment::readers::dotenv::command::{has_balanced_command, unescape_commands};
use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::pattern::{Pattern, unquote};
use crate::environment::readers::dotenv::salvage::reject;
use crate::environment::readers::dotenv::text::{unify_line_breaks, without_bom};
use crate::environment::readers::escapes::unescape;
use crate::environment::readers::expansion::{Budget, Lookup, Obstacle, Scope};
use crate::text::LineIndex;

const QUOTES: &[u8] = b"'\"";

const LINE: Pattern = Pattern {
    in_name: |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'),
    quotes: QUOTES,
    space: is_space,
    bare_names: true,
};

const LINE_BREAK_MODE: &str = "DOTENV_LINEBREAK_MODE";

pub(crate) fn read(text: &str, lookup: Lookup<'_>) -> Document {
    let text = unify_line_breaks(without_bom(text));
    let lines = LineIndex::new(&text);
    let mut document = Document::default();
    let mut scope = Scope::new(lookup);
    let mut budget = Budget::new();
    let mut broken_at = None;
    LINE.each(&text, |found| {
        let line = lines.line(found.at);
        let existing = if found.name == LINE_BREAK_MODE { None } else { lookup(found.name) };
        if let Some(value) = existing {
            scope.set(found.name, Ok(value.clone()));
            document.push(found.name, Some(value), line);
        } else if found.export && found.value.is_none() {
            if !scope.has(found.name) {
                broken_at = Some((found.at, line));
                return false;
            }
        } else {
            let written = strip(found.value.unwrap_or(""));
            let (text, quote) = unquote(written, QUOTES);
            let value = expand(text, quote, &scope, &mut budget);
            scope.set(found.name, value.clone());
            document.push_expanded(found.name, line, text, value);
        }
        true
    });
    if let Some((at, line)) = broken_at {
        reject(
            &mut document,
            line,
            "an export of a name that is not set; this loader rejects the file",
            &text[at..],
            lookup,
        );
    }
    document.settle(Wins::Last)
}

fn expand(text: &str, quote: Option<u8>, scope: &Scope<'_>, budget: &mut Budget) -> Result<String, Obstacle> {
    if quote == Some(b'\'') {
        return Ok(text.to_owned());
    }
    let mut value = text.to_owned();
    if quote == Some(b'"') && text.contains('\\') {
        let legacy = scope.file_then_process(LINE_BREAK_MODE)?.is_some_and(|mode| mode == "legacy");
        value = if legacy {
            value.replace("\\n", "\n").replace("\\r", "\r")
        } else {
            value.replace("\\n", "\\\\\\n").replace("\\r", "\\\\\\r")
        };
    }
    // A `$` keeps its backslash.
    let value = unescape(&value, |c| (c != '$').then_some(c));
    if has_balanced_command(&value) {
        return Err(Obstacle::Command);
    }
    substitute(&unescape_commands(&value), scope, budget)
}

/// Replaces `$NAME` and `${NAME}`; either brace may be missing.
fn substitute(text: &str, scope: &Scope<'_>, budget: &mut Budget) -> Result<String, Obstacle> {
    let bytes = text.as_bytes();
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(offset) = text[from..].find('$') {
        let dollar = from + offset;
        let escaped = dollar > from && bytes[dollar - 1] == b'\\';
        result.push_str(&text[from..dollar - usize::from(escaped)]);
        if bytes.get(dollar + 1) == Some(&b'(') {
            result.push_str(if escaped { "\\$" } else { "$" });
            from = dollar + 1;
            continue;
        }
        let open = dollar + 1 + usize::from(bytes.get(dollar + 1) == Some(&b'{'));
        let name = bytes[open..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let end = open + name + usize::from(bytes.get(open + name) == Some(&b'}'));
        if escaped || name == 0 {
            result.push_str(&text[dollar..end]);
        } else if let Some(value) = scope.file_then_process(&text[open..open + name])? {
            budget.add(value.len())?;
            result.push_str(&value);
        }
        from = end;
    }
    result.push_str(&text[from..]);
    Ok(result)
}

/// Knows white space as Ruby's `\s` does.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

fn strip(text: &str) -> &str {
    text.trim_start_matches(|c| is_space(c) || c == '\0').trim_end_matches(|c| is_space(c) || c == '\0')
}
