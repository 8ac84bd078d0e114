//! Fills in `$NAME`, `${NAME:-default}` and their like: one grammar a file, each within a budget.
//!
//! Grammars that one dotenv loader alone has stand in that loader's file.

mod budget;
pub(crate) mod compose;
pub(crate) mod placeholders;
mod scope;
pub(crate) mod shell_word;

pub(crate) use crate::environment::readers::expansion::budget::{Budget, DEEPEST};
pub(crate) use crate::environment::readers::expansion::scope::Scope;

use crate::environment::Unresolved;

/// Looks a variable up: in the process environment, or in whatever a loader has read before.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What becomes of a variable that is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unset {
    Empty,
    AsWritten,
}

/// Why a value cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The loader would execute a command, for this value or for one that it is made of.
    Command,
    /// It uses a form of expansion that is not computed here.
    Syntax,
    /// It grows beyond the budget of the file.
    TooLarge,
}

impl From<Obstacle> for Unresolved {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Command => Unresolved::CommandSubstitution,
            Obstacle::Syntax | Obstacle::TooLarge => Unresolved::Template,
        }
    }
}

/// Lists the names that a word may refer to as variables, and others that stand beside a `$`.
pub(crate) fn referred_names(word: &str) -> impl Iterator<Item = &str> {
    let words = word.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    words.filter(move |name| !name.is_empty() && word.contains('$'))
}

/// Lists the variables that a word has a default for: `${NAME:-x}`, `${NAME=x}`.
pub(crate) fn names_with_default(word: &str) -> impl Iterator<Item = &str> {
    word.match_indices("${").filter_map(|(at, opening)| {
        let inside = &word[at + opening.len()..];
        let (name, operation) = inside.split_at(name_length(inside));
        let operation = operation.strip_prefix(':').unwrap_or(operation);
        (!name.is_empty() && operation.starts_with(['-', '='])).then_some(name)
    })
}

/// Counts the bytes at the start of `text` that are a variable's name; 0 where none is.
pub(crate) fn name_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        return 0;
    }
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}
