//! The conditions of a makefile (`ifeq`, `ifdef`, …): which of its lines count.
//!
//! A makefile is read once for each way that the conditions may go which hang on what is not known. What is asked again,
//! of the same text, is answered as before.
//!
//! Source: GNU Make's manual ("Syntax of Conditionals").

use std::collections::HashMap;

use crate::environment::follow::makefile::variables::{Filled, Variables};

/// The answers to what is not known, in one of the ways that a makefile may be read.
#[derive(Default)]
pub(crate) struct Choices {
    /// How many of the answers were settled before; the others are yes.
    settled: usize,
    answers: Vec<bool>,
    /// The place of each question's answer.
    asked: HashMap<String, usize>,
    /// What a text that is not computed here comes to, where it was said to be the same as one that is.
    known: HashMap<String, String>,
}

impl Choices {
    /// Answers the first questions so, and those behind them with yes.
    pub(crate) fn settled(answers: Vec<bool>) -> Self {
        Choices { settled: answers.len(), answers, ..Choices::default() }
    }

    /// Lists the ways in which one of the later answers is no, and those before it are the same: all of them, and those that
    /// they give rise to, are all ways there are, and the first ones hold each answer at least once.
    pub(crate) fn others(&self) -> impl Iterator<Item = Vec<bool>> + '_ {
        (self.settled..self.answers.len()).map(|at| [&self.answers[..at], &[false]].concat())
    }

    fn answer(&mut self, question: String) -> bool {
        let next = self.asked.len();
        let at = *self.asked.entry(question).or_insert(next);
        if at == self.answers.len() {
            self.answers.push(true);
        }
        self.answers[at]
    }

    fn are_equal(&mut self, one: Filled, other: Filled) -> bool {
        let [one, other] = [one, other].map(|side| match self.known.get(side.text.trim()) {
            Some(value) if !side.is_whole => Filled { text: value.clone(), is_whole: true },
            _ => Filled { text: side.text.trim().to_owned(), ..side },
        });
        if one.is_whole && other.is_whole || one.text == other.text {
            return one.text == other.text;
        }
        let mut sides = [&*one.text, &*other.text];
        sides.sort_unstable();
        let is_equal = self.answer(sides.join("\n"));
        if is_equal && one.is_whole != other.is_whole {
            let (unknown, value) = if one.is_whole { (other, one) } else { (one, other) };
            self.known.insert(unknown.text, value.text);
        }
        is_equal
    }
}

/// The conditions that a line stands in, the outermost first.
#[derive(Default)]
pub(crate) struct Conditions {
    open: Vec<Condition>,
}

struct Condition {
    /// Its branch counts that is read now.
    counts: bool,
    /// One of its earlier branches counts.
    did_count: bool,
}

impl Conditions {
    /// Notes a line that begins, goes on with or ends a condition; tells whether it is one.
    pub(crate) fn note(&mut self, line: &str, variables: &Variables<'_>, choices: &mut Choices) -> bool {
        let line = line.split('#').next().unwrap_or_default().trim();
        let word = line.split([' ', '\t', '(']).next().unwrap_or_default();
        let did_count = match word {
            "ifeq" | "ifneq" | "ifdef" | "ifndef" => false,
            "else" => match self.open.pop() {
                Some(last) => last.did_count | last.counts,
                None => return true,
            },
            "endif" => {
                self.open.pop();
                return true;
            }
            _ => return false,
        };
        let own = line.strip_prefix("else").unwrap_or(line).trim();
        let counts = !did_count && self.counts() && (own.is_empty() || holds(own, variables, choices));
        self.open.push(Condition { counts, did_count });
        true
    }

    /// Tells whether a line counts.
    pub(crate) fn counts(&self) -> bool {
        self.open.iter().all(|condition| condition.counts)
    }
}

/// Tells whether a condition holds; where it hangs on what is not computed here, that is chosen.
fn holds(line: &str, variables: &Variables<'_>, choices: &mut Choices) -> bool {
    let (word, rest) = line.split_at(line.find([' ', '\t', '(']).unwrap_or(line.len()));
    let rest = rest.trim();
    if let "ifdef" | "ifndef" = word {
        let is_defined = defined(rest, variables).unwrap_or_else(|| choices.answer(format!("ifdef {rest}")));
        return is_defined == (word == "ifdef");
    }
    match compared(rest) {
        Some((one, other)) => choices.are_equal(variables.compared(one), variables.compared(other)) == (word == "ifeq"),
        None => choices.answer(line.to_owned()),
    }
}

fn defined(name: &str, variables: &Variables<'_>) -> Option<bool> {
    let certain = |text: &str| Some(variables.compared(text)).filter(|filled| filled.is_whole);
    let name = certain(name)?.text;
    certain(&format!("$({})", name.trim())).map(|value| !value.text.is_empty())
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

    /// Tells whether a condition holds; `None` where that is chosen.
    fn answer(line: &str, variables: &Variables<'_>) -> Option<bool> {
        let mut choices = Choices::default();
        let holds = holds(line, variables, &mut choices);
        choices.answers.is_empty().then_some(holds)
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
            assert_eq!(answer(line, &variables()), expected, "{line}");
        }
        let mut incomplete = Variables::default();
        incomplete.is_incomplete = true;
        assert_eq!(answer("ifdef UNKNOWN", &incomplete), None);
    }

    #[test]
    fn all_ways_that_conditions_may_go_are_followed() {
        for (lines, expected) in [
            ("ifeq ($(A),b)|1|else|2|endif|3", "1 3"),
            ("ifeq ($(A),c)|1|else|2|endif|3", "2 3"),
            ("ifeq ($(A),c)|1|else ifeq ($(A),b)|2|else|3|endif", "2"),
            ("ifeq ($(C),c)|1|else ifeq ($(A),c)|2|else|3|endif", "1/3"),
            ("ifeq ($(C),c)|1|else ifeq ($(C),d)|2|else|3|endif", "1/2/3"),
            // What is asked again is answered as before, and one text is not two others.
            ("ifeq ($(C),c)|1|endif|ifeq ($(C),c)|2|else|3|endif", "1 2/3"),
            ("ifeq ($(C),c)|1|endif|ifneq (c,$(D))|2|else|3|endif", "1 3/2"),
            ("ifeq ($(C),c)|1|endif|ifeq ($(C),d)|2|endif", "1/2/"),
            // What is asked besides goes its own way.
            ("ifeq ($(C),c)|1|else|2|endif|ifeq ($(shell id),0)|3|else|4|endif", "1 3/2 3/1 4/2 4"),
            ("ifeq ($(C),c)|ifeq ($(shell id),0)|1|else|2|endif|else|3|endif", "1/3/2"),
            ("ifeq ($(A),c)|ifeq ($(A),b)|1|endif|2|endif|3", "3"),
            ("ifeq ($(A),c)|ifeq ($(C),b)|1|endif|2|endif|3", "3"),
            ("ifeq ($(A),b)|1|else # not (b)|2|endif # (b)|3", "1 3"),
            ("else|1|endif|2", "1 2"),
        ] {
            let (mut ways, mut found) = (vec![Vec::new()], Vec::new());
            while found.len() < ways.len() {
                let mut choices = Choices::settled(ways[found.len()].clone());
                let mut conditions = Conditions::default();
                let counting: Vec<&str> = lines
                    .split('|')
                    .filter(|line| !conditions.note(line, &variables(), &mut choices) && conditions.counts())
                    .collect();
                found.push(counting.join(" "));
                ways.extend(choices.others());
            }
            assert_eq!(found.join("/"), expected, "{lines}");
        }
    }
}
