//! The command line as it is typed; `commands` makes domain values out of it.
//!
//! A first word that is not a subcommand is the command to guard, and everything after it belongs to that command.

mod help;
mod line;
mod read;
mod usage;

pub(crate) use crate::cli::line::{
    Action, Before, ColorChoice, Format, HooksAction, HooksChange, LogAction, RestoreChoice, VerificationChoice,
};
pub(crate) use crate::cli::read::{CommandLine, Request, Unasked, read, read_hook, typed_value};
pub(crate) use crate::cli::usage::UsageError;
