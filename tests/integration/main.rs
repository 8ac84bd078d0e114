//! One binary, one module a topic.

mod terminal;
mod transparent;
