//! python-dotenv 1.
//!
//! Source: `dotenv/parser.py`, `dotenv/variables.py` and `resolve_variables` of python-dotenv 1.2.4.

use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::salvage::salvage;
use crate::environment::readers::dotenv::text::{byte_at, skip, unify_line_breaks, without_bom};
use crate::environment::readers::escapes::unescape;
use crate::environment::readers::expansion::{Budget, Lookup, Obstacle, Scope};
use crate::text::LineIndex;

/// Which of its functions the program calls: they differ in what `${X}` sees first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Load,
    Values,
}

pub(crate) fn read(text: &str, lookup: Lookup<'_>, call: Call) -> Document {
    let text = unify_line_breaks(without_bom(text));
    let lines = LineIndex::new(&text);
    let mut document = Document::default();
    let mut scope = Scope::new(lookup);
    let mut budget = Budget::new();
    let mut at = 0;
    while at < text.len() {
        let start = skip(&text, at, is_space);
        let (end, binding) = binding(&text, start);
        match binding {
            Ok(Some((name, Some(written)))) => {
                let value = expand(&written, &scope, call, &mut budget);
                scope.set(name, value.clone());
                document.push_expanded(name, lines.line(start), &written, value);
            }
            Ok(Some((name, None))) => {
                // In `${NAME:-default}` it counts as set.
                scope.set(name, Ok(String::new()));
                document.push(name, None, lines.line(start));
            }
            Ok(None) => {}
            Err(Broken) => {
                let line = lines.line(start);
                document.problem(line, "a line that this loader cannot read and skips");
                salvage(&mut document, &text[start..end], line, lookup);
            }
        }
        at = end;
    }
    document.settle(Wins::Last)
}

struct Broken;

type Binding<'t> = Option<(&'t str, Option<String>)>;

/// Reads one line, or as many as a quoted value takes; gives the place after it.
fn binding(text: &str, start: usize) -> (usize, Result<Binding<'_>, Broken>) {
    let mut at = start;
    let parsed = parse(text, &mut at);
    if parsed.is_err() {
        at = skip(text, at, |c| c != '\n');
    }
    (at + usize::from(byte_at(text, at) == b'\n'), parsed)
}

/// Moves `at` over what it has understood, as far as the end of the line if that is all of it.
fn parse<'t>(text: &'t str, at: &mut usize) -> Result<Binding<'t>, Broken> {
    if *at >= text.len() {
        return Ok(None);
    }
    if text[*at..].starts_with("export") {
        let after = skip(text, *at + "export".len(), is_inline_space);
        if after > *at + "export".len() {
            *at = after;
        }
    }
    let name = parse_name(text, at)?;
    *at = skip(text, *at, is_inline_space);
    let mut value = None;
    if byte_at(text, *at) == b'=' {
        let equals = *at + 1;
        *at = skip(text, equals, is_inline_space);
        value = Some(if *at > equals && byte_at(text, *at) == b'#' { String::new() } else { parse_value(text, at)? });
    }
    let comment = skip(text, *at, is_inline_space);
    if byte_at(text, comment) == b'#' {
        *at = skip(text, comment, |c| c != '\n');
    }
    let end = skip(text, *at, is_inline_space);
    if end < text.len() && byte_at(text, end) != b'\n' {
        return Err(Broken);
    }
    *at = end;
    Ok(name.map(|name| (name, value)))
}

fn parse_name<'t>(text: &'t str, at: &mut usize) -> Result<Option<&'t str>, Broken> {
    let start = *at;
    match byte_at(text, start) {
        b'#' => Ok(None),
        b'\'' => {
            let end = skip(text, start + 1, |c| c != '\'');
            if end == start + 1 || end >= text.len() {
                return Err(Broken);
            }
            *at = end + 1;
            Ok(Some(&text[start + 1..end]))
        }
        _ => {
            let end = skip(text, start, |c| c != '=' && c != '#' && !is_space(c));
            if end == start {
                return Err(Broken);
            }
            *at = end;
            Ok(Some(&text[start..end]))
        }
    }
}

fn parse_value(text: &str, at: &mut usize) -> Result<String, Broken> {
    let quote = byte_at(text, *at);
    if matches!(quote, b'\'' | b'"') {
        let mut escaped = false;
        let length = text.as_bytes()[*at + 1..].iter().position(|byte| {
            let closes = *byte == quote && !escaped;
            escaped = *byte == b'\\' && !escaped;
            closes
        });
        let length = length.ok_or(Broken)?;
        let inside = &text[*at + 1..*at + 1 + length];
        *at += length + 2;
        return Ok(unescape(inside, |c| meaning(c, quote == b'"')).into_owned());
    }
    let end = skip(text, *at, |c| c != '\n');
    let line = &text[*at..end];
    *at = end;
    let comment = line.match_indices('#').map(|(at, _)| at).find(|at| line[..*at].ends_with(is_space));
    Ok(line[..comment.unwrap_or(line.len())].trim_end_matches(is_space).to_owned())
}

/// Says what a backslash with this character stands for; double quotes know more of them.
fn meaning(c: char, in_double_quotes: bool) -> Option<char> {
    Some(match c {
        '\\' | '\'' => c,
        _ if !in_double_quotes => return None,
        '"' => c,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        _ => return None,
    })
}

/// Replaces `${NAME}` and `${NAME:-default}`, also in what stood in single quotes.
fn expand(text: &str, scope: &Scope<'_>, call: Call, budget: &mut Budget) -> Result<String, Obstacle> {
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    let mut search = 0;
    // The ends of names and defaults are looked for once, so that a row of `${` stays cheap.
    let (mut name_end, mut default_end) = (0, 0);
    while let Some(offset) = text[search..].find("${") {
        let dollar = search + offset;
        let name_start = dollar + 2;
        if name_end < name_start {
            name_end = skip(text, name_start, |c| c != '}' && c != ':');
        }
        let (default, end) = if text[name_end..].starts_with(":-") {
            if default_end < name_end {
                default_end = skip(text, name_end, |c| c != '}');
            }
            (Some(name_end + 2..default_end), default_end)
        } else {
            (None, name_end)
        };
        search = name_start;
        if byte_at(text, end) != b'}' {
            continue;
        }
        let name = &text[name_start..name_end];
        let found = match call {
            Call::Load => scope.process_then_file(name)?,
            Call::Values => scope.file_then_process(name)?,
        };
        let value = found.unwrap_or_else(|| default.map_or("", |range| &text[range]).into());
        budget.add(value.len())?;
        result.push_str(&text[from..dollar]);
        result.push_str(&value);
        from = end + 1;
        search = from;
    }
    result.push_str(&text[from..]);
    Ok(result)
}

/// Knows white space as Python's `\s` and `strip()` do.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

fn is_inline_space(c: char) -> bool {
    is_space(c) && c != '\n' && c != '\r'
}
