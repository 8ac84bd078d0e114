//! Decides what is to be done for each target before the command; `take.rs` does it later.

use std::path::{Path, PathBuf};

use crate::environment::Files;
use crate::error::Explain;
use crate::exit::Exit;
use crate::policy::Policy;
use crate::reach::{Engine, Place, Target};
use crate::snapshot::engine::SnapshotEngine;
use crate::snapshot::engines;

/// What is to be done for one target.
pub(crate) enum Intention {
    /// Save it, by this engine.
    Save(&'static dyn SnapshotEngine),
    /// Nothing, and why: there is nothing to lose.
    NothingToLose(String),
    /// Nothing, because a trusted policy says so, and what it says.
    LeftToPolicy(String),
}

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
    #[error("the path `{}` is not UTF-8, so that the database cannot be told for certain", path.display())]
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
            PlanError::NoTool { .. } => Some(
                "a person can say in .safe-test.toml how it is kept ([[snapshots.external]] target, how) and run `safe-test trust`"
                    .to_owned(),
            ),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            PlanError::NoTool { .. } | PlanError::UnknownEngine | PlanError::PathNotText { .. } => Exit::NoSnapshot,
        }
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
pub(crate) fn plan(target: &Target, policy: &Policy, files: &dyn Files) -> Result<Intention, PlanError> {
    let address = target.address();
    if let Some(external) = policy.snapshots.external.iter().find(|external| external.target == address) {
        return Ok(Intention::LeftToPolicy(format!("kept elsewhere: {}", external.how)));
    }
    let is_on_loopback = |place: &Place| match place {
        Place::Host { name, .. } => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        Place::Socket { .. } | Place::File { .. } | Place::Memory => true,
        Place::Instance { .. } => false,
    };
    if policy.snapshots.skip.contains(&address) && target.places.iter().all(is_on_loopback) {
        return Ok(Intention::LeftToPolicy("not saved: the policy skips it".to_owned()));
    }
    if target.engine.is_auxiliary() {
        return Ok(Intention::NothingToLose(format!("{} holds no data of record", target.engine)));
    }
    if target.places.iter().all(|place| *place == Place::Memory) {
        return Ok(Intention::NothingToLose("it is in the memory of the process".to_owned()));
    }
    if let Place::File { path } = &target.places[0] {
        if !is_text(path, files) {
            return Err(PlanError::PathNotText { path: path.clone() });
        }
        if !files.exists(path) {
            return Ok(Intention::NothingToLose("it does not exist yet".to_owned()));
        }
    }
    match (engines::saving(target), target.engine) {
        (Some(engine), _) => Ok(Intention::Save(engine)),
        (None, Engine::Unknown) => Err(PlanError::UnknownEngine),
        (None, engine) => Err(PlanError::NoTool { engine }),
    }
}
