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
mod event;
mod lines;
mod log;
mod redact;
mod render;
mod report;
mod reporting;
mod unfinished;

pub(crate) use crate::audit::chain::{Known, Link, verify};
pub(crate) use crate::audit::damage::Integrity;
pub(crate) use crate::audit::entry::{Entry, Record, What, Who, written_time};
pub(crate) use crate::audit::error::AuditError;
pub(crate) use crate::audit::event::{
    Accepted, Answer, Continued, Denial, Event, Finish, Manifests, ProcessEnd, Pruned, Refusal, RestoreStart, Restored,
    Saved, Start, Unjudged,
};
pub(crate) use crate::audit::lines::{Line, Lines, MAX_LINE};
pub(crate) use crate::audit::log::{KnownSnapshots, Log, anchors_folder, verify_file};
pub(crate) use crate::audit::redact::{redact_command, redact_line};
pub(crate) use crate::audit::render::{details, render, used};
pub(crate) use crate::audit::report::{CallerReport, FindingReport, JudgementReport, SettingReport, TargetReport};
pub(crate) use crate::audit::unfinished::unfinished_runs;
