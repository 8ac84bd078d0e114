//! symfony/dotenv 5 to 7: one error and the whole file counts for nothing.
//!
//! With symfony/process installed it executes `$(…)`; here such a value is unresolved.
//!
//! Source: `Dotenv.php` of symfony/dotenv.

use crate::environment::readers::dotenv::command::{has_balanced_command, unescape_commands};
use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::php::{is_space, is_trimmed};
use crate::environment::readers::dotenv::salvage::reject;
use crate::environment::readers::dotenv::text::{byte_at, find_or_end, skip, unify_line_breaks};
use crate::environment::readers::expansion::{Budget, Lookup, Obstacle, Scope};
use crate::text::LineIndex;

pub(crate) fn read(text: &str, lookup: Lookup<'_>) -> Document {
    let text = unify_line_breaks(text);
    let lines = LineIndex::new(&text);
    let mut document = Document::default();
    let mut lexer = Lexer { text: &text, at: 0, scope: Scope::new(lookup), budget: Budget::new(), value_start: 0 };
    lexer.skip_empty_lines();
    while lexer.at < text.len() {
        let start = lexer.at;
        match lexer.statement() {
            Ok((name, value)) => {
                let written = text[lexer.value_start..lexer.at].trim_end();
                lexer.scope.set(name, value.clone());
                document.push_expanded(name, lines.line(start), written, value);
                lexer.skip_empty_lines();
            }
            Err(Broken(message)) => {
                reject(&mut document, lines.line(start), message, &text[start..], lookup);
                break;
            }
        }
    }
    document.settle(Wins::Last)
}

struct Broken(&'static str);

type Value = Result<String, Obstacle>;

struct Lexer<'t, 'a> {
    text: &'t str,
    at: usize,
    scope: Scope<'a>,
    budget: Budget,
    value_start: usize,
}

impl<'t> Lexer<'t, '_> {
    fn statement(&mut self) -> Result<(&'t str, Value), Broken> {
        let name = self.name()?;
        self.value_start = self.at;
        let value = self.value()?;
        Ok((name, value))
    }

    fn skip_empty_lines(&mut self) {
        loop {
            self.at = skip(self.text, self.at, is_space);
            if byte_at(self.text, self.at) != b'#' {
                return;
            }
            self.at = find_or_end(self.text, self.at, b'\n');
        }
    }

    fn name(&mut self) -> Result<&'t str, Broken> {
        let text = self.text;
        let mut start = self.at;
        if text[start..].starts_with("export") {
            let next = skip(text, start + "export".len(), |c| c == ' ' || c == '\t');
            if next > start + "export".len() && name_length(&text[next..]) > 0 {
                start = next;
            }
        }
        let end = start + name_length(&text[start..]);
        if end == start {
            return Err(Broken("not a valid name; this loader rejects the file"));
        }
        if byte_at(text, end) != b'=' {
            return Err(Broken("no equals sign right after the name; this loader rejects the file"));
        }
        self.at = end + 1;
        Ok(&text[start..end])
    }

    fn value(&mut self) -> Result<Value, Broken> {
        let text = self.text;
        let content = skip(text, self.at, |c| c == ' ' || c == '\t');
        if content == text.len() || matches!(byte_at(text, content), b'\n' | b'#') {
            self.at = find_or_end(text, content, b'\n');
            return Ok(Ok(String::new()));
        }
        if content > self.at {
            return Err(Broken("white space before the value; this loader rejects the file"));
        }
        let mut value: Value = Ok(String::new());
        while self.at < text.len() && byte_at(text, self.at) != b'\n' {
            let part = match byte_at(text, self.at) {
                b'\'' => Ok(self.single_quoted()?.to_owned()),
                b'"' => self.double_quoted()?,
                _ => {
                    let part = self.unquoted()?;
                    value = joined(value, part);
                    if byte_at(text, self.at) == b'#' {
                        break;
                    }
                    continue;
                }
            };
            value = joined(value, part);
        }
        Ok(value)
    }

    fn single_quoted(&mut self) -> Result<&'t str, Broken> {
        let close = find_or_end(self.text, self.at + 1, b'\'');
        if close == self.text.len() {
            return Err(UNCLOSED);
        }
        let inside = &self.text[self.at + 1..close];
        self.at = close + 1;
        Ok(inside)
    }

    fn double_quoted(&mut self) -> Result<Value, Broken> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut close = start;
        loop {
            close = find_or_end(self.text, close, b'"');
            if close == bytes.len() {
                return Err(UNCLOSED);
            }
            // `\"` does not close, but `\\"` does; the byte before the opening quote is looked at too, as the loader does.
            if !(bytes[close - 1] == b'\\' && bytes[close - 2] != b'\\') {
                break;
            }
            close += 1;
        }
        let inside = self.text[start..close].replace("\\\"", "\"").replace("\\r", "\r").replace("\\n", "\n");
        self.at = close + 1;
        self.resolve(&inside)
    }

    fn unquoted(&mut self) -> Result<Value, Broken> {
        let bytes = self.text.as_bytes();
        let mut value = Vec::new();
        let mut previous = bytes[self.at - 1];
        while let Some(byte) = bytes.get(self.at).copied() {
            let comment = byte == b'#' && matches!(previous, b' ' | b'\t');
            if comment || matches!(byte, b'\n' | b'"' | b'\'') {
                break;
            }
            if byte == b'\\' && matches!(bytes.get(self.at + 1), Some(b'"' | b'\'')) {
                self.at += 1;
            }
            previous = bytes[self.at];
            value.push(previous);
            self.at += 1;
            if previous == b'$' && bytes.get(self.at) == Some(&b'(') {
                let end = self.command_end()?;
                value.extend_from_slice(&bytes[self.at..end]);
                self.at = end;
            }
        }
        let value = String::from_utf8_lossy(&value);
        let value = value.trim_end_matches(is_trimmed);
        let resolved = self.resolve(value)?;
        if resolved.as_deref() == Ok(value) && value.contains(is_space) {
            return Err(Broken("an unquoted space in the value; this loader rejects the file"));
        }
        Ok(resolved)
    }

    /// Finds the place after the parenthesis that closes the one here, which must stand on the same line.
    fn command_end(&self) -> Result<usize, Broken> {
        let mut depth = 0_usize;
        for (offset, byte) in self.text.as_bytes()[self.at..].iter().enumerate() {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\n' => break,
                _ => {}
            }
            if depth == 0 {
                return Ok(self.at + offset + 1);
            }
        }
        Err(Broken("a parenthesis that is not closed; this loader rejects the file"))
    }

    fn resolve(&mut self, text: &str) -> Result<Value, Broken> {
        if has_balanced_command(text) {
            return Ok(Err(Obstacle::Command));
        }
        let text = unescape_commands(text);
        Ok(match self.substitute(&text)? {
            Ok(value) => Ok(value.replace("\\\\", "\\")),
            Err(obstacle) => Err(obstacle),
        })
    }

    /// Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:=default}`.
    fn substitute(&mut self, text: &str) -> Result<Value, Broken> {
        let bytes = text.as_bytes();
        let mut result = String::with_capacity(text.len());
        let mut from = 0;
        while let Some(offset) = text[from..].find('$') {
            let dollar = from + offset;
            let backslashes = bytes[from..dollar].iter().rev().take_while(|byte| **byte == b'\\').count();
            if bytes.get(dollar + 1) == Some(&b'(') {
                result.push_str(&text[from..=dollar]);
                from = dollar + 1;
                continue;
            }
            result.push_str(&text[from..dollar - backslashes]);
            let expression = Expression::at(text, dollar);
            from = expression.end;
            if backslashes % 2 == 1 {
                result.push_str(&text[dollar - backslashes + 1..expression.end]);
            } else if expression.name.is_empty() && expression.default.is_none() && !expression.closed {
                result.push_str(&text[dollar - backslashes..expression.end]);
            } else if expression.open && !expression.closed {
                return Err(Broken("a brace that is not closed; this loader rejects the file"));
            } else {
                result.push_str(&text[dollar - backslashes..dollar]);
                match self.expand(&expression)? {
                    Ok(value) => result.push_str(&value),
                    Err(obstacle) => return Ok(Err(obstacle)),
                }
                if expression.closed && !expression.open {
                    result.push('}');
                }
            }
        }
        result.push_str(&text[from..]);
        Ok(Ok(result))
    }

    fn expand(&mut self, expression: &Expression<'_>) -> Result<Value, Broken> {
        let found = match self.scope.process_then_file(expression.name) {
            Ok(found) => found.unwrap_or_default().into_owned(),
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        let value = match expression.default {
            Some(default) if found.is_empty() => {
                if default.contains(['\'', '"', '{', '$']) {
                    return Err(Broken("a quote, brace or dollar sign in a default; this loader rejects the file"));
                }
                let (sign, value) = default.split_at(":-".len());
                if sign == ":=" {
                    self.scope.set(expression.name, Ok(value.to_owned()));
                }
                value.to_owned()
            }
            _ => found,
        };
        Ok(self.budget.add(value.len()).map(|()| value))
    }
}

const UNCLOSED: Broken = Broken("a quote that is not closed; this loader rejects the file");

fn joined(one: Value, other: Value) -> Value {
    let mut text = one?;
    text.push_str(&other?);
    Ok(text)
}

/// Counts letters, digits and `_`, with a letter first, or second after one `_`.
fn name_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let first = usize::from(bytes.first() == Some(&b'_'));
    if !bytes.get(first).is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

struct Expression<'t> {
    open: bool,
    name: &'t str,
    /// With its `:-` or `:=`.
    default: Option<&'t str>,
    closed: bool,
    end: usize,
}

impl<'t> Expression<'t> {
    fn at(text: &'t str, dollar: usize) -> Self {
        let open = byte_at(text, dollar + 1) == b'{';
        let start = dollar + 1 + usize::from(open);
        let name_end = start + name_length(&text[start..]);
        let rest = &text[name_end..];
        let mut end = name_end;
        let mut default = None;
        if rest.starts_with(":-") || rest.starts_with(":=") {
            let length = rest.find('}').unwrap_or(rest.len());
            default = Some(&rest[..length]);
            end += length;
        }
        let closed = byte_at(text, end) == b'}';
        Expression { open, name: &text[start..name_end], default, closed, end: end + usize::from(closed) }
    }
}
