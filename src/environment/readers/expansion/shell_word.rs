//! One word of a POSIX shell: quotes, escapes and parameters; commands are never executed.
//!
//! Source: POSIX.1-2024, Shell Command Language, 2.2 Quoting and 2.6 Word Expansions.

use std::borrow::Cow;

use crate::environment::readers::expansion::{Budget, DEEPEST, Obstacle, Scope, Unset, name_length};

/// What quotes, backslashes and commands mean in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quotes {
    /// As a shell reads them.
    Shell,
    /// They were taken off when the text was cut into words.
    Removed,
    /// They are characters like others: the text is no shell's.
    Literal,
}

/// A word as it is written, to its end.
pub(crate) struct Word<'t> {
    text: &'t str,
    quotes: Quotes,
    unset: Unset,
    depth: usize,
}

/// What a word has become so far.
#[derive(Default)]
struct Output {
    text: String,
    /// Why a part of it is not known.
    obstacle: Option<Obstacle>,
    /// Such a part stays as written; otherwise it ends the expansion.
    goes_on: bool,
}

impl Output {
    fn add(&mut self, value: &str, budget: &mut Budget) -> Result<(), Obstacle> {
        budget.add(value.len())?;
        self.text.push_str(value);
        Ok(())
    }

    /// Notes that what is `written` here cannot be told.
    fn leave(&mut self, written: &[&str], obstacle: Obstacle) -> Result<(), Obstacle> {
        if !self.goes_on {
            return Err(obstacle);
        }
        self.obstacle.get_or_insert(obstacle);
        self.text.extend(written.iter().copied());
        Ok(())
    }
}

impl<'t> Word<'t> {
    pub(crate) fn new(text: &'t str, quotes: Quotes, unset: Unset) -> Self {
        Word { text, quotes, unset, depth: 0 }
    }

    /// Expands the word, unless a part of it cannot be told.
    pub(crate) fn expand(&self, scope: &mut Scope<'_>, budget: &mut Budget) -> Result<String, Obstacle> {
        let mut output = Output::default();
        self.expand_into(&mut output, scope, budget)?;
        Ok(output.text)
    }

    /// Expands what can be told and leaves the rest as written; the second part says why there is a rest.
    pub(crate) fn expand_known(&self, scope: &mut Scope<'_>, budget: &mut Budget) -> (String, Option<Obstacle>) {
        let mut output = Output { goes_on: true, ..Output::default() };
        match self.expand_into(&mut output, scope, budget) {
            Ok(()) => (output.text, output.obstacle),
            Err(obstacle) => (self.text.to_owned(), Some(obstacle)),
        }
    }

    fn expand_into(&self, output: &mut Output, scope: &mut Scope<'_>, budget: &mut Budget) -> Result<(), Obstacle> {
        if self.depth > DEEPEST {
            return Err(Obstacle::TooLarge);
        }
        budget.look(if self.depth == 0 { 0 } else { self.text.len() })?;
        let mut double = false;
        let mut rest = self.text;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            let shell = self.quotes == Quotes::Shell;
            rest = match c {
                '\'' if shell && !double => {
                    let (inside, after) = after.split_once('\'').unwrap_or((after, ""));
                    output.text.push_str(inside);
                    after
                }
                '"' if shell => {
                    double = !double;
                    after
                }
                '\\' if shell => match after.chars().next() {
                    Some('\n') => &after[1..],
                    Some(next) if !double || matches!(next, '$' | '`' | '"' | '\\') => {
                        output.text.push(next);
                        &after[next.len_utf8()..]
                    }
                    _ => {
                        output.text.push('\\');
                        after
                    }
                },
                '\\' if self.quotes == Quotes::Literal && after.starts_with('$') => {
                    output.text.push('$');
                    &after[1..]
                }
                '`' if self.quotes != Quotes::Literal => {
                    output.leave(&["`"], Obstacle::Command)?;
                    after
                }
                '$' if shell && !double && after.starts_with('\'') => {
                    let (inside, after) = ansi_quoted(&after[1..]);
                    output.text.push_str(&inside);
                    after
                }
                '$' => self.parameter(after, output, scope, budget)?,
                _ => {
                    let end = after.find(['\'', '"', '\\', '`', '$']).unwrap_or(after.len());
                    output.text.push_str(&rest[..c.len_utf8() + end]);
                    &after[end..]
                }
            };
        }
        Ok(())
    }

    /// Expands what follows a `$`, and gives what follows its end.
    fn parameter<'r>(
        &self,
        text: &'r str,
        output: &mut Output,
        scope: &mut Scope<'_>,
        budget: &mut Budget,
    ) -> Result<&'r str, Obstacle> {
        if text.starts_with('(') {
            if self.quotes != Quotes::Literal || text.contains(')') {
                let is_sum = text.starts_with("((");
                output.leave(&["$"], if is_sum { Obstacle::Syntax } else { Obstacle::Command })?;
                return Ok(text);
            }
            // Each such `$(` is a vain search to the end of the word.
            budget.look(text.len())?;
        }
        let Some(inside) = text.strip_prefix('{') else {
            let (name, after) = text.split_at(name_length(text));
            match scope.file_then_process(name) {
                _ if name.is_empty() => output.text.push('$'),
                Ok(Some(value)) => output.add(&value, budget)?,
                Ok(None) if self.unset == Unset::AsWritten => output.text.extend(["$", name]),
                Ok(None) => {}
                Err(obstacle) => output.leave(&["$", name], obstacle)?,
            }
            return Ok(after);
        };
        let Some(close) = closing_brace(inside, self.quotes) else {
            if self.quotes == Quotes::Shell {
                return Err(Obstacle::Syntax);
            }
            // Each such `${` is a vain search to the end of the word.
            budget.look(inside.len())?;
            output.text.push('$');
            return Ok(text);
        };
        let (inside, after) = (&inside[..close], &inside[close + 1..]);
        self.braced(inside, output, scope, budget)?;
        Ok(after)
    }

    /// Expands what stands between braces.
    fn braced(
        &self,
        inside: &str,
        output: &mut Output,
        scope: &mut Scope<'_>,
        budget: &mut Budget,
    ) -> Result<(), Obstacle> {
        let written = ["${", inside, "}"];
        let (name, operation) = inside.split_at(name_length(inside));
        let colon = operation.starts_with(':');
        let sign = operation.as_bytes().get(usize::from(colon)).copied();
        let is_known = matches!((sign, colon), (Some(b'-' | b'=' | b'+' | b'?'), _) | (None, false));
        if name.is_empty() || !is_known {
            if self.quotes != Quotes::Literal {
                return output.leave(&written, Obstacle::Syntax);
            }
            output.text.extend(written);
            return Ok(());
        }
        let found = match scope.file_then_process(name) {
            Ok(found) => found.map(Cow::into_owned),
            Err(obstacle) => return output.leave(&written, obstacle),
        };
        let present = found.as_ref().is_some_and(|value| !(colon && value.is_empty()));
        match (sign, present) {
            (Some(b'+'), true) | (Some(b'-' | b'='), false) => {
                let text = &operation[usize::from(colon) + 1..];
                let argument = Word { text, depth: self.depth + 1, ..*self };
                let mut value = Output { goes_on: output.goes_on, ..Output::default() };
                argument.expand_into(&mut value, scope, budget)?;
                output.add(&value.text, budget)?;
                output.obstacle = output.obstacle.or(value.obstacle);
                if sign == Some(b'=') {
                    scope.set(name, value.obstacle.map_or(Ok(value.text), Err));
                }
                Ok(())
            }
            (Some(b'?'), false) => output.leave(&written, Obstacle::Syntax),
            (None, false) if self.unset == Unset::AsWritten => {
                output.text.extend(written);
                Ok(())
            }
            _ => output.add(&found.unwrap_or_default(), budget),
        }
    }
}

/// Finds the brace that closes the one before `text`, with quotes heeded where they have a meaning.
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

/// Reads the content of `$'…'` after its quote, and gives what follows it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_whose_quotes_are_gone_keeps_what_cannot_be_told() {
        let look = |name: &str| match name {
            "HOST" => Some("db.example.net".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, expected, obstacle) in [
            ("pg://$HOST/${HOST}", "pg://db.example.net/db.example.net", None),
            ("${EMPTY:-prod}${EMPTY-x}", "prod", None),
            ("${NONE:-${EMPTY:-$HOST}}", "db.example.net", None),
            ("$NONE ${NONE} ${NONE:+x}", "$NONE ${NONE} ", None),
            ("$HOST/$(id)", "db.example.net/$(id)", Some(Obstacle::Command)),
            ("$HOST/`id`", "db.example.net/`id`", Some(Obstacle::Command)),
            ("${NONE:-$(id)}/$HOST", "$(id)/db.example.net", Some(Obstacle::Command)),
            ("$HOST$((1+1))", "db.example.net$((1+1))", Some(Obstacle::Syntax)),
            ("${HOST%%.*}/$HOST", "${HOST%%.*}/db.example.net", Some(Obstacle::Syntax)),
            ("${NONE:?gone}", "${NONE:?gone}", Some(Obstacle::Syntax)),
            ("'\\$HOST' $", "'\\db.example.net' $", None),
            ("${HOST", "${HOST", None),
        ] {
            let word = Word::new(text, Quotes::Removed, Unset::AsWritten);
            let given = word.expand_known(&mut Scope::new(&look), &mut Budget::new());
            assert_eq!(given, (expected.to_owned(), obstacle), "{text}");
        }
    }
}
