//! `safe-test trust`: a person approves what the policy loosens, this exact content of it.

use crate::audit;
use crate::commands::context::Context;
use crate::commands::{CommandError, Ending, not_confirmed, policy_file};
use crate::durable;
use crate::error::Failure;
use crate::exec;
use crate::exec::{Inherited, Interrupt};
use crate::exit::Exit;
use crate::policy::{FILE_NAME, Policy, trust};
use crate::text::shown;

pub(crate) fn trust(context: &mut Context, inherited: &Inherited) -> Result<Ending, Failure> {
    let root = context.project.root.clone();
    let path = root.join(FILE_NAME);
    let Some((content, document)) = policy_file::read(&path)? else {
        return Err(CommandError::NoPolicy { root }.into());
    };
    let loosenings = Policy::in_force(&document, true).loosened;
    if loosenings.is_empty() {
        context
            .ui
            .answer([format!("{FILE_NAME} loosens nothing: there is nothing to approve")])
            .map_err(CommandError::Output)?;
        return Ok(Ending::Own(Exit::Success));
    }
    if !context.caller.can_be_asked() {
        return Err(CommandError::NoTerminal { what: "approving a policy" }.into());
    }
    context.ui.warn(format!("{} loosens:", shown(&path)));
    for one in &loosenings {
        let value = audit::redact_line(&one.value);
        context.ui.warn(format!("  line {}: {} = {value}", one.line, one.key));
    }
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    if context.ui.ask("Type \"trust\" to approve exactly this content", &interrupt).as_deref() != Some("trust") {
        return not_confirmed(context, "the policy", &interrupt);
    }
    let real = path.canonicalize().unwrap_or(path);
    let approval = trust::approval_file(&context.state_directory, &real);
    let failed = |cause| CommandError::State { path: approval.clone(), cause };
    let folder = approval.parent().unwrap_or(&approval);
    let hash = format!("{}\n", trust::content_hash(&content));
    durable::private_folder(folder).and_then(|()| durable::write(&approval, hash.as_bytes())).map_err(failed)?;
    context.ui.say(format!("approved; any change of {FILE_NAME} needs a new approval"));
    Ok(Ending::Own(Exit::Success))
}
