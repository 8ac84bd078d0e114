//! dotenv-expand on top of the npm package dotenv, and under Vite.
//!
//! The library replaces the leftmost expression and starts again from the front, so what a value brings in is expanded
//! too, and so are values in single quotes. Version 1000 then executes each `$(…)`; here such a value is unresolved.
//!
//! Source: `lib/main.js` of dotenv-expand 12.0.3, `dist/lib/main.js` of 1000.0.0.

use std::hash::{Hash, Hasher};
use std::ops::Range;

use crate::collections::{HashMap, HashSet, keyed_hasher};
use crate::environment::readers::dotenv::document::Document;
use crate::environment::readers::expansion::{Budget, Lookup, Obstacle, Scope};

/// Work that each replacement is taken to be, besides the length of the value.
const STEP: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V12,
    V1000,
}

/// Expands as `expand({ parsed, processEnv })` does where `processEnv` holds nothing of the file.
pub(crate) fn expand(mut document: Document, lookup: Lookup<'_>, version: Version) -> Document {
    let mut scope = Scope::new(lookup);
    let mut budget = Budget::new();
    let written: HashMap<String, String> = match version {
        Version::V12 => HashMap::default(),
        Version::V1000 => pairs(&document).collect(),
    };
    for index in property_order(&document) {
        let name = document.entries[index].name.clone();
        let value = document.entries[index].value.clone().unwrap_or_default();
        let in_process = lookup(&name).filter(|text| !text.is_empty() && *text != value);
        let expanded = match (in_process, version) {
            (Some(text), _) => Ok(text),
            (None, Version::V12) => expand_12(&value, &scope, &mut budget),
            (None, Version::V1000) => expand_1000(&value, &scope, &written, &mut budget),
        };
        let expanded = expanded.map(|text| text.replace("\\$", "$"));
        scope.set(&name, expanded.clone());
        document.set_expanded(index, &value, expanded);
    }
    document
}

/// Expands as `expand(config())` does: `config()` has put the file's values, as written, into the process environment.
pub(crate) fn expand_after_config(document: Document, lookup: Lookup<'_>, version: Version) -> Document {
    let written: HashMap<String, String> = pairs(&document).collect();
    expand(document, &|name| lookup(name).or_else(|| written.get(name).cloned()), version)
}

fn pairs(document: &Document) -> impl Iterator<Item = (String, String)> {
    document.effective().map(|entry| (entry.name.clone(), entry.value.clone().unwrap_or_default()))
}

/// Puts the winning entries in the order of a JavaScript object: integers by size, then names by first appearance.
fn property_order(document: &Document) -> Vec<usize> {
    let mut first: HashMap<&str, usize> = HashMap::default();
    for (index, entry) in document.entries.iter().enumerate() {
        first.entry(&entry.name).or_insert(index);
    }
    let mut order: Vec<usize> = (0..document.entries.len()).filter(|at| !document.entries[*at].shadowed).collect();
    order.sort_by_key(|index| {
        let name = document.entries[*index].name.as_str();
        let integer = name.parse::<u32>().ok().filter(|number| *number < u32::MAX && number.to_string() == name);
        (integer.is_none(), integer, first[name])
    });
    order
}

fn expand_12(value: &str, scope: &Scope<'_>, budget: &mut Budget) -> Result<String, Obstacle> {
    let mut result = value.to_owned();
    let mut seen = HashSet::default();
    while let Some((template, expression)) = find_expression(&result) {
        budget.look(result.len() + STEP)?;
        seen.insert(fingerprint(&result));
        let expression = &result[expression];
        let operator = operator(expression);
        // Without an operator the library splits at `null`, which JavaScript takes for the word.
        let (name, rest) = expression.split_once(operator.unwrap_or("null")).unwrap_or((expression, ""));
        let found = scope.process_then_file(name)?.filter(|text| !text.is_empty());
        let replacement = match operator {
            Some(":+" | "+") => found.map_or("", |_| rest).into(),
            _ => found.filter(|text| !seen.contains(&fingerprint(text))).unwrap_or_else(|| rest.into()),
        };
        let next = replace_like_js(&result, template, &replacement);
        budget.add(next.len().saturating_sub(result.len()))?;
        let settled = scope.in_file(name)?.is_some_and(|text| *text == next);
        result = next;
        if settled {
            break;
        }
    }
    Ok(result)
}

fn expand_1000(
    value: &str,
    scope: &Scope<'_>,
    written: &HashMap<String, String>,
    budget: &mut Budget,
) -> Result<String, Obstacle> {
    let mut result = value.to_owned();
    while let Some((template, expression)) = find_expression(&result) {
        budget.look(result.len() + STEP)?;
        let expression = &result[expression];
        let operator = operator(expression);
        let (name, rest) = expression.split_once(operator.unwrap_or("null")).unwrap_or((expression, ""));
        // A process variable that equals the file's text is taken for the file's, and its expanded value counts.
        let from_file = scope.has(name) && scope.in_process(name).as_ref() == written.get(name);
        let found = if from_file { scope.in_file(name)? } else { scope.process_then_file(name)? };
        let set = found.is_some();
        let value = found.unwrap_or_default();
        let replacement = match operator {
            Some(":-") if value.is_empty() => rest,
            Some("-") if !set => rest,
            Some(":+") => {
                if value.is_empty() {
                    ""
                } else {
                    rest
                }
            }
            Some("+") => {
                if set {
                    rest
                } else {
                    ""
                }
            }
            _ => &value,
        };
        let next = replace_like_js(&result, template, replacement);
        budget.add(next.len().saturating_sub(result.len()))?;
        let settled = set && next == *value;
        result = next;
        if settled {
            break;
        }
    }
    if has_command(&result, budget)? { Err(Obstacle::Command) } else { Ok(result) }
}

/// Finds the first unescaped `${…}` or `$NAME`, and what stands inside.
fn find_expression(text: &str) -> Option<(Range<usize>, Range<usize>)> {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('$') {
        if at > 0 && bytes[at - 1] == b'\\' {
            continue;
        }
        if bytes.get(at + 1) == Some(&b'{') {
            let inside = bytes[at + 2..].iter().take_while(|byte| !matches!(byte, b'{' | b'}')).count();
            let end = at + 2 + inside;
            if inside > 0 && bytes.get(end) == Some(&b'}') {
                return Some((at..end + 1, at + 2..end));
            }
        } else if bytes.get(at + 1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
            let name = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            return Some((at..at + 1 + name, at + 1..at + 1 + name));
        }
    }
    None
}

fn operator(expression: &str) -> Option<&'static str> {
    let at = expression.find(['+', '-'])?;
    let colon = expression[..at].ends_with(':');
    Some(match (expression.as_bytes()[at], colon) {
        (b'+', true) => ":+",
        (b'+', false) => "+",
        (_, true) => ":-",
        (_, false) => "-",
    })
}

/// Replaces the first occurrence, as JavaScript's `text.replace(template, replacement)` does with the `$` signs of the
/// replacement.
fn replace_like_js(text: &str, template: Range<usize>, replacement: &str) -> String {
    let pattern = &text[template.clone()];
    let start = text.find(pattern).unwrap_or(template.start);
    let (before, after) = (&text[..start], &text[start + pattern.len()..]);
    let mut result = String::with_capacity(text.len() + replacement.len());
    result.push_str(before);
    let mut rest = replacement;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        let (insert, length) = match rest.as_bytes().get(at + 1) {
            Some(b'$') => ("$", 2),
            Some(b'&') => (pattern, 2),
            Some(b'`') => (before, 2),
            Some(b'\'') => (after, 2),
            _ => ("$", 1),
        };
        result.push_str(insert);
        rest = &rest[at + length..];
    }
    result.push_str(rest);
    result.push_str(after);
    result
}

fn fingerprint(text: &str) -> u64 {
    let mut hasher = keyed_hasher();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Says whether version 1000 finds a complete `$(…)`, which it then executes; a backslash before it does not help.
fn has_command(text: &str, budget: &mut Budget) -> Result<bool, Obstacle> {
    for (start, _) in text.match_indices("$(") {
        let closed = closes(&text.as_bytes()[start + 2..]);
        budget.look(if closed { 0 } else { text.len() - start })?;
        if closed {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Says whether the parenthesis that was opened before `bytes` is closed, with the shell's quotes heeded.
fn closes(bytes: &[u8]) -> bool {
    let mut open: Vec<Option<u8>> = vec![None];
    let mut at = 0;
    while let (Some(byte), Some(quote)) = (bytes.get(at), open.last_mut()) {
        let substitution = *byte == b'$' && bytes.get(at + 1) == Some(&b'(');
        match (*quote, *byte) {
            (Some(b'\''), b'\'') => *quote = None,
            (Some(b'\''), _) => {}
            (_, b'\\') => at += 1,
            (Some(mark), other) if mark == other => *quote = None,
            (Some(_), b'$') if substitution => {
                open.push(None);
                at += 1;
            }
            (Some(_), _) => {}
            (None, b'\'' | b'"' | b'`') => *quote = Some(*byte),
            (None, b'(') => open.push(None),
            (None, b')') => {
                open.pop();
            }
            (None, _) => {}
        }
        at += 1;
    }
    open.is_empty()
}
