//! Coding agents: their settings get an entry that asks `safe-test hook` about each command.

mod caveats;
mod hook;
mod insert;
mod rows;
mod scope;
mod settings;
#[cfg(test)]
mod settings_tests;
mod stanza;
mod trial;
mod written;

pub(super) use crate::commands::hooks::agents::rows::ALL;
pub(super) use crate::commands::hooks::agents::written::{AGENTS_MD, CLAUDE_MD};
