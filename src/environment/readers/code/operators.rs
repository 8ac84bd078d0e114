//! Evaluates what stands between operators: alternatives, conjunctions, comparisons and sums.

use crate::environment::readers::code::calls;
use crate::environment::readers::code::computed::{Computed, contains, put, same};
use crate::environment::readers::code::parser::{LONGEST_TEXT, Parser};
use crate::environment::readers::code::tokens::Token;

impl Parser<'_, '_> {
    /// `a || b`, `a or b`, `a ?? b`, `a ?: b`.
    pub(crate) fn alternatives(&mut self) -> Option<Computed> {
        let mut value = self.conjunctions()?;
        loop {
            let is_nullish = match self.takes_mark(&["||", "??", "?:"]) {
                Some(mark) => mark == "??",
                None if self.takes_word(&["or"]).is_some() => false,
                None => return Some(value),
            };
            let other = self.conjunctions()?;
            value = match value {
                Computed::Unset => other,
                Computed::Text(text) if text.is_empty() && !is_nullish => other,
                Computed::Flag(false) => other,
                Computed::Unknown if other == Computed::Flag(true) => other,
                value => value,
            };
        }
    }

    fn conjunctions(&mut self) -> Option<Computed> {
        let mut value = self.comparison()?;
        while self.takes_mark(&["&&"]).is_some() || self.takes_word(&["and"]).is_some() {
            let other = self.comparison()?;
            value = match (&value, &other) {
                (Computed::Unset | Computed::Flag(false), _) => value,
                (Computed::Unknown, Computed::Flag(false)) => other,
                (Computed::Unknown, _) => Computed::Unknown,
                _ => other,
            };
        }
        Some(value)
    }

    fn comparison(&mut self) -> Option<Computed> {
        let mut is_turned = false;
        let mut is_condition = false;
        while self.takes_mark(&["!"]).is_some() || self.takes_word(&["not"]).is_some() {
            is_condition = true;
            is_turned = !is_turned;
        }
        let value = self.compared()?;
        if !is_condition {
            return Some(value);
        }
        Some(self.scope.holds(&value).map_or(Computed::Unknown, |holds| Computed::Flag(holds != is_turned)))
    }

    fn compared(&mut self) -> Option<Computed> {
        let left = self.sum()?;
        if let Some(mark) = self.takes_mark(&["==", "===", "!=", "!=="]) {
            let right = self.sum()?;
            return Some(
                same(&left, &right).map_or(Computed::Unknown, |same| Computed::Flag(same == mark.starts_with('='))),
            );
        }
        if self.takes_word(&["is"]).is_some() {
            let is_negated = self.takes_word(&["not"]).is_some();
            let right = self.sum()?;
            return Some(same(&left, &right).map_or(Computed::Unknown, |same| Computed::Flag(same != is_negated)));
        }
        let is_negated = match (self.peek(), self.tokens.get(self.at + 1).map(|placed| &placed.token)) {
            (Some(Token::Name("not")), Some(Token::Name("in"))) => {
                self.at += 1;
                true
            }
            _ => false,
        };
        if self.takes_word(&["in"]).is_some() {
            // `"X" in os.environ`
            let start = self.at;
            let is_environment = self.takes_word(&["os"]).is_none() || self.takes_mark(&["."]).is_some();
            if is_environment && self.takes_word(&["environ"]).is_some() {
                let is_set = matches!(&left, Computed::Text(name) if (self.scope.lookup)(name).is_some());
                return Some(if is_set { Computed::Flag(!is_negated) } else { Computed::Unknown });
            }
            self.at = start;
            let right = self.sum()?;
            return Some(
                contains(&right, &left).map_or(Computed::Unknown, |holds| Computed::Flag(holds != is_negated)),
            );
        }
        Some(left)
    }

    /// `a + b`, `a <> b`, `a / b` of paths, `a % b` of formats, `a | b` of maps.
    fn sum(&mut self) -> Option<Computed> {
        let mut value = self.signed()?;
        while let Some(mark) = self.takes_mark(&["+", "<>", "/", "%", "|", "-", "*"]) {
            let other = self.signed()?;
            value = match (mark, value, other) {
                ("+" | "<>", Computed::Text(one), Computed::Text(other)) if one.len() + other.len() <= LONGEST_TEXT => {
                    Computed::Text(one + &other)
                }
                ("+", Computed::List(one), Computed::List(other)) if one.len() + other.len() <= LONGEST_TEXT => {
                    Computed::List([one, other].concat())
                }
                ("/", start, Computed::Text(end)) => calls::joined(&[start, Computed::Text(end)]),
                ("%", Computed::Text(format), filled) => calls::filled_in(&format, filled),
                ("|", Computed::Map(mut entries), Computed::Map(more)) => {
                    more.into_iter().for_each(|entry| put(&mut entries, entry));
                    Computed::Map(entries)
                }
                _ => Computed::Unknown,
            };
        }
        Some(value)
    }

    fn signed(&mut self) -> Option<Computed> {
        while self.takes_word(&["await", "new", "typeof"]).is_some() {}
        while self.takes_mark(&["-", "+"]).is_some() {}
        self.left.set(self.left.get().checked_sub(1)?);
        self.depth = self.depth.checked_sub(1)?;
        let value = self.chain()?;
        self.depth += 1;
        Some(value)
    }
}
