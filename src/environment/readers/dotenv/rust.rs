//! The Rust crate dotenvy 0.15, emulated: the real one substitutes from the environment of its own process.
//!
//! Source: `src/iter.rs` and `src/parse.rs` of dotenvy 0.15.7.

use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::salvage::salvage;
use crate::environment::readers::dotenv::text::without_bom;
use crate::environment::readers::expansion::{Budget, Lookup, Obstacle, Scope};

/// Which of its functions the program calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Load,
    Iter,
}

pub(crate) fn read(text: &str, lookup: Lookup<'_>, call: Call) -> Document {
    let text = if call == Call::Load { without_bom(text) } else { text };
    let mut document = Document::default();
    let mut scope = Scope::new(lookup);
    let mut budget = Budget::new();
    let mut statements = Statements { text, at: 0, line: 1 };
    while let Some(statement) = statements.next() {
        let parsed = if statement.complete { parse_line(statement.text) } else { Err(Broken) };
        let line = statement.line;
        match parsed {
            Ok(None) => {}
            Ok(Some((name, written))) => match expand(written, &scope, &mut budget) {
                Ok(value) => set(&mut document, &mut scope, call, name, line, written, value),
                Err(Broken) => statements.give_up(&mut document, statement, call, lookup),
            },
            Err(Broken) => statements.give_up(&mut document, statement, call, lookup),
        }
    }
    document.settle(if call == Call::Load { Wins::First } else { Wins::Last })
}

fn set(
    document: &mut Document,
    scope: &mut Scope<'_>,
    call: Call,
    name: &str,
    line: u32,
    written: &str,
    value: Result<String, Obstacle>,
) {
    // While loading, a substitution sees the process environment, where the first value of a name stays.
    if call == Call::Iter || !scope.has(name) {
        scope.set(name, value.clone());
    }
    document.push_expanded(name, line, written, value);
    if call == Call::Load && scope.in_process(name).is_some() {
        document.shadow_last();
    }
}

struct Broken;

#[derive(Clone, Copy)]
struct Statement<'t> {
    at: usize,
    line: u32,
    text: &'t str,
    /// Whether it ends before the end of the file does.
    complete: bool,
}

/// Cuts the text at line ends outside of quotes.
struct Statements<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl<'t> Statements<'t> {
    fn give_up(&mut self, document: &mut Document, statement: Statement<'t>, call: Call, lookup: Lookup<'_>) {
        let (message, lost) = match call {
            Call::Load => ("a line that this loader cannot read; it stops here", &self.text[statement.at..]),
            Call::Iter => ("a line that this loader cannot read", statement.text),
        };
        document.problem(statement.line, message);
        salvage(document, lost, statement.line, lookup);
        if call == Call::Load {
            self.at = self.text.len();
        }
    }

    fn next(&mut self) -> Option<Statement<'t>> {
        if self.at >= self.text.len() {
            return None;
        }
        let (start, line) = (self.at, self.line);
        let mut state = State::Plain;
        let rest = &self.text[start..];
        // A line of white space is a statement of its own, so a comment can only stand on the first line.
        let comment = rest.split('\n').next().is_some_and(|line| line.trim_start().starts_with('#'));
        let mut comment_from = None;
        for piece in rest.split_inclusive('\n') {
            let piece_start = self.at;
            self.at += piece.len();
            self.line += u32::from(piece.ends_with('\n'));
            if comment {
                return Some(Statement { at: start, line, text: "", complete: true });
            }
            if let Some(offset) = state.advance(piece) {
                comment_from = Some(piece_start + offset);
                break;
            }
            if state == State::Plain {
                break;
            }
        }
        let complete = comment_from.is_some() || state == State::Plain;
        let text = &self.text[start..comment_from.unwrap_or(self.at)];
        Some(Statement { at: start, line, text, complete })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    Space,
    Escape,
    Single,
    SingleEscape,
    Double,
    DoubleEscape,
}

impl State {
    /// Follows one line; the place of a comment, if one begins in it.
    fn advance(&mut self, line: &str) -> Option<usize> {
        for (at, c) in line.char_indices() {
            *self = match (*self, c) {
                (State::Space, '#') => return Some(at),
                (State::Plain | State::Space, '\\') => State::Escape,
                (State::Plain | State::Space, '"') => State::Double,
                (State::Plain | State::Space, '\'') => State::Single,
                (State::Plain, c) if c.is_whitespace() && c != '\n' && c != '\r' => State::Space,
                (State::Plain | State::Space | State::Escape, _) => State::Plain,
                (State::Double, '\\') => State::DoubleEscape,
                (State::Single, '\\') => State::SingleEscape,
                (State::Double, '"') | (State::Single, '\'') => State::Plain,
                (State::Double | State::DoubleEscape, _) => State::Double,
                (State::Single | State::SingleEscape, _) => State::Single,
            };
        }
        None
    }
}

/// The name and the value as written; `None` for an empty line.
fn parse_line(line: &str) -> Result<Option<(&str, &str)>, Broken> {
    let rest = line.trim();
    if rest.is_empty() || rest.starts_with('#') {
        return Ok(None);
    }
    let (mut name, rest) = parse_name(rest)?;
    let mut rest = rest.trim_start();
    if name == "export" && !rest.starts_with('=') {
        (name, rest) = parse_name(rest)?;
        rest = rest.trim_start();
    }
    let value = rest.strip_prefix('=').ok_or(Broken)?.trim_start();
    Ok(Some((name, if value.starts_with('#') { "" } else { value })))
}

fn parse_name(text: &str) -> Result<(&str, &str), Broken> {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Err(Broken);
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(text.len());
    Ok(text.split_at(end))
}

/// Unquotes and substitutes; an unusable value is an outer error, an unknown one an inner.
fn expand(written: &str, scope: &Scope<'_>, budget: &mut Budget) -> Result<Result<String, Obstacle>, Broken> {
    enum Mode {
        Plain,
        /// After a `$`: letters and digits, without `_`, are the name.
        Name(String),
        Braces(String),
    }
    let mut substitute = |name: &str, output: &mut Result<String, Obstacle>| {
        let Ok(text) = output else { return };
        let added = scope.process_then_file(name).and_then(|value| {
            let value = value.unwrap_or_default();
            budget.add(value.len())?;
            text.push_str(&value);
            Ok(())
        });
        if let Err(obstacle) = added {
            *output = Err(obstacle);
        }
    };
    let push = |c: char, output: &mut Result<String, Obstacle>| {
        if let Ok(text) = output {
            text.push(c);
        }
    };
    let mut output: Result<String, Obstacle> = Ok(String::new());
    let (mut single, mut double, mut escaped, mut ended) = (false, false, false, false);
    let mut mode = Mode::Plain;
    for c in written.chars() {
        if ended {
            match c {
                ' ' | '\t' => continue,
                '#' => break,
                _ => return Err(Broken),
            }
        } else if escaped {
            match c {
                '\\' | '\'' | '"' | '$' | ' ' => push(c, &mut output),
                'n' => push('\n', &mut output),
                _ => return Err(Broken),
            }
            escaped = false;
        } else if single {
            if c == '\'' {
                single = false;
            } else {
                push(c, &mut output);
            }
        } else {
            mode = match mode {
                Mode::Name(mut name) => {
                    if c.is_alphanumeric() {
                        name.push(c);
                        Mode::Name(name)
                    } else if c == '{' && name.is_empty() {
                        Mode::Braces(name)
                    } else {
                        substitute(&name, &mut output);
                        if c == '$' {
                            Mode::Name(String::new())
                        } else {
                            push(c, &mut output);
                            Mode::Plain
                        }
                    }
                }
                Mode::Braces(name) if c == '}' => {
                    substitute(&name, &mut output);
                    Mode::Plain
                }
                Mode::Braces(mut name) => {
                    name.push(c);
                    Mode::Braces(name)
                }
                Mode::Plain => {
                    match c {
                        '$' => {}
                        '"' => double = !double,
                        '\\' => escaped = true,
                        _ if double => push(c, &mut output),
                        '\'' => single = true,
                        ' ' | '\t' => ended = true,
                        _ => push(c, &mut output),
                    }
                    if c == '$' { Mode::Name(String::new()) } else { Mode::Plain }
                }
            };
        }
    }
    match mode {
        Mode::Braces(_) => return Err(Broken),
        _ if single || double => return Err(Broken),
        Mode::Name(name) => substitute(&name, &mut output),
        Mode::Plain => {}
    }
    Ok(output)
}
