//! Failures of subcommands that no stage knows.

use std::io;
use std::path::PathBuf;

use crate::error::Explain;
use crate::exit::Exit;
use crate::policy;
use crate::secret::{redact_text, shown_path};
use crate::text::shown;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// A folder that was asked for is not there.
    #[error("cannot use the folder {}", shown_path(path))]
    Folder {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// A pipe that was named cannot be read.
    #[error("cannot read {}, which `--env-file` names", shown(path))]
    Pipe {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// Standard output cannot be written.
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
    /// A question needs a person at a terminal.
    #[error("{what} needs a person at a terminal")]
    NoTerminal { what: &'static str },
    /// The person said no.
    #[error("{what} was not confirmed")]
    NotConfirmed { what: &'static str },
    /// There is nothing by that name.
    #[error("there is no snapshot `{}`", redact_text(id))]
    UnknownSnapshot {
        id: String,
        /// The snapshots whose names begin so.
        beginning_so: Vec<String>,
    },
    /// There is no snapshot at all, or none that `latest` could mean.
    #[error("there is no snapshot in {}", shown(directory))]
    NoSnapshot { directory: PathBuf },
    /// The snapshot was taken for another project, and this one does not name its database.
    #[error("{id} is of {address}, which was another project's and which this project does not name")]
    OtherProject { id: String, address: String },
    /// The snapshot was not made here, and nobody can be asked.
    #[error("the snapshot {id} is not known here: {why}")]
    NotKnown { id: String, why: String },
    /// The snapshot was not made here, and its target is not the project's.
    #[error("the snapshot {id} is not known here ({why}), and this project does not name its database, {address}")]
    NotNamed { id: String, why: String, address: String },
    /// A dump without a manifest was named.
    #[error("{} has no manifest: it is no snapshot, or a leftover of something that was killed", shown(path))]
    Leftover { path: PathBuf },
    /// There is no policy to trust.
    #[error("there is no {} in {}", policy::FILE_NAME, shown(root))]
    NoPolicy { root: PathBuf },
    /// What was judged is not what the command would find.
    #[error("{} keeps changing while it is judged and its databases are saved", shown(path))]
    KeepsChanging { path: PathBuf },
    /// A fault of our own.
    #[error("safe-test has a fault: {place}")]
    Fault { place: String },
    /// A file of the state directory cannot be written.
    #[error("cannot write {}", shown(path))]
    State {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

impl Explain for CommandError {
    fn hint(&self) -> Option<String> {
        match self {
            CommandError::UnknownSnapshot { beginning_so, .. } => Some(match beginning_so.as_slice() {
                [] => "`safe-test list` shows what there is".to_owned(),
                [one] => format!("was {one} meant? Give the whole name"),
                [newest, others @ ..] => {
                    format!("{newest} and {} more begin so: give the whole name; `safe-test list` shows them", others.len())
                }
            }),
            CommandError::NoSnapshot { .. } => {
                Some("a guarded run takes one of each database; so does `safe-test snapshot`".to_owned())
            }
            CommandError::Leftover { .. } => Some("`safe-test list` shows what can be restored".to_owned()),
            CommandError::OtherProject { .. } => {
                Some("restore it in the project that it was taken for, or by hand: its manifest says how".to_owned())
            }
            CommandError::NotKnown { .. } => Some(
                "whoever knows where it came from can have it put back: a person is asked, at a terminal, outside of agents, \
                 hooks and CI"
                    .to_owned(),
            ),
            CommandError::NotNamed { .. } => Some(
                "a snapshot that was not made here is put back only onto a database that the project itself names".to_owned(),
            ),
            CommandError::NoTerminal { .. } => {
                Some("run it yourself, in a terminal, outside of agents, hooks and CI".to_owned())
            }
            CommandError::Folder { .. } => {
                Some("name a folder that is there by `-C`, or leave `-C` out to use the current one".to_owned())
            }
            CommandError::KeepsChanging { .. } => Some("stop what writes it, then run this again".to_owned()),
            CommandError::Fault { .. } => Some("tell its authors this place, and what was run".to_owned()),
            CommandError::Pipe { .. } => {
                Some("start what writes to the pipe first, or name a file in its place".to_owned())
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
            CommandError::OtherProject { .. } | CommandError::NotNamed { .. } | CommandError::KeepsChanging { .. } => {
                Exit::Refused
            }
            CommandError::NotKnown { .. } => Exit::NoSnapshot,
            CommandError::Folder { .. }
            | CommandError::Pipe { .. }
            | CommandError::Output(_)
            | CommandError::NoTerminal { .. }
            | CommandError::NotConfirmed { .. }
            | CommandError::UnknownSnapshot { .. }
            | CommandError::NoSnapshot { .. }
            | CommandError::Leftover { .. }
            | CommandError::NoPolicy { .. }
            | CommandError::Fault { .. }
            | CommandError::State { .. } => Exit::Failed,
        }
    }
}
