//! Literal settings in source code: Python dicts, Elixir keyword lists, JavaScript objects, and the simple calls that
//! read a variable with a default. By text, never executed; what is not simple stays unknown.

mod calls;
mod chains;
mod choices;
mod computed;
mod evaluator;
mod expression;
pub(crate) mod javascript;
mod literals;
mod operators;
mod pairs;
mod parser;
pub(crate) mod python;
pub(crate) mod ruby;
mod scope;
mod slashes;
mod tokens;
pub(crate) mod words;

pub(crate) use crate::environment::readers::code::calls::reads_environment;
pub(crate) use crate::environment::readers::code::computed::{Computed, Entry, Place, put};
pub(crate) use crate::environment::readers::code::expression::{
    Value, arguments, computed_with, evaluate, evaluate_telling, evaluate_with, unresolved,
};
pub(crate) use crate::environment::readers::code::pairs::{Comments, Pair, pairs, pairs_and_lists};
pub(crate) use crate::environment::readers::code::scope::Scope;
