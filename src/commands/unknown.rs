//! Snapshots that were not made here: what is done with them only after a person has said so.

use crate::audit::KnownSnapshots;
use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::commands::{CommandError, judging};
use crate::error::Failure;
use crate::exec::Interrupt;
use crate::snapshot::{Standing, Stored};

/// Finds those that this machine's audit log does not know.
pub(crate) fn among<'s>(wanted: &'s [Stored], past: &KnownSnapshots) -> Vec<&'s Stored> {
    wanted.iter().filter(|stored| !stored.standing(past).is_known()).collect()
}

/// Has a person vouch for each snapshot among `wanted` that is not known, by typing its name; gives what was typed, or
/// `None` where that was something else. `judged` are their targets, in the same order; what is done is to `restore`, say.
///
/// # Errors
///
/// Where nobody can be asked. Also where the project itself does not name the target: only for a snapshot whose very
/// manifest the log knows does the manifest's word count.
pub(crate) fn vouched(
    context: &Context,
    past: &KnownSnapshots,
    wanted: &[Stored],
    judged: &Judged,
    what: &str,
    interrupt: &Interrupt,
) -> Result<Option<Vec<String>>, Failure> {
    for (stored, one) in wanted.iter().zip(&judged.judgement.targets) {
        let standing = stored.standing(past);
        if standing != Standing::Known && !judging::is_named_by_the_project(&one.target) {
            let (id, address) = (stored.manifest.id.clone(), stored.manifest.target.clone());
            return Err(CommandError::NotNamed { id, why: past.why_not(standing), address }.into());
        }
    }
    let mut typed = Vec::new();
    for (stored, one) in wanted.iter().zip(&judged.judgement.targets) {
        let standing = stored.standing(past);
        if standing.is_known() {
            continue;
        }
        let (id, why) = (&stored.manifest.id, past.why_not(standing));
        if !context.caller.can_be_asked() || context.ui.json {
            return Err(CommandError::NotKnown { id: id.clone(), why }.into());
        }
        let target = one.target.shown();
        context.ui.warn(format!("safe-test: the snapshot {id} is not known here: {why}"));
        context.ui.warn(format!(
            "  whoever made it decided what goes into {target}; SQL in the dump is executed with all rights of the database's account"
        ));
        let answer = context.ui.ask(&format!("To {what} it all the same, type its name {id}"), interrupt);
        match answer.filter(|answer| answer.trim() == stored.manifest.id) {
            Some(answer) => typed.push(answer.trim().to_owned()),
            None => return Ok(None),
        }
    }
    Ok(Some(typed))
}
