//! What can go wrong around a command, as facts.

use crate::error::Explain;
use crate::exec::signal::Signal;
use crate::exit::Exit;
use crate::secret::shown_path;
use crate::text::shown;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no program to run. Nothing was started.
#[derive(Debug, Error)]
pub(crate) enum LookupError {
    /// No file of that name, where one was looked for.
    #[error("command not found: {}", shown_path(.name))]
    NotFound {
        /// The command as it was typed.
        name: OsString,
    },
    /// There is a file, and it is no program for us.
    #[error("cannot execute {}", shown_path(.path))]
    CannotExecute {
        /// The file, or the first one on `PATH`.
        path: PathBuf,
        /// What the system says about it.
        #[source]
        source: io::Error,
    },
    /// A script whose `#!` line names an interpreter that is not there.
    #[error("{} needs {}, which does not exist", shown_path(.script), shown_path(.interpreter))]
    NoInterpreter {
        /// The script.
        script: PathBuf,
        /// The program that its first line asks for.
        interpreter: PathBuf,
    },
}

impl Explain for LookupError {
    fn hint(&self) -> Option<String> {
        match self {
            LookupError::NotFound { name } if name.as_encoded_bytes().contains(&b'/') => {
                Some("a command with a slash is looked up from the folder that it runs in".into())
            }
            LookupError::NotFound { .. } => Some("is it installed, and its folder on PATH?".into()),
            LookupError::CannotExecute { path, .. } if path.is_dir() => {
                Some(format!("{} is a folder", shown_path(path)))
            }
            LookupError::CannotExecute { path, source } => match source.kind() {
                io::ErrorKind::PermissionDenied => Some(format!("`chmod +x` makes a script of {}", shown_path(path))),
                _ => None,
            },
            LookupError::NoInterpreter { .. } => Some("correct the first line of the script".into()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            LookupError::NotFound { .. } | LookupError::NoInterpreter { .. } => Exit::NotFound,
            LookupError::CannotExecute { .. } => Exit::CannotExecute,
        }
    }
}

/// Tells whether the system had no process, memory or descriptor left.
fn is_want(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE))
}

/// Why a command did not run, or its end was not seen.
#[derive(Debug, Error)]
pub(crate) enum ExecError {
    /// We were asked to end before the command was started; it was not.
    #[error("interrupted by {signal}")]
    Interrupted {
        /// What to end by.
        signal: Signal,
    },
    /// The folder that the command should run in cannot be entered. Nothing was started.
    #[error("cannot enter the folder {}", shown(.folder))]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says about it.
        #[source]
        source: io::Error,
    },
    /// Signals could not be taken over. Nothing was started.
    #[error("cannot take over signals for the command")]
    Signals(#[source] io::Error),
    /// The guard could not be put up. Nothing was started.
    #[error("cannot watch what the command connects to")]
    Guard(#[source] io::Error),
    /// The system did not start the program. Nothing runs.
    #[error("cannot execute {}", shown(.program))]
    Start {
        /// The file that was to be executed.
        program: PathBuf,
        /// What the system says about it.
        #[source]
        source: io::Error,
    },
    /// The command was started, and how it ended is not known; it may still run.
    #[error("lost sight of the command (process {process})")]
    Lost {
        /// The command's process id.
        process: i32,
        /// What failed while waiting.
        #[source]
        source: io::Error,
    },
}

impl Explain for ExecError {
    fn hint(&self) -> Option<String> {
        match self {
            ExecError::Interrupted { .. } | ExecError::Folder { .. } | ExecError::Signals(_) | ExecError::Guard(_) => {
                None
            }
            ExecError::Start { source, .. } => match source.kind() {
                io::ErrorKind::ArgumentListTooLong => {
                    Some("the arguments and the environment together are longer than the system allows".into())
                }
                io::ErrorKind::NotFound => Some("the file is there, its interpreter or loader is not".into()),
                _ if is_want(source) => Some("is a limit reached? `ulimit -a` and `df` show what there is".into()),
                _ => None,
            },
            ExecError::Lost { process, .. } => Some(format!("`ps -p {process}` shows whether it still runs")),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            ExecError::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => Exit::NotFound,
            // The program is not to blame.
            ExecError::Start { source, .. } if is_want(source) => Exit::Failed,
            ExecError::Start { .. } => Exit::CannotExecute,
            ExecError::Interrupted { .. }
            | ExecError::Folder { .. }
            | ExecError::Signals(_)
            | ExecError::Guard(_)
            | ExecError::Lost { .. } => Exit::Failed,
        }
    }
}
