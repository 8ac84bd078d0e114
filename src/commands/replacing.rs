//! What everything that replaces a database asks before, and says afterwards.

use serde::Serialize;

use crate::clearance::ClearanceError;
use crate::commands::asking;
use crate::commands::asking::Permission;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::put_back::PutBack;
use crate::commands::recording::{Recorder, record_refusal};
use crate::commands::{CommandError, Ending, report};
use crate::error::Failure;
use crate::exec::Interrupt;
use crate::verdict::Verdict;

/// Whether what was judged may be replaced.
pub(crate) enum Permitted {
    Yes(Permission),
    /// It may not, and a signal came meanwhile.
    No(Ending),
}

/// Decides whether what was judged may be replaced by something that is known here, or is not; asks, and writes down a
/// refusal.
///
/// # Errors
///
/// It may not.
pub(crate) fn permitted(
    context: &Context,
    judged: &Judged,
    recorder: Result<&Recorder<'_>, &Failure>,
    is_known: bool,
    interrupt: &Interrupt,
) -> Result<Permitted, Failure> {
    let permission = if judged.judgement.verdict != Verdict::Safe && !is_known {
        // No answer makes up for both.
        Permission::Refused
    } else {
        asking::permission(context, judged, None, recorder, interrupt)?
    };
    let Permission::Refused = permission else { return Ok(Permitted::Yes(permission)) };
    for line in report::refusal_text(&judged.report) {
        context.ui.warn(line);
    }
    record_refusal(context, judged, recorder);
    let failure = Failure::from(ClearanceError::Verdict(judged.judgement.verdict));
    let Some(signal) = interrupt.requested() else { return Err(failure) };
    context.ui.fail(&failure, "nothing was changed");
    Ok(Permitted::No(Ending::Signal(signal)))
}

/// The answer for programs.
#[derive(Serialize)]
struct Told<'a> {
    schema: u32,
    restored: &'a [PutBack],
}

/// Says what is back.
pub(crate) fn answer(context: &Context, restored: &[PutBack]) -> Result<(), Failure> {
    let answered = if context.ui.json {
        context.ui.answer_json(&report::json(&Told { schema: 1, restored })?)
    } else {
        context.ui.answer(restored.iter().flat_map(|one| one.lines(context.ui.verbose)))
    };
    Ok(answered.map_err(CommandError::Output)?)
}
