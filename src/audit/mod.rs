//! Writing it down: an append-only log, one JSON object a line, each with the hash of the line before.
//!
//! The log shows tampering, it does not prevent it: whoever may write the file may change it, and `log verify`
//! then names the line. What happened is composed here from values that the earlier stages hand over; only
//! [`Log`] and [`verify_file`] touch files. Nothing here reads the clock or the environment.
#![forbid(unsafe_code)]

mod anchor;
mod chain;
#[cfg(test)]
mod chain_tests;
mod damage;
mod entry;
mod error;
mod hash;
mod lines;
mod log;
mod redact;
mod redact_text;
mod render;
mod state_directory;
mod unfinished;

pub use chain::{Ending, Known, Link, Pending, verify};
pub use damage::{Damage, Kind, Report};
pub use entry::{
    Accepted, Answer, Caller, Continued, Disorder, Entry, Event, Finish, Head, Judgement, Outcome, Policy, Pruned,
    Record, Refusal, RestoreStart, Restored, Saved, Start, What, Who,
};
pub use error::AuditError;
pub use hash::Hash;
pub use lines::{Line, Lines, MAX_LINE};
pub use log::{Appended, Log, LogLine, verify_file};
pub use redact::redact_command;
pub use redact_text::redact_text;
pub use render::render;
pub use state_directory::state_directory;
pub use unfinished::unfinished_runs;
