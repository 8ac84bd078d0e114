//! `safe-test check`: judges only. Connects to nothing, writes nothing, does not look the command up.

use std::ffi::OsString;

use crate::commands::context::Context;
use crate::commands::{CommandError, judging, report};
use crate::error::Failure;
use crate::exit::Exit;
use crate::verdict::Verdict;

pub(crate) fn check(context: &mut Context, command: &[OsString]) -> Result<Exit, Failure> {
    let judged = judging::judge(context, Some(command).filter(|command| !command.is_empty()))?;
    let answered = if context.ui.json {
        context.ui.answer_json(&report::json(&judged.report)?)
    } else {
        context.ui.answer(report::judgement_text(&judged.report, context.ui.verbose))
    };
    answered.map_err(CommandError::Output)?;
    Ok(match judged.judgement.verdict {
        Verdict::Safe => Exit::Success,
        Verdict::Unverified | Verdict::Production => Exit::Refused,
    })
}
