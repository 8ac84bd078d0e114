//! Asking a person to vouch for what was not shown to be safe.

use crate::audit::{Answer, Event};
use crate::clearance::Consent;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::recording::Recorder;
use crate::commands::report;
use crate::error::Failure;
use crate::exec::Interrupt;
use crate::guard::Line;
use crate::text::shown;
use crate::verdict::Verdict;

/// Whether what was judged may be used.
pub(crate) enum Permission {
    /// It is safe.
    Safe,
    /// Nothing names what it uses, and the guard answers for it.
    Guarded,
    /// A person vouched for it.
    Vouched(Consent),
    Refused,
}

impl Permission {
    pub(crate) fn consent(&self) -> Option<&Consent> {
        match self {
            Permission::Vouched(consent) => Some(consent),
            Permission::Safe | Permission::Guarded | Permission::Refused => None,
        }
    }
}

/// Decides whether what was judged may be used; where it was not shown to be safe, a person at a terminal is asked,
/// unless `line` shows that a guard answers for a run without a name.
///
/// Without a log nobody is asked: an answer that cannot be written down permits nothing.
///
/// # Errors
///
/// Where an answer cannot be written down: then nothing may be done.
pub(crate) fn permission(
    context: &Context,
    judged: &Judged,
    line: Option<&Line>,
    recorder: Result<&Recorder<'_>, &Failure>,
    interrupt: &Interrupt,
) -> Result<Permission, Failure> {
    match (judged.judgement.verdict, recorder) {
        (Verdict::Safe, _) => Ok(Permission::Safe),
        (Verdict::Unverified, Ok(_)) if line.is_some() && judged.judgement.can_be_guarded() => Ok(Permission::Guarded),
        (Verdict::Unverified, Ok(recorder)) => {
            Ok(ask(context, judged, recorder, interrupt)?.map_or(Permission::Refused, Permission::Vouched))
        }
        (Verdict::Unverified | Verdict::Production, _) => Ok(Permission::Refused),
    }
}

/// Asks for each name, and writes each answer down; only a person at a terminal is asked.
fn ask(
    context: &Context,
    judged: &Judged,
    recorder: &Recorder<'_>,
    interrupt: &Interrupt,
) -> Result<Option<Consent>, Failure> {
    if !context.caller.can_be_asked() || context.ui.json || context.dry_run {
        return Ok(None);
    }
    for line in report::doubt_text(&judged.report) {
        context.ui.warn(line);
    }
    let folder = context.project.root.file_name().map(|name| shown(name).into_owned()).unwrap_or_default();
    let questions = Consent::questions(&judged.judgement, &folder);
    let mut answers = Vec::new();
    for name in &questions {
        let question = format!("To go on, type the name {name}");
        let answer = context.ui.ask(&question, interrupt).unwrap_or_default();
        let permitted = answer.trim() == name.trim();
        recorder.record(Event::Answer(Answer {
            question,
            answer: recorder.quote(&answer),
            permitted,
            judgement: judged.report.record(),
        }))?;
        answers.push(answer);
        if !permitted {
            return Ok(None);
        }
    }
    Ok(Consent::from_answers(&questions, answers))
}
