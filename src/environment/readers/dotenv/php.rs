//! vlucas/phpdotenv 5 with an immutable repository.
//!
//! Source: `Parser/Lines.php`, `Parser/EntryParser.php`, `Loader/Resolver.php` of phpdotenv 5.6.

use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::salvage::{reject, salvage};
use crate::environment::readers::dotenv::text::{unify_line_breaks, without_bom};
use crate::environment::readers::expansion::{Budget, Lookup, Obstacle, Scope};

pub(crate) fn read(text: &str, lookup: Lookup<'_>) -> Document {
    let text = unify_line_breaks(without_bom(text));
    let mut document = Document::default();
    let mut scope = Scope::new(lookup);
    let mut budget = Budget::new();
    let (statements, unclosed) = statements(&text);
    for statement in &statements {
        let (name, value) = match parse(statement.text) {
            Ok(parsed) => parsed,
            Err(message) => {
                reject(&mut document, statement.line, message, &text[statement.at..], lookup);
                return document.settle(Wins::Last);
            }
        };
        if let Some(value) = value {
            let expanded = value.resolve(&scope, &mut budget);
            let set_outside = lookup(name).is_some();
            if !set_outside {
                scope.set(name, expanded.clone());
            }
            document.push_expanded(name, statement.line, &value.text, expanded);
        } else {
            document.push(name, None, statement.line);
        }
        if lookup(name).is_some() {
            document.shadow_last();
        }
    }
    if let Some(statement) = unclosed {
        document.problem(statement.line, "a quote that is not closed; this loader drops the rest of the file");
        salvage(&mut document, &text[statement.at..], statement.line, lookup);
    }
    document.settle(Wins::Last)
}

#[derive(Clone, Copy)]
struct Statement<'t> {
    at: usize,
    line: u32,
    text: &'t str,
}

/// Joins the lines of values in double quotes; the second part is one whose end never comes.
fn statements(text: &str) -> (Vec<Statement<'_>>, Option<Statement<'_>>) {
    let mut found = Vec::new();
    let mut open: Option<Statement<'_>> = None;
    let mut at = 0;
    for (line, number) in text.split('\n').zip(1..) {
        let end = at + line.len();
        if let Some(started) = open {
            if line == "\"" || closing_quotes(line) >= 1 {
                found.push(Statement { text: &text[started.at..end], ..started });
                open = None;
            }
        } else if line.contains("=\"") && closing_quotes(line) < 2 {
            open = Some(Statement { at, line: number, text: line });
        } else {
            let content = line.trim_matches(is_trimmed);
            if !content.is_empty() && !content.starts_with('#') {
                found.push(Statement { at, line: number, text: line });
            }
        }
        at = end + 1;
    }
    (found, open)
}

/// Counts double quotes with something other than a backslash before them, pairs of backslashes left out.
fn closing_quotes(line: &str) -> usize {
    let line = line.replace("\\\\", "");
    line.as_bytes().windows(2).filter(|pair| pair[0] != b'\\' && pair[1] == b'"').count()
}

fn parse(statement: &str) -> Result<(&str, Option<Value>), &'static str> {
    let Some((name, value)) = statement.split_once('=') else {
        return Ok((parse_name(statement)?, None));
    };
    let name = name.trim_matches(is_trimmed);
    if name.is_empty() {
        return Err("an equals sign without a name; this loader rejects the file");
    }
    Ok((parse_name(name)?, Some(Value::parse(value.trim_matches(is_trimmed))?)))
}

fn parse_name(name: &str) -> Result<&str, &'static str> {
    let mut name = name;
    if name.chars().count() > 8
        && let Some(rest) = name.strip_prefix("export")
        && rest.starts_with(is_space)
    {
        name = rest.trim_start_matches(is_trimmed);
    }
    if name.len() >= 3 {
        for quote in ['"', '\''] {
            if let Some(inner) = name.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
                name = inner;
                break;
            }
        }
    }
    if !name.is_empty() && name.chars().all(|c| in_name(c) || c.is_lowercase() || c.is_uppercase() || c.is_numeric()) {
        Ok(name)
    } else {
        Err("not a valid name; this loader rejects the file")
    }
}

fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

/// A value without quotes and comments, with the places where a `$` may begin an expression.
#[derive(Default)]
struct Value {
    text: String,
    dollars: Vec<usize>,
}

impl Value {
    fn parse(written: &str) -> Result<Self, &'static str> {
        enum State {
            Start,
            Plain,
            Single,
            Double,
            Escape,
            After,
        }
        let mut value = Value::default();
        let mut state = State::Start;
        for c in written.chars() {
            state = match (state, c) {
                (State::Start | State::Plain | State::After, '#') => return Ok(value),
                (State::Start, '\'') => State::Single,
                (State::Start, '"') => State::Double,
                (State::Plain, c) if is_space(c) => State::After,
                (State::Start | State::Plain, c) => {
                    value.push(c, c == '$');
                    State::Plain
                }
                (State::Single, '\'') | (State::Double, '"') => State::After,
                (State::Single, c) => {
                    value.push(c, false);
                    State::Single
                }
                (State::Double, '\\') => State::Escape,
                (State::Double, c) => {
                    value.push(c, c == '$');
                    State::Double
                }
                (State::Escape, c) => {
                    value.push(unescaped(c).ok_or("an unknown escape sequence; this loader rejects the file")?, false);
                    State::Double
                }
                (State::After, c) if is_space(c) => State::After,
                (State::After, _) => return Err("an unquoted space in the value; this loader rejects the file"),
            };
        }
        match state {
            State::Single | State::Double | State::Escape => {
                Err("a quote that is not closed; this loader rejects the file")
            }
            State::Start | State::Plain | State::After => Ok(value),
        }
    }

    fn push(&mut self, c: char, dollar: bool) {
        if dollar {
            self.dollars.push(self.text.len());
        }
        self.text.push(c);
    }

    /// Replaces each `${NAME}` that is set, from the last to the first, so that one can be part of another's name.
    fn resolve(&self, scope: &Scope<'_>, budget: &mut Budget) -> Result<String, Obstacle> {
        // What has been resolved so far is kept back to front: putting text before it must not move it.
        let mut reversed: Vec<char> = Vec::with_capacity(self.text.len());
        let mut end = self.text.len();
        for start in self.dollars.iter().rev() {
            reversed.extend(self.text[*start..end].chars().rev());
            end = *start;
            let Some(name) = leading_expression(&reversed) else { continue };
            budget.look(name.len())?;
            if let Some(value) = scope.process_then_file(&name)? {
                budget.add(value.len())?;
                reversed.truncate(reversed.len() - name.len() - "${}".len());
                reversed.extend(value.chars().rev());
            }
        }
        reversed.extend(self.text[..end].chars().rev());
        Ok(reversed.into_iter().rev().collect())
    }
}

/// Finds the name in `${NAME}` at the front of a reversed text.
fn leading_expression(reversed: &[char]) -> Option<String> {
    let mut chars = reversed.iter().rev();
    if chars.next() != Some(&'$') || chars.next() != Some(&'{') {
        return None;
    }
    let name: String = chars.clone().copied().take_while(|c| in_name(*c)).collect();
    (!name.is_empty() && chars.nth(name.len()) == Some(&'}')).then_some(name)
}

fn unescaped(c: char) -> Option<char> {
    Some(match c {
        '"' | '\\' | '$' => c,
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        _ => return None,
    })
}

/// Knows white space as PHP's `ctype_space` and `\s` do.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

/// Knows what PHP's `trim` takes away.
pub(crate) fn is_trimmed(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\0' | '\u{b}')
}
