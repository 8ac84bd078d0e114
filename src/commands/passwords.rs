//! Finds the passwords that putting a database back needs and the project does not hold, or not any more: the command's
//! own text had them, or they have changed since.

use crate::commands::context::Context;
use crate::exec::Interrupt;
use crate::reach::Target;
use crate::secret::Secret;
use crate::snapshot;

/// How often a person may mistype a password.
const ATTEMPTS: u32 = 3;

/// Gives these targets with passwords that their servers take: their own; else `PGPASSWORD` of our own environment, as
/// PostgreSQL's programs would; else what a person types, who is asked at a terminal only. `None`: the person typed none,
/// or none that is right.
///
/// Where nobody can be asked, a target stays without: the server's refusal then says what is missing. A password that
/// was typed is written nowhere.
pub(crate) fn completed(context: &Context, targets: Vec<Target>, interrupt: &Interrupt) -> Option<Vec<Target>> {
    let own = context.variable("PGPASSWORD").and_then(|value| value.to_str());
    let mut known: Vec<Secret> = own.map(Secret::new).into_iter().collect();
    targets.into_iter().map(|target| complete(context, target, &mut known, interrupt)).collect()
}

fn complete(context: &Context, target: Target, known: &mut Vec<Secret>, interrupt: &Interrupt) -> Option<Target> {
    let is_refused = |target: &Target| snapshot::asks_for_password(target, &context.tools);
    if !is_refused(&target) {
        return Some(target);
    }
    let with = |password: &Secret| Target { password: Some(password.clone()), ..target.clone() };
    if let Some(open) = known.iter().map(with).find(|target| !is_refused(target)) {
        return Some(open);
    }
    if !context.caller.can_be_asked() || context.ui.json {
        return Some(known.first().map(with).unwrap_or(target));
    }
    for _ in 0..ATTEMPTS {
        let question = format!("Password of {} for {}", target.user.as_deref().unwrap_or_default(), target.shown());
        let password = context.ui.ask_hidden(&question, interrupt).filter(|typed| !typed.expose().is_empty())?;
        let open = with(&password);
        if !is_refused(&open) {
            known.push(password);
            return Some(open);
        }
        context.ui.warn("safe-test: the server does not take it");
    }
    None
}
