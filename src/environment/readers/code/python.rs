//! Splits Python into statements, and assignments into what is assigned to what.

use std::cell::Cell;

use crate::text::{head, newlines};

/// A logical line: continued lines and brackets joined, comments behind it left in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// How many columns it is indented. What stands behind the colon of a header counts as deeper than the header.
    pub(crate) indentation: usize,
    /// The line that it begins at, counted from 1.
    pub(crate) line: u32,
    /// Its text; a header (`if x:`) without its colon.
    pub(crate) text: String,
}

/// Words that begin a header.
const HEADERS: &[&str] = &[
    "if", "elif", "else", "try", "except", "finally", "with", "for", "while", "def", "class", "async", "match", "case",
];

impl Statement {
    /// The first word.
    pub(crate) fn word(&self) -> &str {
        let end = self.text.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(self.text.len());
        &self.text[..end]
    }

    /// What stands behind the first word.
    pub(crate) fn rest(&self) -> &str {
        self.text[self.word().len()..].trim()
    }
}

/// Splits a text into its statements.
pub(crate) fn statements(text: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut line = 1_u32;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let code = rest.trim_start_matches([' ', '\t', '\u{c}', '\r']);
        let indentation = rest.len() - code.len();
        let length = logical(code);
        let statement = code[..length].trim_end();
        if !statement.is_empty() && !statement.starts_with('#') {
            add(&mut found, indentation * 2, line, statement);
        }
        let end = at + indentation + length;
        let end = if text[end..].starts_with('\n') { end + 1 } else { end };
        line = line.saturating_add(newlines(&text.as_bytes()[at..end]));
        at = end;
    }
    found
}

/// Adds a statement; where a header has its body on its own line, as two.
fn add(found: &mut Vec<Statement>, indentation: usize, line: u32, text: &str) {
    let mut statement = Statement { indentation, line, text: text.to_owned() };
    if !HEADERS.contains(&statement.word()) {
        found.push(statement);
        return;
    }
    let Some(colon) = top_level(text, |rest| rest.starts_with(':') && !rest.starts_with(":=")) else {
        found.push(statement);
        return;
    };
    let body = text[colon + 1..].trim();
    statement.text.truncate(colon);
    statement.text.truncate(statement.text.trim_end().len());
    found.push(statement);
    if !body.is_empty() && !body.starts_with('#') {
        found.push(Statement { indentation: indentation + 1, line, text: body.to_owned() });
    }
}

/// Finds the end of the logical line that begins here, in bytes: before its newline.
fn logical(text: &str) -> usize {
    top_level(text, |rest| rest.starts_with('\n')).unwrap_or(text.len())
}

/// Finds the end of the quoted text that begins at `at`, behind its closing quote.
pub(crate) fn end_of_text(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let quote = bytes[at];
    let is_triple = bytes[at..].starts_with(&[quote; 3]);
    let mut at = at + if is_triple { 3 } else { 1 };
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' if !is_triple => return at,
            _ if byte == quote && !is_triple => return at + 1,
            _ if byte == quote && bytes[at..].starts_with(&[quote; 3]) => return at + 3,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Finds the first place outside brackets and quoted texts at which `is_it` holds.
pub(crate) fn top_level(text: &str, is_it: impl Fn(&str) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        match byte {
            // Whatever is behind it, a newline too, belongs to what is before.
            b'\\' => at += 1,
            b'#' => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
                continue;
            }
            b'"' | b'\'' => {
                at = end_of_text(text, at);
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ if depth == 0 && text.is_char_boundary(at) && is_it(&text[at..]) => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// An assignment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Assignment<'t> {
    /// What is assigned to, as written, without an annotation.
    pub(crate) targets: Vec<&'t str>,
    /// The value, as written.
    pub(crate) expression: &'t str,
    /// It adds to what is there: `+=`, `|=`.
    pub(crate) adds: bool,
}

/// Reads a statement as an assignment.
pub(crate) fn assignment(text: &str) -> Option<Assignment<'_>> {
    let mut targets = Vec::new();
    let mut rest = text;
    let mut adds = false;
    while let Some(at) = top_level(rest, |here| here.starts_with('=')) {
        let before = &rest[..at];
        let behind = &rest[at + 1..];
        if behind.starts_with('=') || before.ends_with(['=', '!', '<', '>']) {
            break;
        }
        adds |= before.ends_with(['+', '|', '*', '/', '-', '%']);
        let target = before.trim_end_matches(['+', '|', '*', '/', '-', '%', ':']).trim();
        let target = top_level(target, |here| here.starts_with(':')).map_or(target, |colon| target[..colon].trim());
        if target.is_empty() || target.contains(' ') && !target.contains(['[', ',']) {
            break;
        }
        targets.push(target);
        rest = behind;
    }
    (!targets.is_empty()).then(|| Assignment { targets, expression: rest.trim(), adds })
}

/// One part of what is assigned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    Name(&'t str),
    /// An expression in square brackets.
    Index(&'t str),
}

/// Splits `NAME["key"].member`; `None` for tuples and the like.
pub(crate) fn parts(target: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = target.trim();
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let end = closing(inside)?;
            parts.push(Part::Index(inside[..end].trim()));
            rest = inside[end + 1..].trim_start();
            continue;
        }
        let named = if parts.is_empty() { rest } else { rest.strip_prefix('.')? };
        let end = named.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(named.len());
        if end == 0 {
            return None;
        }
        parts.push(Part::Name(&named[..end]));
        rest = named[end..].trim_start();
    }
    Some(parts)
}

/// Looks for closing brackets in one text, of which many are missing where it is broken, or made to be.
pub(crate) struct Closings {
    /// How many bytes may still be gone through.
    left: Cell<usize>,
}

/// More bytes of one text are not gone through in search of brackets.
const MOST_SEARCHED: usize = 8 << 20;

impl Closings {
    pub(crate) fn new() -> Self {
        Closings { left: Cell::new(MOST_SEARCHED) }
    }

    /// As [`closing`]; finds nothing any more where too much was gone through.
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        let window = head(text, self.left.get());
        let end = closing(window);
        self.left.set(self.left.get() - end.unwrap_or(window.len()));
        end
    }

    /// Tells whether too much was gone through for all to be found.
    pub(crate) fn is_spent(&self) -> bool {
        self.left.get() == 0
    }
}

/// Finds the bracket that closes the one before `text`.
pub(crate) fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                at = end_of_text(text, at);
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Some(at),
            },
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn statements_are_logical_lines() {
        let text = "a = {  # said\n  'b': ')'\n}\nif x: y = 1\n\n  # note\n  c = '''\nq\n'''\nd = 1 + \\\n  2\ndef f(a: int) -> str:\n  return a\n";
        let found = statements(text);
        let shown: Vec<_> = found.iter().map(|one| (one.line, one.indentation, one.text.as_str())).collect();
        assert_eq!(
            shown,
            [
                (1, 0, "a = {  # said\n  'b': ')'\n}"),
                (4, 0, "if x"),
                (4, 1, "y = 1"),
                (7, 4, "c = '''\nq\n'''"),
                (10, 0, "d = 1 + \\\n  2"),
                (12, 0, "def f(a: int) -> str"),
                (13, 4, "return a"),
            ]
        );
    }

    #[test]
    fn assignments_are_told_from_other_statements() {
        type Told<'a> = Option<(&'a [&'a str], &'a str, bool)>;
        let table: &[(&str, Told<'_>)] = &[
            ("A = B = {'x': y(z=1)}", Some((&["A", "B"], "{'x': y(z=1)}", false))),
            ("A: dict[str, int] = x", Some((&["A"], "x", false))),
            ("A['b']['c'] = d == e", Some((&["A['b']['c']"], "d == e", false))),
            ("A += [x]", Some((&["A"], "[x]", true))),
            ("f(a=1)", None),
            ("assert a == b", None),
            ("a <= b", None),
            ("return x", None),
        ];
        for (text, expected) in table {
            let found = assignment(text);
            let found = found.as_ref().map(|one| (&one.targets[..], one.expression, one.adds));
            assert_eq!(found, *expected, "{text}");
        }
    }

    #[test]
    fn targets_are_split_into_their_parts() {
        let found = parts("A['b'][c].d").unwrap();
        assert_eq!(found, [Part::Name("A"), Part::Index("'b'"), Part::Index("c"), Part::Name("d")]);
        assert_eq!(parts("a, b"), None);
        assert_eq!(parts("f().x"), None);
    }

    #[test]
    fn hostile_texts_end() {
        for piece in ["'", "(", "a = ", "if x:", "[", "\\", "é", "'''", "#", "a['"] {
            let text = piece.repeat(20_000);
            for statement in statements(&text) {
                let _ = assignment(&statement.text).map(|one| one.targets.iter().filter_map(|one| parts(one)).count());
            }
        }
    }
}
