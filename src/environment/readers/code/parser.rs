//! Goes through the tokens of an expression: what stands here, whether it is one of these, where the next part begins.

use std::cell::Cell;

use crate::environment::readers::code::computed::{Computed, Place};
use crate::environment::readers::code::scope::Scope;
use crate::environment::readers::code::tokens::{Placed, Token};

/// Longer texts are not put together, in bytes, and longer lists neither.
pub(crate) const LONGEST_TEXT: usize = 1 << 16;

/// The tokens of an expression, and how far it has come.
pub(crate) struct Parser<'p, 't> {
    pub(crate) scope: &'p Scope<'p>,
    pub(crate) text: &'t str,
    pub(crate) tokens: &'p [Placed<'t>],
    pub(crate) at: usize,
    pub(crate) depth: usize,
    /// How many operands may still be read: some are read twice.
    pub(crate) left: &'p Cell<usize>,
}

/// How often the operands of an expression may be read on average.
const MOST_TURNS: usize = 8;

/// Counts how many operands of an expression are read at most.
pub(crate) fn most_operands(tokens: &[Placed<'_>]) -> Cell<usize> {
    Cell::new(tokens.len().saturating_mul(MOST_TURNS))
}

impl<'p, 't> Parser<'p, 't> {
    pub(crate) fn peek(&self) -> Option<&'p Token<'t>> {
        self.tokens.get(self.at).map(|placed| &placed.token)
    }

    pub(crate) fn takes_mark(&mut self, marks: &[&str]) -> Option<&'t str> {
        match self.peek() {
            Some(Token::Mark(mark)) if marks.contains(mark) => {
                let mark = *mark;
                self.at += 1;
                Some(mark)
            }
            _ => None,
        }
    }

    pub(crate) fn takes_word(&mut self, words: &[&str]) -> Option<&'t str> {
        match self.peek() {
            Some(Token::Name(word)) if words.contains(word) => {
                let word = *word;
                self.at += 1;
                Some(word)
            }
            _ => None,
        }
    }

    pub(crate) fn peek_back(&self) -> Option<&'t str> {
        match self.tokens.get(self.at.checked_sub(1)?)?.token {
            Token::Mark(mark) => Some(mark),
            _ => None,
        }
    }

    pub(crate) fn here(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |placed| placed.at)
    }

    pub(crate) fn place(&self) -> Place {
        let lines = self.tokens.get(self.at).map_or(0, |placed| placed.lines);
        Place { line: self.scope.place.line.saturating_add(lines), ..self.scope.place }
    }

    /// Tells whether a call, a member or an index follows.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self.peek(), Some(Token::Mark("(" | "." | "?." | "&." | "[") | Token::Text(_)))
    }

    /// Tells whether `name:`, `"name":` or `"name" =>` stands here.
    pub(crate) fn begins_pair(&self) -> bool {
        let next = self.tokens.get(self.at + 1).map(|placed| &placed.token);
        matches!(self.peek(), Some(Token::Name(_) | Token::Text(_))) && matches!(next, Some(Token::Mark(":" | "=>")))
    }

    /// Goes behind the next comma, or before `end`, on this level.
    pub(crate) fn skip_to_next(&mut self, end: &str) -> Option<()> {
        let mut depth = 0_usize;
        while let Some(token) = self.peek() {
            match token {
                Token::Mark(",") if depth == 0 => {
                    self.at += 1;
                    return Some(());
                }
                Token::Mark(mark) if depth == 0 && *mark == end => return Some(()),
                Token::Mark("(" | "[" | "{" | "%{") => depth += 1,
                Token::Mark(")" | "]" | "}") => depth = depth.checked_sub(1)?,
                _ => {}
            }
            self.at += 1;
        }
        None
    }

    pub(crate) fn skip_to(&mut self, end: &str) -> Option<Computed> {
        while self.peek() != Some(&Token::Mark(end)) {
            self.skip_to_next(end)?;
        }
        self.at += 1;
        Some(Computed::Unknown)
    }

    /// Goes to the end of what is raised.
    pub(crate) fn skip_operand(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.peek() {
            match token {
                Token::Mark("(" | "[" | "{" | "%{") => depth += 1,
                Token::Mark(")" | "]" | "}") if depth == 0 => return,
                Token::Mark(")" | "]" | "}") => depth -= 1,
                Token::Mark(",") | Token::Name("end" | "else") if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }
}
