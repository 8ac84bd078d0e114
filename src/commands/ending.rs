//! How safe-test ends.

use crate::commands::context::Context;
use crate::commands::error::CommandError;
use crate::error::Failure;
use crate::exec::{Interrupt, Signal};
use crate::exit::Exit;

/// How safe-test ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With a status of its own.
    Own(Exit),
    /// With the status of the command.
    Command(u8),
    /// With the status that an agent's protocol gives to the answer.
    Answered(u8),
    /// By the signal that ended the command, or that was sent to us.
    Signal(Signal),
}

/// Ends where a person did not say yes: by the signal, where one came instead of an answer.
pub(crate) fn not_confirmed(context: &Context, what: &'static str, interrupt: &Interrupt) -> Result<Ending, Failure> {
    let failure = Failure::from(CommandError::NotConfirmed { what });
    let Some(signal) = interrupt.requested() else { return Err(failure) };
    context.ui.fail(&failure, "nothing was changed");
    Ok(Ending::Signal(signal))
}
