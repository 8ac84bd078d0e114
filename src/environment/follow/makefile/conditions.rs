//! The conditions of a makefile (`ifeq`, `ifdef`, …): which of its lines count.
//!
//! Source: GNU Make's manual ("Syntax of Conditionals").

use crate::environment::follow::makefile::rules::Makefile;

/// The conditions that a line stands in, the outermost first.
#[derive(Default)]
pub(crate) struct Conditions(Vec<Condition>);

struct Condition {
    /// Whether its branch counts that is read now; `None` where that is not known.
    counts: Option<bool>,
    /// Whether one of its earlier branches counts.
    did_count: Option<bool>,
    is_otherwise: bool,
}

impl Conditions {
    /// Notes a line that begins, goes on with or ends a condition; tells whether it is one.
    pub(crate) fn note(&mut self, line: &str, makefile: &Makefile<'_>) -> bool {
        let line = line.trim();
        let word = line.split([' ', '\t', '(']).next().unwrap_or_default();
        match word {
            "ifeq" | "ifneq" | "ifdef" | "ifndef" => {
                let counts = holds(line, makefile);
                self.0.push(Condition { counts, did_count: Some(false), is_otherwise: false });
            }
            "else" => {
                let Some(last) = self.0.last_mut() else { return true };
                let did_count = either(last.did_count, last.counts);
                let rest = line["else".len()..].trim();
                let own = if rest.is_empty() { Some(true) } else { holds(rest, makefile) };
                let counts = match did_count {
                    Some(true) => Some(false),
                    Some(false) => own,
                    None if own == Some(false) => own,
                    None => None,
                };
                *last = Condition { counts, did_count, is_otherwise: true };
            }
            "endif" => drop(self.0.pop()),
            _ => return false,
        }
        true
    }

    /// Tells whether a line counts, as far as is known.
    pub(crate) fn may_count(&self) -> bool {
        self.0.iter().all(|condition| condition.counts != Some(false))
    }

    /// Tells whether a line counts in place of one that was read before, and which of them is not known.
    pub(crate) fn is_other_way(&self) -> bool {
        self.0.iter().any(|condition| condition.counts.is_none() && condition.is_otherwise)
    }
}

fn either(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// Tells whether a condition holds; `None` where it hangs on what is not computed here.
fn holds(line: &str, makefile: &Makefile<'_>) -> Option<bool> {
    let (word, rest) = line.split_at(line.find([' ', '\t', '(']).unwrap_or(line.len()));
    let rest = rest.trim();
    match word {
        "ifdef" => defined(rest, makefile),
        "ifndef" => defined(rest, makefile).map(|is_there| !is_there),
        _ => {
            let (one, other) = compared(rest)?;
            let (one, other) = (makefile.certain(one)?, makefile.certain(other)?);
            Some((one.trim() == other.trim()) == (word == "ifeq"))
        }
    }
}

fn defined(name: &str, makefile: &Makefile<'_>) -> Option<bool> {
    // The environment may set it, too.
    makefile.certain(&format!("$({name})")).map(|value| !value.is_empty())
}

/// Takes `(a,b)`, `"a" "b"` or `'a' 'b'` apart.
fn compared(text: &str) -> Option<(&str, &str)> {
    if let Some(inside) = text.strip_prefix('(') {
        let mut depth = 0_usize;
        let comma = inside.char_indices().find(|(_, c)| {
            match c {
                '(' | '{' => depth += 1,
                ')' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && *c == ','
        })?;
        let end = inside.rfind(')').filter(|end| *end > comma.0)?;
        return Some((&inside[..comma.0], &inside[comma.0 + 1..end]));
    }
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let mut parts = text.split(quote);
    let (_, one, _, other) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    Some((one, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_where_what_they_hang_on_is_known() {
        let present = |name: &str| name == ".env";
        let mut makefile = Makefile { present: Some(&present), ..Makefile::default() };
        makefile.variables.insert("A".to_owned(), "b".to_owned());
        makefile.variables.insert("O".to_owned(), "b".to_owned());
        makefile.overridable.insert("O".to_owned());
        for (line, expected) in [
            ("ifneq ($(wildcard .env),)", Some(true)),
            ("ifneq (,$(wildcard ./.env.ci))", Some(false)),
            ("ifeq ($(A),b)", Some(true)),
            ("ifeq \"$(A)\" \"c\"", Some(false)),
            ("ifneq '$(A)' 'c'", Some(true)),
            ("ifeq ($(O),b)", None),
            ("ifeq ($(UNKNOWN),b)", None),
            ("ifeq ($(shell uname),Linux)", None),
            ("ifdef A", Some(true)),
            ("ifndef A", Some(false)),
            ("ifdef UNKNOWN", None),
            ("ifeq", None),
        ] {
            assert_eq!(holds(line, &makefile), expected, "{line}");
        }
    }

    #[test]
    fn of_the_branches_those_count_that_may_be_taken() {
        let mut makefile = Makefile::default();
        makefile.variables.insert("A".to_owned(), "b".to_owned());
        for (lines, expected) in [
            ("ifeq ($(A),b)|1|else|2|endif|3", "1 3"),
            ("ifeq ($(A),c)|1|else|2|endif|3", "2 3"),
            ("ifeq ($(A),c)|1|else ifeq ($(A),b)|2|else|3|endif", "2"),
            ("ifeq ($(U),c)|1|else ifeq ($(A),c)|2|else|3|endif", "1 3"),
            ("ifeq ($(A),c)|ifeq ($(A),b)|1|endif|2|endif|3", "3"),
            ("else|1|endif|2", "1 2"),
        ] {
            let mut conditions = Conditions::default();
            let counting: Vec<&str> =
                lines.split('|').filter(|line| !conditions.note(line, &makefile) && conditions.may_count()).collect();
            assert_eq!(counting.join(" "), expected, "{lines}");
        }
    }
}
