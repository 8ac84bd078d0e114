//! Compose's interpolation: `$NAME`, `${NAME}`, `$$`, and defaults, alternatives and requirements, one in another.
//!
//! Source: `template/template.go` of compose-go 2.16.

use crate::environment::readers::expansion::{Budget, DEEPEST, Obstacle, Scope, Unset, name_length};

/// The loader rejects the whole file, for the reason given.
pub(crate) struct Broken(pub(crate) &'static str);

enum Stop {
    Broken(Broken),
    Obstacle(Obstacle),
}

impl From<Obstacle> for Stop {
    fn from(obstacle: Obstacle) -> Self {
        Stop::Obstacle(obstacle)
    }
}

/// Expands `text`; the process environment wins over the file.
pub(crate) fn substitute(
    text: &str,
    scope: &Scope<'_>,
    budget: &mut Budget,
    unset: Unset,
) -> Result<Result<String, Obstacle>, Broken> {
    let mut template = Template { scope, budget, unset };
    match template.expand(text, 0) {
        Ok(value) => Ok(Ok(value)),
        Err(Stop::Obstacle(obstacle)) => Ok(Err(obstacle)),
        Err(Stop::Broken(broken)) => Err(broken),
    }
}

struct Template<'s, 'a> {
    scope: &'s Scope<'a>,
    budget: &'s mut Budget,
    unset: Unset,
}

impl Template<'_, '_> {
    fn expand(&mut self, text: &str, depth: usize) -> Result<String, Stop> {
        if depth > DEEPEST {
            return Err(Obstacle::TooLarge.into());
        }
        self.budget.look(if depth == 0 { 0 } else { text.len() })?;
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            result.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            rest = match after.as_bytes().first() {
                Some(b'$') => {
                    result.push('$');
                    &after[1..]
                }
                Some(b'{') => self.braced(&after[1..], depth, &mut result)?,
                Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {
                    let (name, after) = after.split_at(name_length(after));
                    match self.scope.process_then_file(name)? {
                        None if self.unset == Unset::AsWritten => result.extend(["$", name]),
                        found => self.add(&found.unwrap_or_default(), &mut result)?,
                    }
                    after
                }
                _ => {
                    result.push('$');
                    after
                }
            };
        }
        result.push_str(rest);
        Ok(result)
    }

    /// Expands what follows a `${`, and gives what follows its end.
    fn braced<'t>(&mut self, text: &'t str, depth: usize, result: &mut String) -> Result<&'t str, Stop> {
        const INVALID: Stop = Stop::Broken(Broken("an invalid expression in braces; this loader rejects the file"));
        let (name, after) = text.split_at(name_length(text));
        if name.is_empty() {
            return Err(INVALID);
        }
        let found = self.scope.process_then_file(name)?;
        if let Some(after) = after.strip_prefix('}') {
            match found {
                None if self.unset == Unset::AsWritten => result.extend(["${", name, "}"]),
                found => self.add(&found.unwrap_or_default(), result)?,
            }
            return Ok(after);
        }
        let colon = after.starts_with(':');
        let sign = after.as_bytes().get(usize::from(colon)).copied().unwrap_or(0);
        let argument = usize::from(colon) + 1;
        if !matches!(sign, b'-' | b'+' | b'?') {
            return Err(INVALID);
        }
        let close = closing_brace(after).ok_or(INVALID)?;
        if close < argument {
            return Err(INVALID);
        }
        let argument = &after[argument..close];
        let present = found.as_ref().is_some_and(|value| !(colon && value.is_empty()));
        match (sign, present) {
            (b'+', true) | (b'-', false) => {
                let value = self.expand(argument, depth + 1)?;
                self.add(&value, result)?;
            }
            (b'?', false) => {
                return Err(Stop::Broken(Broken(
                    "a variable that is required is not set; this loader rejects the file",
                )));
            }
            _ => self.add(&found.unwrap_or_default(), result)?,
        }
        Ok(&after[close + 1..])
    }

    fn add(&mut self, value: &str, result: &mut String) -> Result<(), Stop> {
        self.budget.add(value.len())?;
        result.push_str(value);
        Ok(())
    }
}

/// Finds the brace that closes the one before `text`; where none balances, the last of the line.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    let mut last = None;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\n' => break,
            b'}' => {
                last = Some(at);
                open -= 1;
                if open == 0 {
                    break;
                }
            }
            b'{' => {
                open += 1;
                // The library does not look at the byte after an opening brace.
                if let Some((at, b'}')) = bytes.next() {
                    last = Some(at);
                }
            }
            _ => {}
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_as_compose_does() {
        let look = |name: &str| match name {
            "SET" => Some("x".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let given = |text: &str, unset: Unset| {
            substitute(text, &Scope::new(&look), &mut Budget::new(), unset).ok().map(|value| value.unwrap())
        };
        for (text, expected) in [
            ("$SET-${SET}$$SET", Some("x-x$SET")),
            ("${EMPTY:-d}${EMPTY-d}${NONE-d}", Some("dd")),
            ("${NONE:-${EMPTY:-${SET}}}", Some("x")),
            ("${SET:+y}${EMPTY:+y}${EMPTY+y}${NONE+y}", Some("yy")),
            ("${SET:?gone}", Some("x")),
            ("${EMPTY:?gone}", None),
            ("${NONE?gone}", None),
            ("${}", None),
            ("a$ $1", Some("a$ $1")),
        ] {
            assert_eq!(given(text, Unset::Empty).as_deref(), expected, "{text}");
            assert_eq!(given(text, Unset::AsWritten).as_deref(), expected, "{text}");
        }
        assert_eq!(given("$NONE ${NONE}", Unset::Empty).as_deref(), Some(" "));
        assert_eq!(given("$NONE ${NONE}", Unset::AsWritten).as_deref(), Some("$NONE ${NONE}"));
    }
}
