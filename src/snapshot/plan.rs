//! What has to be done for each target before the command: decided first, done later by `take.rs`.

use std::path::{Path, PathBuf};

use crate::environment::Files;
use crate::error::Explain;
use crate::exit::Exit;
use crate::policy::Policy;
use crate::reach::{Engine, Place, Target};

/// What is to be done for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Save the SQLite database in this file.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// Save this PostgreSQL database.
    Postgres,
    /// Nothing, and why: there is nothing to lose.
    NothingToLose(String),
    /// Nothing, because a trusted policy says so, and what it says.
    LeftToPolicy(String),
}

/// Why a target cannot be saved, known before anything is done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// There is no dump tool of ours for the engine, or nothing tells the engine.
    #[error("{}", why_no_tool(*engine))]
    NoTool {
        /// The engine.
        engine: Engine,
    },
    /// The database's path is not UTF-8: what was read of it may lead elsewhere, and a manifest cannot name it.
    #[error("the path `{}` is not UTF-8, so that the database cannot be told for certain", path.display())]
    PathNotText {
        /// The path, as far as it could be read.
        path: PathBuf,
    },
}

impl Explain for PlanError {
    fn hint(&self) -> Option<String> {
        match self {
            PlanError::NoTool { engine: Engine::Unknown, .. } => Some(
                "say which engine it is: as the scheme of a URL (DATABASE_URL=postgres://…), or beside the host (DB_CONNECTION=pgsql)"
                    .to_owned(),
            ),
            PlanError::PathNotText { .. } => Some("give the file and its folders names in UTF-8".to_owned()),
            PlanError::NoTool { .. } => Some(
                "a person can say in .safe-test.toml how it is kept ([[snapshots.external]] target, how) and run `safe-test trust`"
                    .to_owned(),
            ),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            PlanError::NoTool { .. } | PlanError::PathNotText { .. } => Exit::NoSnapshot,
        }
    }
}

fn why_no_tool(engine: Engine) -> String {
    match engine {
        Engine::Unknown => "nothing says which engine it is".to_owned(),
        known => format!("there is no way to snapshot {known} yet"),
    }
}

/// Whether a path says which file is meant. Values are read as text, where bytes that are not UTF-8 become U+FFFD; only
/// a file that is really called so may have it.
fn is_text(path: &Path, files: &dyn Files) -> bool {
    path.to_str().is_some_and(|text| !text.contains(char::REPLACEMENT_CHARACTER) || files.exists(path))
}

/// Decides what to do for `target`.
///
/// # Errors
///
/// [`PlanError`] where it cannot be saved and nothing says that it need not be.
pub(crate) fn plan(target: &Target, policy: &Policy, files: &dyn Files) -> Result<Step, PlanError> {
    let address = target.address();
    if let Some(external) = policy.snapshots.external.iter().find(|external| external.target == address) {
        return Ok(Step::LeftToPolicy(format!("kept elsewhere: {}", external.how)));
    }
    let is_on_loopback = |place: &Place| match place {
        Place::Host { name, .. } => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        Place::Socket { .. } | Place::File { .. } | Place::Memory => true,
        Place::Instance { .. } => false,
    };
    if policy.snapshots.skip.contains(&address) && target.places.iter().all(is_on_loopback) {
        return Ok(Step::LeftToPolicy("not saved: the policy skips it".to_owned()));
    }
    if target.engine.is_auxiliary() {
        return Ok(Step::NothingToLose(format!("{} holds no data of record", target.engine)));
    }
    if target.places.iter().all(|place| *place == Place::Memory) {
        return Ok(Step::NothingToLose("it is in the memory of the process".to_owned()));
    }
    match (target.engine, &target.places[0]) {
        (_, Place::File { path }) if !is_text(path, files) => Err(PlanError::PathNotText { path: path.clone() }),
        (_, Place::File { path }) if !files.exists(path) => Ok(Step::NothingToLose("it does not exist yet".to_owned())),
        (Engine::Sqlite | Engine::Libsql, Place::File { path }) => Ok(Step::Sqlite { path: path.clone() }),
        (Engine::Postgres, Place::Host { .. } | Place::Socket { .. }) => Ok(Step::Postgres),
        (engine, _) => Err(PlanError::NoTool { engine }),
    }
}
