//! compose-go 2, behind `docker compose`.
//!
//! Source: `dotenv/parser.go` of compose-go 2.16.

use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::go::is_space;
use crate::environment::readers::dotenv::salvage::reject;
use crate::environment::readers::dotenv::text::{byte_at, find_or_end, skip, statement_start, without_bom};
use crate::environment::readers::expansion::compose::{Broken, substitute};
use crate::environment::readers::expansion::{Budget, Lookup, Obstacle, Scope, Unset};
use crate::text::LineIndex;

pub(crate) fn read(text: &str, lookup: Lookup<'_>) -> Document {
    let text = without_bom(text);
    let lines = LineIndex::new(text);
    let mut document = Document::default();
    let mut parser = Parser { text, at: 0, scope: Scope::new(lookup), budget: Budget::new() };
    while let Some(start) = statement_start(text, parser.at) {
        let line = lines.line(start);
        match parser.statement(start) {
            Ok(Statement::Inherited(name)) => {
                if let Some(value) = lookup(name).filter(|_| !name.is_empty()) {
                    parser.scope.set(name, Ok(value.clone()));
                    document.push(name, Some(value), line);
                }
            }
            // A last line without a separator is taken for the value of no name.
            Ok(Statement::Variable("", ..)) => document.problem(line, "a value without a name"),
            Ok(Statement::Variable(name, written, value)) => {
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

enum Statement<'t> {
    /// A name alone: the value comes from the process environment.
    Inherited(&'t str),
    Variable(&'t str, String, Value),
}

type Value = Result<String, Obstacle>;

struct Parser<'t, 'a> {
    text: &'t str,
    at: usize,
    scope: Scope<'a>,
    budget: Budget,
}

impl<'t> Parser<'t, '_> {
    fn statement(&mut self, start: usize) -> Result<Statement<'t>, Broken> {
        let text = self.text;
        let mut start = start;
        if text[start..].starts_with("export") && text[start + "export".len()..].starts_with(is_ascii_space) {
            start = skip(text, start + "export".len(), is_space);
        }
        let mut name = "";
        let mut inherited = false;
        self.at = skip(text, start, is_space);
        for (offset, c) in text[start..].char_indices() {
            match c {
                '=' | ':' | '\n' => {
                    name = text[start..start + offset].trim_end();
                    inherited = c == '\n';
                    self.at = skip(text, start + offset + 1, is_space);
                    break;
                }
                '_' | '.' | '-' | '[' | ']' => {}
                c if is_space(c) || c.is_alphanumeric() => {}
                _ => return Err(Broken("a character that no name may have; this loader rejects the file")),
            }
        }
        if start == text.len() {
            return Err(Broken("an export of nothing; this loader rejects the file"));
        }
        if name.contains(' ') {
            return Err(Broken("a space in a name; this loader rejects the file"));
        }
        if inherited {
            return Ok(Statement::Inherited(name));
        }
        let quote = byte_at(text, self.at);
        let (written, value) = if matches!(quote, b'"' | b'\'') { self.quoted(quote)? } else { self.unquoted()? };
        Ok(Statement::Variable(name, written, value))
    }

    fn unquoted(&mut self) -> Result<(String, Value), Broken> {
        let end = find_or_end(self.text, self.at, b'\n');
        let line = &self.text[self.at..end];
        self.at = (end + 1).min(self.text.len());
        let written = line.split(" #").next().unwrap_or(line).trim_end();
        let value = substitute(written, &self.scope, &mut self.budget, Unset::Empty)?;
        Ok((written.to_owned(), value))
    }

    fn quoted(&mut self, quote: u8) -> Result<(String, Value), Broken> {
        let quote = char::from(quote);
        let mut inside = String::new();
        let mut escaped = false;
        for (offset, c) in self.text[self.at + 1..].char_indices() {
            if c == quote && !escaped {
                self.at += offset + 2;
                if quote == '\'' {
                    return Ok((inside.clone(), Ok(inside)));
                }
                let value = substitute(&unescape(&inside), &self.scope, &mut self.budget, Unset::Empty)?;
                return Ok((inside, value));
            }
            if c == '\\' && !escaped {
                escaped = true;
                continue;
            }
            if escaped && c != quote {
                inside.push('\\');
            }
            escaped = false;
            inside.push(c);
        }
        Err(Broken("a quote that is not closed; this loader rejects the file"))
    }
}

/// Replaces the escapes that the library knows; `\$` becomes `$$`, which is an escaped `$` in what follows.
fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (value, length) = match after.as_bytes().first() {
            Some(b'a') => ("\u{7}".into(), 1),
            Some(b'b') => ("\u{8}".into(), 1),
            Some(b'f') => ("\u{c}".into(), 1),
            Some(b'n') => ("\n".into(), 1),
            Some(b'r') => ("\r".into(), 1),
            Some(b't') => ("\t".into(), 1),
            Some(b'v') => ("\u{b}".into(), 1),
            Some(b'$') => ("$$".into(), 1),
            Some(b'"') => ("\"".into(), 1),
            Some(b'\\') => ("\\".into(), 1),
            Some(b'0') => octal(&after[1..]),
            _ => (String::from("\\"), 0),
        };
        result.push_str(&value);
        rest = &after[length..];
    }
    result.push_str(rest);
    result
}

/// Reads up to three digits after `\0`: three octal ones are a character, anything else stays as written.
fn octal(digits: &str) -> (String, usize) {
    let count = digits.bytes().take(3).take_while(u8::is_ascii_digit).count();
    let value = u32::from_str_radix(&digits[..count], 8).ok().filter(|value| count == 3 && *value < 256);
    match value.and_then(char::from_u32) {
        Some(c) => (c.to_string(), count + 1),
        None => (format!("\\0{}", &digits[..count]), count + 1),
    }
}

fn is_ascii_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{c}' | '\r')
}
