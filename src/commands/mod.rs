//! One file a subcommand. Only this stage knows both the decisions and the edge.

mod afterwards;
mod around;
mod asking;
mod check;
mod clearing;
mod commit;
mod context;
mod derived;
mod disk;
mod doctor;
mod dry_run;
mod ending;
mod error;
mod exchange_back;
mod first_connection;
mod guarding;
mod hook;
mod hooks;
mod judging;
mod list;
mod log;
mod lying_files;
mod machine;
mod passwords;
mod policy_file;
mod prune;
mod put_back;
mod recording;
mod remotes;
mod replacing;
mod report;
mod repository;
mod restore;
mod run;
mod saving;
mod seen;
mod service_advice;
mod snapshot;
mod telling_saved;
mod trust;
mod unknown;
mod verify;
mod who;

use std::ffi::OsString;
use std::io;
use std::io::Write;
use std::panic::{self, AssertUnwindSafe};

use crate::cli;
use crate::cli::{Action, Request, Unasked};
use crate::commands::context::Context;
use crate::error::Failure;
use crate::exec;
use crate::exec::{ExecError, Inherited};
use crate::exit::Exit;
use crate::ui::Ui;

pub(crate) use crate::commands::ending::{Ending, not_confirmed};
pub(crate) use crate::commands::error::CommandError;

/// Does what the command line asks, and returns the exit status of the process. It ends as the guarded command ended.
///
/// The arguments are asked for once: memory is taken for nothing before there is somebody to say that there is none.
#[must_use]
pub fn main(arguments: impl FnOnce() -> Vec<OsString>) -> u8 {
    let taken_over = Inherited::take_over();
    if let Ok(inherited) = &taken_over {
        exec::heed_faults(inherited);
    }
    let arguments = &*arguments();
    exec::tell_faults_in_json(is_json(arguments));
    let ending = match taken_over {
        Ok(inherited) => {
            // Nothing is used afterwards that a panic could have left half done.
            let answered = panic::catch_unwind(AssertUnwindSafe(|| answer(arguments, &inherited)));
            answered.unwrap_or_else(|_| fault(arguments))
        }
        Err(cause) => failed(&plain_ui(arguments), &ExecError::Signals(cause).into(), "nothing was run"),
    };
    let status = match ending {
        Ending::Own(exit) => exit.code(),
        Ending::Command(status) | Ending::Answered(status) => status,
        Ending::Signal(signal) => exec::die_by(signal),
    };
    // Rust's runtime would do this behind a `main` of its own.
    #[expect(clippy::disallowed_methods, reason = "nothing is printed that was not before")]
    let _ = io::stdout().flush();
    status
}

/// The printer where the command line could not be read as a whole.
fn plain_ui(arguments: &[OsString]) -> Ui {
    Ui::new(false, false, is_json(arguments), None)
}

fn is_json(arguments: &[OsString]) -> bool {
    cli::typed_value(arguments, "--format").is_some_and(|format| format == "json")
}

/// Tells of a panic.
fn fault(arguments: &[OsString]) -> Ending {
    let place = exec::panicked().unwrap_or_default();
    failed(&plain_ui(arguments), &CommandError::Fault { place }.into(), exec::last_line_of_fault())
}

/// Everything that goes wrong is printed here.
fn answer(arguments: &[OsString], inherited: &Inherited) -> Ending {
    let asked = match cli::read(arguments) {
        Ok(asked) => asked,
        Err(Unasked::Shown(shown)) => {
            // A reader that has seen enough (`| head`) is no error.
            let _ = shown.print();
            return Ending::Own(Exit::Success);
        }
        Err(Unasked::Wrong(error)) => match cli::read_hook(arguments) {
            Some(asked) => {
                Ui::new(false, false, false, Some(false)).warn(format!("safe-test: {error}: it is left out"));
                asked
            }
            // Nobody can say here whether a command was meant to be guarded.
            None => return failed(&plain_ui(arguments), &error.into(), "nothing was run"),
        },
    };
    if let Request::Act(Action::Hook { agent, event }) = &asked.request {
        return hook::hook(&asked, agent.as_deref(), event.is_some(), inherited);
    }
    let not_done = match asked.request {
        Request::Guard { .. } => &"the command was not run",
        Request::Act(Action::Check { .. }) => &"nothing was judged",
        Request::Act(_) => &"nothing was changed",
    };
    exec::would_say(not_done);
    let mut context = match Context::new(&asked) {
        Ok(context) => context,
        Err(failure) => return failed(&plain_ui(arguments), &failure, not_done),
    };
    let done = match asked.request {
        Request::Guard { command, meant } => run::run(&mut context, &command, meant.as_deref(), inherited),
        Request::Act(action) => act(&mut context, action, inherited),
    };
    done.unwrap_or_else(|failure| failed(&context.ui, &failure, not_done))
}

fn failed(ui: &Ui, failure: &Failure, not_done: &str) -> Ending {
    ui.fail(failure, not_done);
    Ending::Own(failure.error().exit())
}

fn act(context: &mut Context, action: Action, inherited: &Inherited) -> Result<Ending, Failure> {
    let exit = match action {
        Action::Check { command } => check::check(context, &command)?,
        Action::Snapshot => return snapshot::snapshot(context, inherited),
        Action::List => list::list(context)?,
        Action::Restore { id, yes } => return restore::restore(context, &id, yes, inherited),
        Action::Verify { id, all, level } => return verify::verify(context, id.as_deref(), all, level, inherited),
        Action::Prune { dry_run } => prune::prune(context, dry_run)?,
        Action::Log { what } => return log::log(context, what, inherited),
        Action::Doctor => doctor::doctor(context)?,
        Action::Hooks { what } => return hooks::hooks(context, what, inherited),
        // It has answered before there was a context, which it does without where it must.
        Action::Hook { .. } => Exit::Success,
        Action::Trust => return trust::trust(context, inherited),
    };
    Ok(Ending::Own(exit))
}
