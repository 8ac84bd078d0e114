//! Evaluates expressions that are simple in any language: texts with what they fill in, variables of the environment
//! with their defaults, names that are known, choices, and the common methods of texts. By text, never executed.

use crate::environment::readers::code::calls::Arguments;
use crate::environment::readers::code::computed::Computed;
use crate::environment::readers::code::parser::{Parser, most_operands};
use crate::environment::readers::code::scope::Scope;
use crate::environment::readers::code::tokens::tokens;

/// Deeper expressions are not evaluated.
const DEEPEST: usize = 48;

impl Scope<'_> {
    /// Evaluates a whole expression.
    pub(crate) fn evaluate(&self, text: &str) -> Computed {
        self.evaluate_at(text, DEEPEST)
    }

    /// Evaluates an expression within another one, which leaves it a smaller depth.
    pub(crate) fn evaluate_at(&self, text: &str, depth: usize) -> Computed {
        let Some(tokens) = tokens(text) else { return Computed::Unknown };
        let left = most_operands(&tokens);
        let mut parser = Parser { scope: self, text, tokens: &tokens, at: 0, depth, left: &left };
        match parser.choice() {
            Some(value) if parser.at == tokens.len() => value,
            _ => Computed::Unknown,
        }
    }

    /// Evaluates the arguments of a call, given without its parentheses.
    pub(crate) fn arguments(&self, text: &str) -> Option<Arguments> {
        let closed = format!("{text}\n)");
        let tokens = tokens(&closed)?;
        let left = most_operands(&tokens);
        let mut parser = Parser { scope: self, text: &closed, tokens: &tokens, at: 0, depth: DEEPEST, left: &left };
        parser.arguments()
    }
}
