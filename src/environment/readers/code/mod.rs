//! Literal settings in source code: Python dicts, Elixir keyword lists, JavaScript objects, and the simple calls that
//! read a variable with a default. By text, never executed; what is not simple stays unknown.

mod expression;
mod pairs;

pub(crate) use crate::environment::readers::code::expression::{Value, evaluate};
pub(crate) use crate::environment::readers::code::pairs::{Comments, Pair, pairs};
