//! What happened, as the log tells it.
//!
//! A run is followed by its id: `run-started` is written before the command starts and `run-finished` after it
//! ended, both with the same `run`; a start without a finish is a run that was killed or still lasts. Fields are
//! added, never renamed; an event of a newer version reads as [`Event::Unknown`].

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audit::report::{JudgementRecord, TargetReport, Word};
use crate::guard::{Account, Hold, Refused};
use crate::hash::Hash;
use crate::snapshot::{Making, Restated};

/// Snapshots' ids with their manifests' hashes, by which they are known from then on.
pub(crate) type Manifests = BTreeMap<String, Hash>;

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event {
    /// The log begins.
    Opened,
    /// A command was not run.
    Refused(Refusal),
    /// A command is about to run.
    RunStarted(Start),
    /// A coding agent was not let run a command that touches a database.
    CommandDenied(Denial),
    /// What a coding agent was about to run could not be judged.
    CommandUnjudged(Unjudged),
    /// A connection of a running command was refused: the first of its program to this address.
    ConnectionRefused(Refused),
    /// A command ended.
    RunFinished(Finish),
    /// Snapshots were taken on request.
    Snapshot(Saved),
    /// Databases are about to be put back.
    RestoreStarted(RestoreStart),
    /// Databases are about to be made on a server, to restore something or to rehearse that.
    Making(Making),
    /// Something holds of a snapshot since its manifest was written.
    Restated(Restated),
    /// Databases were put back.
    Restore(Restored),
    /// Old snapshots were removed.
    Prune(Pruned),
    /// A person was asked.
    Answer(Answer),
    /// The log was not found as it was left, and goes on from what was found.
    Continued(Continued),
    /// A person accepted whatever `log verify` reports up to here.
    Accepted(Accepted),
    /// An event of a newer version.
    #[serde(other)]
    Unknown,
}

impl Event {
    /// Gives the judgement that it rests on.
    pub(crate) fn judgement(&self) -> Option<&JudgementRecord> {
        match self {
            Event::Refused(Refusal { judgement, .. })
            | Event::RunStarted(Start { judgement, .. })
            | Event::Answer(Answer { judgement, .. }) => Some(judgement),
            Event::Opened
            | Event::CommandDenied(_)
            | Event::CommandUnjudged(_)
            | Event::ConnectionRefused(_)
            | Event::RunFinished(_)
            | Event::Snapshot(_)
            | Event::RestoreStarted(_)
            | Event::Making(_)
            | Event::Restated(_)
            | Event::Restore(_)
            | Event::Prune(_)
            | Event::Continued(_)
            | Event::Accepted(_)
            | Event::Unknown => None,
        }
    }

    /// Gives what a person should know.
    pub(crate) fn notes(&self) -> &[String] {
        match self {
            Event::RunStarted(Start { notes, .. })
            | Event::RunFinished(Finish { notes, .. })
            | Event::Snapshot(Saved { notes, .. }) => notes,
            _ => &[],
        }
    }
}

/// Why a command was not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// What was judged.
    #[serde(flatten)]
    pub(crate) judgement: JudgementRecord,
    /// The reason in words.
    pub(crate) reason: String,
    /// The status that safe-test ended with.
    pub(crate) exit: u8,
    /// The manifests of the snapshots that were made all the same, before one could not be.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) manifests: Manifests,
}

/// A command that a coding agent was kept from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Denial {
    /// The agent, by the name that `hook --agent` takes.
    pub(crate) agent: Word,
    /// What the command would do to a database: `test`, `migrate`, `reset`.
    pub(crate) class: Word,
    /// The words of the command that would do it, redacted.
    pub(crate) words: String,
    /// Whether the agent was told what to run in its place.
    pub(crate) replaced: bool,
}

/// What a coding agent asked that could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unjudged {
    /// The agent, by the name that `hook --agent` takes.
    pub(crate) agent: Word,
    /// Why, in words.
    pub(crate) reason: String,
    /// Whether it was kept from running for that, as a strict policy wants.
    pub(crate) denied: bool,
}

/// What is known before a command starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Start {
    /// What was judged.
    #[serde(flatten)]
    pub(crate) judgement: JudgementRecord,
    /// What a person typed to vouch for what was not shown to be safe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) consent: Vec<String>,
    /// The ids of the snapshots that undo this run, in the order of the targets.
    #[serde(default)]
    pub(crate) snapshots: Vec<String>,
    /// The manifests of the snapshots that it made, took over or adopted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) manifests: Manifests,
    /// What a person should know: a target that was not saved and why, a snapshot that was reused or does not come
    /// back whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

#[cfg(test)]
impl Start {
    pub(crate) fn of(judgement: JudgementRecord) -> Self {
        Start { judgement, consent: Vec::new(), snapshots: Vec::new(), manifests: Manifests::new(), notes: Vec::new() }
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Finish {
    /// Its exit status or signal.
    pub(crate) outcome: ProcessEnd,
    /// How long it ran, in milliseconds.
    pub(crate) duration_ms: u64,
    /// Whether its connections were watched; `None` where it was not started, and in logs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) guard: Option<Hold>,
    /// The databases that it reached, and the connections that were refused.
    #[serde(flatten)]
    pub(crate) account: Account,
    /// What a person should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

impl Finish {
    /// The end of a command of which no more is known.
    pub(crate) fn new(outcome: ProcessEnd, duration: Duration) -> Self {
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Finish { outcome, duration_ms, guard: None, account: Account::default(), notes: Vec::new() }
    }
}

/// The end of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ProcessEnd {
    /// It exited with this status.
    Status(i32),
    /// This signal ended it.
    Signal(i32),
    /// It could not be started, and why.
    NotStarted(String),
}

/// Snapshots that were taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Saved {
    /// Their ids.
    pub(crate) snapshots: Vec<String>,
    /// The manifests of the snapshots that it made, took over or adopted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) manifests: Manifests,
    /// What was saved.
    #[serde(default)]
    pub(crate) targets: Vec<TargetReport>,
    /// What a person should know: a target that was not saved and why, a snapshot that does not come back whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// What is known before databases are put back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RestoreStart {
    /// What a person typed to vouch for what was not shown to be safe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) consent: Vec<String>,
    /// The snapshots that will be in place.
    pub(crate) snapshots: Vec<String>,
    /// The databases that earlier restores had replaced and that will be in place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) databases: Vec<String>,
    /// The safety snapshots of what they replace, where that is not kept whole beside.
    pub(crate) safety: Vec<String>,
    /// The manifests of these safety snapshots.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) manifests: Manifests,
}

/// Databases that were put back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Restored {
    /// The snapshots that are now in place.
    pub(crate) snapshots: Vec<String>,
    /// The databases that earlier restores had replaced and that are now in place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) databases: Vec<String>,
    /// The safety snapshots of what they replaced.
    pub(crate) safety: Vec<String>,
    /// The manifests of these safety snapshots.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) manifests: Manifests,
    /// The names under which what they replaced is kept on its server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) replaced: Vec<String>,
    /// What kept the rest from being restored, where something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

/// Snapshots that were removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pruned {
    /// Their ids.
    pub(crate) snapshots: Vec<String>,
    /// The databases that were dropped, which restores had left on servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) databases: Vec<String>,
}

/// What a person answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// What was asked.
    pub(crate) question: String,
    /// What was typed, redacted.
    pub(crate) answer: String,
    /// Whether that permits what was asked about.
    pub(crate) permitted: bool,
    /// What was judged when it was asked.
    #[serde(flatten)]
    pub(crate) judgement: JudgementRecord,
}

/// How the log was found when it was not as it was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Continued {
    /// What it looked like.
    pub(crate) damage: Disorder,
    /// Where the log should have ended; `None` where nothing is known.
    pub(crate) expected: Option<Head>,
    /// Where it ended; `None` where it was gone.
    pub(crate) found: Option<Head>,
}

/// How a log was found that is not as it was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Disorder {
    /// The file was gone or empty.
    Missing,
    /// Its last line has no end.
    Torn,
    /// It is shorter than it was.
    Cut,
    /// It is longer than it was.
    Extended,
    /// It ends in another line.
    Changed,
    /// Another log stands in its place.
    Replaced,
    /// What this machine remembered of it cannot be read.
    Forgotten,
    /// A word of a newer version.
    #[serde(other)]
    Other,
}

/// A place in a log: its last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The log's id.
    pub(crate) log: String,
    /// The line's number.
    pub(crate) seq: u64,
    /// The line's hash; `None` where there was no line.
    pub(crate) hash: Option<Hash>,
}

/// What a person accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Accepted {
    /// SHA-256 over the hashes of all lines before this entry: acceptance holds for exactly these lines.
    pub(crate) digest: Hash,
}
