//! What one line of the log says.
//!
//! A run is followed by its id: `run-started` is written before the command starts and `run-finished` after it
//! ended, both with the same `run`; a start without a finish is a run that was killed or still lasts. Fields are
//! added, never renamed; an event of a newer version reads as [`Event::Unknown`].

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};

use crate::audit::report::{CallerReport, JudgementRecord, TargetReport};
use crate::hash::Hash;
use crate::json::Json;
use crate::snapshot::Making;

/// What a caller hands in: everything but the entry's place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// When it happened, UTC; written with milliseconds.
    pub(crate) at: DateTime<Utc>,
    /// The id that all entries of one invocation share; snapshots' manifests name it too.
    pub(crate) run: String,
    /// Who asked for it.
    pub(crate) who: Who,
    /// What was asked for.
    pub(crate) what: What,
    /// What happened.
    pub(crate) event: Event,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The version of this format: 1.
    pub(crate) schema: u32,
    /// The line's number, from 1.
    pub(crate) seq: u64,
    /// When it happened, UTC.
    #[serde(serialize_with = "with_milliseconds")]
    pub(crate) at: DateTime<Utc>,
    /// The log's random id: in its first entry only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<String>,
    /// The invocation that wrote it.
    pub(crate) run: String,
    /// What happened.
    #[serde(flatten)]
    pub(crate) event: Event,
    /// Who asked for it.
    pub(crate) who: Who,
    /// What was asked for.
    pub(crate) what: What,
    /// SHA-256 of the line before, without its newline; `None` in the first line.
    pub(crate) previous: Option<Hash>,
}

fn with_milliseconds<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&written_time(*at))
}

/// Writes a time as entries have it: UTC, with milliseconds.
pub(crate) fn written_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Entry {
    /// Gives a record its place in the chain.
    #[must_use]
    pub(crate) fn place(record: &Record, seq: u64, log: Option<String>, previous: Option<Hash>) -> Self {
        let Record { at, run, who, what, event } = record.clone();
        Entry { schema: 1, seq, at, log, run, event, who, what, previous }
    }

    /// Writes the line, without the newline.
    ///
    /// # Errors
    ///
    /// Only where a value cannot be JSON; the types here always can.
    pub(crate) fn line(&self) -> Result<String, serde_json::Error> {
        Json::of(self).map(|line| line.to_string())
    }
}

/// Who asked for something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    /// The account's name.
    pub(crate) user: String,
    /// This machine's name.
    pub(crate) host: String,
    /// Human, agent, CI or hook.
    pub(crate) caller: CallerReport,
    /// The project's git commit, where it is under git.
    pub(crate) commit: Option<String>,
}

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct What {
    /// The command and its arguments after [`redact_command`](crate::audit::redact_command).
    pub(crate) command: Vec<String>,
    /// The folder it was asked for in.
    pub(crate) folder: String,
}

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
    /// A command ended.
    RunFinished(Finish),
    /// Snapshots were taken on request.
    Snapshot(Saved),
    /// Databases are about to be put back.
    RestoreStarted(RestoreStart),
    /// Databases are about to be made on a server, to restore something or to rehearse that.
    Making(Making),
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
            | Event::RunFinished(_)
            | Event::Snapshot(_)
            | Event::RestoreStarted(_)
            | Event::Making(_)
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
    /// What a person should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::verdict::Verdict;

    #[test]
    fn an_entry_is_one_line_of_json_that_reads_back() {
        let judgement = JudgementRecord::of(Verdict::Safe);
        let events = [
            ("opened", Event::Opened),
            (
                "refused",
                Event::Refused(Refusal {
                    judgement: judgement.clone(),
                    reason: "two\nlines".to_owned(),
                    exit: 120,
                    manifests: [("a_1".to_owned(), Hash::of(b"a"))].into(),
                }),
            ),
            ("run-started", Event::RunStarted(Start::of(judgement.clone()))),
            (
                "run-finished",
                Event::RunFinished(Finish { outcome: ProcessEnd::Signal(15), duration_ms: 7, notes: Vec::new() }),
            ),
            ("snapshot", Event::Snapshot(Saved::default())),
            ("restore-started", Event::RestoreStarted(RestoreStart::default())),
            (
                "making",
                Event::Making(Making {
                    server: "postgres:1".to_owned(),
                    target: "postgres://localhost/shop".to_owned(),
                    database: "shop".to_owned(),
                    making: vec!["shop_replaced_20261121_143022".to_owned()],
                }),
            ),
            ("restore", Event::Restore(Restored::default())),
            ("prune", Event::Prune(Pruned::default())),
            (
                "answer",
                Event::Answer(Answer { question: "?".to_owned(), answer: "7".to_owned(), permitted: false, judgement }),
            ),
            ("continued", Event::Continued(Continued { damage: Disorder::Cut, expected: None, found: None })),
            ("accepted", Event::Accepted(Accepted { digest: Hash::of(b"") })),
        ];
        for (name, event) in events {
            let at = DateTime::from_timestamp_millis(1_795_271_422_123).unwrap();
            let record = Record { at, run: "r1".to_owned(), who: Who::default(), what: What::default(), event };
            let entry = Entry::place(&record, 3, None, Some(Hash::of(b"x")));
            let line = entry.line().unwrap();
            assert!(!line.contains('\n'), "{line}");
            let value: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(value["event"], name);
            assert_eq!(value["at"], "2026-11-21T14:30:22.123Z");
            assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), entry);
        }
    }

    #[test]
    fn an_event_of_a_newer_version_is_kept_as_unknown() {
        let line = r#"{"schema":1,"seq":2,"at":"2026-11-21T14:30:22Z","run":"r","event":"teleported","far":true,
            "who":{"user":"","host":"","caller":{"kind":"human","name":null},"commit":null},
            "what":{"command":[],"folder":""},"previous":null}"#;
        assert_eq!(serde_json::from_str::<Entry>(line).unwrap().event, Event::Unknown);
    }
}
