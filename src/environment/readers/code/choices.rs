//! Evaluates choices: `a if c else b`, `c ? a : b`, `if c do a else b end`.

use crate::environment::readers::code::computed::Computed;
use crate::environment::readers::code::parser::Parser;
use crate::environment::readers::code::scope::Scope;
use crate::environment::readers::code::tokens::{Placed, Token};

impl Parser<'_, '_> {
    /// `a if c else b`, `a unless c`, `c ? a : b`, and what binds more tightly.
    pub(crate) fn choice(&mut self) -> Option<Computed> {
        self.depth = self.depth.checked_sub(1)?;
        let value = self.alternatives()?;
        let value = if let Some(word) = self.takes_word(&["if", "unless"]) {
            let condition = self.alternatives()?;
            let other = if self.takes_word(&["else"]).is_some() { self.choice()? } else { Computed::Unset };
            match word {
                "if" => self.chosen(&condition, value, other),
                _ => self.chosen(&condition, other, value),
            }
        } else if self.takes_mark(&["?"]).is_some() {
            let first = self.choice()?;
            let second = match self.peek() {
                // `? a :b`
                Some(Token::Name(name)) if name.starts_with(':') => {
                    let name = (*name)[1..].to_owned();
                    self.at += 1;
                    (self.scope.names)(&name).unwrap_or(Computed::Unknown)
                }
                _ => {
                    self.takes_mark(&[":"])?;
                    self.choice()?
                }
            };
            self.chosen(&value, first, second)
        } else {
            value
        };
        self.depth += 1;
        Some(value)
    }

    fn chosen(&self, condition: &Computed, first: Computed, second: Computed) -> Computed {
        match self.scope.holds(condition) {
            Some(true) => first,
            Some(false) => second,
            None if first == second => first,
            None => Computed::Unknown,
        }
    }

    /// `if c do a else b end`, `if c, do: a, else: b`.
    pub(crate) fn block_choice(&mut self) -> Option<Computed> {
        self.at += 1;
        if let Some(value) = self.called_choice() {
            return Some(value);
        }
        let condition = match (self.peek(), self.tokens.get(self.at + 1)) {
            // `if p = System.get_env("P") do`: the branches read the name.
            (Some(Token::Name(name)), Some(Placed { token: Token::Mark("="), .. })) => {
                self.at += 2;
                let value = self.choice()?;
                return self.branches(&value, Some((name, value.clone())));
            }
            _ => self.alternatives()?,
        };
        self.branches(&condition, None)
    }

    /// `if(c, do: a, else: b)`; stands where it stood where that is not it.
    fn called_choice(&mut self) -> Option<Computed> {
        let (start, depth) = (self.at, self.depth);
        let value = self.takes_mark(&["("]).and_then(|_| {
            let condition = self.alternatives()?;
            let is_inline = self.peek() == Some(&Token::Mark(","));
            let value = if is_inline { self.branches(&condition, None)? } else { return None };
            self.takes_mark(&[")"])?;
            Some(value)
        });
        if value.is_none() {
            (self.at, self.depth) = (start, depth);
        }
        value
    }

    fn branches(&mut self, condition: &Computed, named: Option<(&str, Computed)>) -> Option<Computed> {
        let names = |name: &str| match &named {
            Some((own, value)) if *own == name => Some(value.clone()),
            _ => (self.scope.names)(name),
        };
        let members = |name: &str, member: &str| match &named {
            Some((own, _)) if *own == name => None,
            _ => (self.scope.members)(name, member),
        };
        let scope = Scope { names: &names, members: &members, ..*self.scope };
        let mut inner = Parser {
            scope: &scope,
            text: self.text,
            tokens: self.tokens,
            at: self.at,
            depth: self.depth,
            left: self.left,
        };
        let is_inline = inner.takes_mark(&[","]).is_some();
        inner.takes_word(&["do", "then"]);
        if is_inline {
            inner.takes_mark(&[":"])?;
        }
        let first = inner.choice()?;
        let is_more = if is_inline { inner.takes_mark(&[","]).is_some() } else { true };
        let second = if is_more && inner.takes_word(&["else"]).is_some() {
            inner.takes_mark(&[":"]);
            inner.choice()?
        } else {
            Computed::Unset
        };
        if !is_inline {
            inner.takes_word(&["end"])?;
        }
        self.at = inner.at;
        Some(self.chosen(condition, first, second))
    }
}
