//! The conditions of a makefile (`ifeq`, `ifdef`, …): which of its lines count.
//!
//! A makefile is read once for each way that the conditions may go which hang on what is not known: in the first one the
//! first such branch of each counts, in the second one the second, and in the last one what stands behind `else`.
//!
//! Source: GNU Make's manual ("Syntax of Conditionals").

use crate::environment::follow::makefile::variables::Variables;

/// The conditions that a line stands in, the outermost first.
#[derive(Default)]
pub(crate) struct Conditions {
    open: Vec<Condition>,
    /// The branch that counts of those that are not known.
    way: usize,
    /// The most such branches that one condition has.
    unknown: usize,
}

struct Condition {
    /// Its branch counts that is read now.
    counts: bool,
    /// One of its earlier branches counts.
    did_count: bool,
    /// How many of its branches so far hang on what is not known.
    unknown: usize,
}

impl Conditions {
    pub(crate) fn new(way: usize) -> Self {
        Conditions { way, ..Conditions::default() }
    }

    /// Tells how many ways there are.
    pub(crate) fn ways(&self) -> usize {
        self.unknown + 1
    }

    /// Notes a line that begins, goes on with or ends a condition; tells whether it is one.
    pub(crate) fn note(&mut self, line: &str, variables: &Variables<'_>) -> bool {
        let line = line.trim();
        let word = line.split([' ', '\t', '(']).next().unwrap_or_default();
        let mut last = match word {
            "ifeq" | "ifneq" | "ifdef" | "ifndef" => Condition { counts: false, did_count: false, unknown: 0 },
            "else" => match self.open.pop() {
                Some(last) => Condition { did_count: last.did_count | last.counts, ..last },
                None => return true,
            },
            "endif" => {
                self.open.pop();
                return true;
            }
            _ => return false,
        };
        let own = line.strip_prefix("else").unwrap_or(line).trim();
        let holds = if own.is_empty() { Some(true) } else { holds(own, variables) };
        let holds = holds.unwrap_or_else(|| {
            last.unknown += 1;
            last.unknown - 1 == self.way
        });
        last.counts = holds && !last.did_count;
        self.unknown = self.unknown.max(last.unknown);
        self.open.push(last);
        true
    }

    /// Tells whether a line counts.
    pub(crate) fn counts(&self) -> bool {
        self.open.iter().all(|condition| condition.counts)
    }
}

/// Tells whether a condition holds; `None` where it hangs on what is not computed here.
fn holds(line: &str, variables: &Variables<'_>) -> Option<bool> {
    let (word, rest) = line.split_at(line.find([' ', '\t', '(']).unwrap_or(line.len()));
    let rest = rest.trim();
    match word {
        "ifdef" => defined(rest, variables),
        "ifndef" => defined(rest, variables).map(|is_there| !is_there),
        _ => {
            let (one, other) = compared(rest)?;
            let (one, other) = (variables.certain(one)?, variables.certain(other)?);
            Some((one.trim() == other.trim()) == (word == "ifeq"))
        }
    }
}

fn defined(name: &str, variables: &Variables<'_>) -> Option<bool> {
    let name = variables.certain(name)?;
    variables.certain(&format!("$({})", name.trim())).map(|value| !value.is_empty())
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
    use crate::environment::follow::makefile::variables::Definition;

    fn variables() -> Variables<'static> {
        let mut variables = Variables::default();
        variables.present = Some(&|name| name == ".env");
        variables.environment = Some(&|name| match name {
            "CI" => Some("true".to_owned()),
            "COMPUTED" => Some("$(read COMPUTED)".to_owned()),
            _ => None,
        });
        for line in ["A = b", "C = $(shell uname)", "D := $(C)", "E ?= b", "CI ?= false"] {
            variables.define(&Definition::of(line).unwrap());
        }
        variables
    }

    #[test]
    fn conditions_hold_where_what_they_hang_on_is_known() {
        for (line, expected) in [
            ("ifneq ($(wildcard .env),)", Some(true)),
            ("ifneq (,$(wildcard ./.env.ci))", Some(false)),
            ("ifeq ($(A),b)", Some(true)),
            ("ifeq \"$(A)\" \"c\"", Some(false)),
            ("ifneq '$(A)' 'c'", Some(true)),
            ("ifeq ($(E),b)", Some(true)),
            ("ifeq ($(CI),true)", Some(true)),
            ("ifeq ($(UNKNOWN),b)", Some(false)),
            ("ifeq ($(UNKNOWN),)", Some(true)),
            ("ifeq ($(MAKECMDGOALS),b)", None),
            ("ifeq ($(COMPUTED),b)", None),
            ("ifeq ($(C),b)", None),
            ("ifeq ($(D),b)", None),
            ("ifeq ($(shell uname),Linux)", None),
            ("ifneq ($(filter x,$(A)),)", None),
            ("ifdef A", Some(true)),
            ("ifdef CI", Some(true)),
            ("ifndef A", Some(false)),
            ("ifdef UNKNOWN", Some(false)),
            ("ifdef C", None),
            ("ifeq", None),
        ] {
            assert_eq!(holds(line, &variables()), expected, "{line}");
        }
        let mut incomplete = Variables::default();
        incomplete.is_incomplete = true;
        assert_eq!(holds("ifdef UNKNOWN", &incomplete), None);
    }

    #[test]
    fn each_branch_that_may_be_taken_counts_in_one_of_the_ways() {
        for (lines, expected) in [
            ("ifeq ($(A),b)|1|else|2|endif|3", "1 3"),
            ("ifeq ($(A),c)|1|else|2|endif|3", "2 3"),
            ("ifeq ($(A),c)|1|else ifeq ($(A),b)|2|else|3|endif", "2"),
            ("ifeq ($(C),c)|1|else ifeq ($(A),c)|2|else|3|endif", "1/3"),
            ("ifeq ($(C),c)|1|else ifeq ($(C),d)|2|else|3|endif", "1/2/3"),
            ("ifeq ($(C),c)|1|endif|ifeq ($(C),c)|2|else|3|endif", "1 2/3"),
            ("ifeq ($(A),c)|ifeq ($(A),b)|1|endif|2|endif|3", "3"),
            ("else|1|endif|2", "1 2"),
        ] {
            let (mut ways, mut found) = (1, Vec::new());
            while found.len() < ways {
                let mut conditions = Conditions::new(found.len());
                let counting: Vec<&str> = lines
                    .split('|')
                    .filter(|line| !conditions.note(line, &variables()) && conditions.counts())
                    .collect();
                found.push(counting.join(" "));
                ways = conditions.ways();
            }
            assert_eq!(found.join("/"), expected, "{lines}");
        }
    }
}
