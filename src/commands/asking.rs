//! Asking a person to vouch for what was not shown to be safe.

use crate::audit::{Answer, Event};
use crate::clearance::Consent;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::recording::Recorder;
use crate::commands::report;
use crate::error::Failure;
use crate::exec::Interrupt;
use crate::text::printable;

/// Asks a person at a terminal to vouch for what was not shown to be safe; everybody else is refused. Each answer
/// is written down.
///
/// # Errors
///
/// Where an answer cannot be written down: then nothing may be done.
pub(crate) fn ask(
    context: &Context,
    judged: &Judged,
    recorder: &Recorder<'_>,
    interrupt: &Interrupt,
) -> Result<Option<Consent>, Failure> {
    if !context.caller.can_be_asked() || context.ui.json || context.dry_run {
        return Ok(None);
    }
    for line in report::doubt_text(judged, &context.ui) {
        context.ui.warn(&line);
    }
    let folder = context.project.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let questions = Consent::questions(&judged.judgement, &folder);
    let mut answers = Vec::new();
    for name in &questions {
        let question = format!("To go on, type the name {}", printable(name));
        let answer = context.ui.ask(&question, interrupt).unwrap_or_default();
        let permitted = answer.trim() == name.trim();
        recorder.record(Event::Answer(Answer {
            question,
            answer: answer.clone(),
            permitted,
            judgement: recorder.judgement().clone(),
        }))?;
        answers.push(answer);
        if !permitted {
            return Ok(None);
        }
    }
    Ok(Consent::from_answers(&questions, answers))
}
