//! One line of the log: what happened, with who asked for what, and its place in the chain. Fields are added, never renamed.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};

use crate::audit::event::Event;
use crate::audit::report::CallerReport;
use crate::hash::Hash;
use crate::json::Json;

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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::audit::event::{
        Accepted, Answer, Continued, Denial, Disorder, Finish, ProcessEnd, Pruned, Refusal, RestoreStart, Restored,
        Saved, Start, Unjudged,
    };
    use crate::audit::report::JudgementRecord;
    use crate::snapshot::{Making, Restated};
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
            (
                "command-denied",
                Event::CommandDenied(Denial {
                    agent: "claude".into(),
                    class: "reset".into(),
                    words: "prisma migrate reset".to_owned(),
                    replaced: true,
                }),
            ),
            (
                "command-unjudged",
                Event::CommandUnjudged(Unjudged { agent: "cursor".into(), reason: "no JSON".to_owned(), denied: true }),
            ),
            ("run-started", Event::RunStarted(Start::of(judgement.clone()))),
            (
                "run-finished",
                Event::RunFinished(Finish::new(ProcessEnd::Signal(15), std::time::Duration::from_millis(7))),
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
            ("restated", Event::Restated(Restated { snapshot: "shop_20261121_143022".to_owned(), state: Value::Null })),
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
