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
            PlanError::NoTool { .. } => None,
        }
    }

    fn loosening(&self) -> Option<String> {
        matches!(self, PlanError::NoTool { .. }).then(|| {
            "put its address as `target`, and `how` it is kept, below [[snapshots.external]] in .safe-test.toml and run `safe-test trust`"
                .to_owned()
        })
    }

    fn exit(&self) -> Exit {
        match self {
            PlanError::NoTool { .. } | PlanError::UnknownEngine | PlanError::PathNotText { .. } => Exit::NoSnapshot,
        }
    }
}
