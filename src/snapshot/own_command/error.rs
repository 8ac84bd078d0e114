//! What can keep programs of the project's own from saving, checking or putting back.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::error::Explain;
use crate::exit::Exit;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_reading::ReadError;
use crate::snapshot::engine_error::{Consequence, EngineFailure};
use crate::snapshot::tool_process::ToolError;
use crate::text::shown;

/// A failure of the programs, or of what they wrote.
#[derive(Debug, Error)]
pub(crate) enum OwnCommandError {
    /// The program is not there.
    #[error("the program `{program}` of [[snapshots.command]] is not found")]
    NotFound {
        /// Its name or path, as the policy has it.
        program: String,
    },
    /// It ended with 0, and wrote nothing.
    #[error("`{program}` ended with 0, but {} is {what}", shown(path))]
    NoFile {
        /// Which program.
        program: String,
        /// The file that was to be written.
        path: PathBuf,
        /// What is wrong with it: `not there`, `empty`, `no file`.
        what: &'static str,
    },
    /// The snapshot can only be restored into the place of its database.
    #[error("what programs of the project's own saved can only be restored in place")]
    NotRehearsed,
    /// A program could not be started, failed, or was stopped.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The file is not the one that was written, or cannot be read.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// The restore ended early.
    #[error("the restore by `{program}` did not end well; the database may have been changed")]
    HalfRestored {
        /// Which program.
        program: String,
        /// Why.
        #[source]
        source: ToolError,
    },
}

impl OwnCommandError {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| DumpError::file(action, path)(source).into()
    }
}

impl From<ReadError> for OwnCommandError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Dump(error) => error.into(),
            ReadError::Tool(error) => error.into(),
        }
    }
}

impl Explain for OwnCommandError {
    fn hint(&self) -> Option<String> {
        match self {
            OwnCommandError::NotFound { .. } => Some(
                "a name is looked up on PATH, a path from the project's root; install it, or mend its line in .safe-test.toml"
                    .to_owned(),
            ),
            OwnCommandError::NoFile { .. } => Some("it is to write the file that `{file}` names".to_owned()),
            OwnCommandError::NotRehearsed => Some("`--level read` has it checked by the project's own program".to_owned()),
            OwnCommandError::Tool(ToolError::Failed { .. } | ToolError::NotStarted { .. }) => {
                Some("it is a program of [[snapshots.command]] in .safe-test.toml: try it by hand".to_owned())
            }
            OwnCommandError::Tool(error) => error.hint(),
            OwnCommandError::Dump(error) => error.hint(),
            OwnCommandError::HalfRestored { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            OwnCommandError::NotRehearsed | OwnCommandError::HalfRestored { .. } => Exit::Failed,
            OwnCommandError::NotFound { .. } | OwnCommandError::NoFile { .. } => Exit::NoSnapshot,
            OwnCommandError::Tool(error) => error.exit(),
            OwnCommandError::Dump(error) => error.exit(),
        }
    }
}

impl EngineFailure for OwnCommandError {
    fn consequence(&self) -> Consequence {
        match self {
            OwnCommandError::HalfRestored { .. } => Consequence::MayHaveChanged,
            OwnCommandError::NotFound { .. }
            | OwnCommandError::NoFile { .. }
            | OwnCommandError::NotRehearsed
            | OwnCommandError::Tool(_)
            | OwnCommandError::Dump(_) => Consequence::Untouched,
        }
    }
}
