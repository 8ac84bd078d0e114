//! safe-test from the outside: the built program, real servers, real files. One module a topic.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests may, and what is read here is the environment of the tests"
)]

mod kills;
mod oracle;
mod order;
mod secrets;
mod signals;
mod snapshots_cli;
mod support;
mod terminal;
mod tidy;
mod transparent;
mod wrong_input;
