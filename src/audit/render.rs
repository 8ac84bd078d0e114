//! One entry as one line for people.

use std::fmt::Write;

use chrono::SecondsFormat;

use crate::audit::entry::{Entry, Who};
use crate::audit::event::{Event, Finish, ProcessEnd, Restored, Start};
use crate::audit::report::TargetReport;
use crate::guard::{Hold, Reached, Refused};
use crate::text::shell_line;

/// Writes the entry in one line: when, what happened, how it was judged, how it ended, and the command.
#[must_use]
pub(crate) fn render(entry: &Entry) -> String {
    let at = entry.at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (event, detail) = words(&entry.event);
    let mut line = format!("{at}  {event:<12}  {}", entry.run);
    for part in [detail, shell_line(&entry.what.command)] {
        if !part.is_empty() {
            let _ = write!(line, "  {part}");
        }
    }
    if entry.who.caller.kind != "human" && !entry.who.caller.kind.is_empty() {
        let name = entry.who.caller.name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        let _ = write!(line, "  [{}{name}]", entry.who.caller.kind);
    }
    line
}

fn words(event: &Event) -> (&'static str, String) {
    match event {
        Event::Opened => ("opened", String::new()),
        Event::Refused(refusal) => ("refused", format!("{}: {}", refusal.judgement.verdict, refusal.reason)),
        Event::RunStarted(start) => ("started", started(start)),
        Event::CommandDenied(denial) => ("denied", format!("{} ({})", denial.words, denial.class)),
        Event::CommandUnjudged(unjudged) => {
            ("unjudged", format!("{}, {}", unjudged.reason, if unjudged.denied { "denied" } else { "allowed" }))
        }
        Event::ConnectionRefused(refused) => {
            ("kept from", format!("{} to {}: {}", refused.program, refused.place(), refused.refusal.why))
        }
        Event::RunFinished(finish) => {
            let refused = match finish.account.refusals() {
                0 => String::new(),
                1 => ", 1 connection refused".to_owned(),
                many => format!(", {many} connections refused"),
            };
            ("finished", format!("{} after {}{refused}", outcome(&finish.outcome), duration(finish.duration_ms)))
        }
        Event::Snapshot(saved) => ("snapshot", saved.snapshots.join(", ")),
        Event::RestoreStarted(start) => {
            ("restoring", [all(&start.snapshots, &start.databases), vouched(&start.consent)].concat())
        }
        Event::Making(making) => ("making", format!("{} beside {}", making.making.join(", "), making.target)),
        Event::Restated(restated) => ("restated", format!("how {} stands to its database", restated.snapshot)),
        Event::Restore(Restored { snapshots, databases, failure: Some(failure), .. })
            if snapshots.is_empty() && databases.is_empty() =>
        {
            ("not restored", failure.clone())
        }
        Event::Restore(restored) => {
            let failure = restored.failure.as_ref().map(|failure| format!("; then failed: {failure}"));
            ("restored", format!("{}{}", all(&restored.snapshots, &restored.databases), failure.unwrap_or_default()))
        }
        Event::Prune(pruned) => ("pruned", all(&pruned.snapshots, &pruned.databases)),
        Event::Answer(answer) => {
            ("answered", format!("{} ({})", answer.answer, if answer.permitted { "go on" } else { "stop" }))
        }
        Event::Continued(continued) => ("continued", format!("the log was found {}", continued.damage.words())),
        Event::Accepted(_) => ("accepted", "the log as it was then".to_owned()),
        Event::Unknown => ("unknown", "written by a newer safe-test".to_owned()),
    }
}

fn all(snapshots: &[String], databases: &[String]) -> String {
    [snapshots, databases].concat().join(", ")
}

fn started(start: &Start) -> String {
    let saved = match start.snapshots.as_slice() {
        [] => String::new(),
        saved => format!(", saved {}", saved.join(", ")),
    };
    format!("{}{}{saved}", start.judgement.verdict, vouched(&start.consent))
}

fn vouched(consent: &[String]) -> String {
    if consent.is_empty() { String::new() } else { format!(", vouched for by typing {}", consent.join(", ")) }
}

/// Lists what an entry rests on, a line each: who asked and where, targets, findings, notes.
#[must_use]
pub(crate) fn details(entry: &Entry) -> Vec<String> {
    let Who { user, host, commit, .. } = &entry.who;
    let commit = commit.as_ref().map(|commit| format!(", commit {commit}")).unwrap_or_default();
    let by = entry.who.caller.by.as_ref().map(|by| format!(", told by {by}")).unwrap_or_default();
    let mut lines = vec![format!("{user} on {host} in {}{commit}{by}", entry.what.folder)];
    if let Some(judgement) = entry.event.judgement() {
        lines.extend(judgement.targets.iter().map(TargetReport::line));
        lines.extend(judgement.findings.iter().map(|finding| format!("{} {}", finding.level.name(), finding.line())));
        lines.extend(judgement.policy.iter().map(|policy| {
            let trusted = if policy.trusted { "trusted" } else { "not trusted" };
            format!("{} with the hash {}, {trusted}", policy.file, policy.sha256)
        }));
    }
    if let Event::ConnectionRefused(refused) = &entry.event {
        lines.push(format!("process {}; {}", refused.process, refused.refusal.remedy));
    }
    if let Event::RunFinished(finish) = &entry.event {
        lines.extend(used(finish));
    }
    lines.extend(entry.event.notes().iter().map(|note| format!("note: {note}")));
    lines
}

/// Lists how a command was watched, the databases that it reached, and where it was kept from.
pub(crate) fn used(finish: &Finish) -> Vec<String> {
    let mut lines = Vec::new();
    match &finish.guard {
        None | Some(Hold::Held) => {}
        Some(Hold::Fenced(how) | Hold::Outer(how)) => lines.push(how.clone()),
        Some(Hold::Off) => lines.push("its connections were not watched, as the policy says".to_owned()),
        Some(Hold::Unavailable(why)) => lines.push(format!("its connections were not watched: {why}")),
    }
    let reached = |reached: &Reached| {
        let note = reached.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        format!("{} reached {}{note}", reached.program, reached.address)
    };
    lines.extend(finish.account.reached.iter().map(reached));
    let refused = |refused: &Refused| {
        let times = if refused.times == 1 { String::new() } else { format!(" {} times", refused.times) };
        format!("{} was kept from {}{times}", refused.program, refused.place())
    };
    lines.extend(finish.account.refused.iter().map(refused));
    for (count, what) in [
        (finish.account.reached_besides, "connections to more databases"),
        (finish.account.refused_besides, "refused connections to more addresses"),
    ] {
        lines.extend((count > 0).then(|| format!("{count} {what}")));
    }
    lines
}

fn outcome(outcome: &ProcessEnd) -> String {
    match outcome {
        ProcessEnd::Status(status) => format!("exit {status}"),
        ProcessEnd::Signal(signal) => format!("signal {signal}"),
        ProcessEnd::NotStarted(reason) => format!("not started: {reason}"),
    }
}

fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::report::{CallerReport, JudgementRecord};
    use crate::audit::{Denial, Manifests, Record, Refusal, Unjudged, What};
    use crate::verdict::Verdict;

    fn line(event: Event, command: &[&str]) -> String {
        let record = Record {
            at: chrono::DateTime::from_timestamp(1_795_271_422, 0).unwrap(),
            run: "7f3a".to_owned(),
            who: Who {
                caller: CallerReport { kind: "agent".into(), name: Some("Claude Code".to_owned()), by: None },
                ..Who::default()
            },
            what: What { command: command.iter().map(|&word| word.to_owned()).collect(), folder: "/p".to_owned() },
            event,
        };
        render(&Entry::place(&record, 1, None, None))
    }

    #[test]
    fn an_entry_is_one_line_for_people() {
        let judgement = JudgementRecord::of(Verdict::Safe);
        let cases = [
            (
                Event::RunStarted(Start { snapshots: vec!["a_1".to_owned()], ..Start::of(judgement.clone()) }),
                "2026-11-21T14:30:22Z  started       7f3a  safe, saved a_1  npm test  [agent Claude Code]",
            ),
            (
                Event::RunStarted(Start {
                    consent: vec!["a".to_owned(), "b".to_owned()],
                    ..Start::of(JudgementRecord::of(Verdict::Unverified))
                }),
                "2026-11-21T14:30:22Z  started       7f3a  unverified, vouched for by typing a, b  npm test  [agent Claude Code]",
            ),
            (
                Event::RunFinished(Finish::new(ProcessEnd::Status(3), std::time::Duration::from_millis(1250))),
                "2026-11-21T14:30:22Z  finished      7f3a  exit 3 after 1.2 s  npm test  [agent Claude Code]",
            ),
            (
                Event::CommandDenied(Denial {
                    agent: "claude".into(),
                    class: "reset".into(),
                    words: "prisma migrate reset".to_owned(),
                    replaced: true,
                }),
                "2026-11-21T14:30:22Z  denied        7f3a  prisma migrate reset (reset)  npm test  [agent Claude Code]",
            ),
            (
                Event::CommandUnjudged(Unjudged {
                    agent: "claude".into(),
                    reason: "no JSON".to_owned(),
                    denied: false,
                }),
                "2026-11-21T14:30:22Z  unjudged      7f3a  no JSON, allowed  npm test  [agent Claude Code]",
            ),
            (
                Event::Refused(Refusal { judgement, reason: "a".to_owned(), exit: 120, manifests: Manifests::new() }),
                "2026-11-21T14:30:22Z  refused       7f3a  safe: a  npm test  [agent Claude Code]",
            ),
        ];
        for (event, expected) in cases {
            assert_eq!(line(event, &["npm", "test"]), expected);
        }
    }

    #[test]
    fn a_restore_that_failed_is_not_called_restored() {
        let restored = |snapshots: &[&str], failure: Option<&str>| {
            let snapshots = snapshots.iter().map(|&id| id.to_owned()).collect();
            words(&Event::Restore(Restored { snapshots, failure: failure.map(str::to_owned), ..Restored::default() }))
        };
        assert_eq!(restored(&["a_1"], None), ("restored", "a_1".to_owned()));
        assert_eq!(restored(&[], Some("disk full")), ("not restored", "disk full".to_owned()));
        assert_eq!(restored(&["a_1"], Some("disk full")), ("restored", "a_1; then failed: disk full".to_owned()));
    }
}
