//! What a command could reach: the grammars of URLs, DSNs and split variables, and the [`Target`]s they name.
//!
//! Nothing here judges a target or connects to one.
#![forbid(unsafe_code)]

mod engine;
mod model;

pub use engine::Engine;
pub use model::{Doubt, Place, Target};
