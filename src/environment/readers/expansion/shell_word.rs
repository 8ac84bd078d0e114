//! One word of a POSIX shell: quotes, escapes and parameters; commands are never executed.
//!
//! Source: POSIX.1-2024, Shell Command Language, 2.2 Quoting and 2.6 Word Expansions.

use crate::environment::readers::expansion::{Budget, DEEPEST, Obstacle, Scope, Unset, name_length};

/// Whether quotes and backslashes have a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quotes {
    Shell,
    Literal,
}

/// A word as it is written, to its end.
pub(crate) struct Word<'t> {
    text: &'t str,
    quotes: Quotes,
    unset: Unset,
    depth: usize,
}

impl<'t> Word<'t> {
    pub(crate) fn new(text: &'t str, quotes: Quotes, unset: Unset) -> Self {
        Word { text, quotes, unset, depth: 0 }
    }

    pub(crate) fn expand(&self, scope: &mut Scope<'_>, budget: &mut Budget) -> Result<String, Obstacle> {
        if self.depth > DEEPEST {
            return Err(Obstacle::TooLarge);
        }
        budget.look(if self.depth == 0 { 0 } else { self.text.len() })?;
        let mut result = String::with_capacity(self.text.len());
        let mut double = false;
        let mut rest = self.text;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            let shell = self.quotes == Quotes::Shell;
            rest = match c {
                '\'' if shell && !double => {
                    let (inside, after) = after.split_once('\'').unwrap_or((after, ""));
                    result.push_str(inside);
                    after
                }
                '"' if shell => {
                    double = !double;
                    after
                }
                '\\' if shell => match after.chars().next() {
                    Some('\n') => &after[1..],
                    Some(next) if !double || matches!(next, '$' | '`' | '"' | '\\') => {
                        result.push(next);
                        &after[next.len_utf8()..]
                    }
                    _ => {
                        result.push('\\');
                        after
                    }
                },
                '\\' if after.starts_with('$') => {
                    result.push('$');
                    &after[1..]
                }
                '`' if shell => return Err(Obstacle::Command),
                '$' if shell && !double && after.starts_with('\'') => {
                    let (inside, after) = ansi_quoted(&after[1..]);
                    result.push_str(&inside);
                    after
                }
                '$' => self.parameter(after, &mut result, scope, budget)?,
                _ => {
                    result.push(c);
                    after
                }
            };
        }
        Ok(result)
    }

    /// Expands what follows a `$`, and gives what follows its end.
    fn parameter<'r>(
        &self,
        text: &'r str,
        result: &mut String,
        scope: &mut Scope<'_>,
        budget: &mut Budget,
    ) -> Result<&'r str, Obstacle> {
        if text.starts_with('(') {
            if self.quotes == Quotes::Shell || text.contains(')') {
                return Err(if text.starts_with("((") { Obstacle::Syntax } else { Obstacle::Command });
            }
            // Each such `$(` is a vain search to the end of the word.
            budget.look(text.len())?;
        }
        let Some(inside) = text.strip_prefix('{') else {
            let (name, after) = text.split_at(name_length(text));
            if name.is_empty() {
                result.push('$');
            } else {
                match scope.file_then_process(name)? {
                    Some(value) => add(&value, result, budget)?,
                    None if self.unset == Unset::AsWritten => result.extend(["$", name]),
                    None => {}
                }
            }
            return Ok(after);
        };
        let Some(close) = closing_brace(inside, self.quotes) else {
            if self.quotes == Quotes::Shell {
                return Err(Obstacle::Syntax);
            }
            // Each such `${` is a vain search to the end of the word.
            budget.look(inside.len())?;
            result.push('$');
            return Ok(text);
        };
        let (inside, after) = (&inside[..close], &inside[close + 1..]);
        let (name, operation) = inside.split_at(name_length(inside));
        let colon = operation.starts_with(':');
        let sign = operation.as_bytes().get(usize::from(colon)).copied();
        if name.is_empty()
            || (sign.is_some() && !matches!(sign, Some(b'-' | b'=' | b'+' | b'?')))
            || (sign.is_none() && colon)
        {
            if self.quotes == Quotes::Shell {
                return Err(Obstacle::Syntax);
            }
            result.extend(["${", inside, "}"]);
            return Ok(after);
        }
        let found = scope.file_then_process(name)?.map(std::borrow::Cow::into_owned);
        let present = found.as_ref().is_some_and(|value| !(colon && value.is_empty()));
        let argument = || Word { text: &operation[usize::from(colon) + 1..], depth: self.depth + 1, ..*self };
        match (sign, present) {
            (Some(b'+'), true) | (Some(b'-'), false) => add(&argument().expand(scope, budget)?, result, budget)?,
            (Some(b'='), false) => {
                let value = argument().expand(scope, budget)?;
                add(&value, result, budget)?;
                scope.set(name, Ok(value));
            }
            (Some(b'?'), false) => return Err(Obstacle::Syntax),
            (None, false) if self.unset == Unset::AsWritten => result.extend(["${", name, "}"]),
            _ => add(&found.unwrap_or_default(), result, budget)?,
        }
        Ok(after)
    }
}

fn add(value: &str, result: &mut String, budget: &mut Budget) -> Result<(), Obstacle> {
    budget.add(value.len())?;
    result.push_str(value);
    Ok(())
}

/// The brace that closes the one before `text`, with quotes heeded where they have a meaning.
fn closing_brace(text: &str, quotes: Quotes) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = 1_usize;
    let mut quote = None;
    let mut at = 0;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(mark), byte) if mark == byte => quote = None,
            (Some(b'\''), _) => {}
            (_, b'\\') if quotes == Quotes::Shell => at += 1,
            (Some(_), _) => {}
            (None, byte @ (b'\'' | b'"')) if quotes == Quotes::Shell => quote = Some(byte),
            (None, b'{') if at > 0 && bytes[at - 1] == b'$' => open += 1,
            (None, b'}') => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            (None, _) => {}
        }
        at += 1;
    }
    None
}

/// The content of `$'…'` after its quote, and what follows it.
fn ansi_quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return (value, &text[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, next @ ('\\' | '\'' | '"'))) => value.push(next),
                Some((_, next)) => value.extend(['\\', next]),
                None => value.push('\\'),
            },
            _ => value.push(c),
        }
    }
    (value, "")
}
