//! What keeps a target from being saved, known before anything is looked at.

use std::path::PathBuf;

use crate::error::Explain;
use crate::exit::Exit;
use crate::reach::Engine;
use crate::text::shown;

/// Why a target cannot be saved, known before anything is done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// There is no dump tool of ours for the engine.
    #[error("there is no way to snapshot {engine} yet")]
    NoTool {
        /// The engine.
        engine: Engine,
    },
    /// The policy says how the database is kept, and nobody approved that.
    #[error("what .safe-test.toml says of how `{address}` is kept waits for `safe-test trust`")]
    Waiting {
        /// The database's address.
        address: String,
    },
    /// The snapshot was taken by programs of the project's own, and the policy in force does not name them any more.
    #[error("programs of the project's own saved `{address}`, and no policy in force says any more which put it back")]
    NoCommand {
        /// The database's address.
        address: String,
    },
    /// Nothing tells the engine.
    #[error("nothing says which engine it is")]
    UnknownEngine,
    /// The database's path is not UTF-8: what was read of it may lead elsewhere, and a manifest cannot name it.
    #[error("the path `{}` is not UTF-8, so that the database cannot be told for certain", shown(path))]
    PathNotText {
        /// The path, as far as it could be read.
        path: PathBuf,
    },
}

impl Explain for PlanError {
    fn hint(&self) -> Option<String> {
        match self {
            PlanError::UnknownEngine => Some(
                "say which engine it is: as the scheme of a URL (DATABASE_URL=postgres://…), or beside the host (DB_CONNECTION=pgsql)"
                    .to_owned(),
            ),
            PlanError::PathNotText { .. } => Some("give the file and its folders names in UTF-8".to_owned()),
            PlanError::NoCommand { .. } => Some(
                "the snapshot's manifest has the command below `by_hand`; `[[snapshots.command]]` in a trusted .safe-test.toml has \
                 it carried out"
                    .to_owned(),
            ),
            PlanError::NoTool { .. } | PlanError::Waiting { .. } => None,
        }
    }

    fn loosening(&self) -> Option<String> {
        match self {
            PlanError::NoTool { .. } => Some(
                "put its address as `target`, and `how` it is kept, below [[snapshots.external]] in .safe-test.toml, or the programs \
                 that save it below [[snapshots.command]], and run `safe-test trust`"
                    .to_owned(),
            ),
            PlanError::Waiting { .. } => {
                Some("read it, and approve it with `safe-test trust` if it is as it should be".to_owned())
            }
            PlanError::NoCommand { .. } | PlanError::UnknownEngine | PlanError::PathNotText { .. } => None,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            PlanError::NoTool { .. }
            | PlanError::Waiting { .. }
            | PlanError::NoCommand { .. }
            | PlanError::UnknownEngine
            | PlanError::PathNotText { .. } => Exit::NoSnapshot,
        }
    }
}
