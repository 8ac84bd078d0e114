//! `safe-test check`: judges only. Connects to nothing, writes nothing, does not look the command up.
//!
//! What the same command used the last time is told as well, where more was asked for; it changes no verdict.

use std::ffi::OsString;

use serde::Serialize;

use crate::audit;
use crate::audit::{Event, Finish, JudgementReport, Log};
use crate::commands::context::Context;
use crate::commands::guarding::Guard;
use crate::commands::judging::Judged;
use crate::commands::{CommandError, judging, report, telling_saved};
use crate::error::Failure;
use crate::exit::Exit;
use crate::snapshot::Store;
use crate::text::shown;
use crate::ui::{Line, Tone};
use crate::verdict::Verdict;

pub(crate) fn check(context: &mut Context, command: &[OsString]) -> Result<Exit, Failure> {
    let mut judged = judging::judge(context, Some(command).filter(|command| !command.is_empty()))?;
    let run = foresee(context, &mut judged);
    // Only where it was asked for: the log may be long.
    let last_time = if context.ui.verbose { last_time(context, &judged, command) } else { None };
    let Judged { judgement, report, .. } = judged;
    let answered = if context.ui.json {
        context.ui.answer_json(&report::json(&Checked { judgement: &report, run, last_time: last_time.as_ref() })?)
    } else {
        let mut lines = report::judgement_text(&report, context.ui.verbose);
        lines.extend(last_time.iter().flat_map(LastTime::lines));
        if run == Run::Goes && judgement.verdict != Verdict::Safe {
            lines.push(format!("  a run goes on all the same, {}", telling_saved::GUARDED).into());
        }
        lines.extend(report::hindrance_text(&report));
        context.ui.answer(lines)
    };
    answered.map_err(CommandError::Output)?;
    Ok(match judgement.verdict {
        Verdict::Safe => Exit::Success,
        Verdict::Unverified | Verdict::Production => Exit::Refused,
    })
}

/// What would become of a run by this caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Run {
    Goes,
    /// A person is asked first.
    Asks,
    Refused,
}

/// Tells what would become of a run. Whether a guard can be put up is found by doing so, where anything hangs on it.
fn foresee(context: &Context, judged: &mut Judged) -> Run {
    match judged.judgement.verdict {
        Verdict::Safe => return Run::Goes,
        Verdict::Production => return Run::Refused,
        Verdict::Unverified if judged.judgement.can_be_guarded() => {
            let guard = Guard::put_up(Guard::begin(), context, judged);
            if guard.line().is_some() {
                return Run::Goes;
            }
            guard.mark(judged);
        }
        Verdict::Unverified => {}
    }
    if context.caller.can_be_asked() { Run::Asks } else { Run::Refused }
}

/// The answer for programs.
#[derive(Serialize)]
struct Checked<'a> {
    #[serde(flatten)]
    judgement: &'a JudgementReport,
    run: Run,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_time: Option<&'a LastTime>,
}

/// How the same command ended the last time, and what it used.
#[derive(Serialize)]
struct LastTime {
    at: String,
    run: String,
    #[serde(flatten)]
    finish: Finish,
}

impl LastTime {
    fn lines(&self) -> Vec<Line> {
        let used = audit::used(&self.finish);
        let what = if used.is_empty() { "reached no database that was watched for" } else { "used" };
        let head = format!("  the last time ({}) this command {what}", self.at);
        let used = used.into_iter().map(|line| format!("    {line}"));
        std::iter::once(head).chain(used).map(|line| Line::toned(Tone::Faint, line)).collect()
    }
}

/// Finds in the log how this very command ended the last time it was guarded in this folder.
fn last_time(context: &Context, judged: &Judged, command: &[OsString]) -> Option<LastTime> {
    // A folder of snapshots that cannot be used has no log to be read: a run says so.
    let store = Store::locate(&context.project.root, judged.policy.snapshots.directory.as_deref()).ok()?;
    let log = Log::open(&store.log(), &context.state_directory);
    let secrets: Vec<_> = judged.judgement.targets.iter().flat_map(|one| one.target.secrets()).collect();
    let command = audit::redact_command(command, &secrets);
    // A log that cannot be read is `log verify`'s to tell of.
    let entry = log.last_end_of(&command, &shown(&context.project.folder)).ok()??;
    match entry.event {
        Event::RunFinished(finish) => Some(LastTime { at: audit::written_time(entry.at), run: entry.run, finish }),
        _ => None,
    }
}
