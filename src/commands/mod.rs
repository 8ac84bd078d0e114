//! One file a subcommand. Only this stage knows both the decisions and the edge.

mod asking;
mod check;
mod context;
mod disk;
mod doctor;
mod dry_run;
mod hooks;
mod judging;
mod list;
mod log;
mod machine;
mod policy_file;
mod prune;
mod put_back;
mod recording;
mod report;
mod restore;
mod run;
mod saving;
mod snapshot;
mod trust;
mod verify;
mod who;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli;
use crate::cli::{Action, Request, Unasked};
use crate::commands::context::Context;
use crate::error::{Explain, Failure};
use crate::exec;
use crate::exec::{Inherited, Interrupt, Signal};
use crate::exit::Exit;
use crate::ui::Ui;

/// How safe-test ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// With a status of its own.
    Own(Exit),
    /// With the status of the command.
    Command(u8),
    /// By the signal that ended the command, or that was sent to us.
    Signal(Signal),
}

/// Does what the command line asks, and ends as the guarded command ended.
#[must_use]
pub fn main(arguments: &[OsString]) -> ExitCode {
    match answer(arguments, &Inherited::record()) {
        Ending::Own(exit) => ExitCode::from(exit.code()),
        Ending::Command(status) => ExitCode::from(status),
        Ending::Signal(signal) => exec::die_by(signal),
    }
}

/// Everything that goes wrong is printed here.
fn answer(arguments: &[OsString], inherited: &Inherited) -> Ending {
    let is_json = || cli::typed_value(arguments, "--format").is_some_and(|format| format == "json");
    let plain_ui = || Ui::new(false, false, is_json(), None);
    let asked = match cli::read(arguments) {
        Ok(asked) => asked,
        Err(Unasked::Shown(shown)) => {
            // A reader that has seen enough (`| head`) is no error.
            let _ = shown.print();
            return Ending::Own(Exit::Success);
        }
        // Nobody can say here whether a command was meant to be guarded.
        Err(Unasked::Wrong(error)) => return failed(&plain_ui(), &error.into(), "nothing was run"),
    };
    let not_done = match asked.request {
        Request::Guard { .. } => "the command was not run",
        Request::Act(Action::Check { .. }) => "nothing was judged",
        Request::Act(_) => "nothing was changed",
    };
    let mut context = match Context::new(&asked) {
        Ok(context) => context,
        Err(failure) => return failed(&plain_ui(), &failure, not_done),
    };
    let done = match asked.request {
        Request::Guard { command, meant } => run::run(&mut context, &command, meant.as_deref(), inherited),
        Request::Act(action) => act(&mut context, action, inherited),
    };
    done.unwrap_or_else(|failure| failed(&context.ui, &failure, not_done))
}

/// Ends where a person did not say yes: by the signal, where one came instead of an answer.
fn not_confirmed(context: &Context, what: &'static str, interrupt: &Interrupt) -> Result<Ending, Failure> {
    let failure = Failure::from(CommandError::NotConfirmed { what });
    let Some(signal) = interrupt.requested() else { return Err(failure) };
    context.ui.fail(&failure, "nothing was changed");
    Ok(Ending::Signal(signal))
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
        Action::Trust => return trust::trust(context, inherited),
    };
    Ok(Ending::Own(exit))
}

/// A failure of a subcommand that no stage knows.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// A folder that was asked for is not there.
    #[error("cannot use the folder {}", path.display())]
    Folder {
        path: std::path::PathBuf,
        #[source]
        cause: std::io::Error,
    },
    /// Standard output cannot be written.
    #[error("cannot write to standard output")]
    Output(#[from] std::io::Error),
    /// A question needs a person at a terminal.
    #[error("{what} needs a person at a terminal")]
    NoTerminal { what: &'static str },
    /// The person said no.
    #[error("{what} was not confirmed")]
    NotConfirmed { what: &'static str },
    /// There is nothing by that name.
    #[error("there is no snapshot `{id}`")]
    UnknownSnapshot { id: String },
    /// There is no snapshot at all, or none that `latest` could mean.
    #[error("there is no snapshot in {}", directory.display())]
    NoSnapshot { directory: std::path::PathBuf },
    /// The snapshot was taken for another project, and this one does not name its database.
    #[error("{id} is of {address}, which was another project's and which this project does not name")]
    OtherProject { id: String, address: String },
    /// A dump without a manifest was named.
    #[error("{} has no manifest: it is no snapshot, or a leftover of something that was killed", path.display())]
    Leftover { path: std::path::PathBuf },
    /// There is no policy to trust.
    #[error("there is no {} in {}", crate::policy::FILE_NAME, root.display())]
    NoPolicy { root: std::path::PathBuf },
    /// A file of the state directory cannot be written.
    #[error("cannot write {}", path.display())]
    State {
        path: std::path::PathBuf,
        #[source]
        cause: std::io::Error,
    },
}

impl Explain for CommandError {
    fn hint(&self) -> Option<String> {
        match self {
            CommandError::UnknownSnapshot { .. } => Some("`safe-test list` shows what there is".to_owned()),
            CommandError::NoSnapshot { .. } => {
                Some("a guarded run takes one of each database; so does `safe-test snapshot`".to_owned())
            }
            CommandError::Leftover { .. } => Some("`safe-test list` shows what can be restored".to_owned()),
            CommandError::OtherProject { .. } => {
                Some("restore it in the project that it was taken for, or by hand: its manifest says how".to_owned())
            }
            CommandError::NoTerminal { .. } => {
                Some("run it yourself, in a terminal, outside of agents, hooks and CI".to_owned())
            }
            CommandError::Folder { .. } => {
                Some("name a folder that is there by `-C`, or leave `-C` out to use the current one".to_owned())
            }
            CommandError::NoPolicy { .. } => {
                Some("without that file nothing is loosened, and nothing needs approval".to_owned())
            }
            CommandError::State { .. } => Some("check the owner and the permissions of its folder".to_owned()),
            CommandError::Output(_) | CommandError::NotConfirmed { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            CommandError::OtherProject { .. } => Exit::Refused,
            CommandError::Folder { .. }
            | CommandError::Output(_)
            | CommandError::NoTerminal { .. }
            | CommandError::NotConfirmed { .. }
            | CommandError::UnknownSnapshot { .. }
            | CommandError::NoSnapshot { .. }
            | CommandError::Leftover { .. }
            | CommandError::NoPolicy { .. }
            | CommandError::State { .. } => Exit::Failed,
        }
    }
}
