//! Decides what is to be done for each target before the command; `take.rs` does it later.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use crate::environment::Files;
use crate::policy::{CommandSnapshot, Policy};
use crate::reach::{Engine, Place, Target};
use crate::snapshot::engine::{ABSENT, SnapshotEngine};
use crate::snapshot::{PlanError, engines};

/// What is to be done for one target.
pub(crate) enum Intention {
    /// Save it, by this engine.
    Save(Saver),
    /// Nothing, and why: there is nothing to lose.
    NothingToLose(String),
    /// Nothing, because a trusted policy says so, and what it says.
    LeftToPolicy(String),
}

/// Who saves a database and puts it back.
#[derive(Clone)]
pub(crate) enum Saver {
    /// An engine of ours.
    Engine(&'static dyn SnapshotEngine),
    /// Programs of the project's own.
    Own(Arc<CommandSnapshot>),
}

impl Deref for Saver {
    type Target = dyn SnapshotEngine;

    fn deref(&self) -> &Self::Target {
        match self {
            Saver::Engine(engine) => *engine,
            Saver::Own(command) => &**command,
        }
    }
}

/// Tells whether a path says which file is meant. Values are read as text, where bytes that are not UTF-8 become U+FFFD; only
/// a file that is really called so may have it.
fn is_text(path: &Path, files: &dyn Files) -> bool {
    path.to_str().is_some_and(|text| !text.contains(char::REPLACEMENT_CHARACTER) || files.exists(path))
}

/// Tells whether a cache is saved: the policy says so, or nothing beside it in the project keeps data.
pub(crate) fn saves_caches<'t>(policy: &Policy, mut targets: impl Iterator<Item = &'t Target>) -> bool {
    let keeps_data =
        |one: &Target| !one.engine.is_auxiliary() && one.places.iter().any(|place| *place != Place::Memory);
    policy.snapshots.redis || !targets.any(keeps_data)
}

/// Decides what to do for `target`; `caches` says whether one that is a cache is saved, where its engine can be.
///
/// # Errors
///
/// [`PlanError`] where it cannot be saved and nothing says that it need not be.
pub(crate) fn plan(target: &Target, policy: &Policy, caches: bool, files: &dyn Files) -> Result<Intention, PlanError> {
    let address = target.address();
    if let Some(external) = policy.snapshots.external.iter().find(|external| external.target == address) {
        return Ok(Intention::LeftToPolicy(format!("kept elsewhere: {}", external.how)));
    }
    if let Some(command) = policy.snapshots.command_for(&address) {
        return Ok(Intention::Save(Saver::Own(command.clone())));
    }
    let is_on_loopback = |place: &Place| match place {
        Place::Host { name, .. } => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        Place::Socket { .. } | Place::File { .. } | Place::Memory => true,
        Place::Instance { .. } => false,
    };
    if policy.snapshots.skip.contains(&address) && target.places.iter().all(is_on_loopback) {
        return Ok(Intention::LeftToPolicy("the policy skips it".to_owned()));
    }
    if target.engine.is_auxiliary() && !(caches && engines::saving(target).is_some()) {
        return Ok(Intention::NothingToLose(format!("{} holds no data of record", target.engine)));
    }
    if target.places.iter().all(|place| *place == Place::Memory) {
        return Ok(Intention::NothingToLose("it is in the memory of the process".to_owned()));
    }
    if let Place::File { path } = &target.places[0] {
        if !is_text(path, files) {
            return Err(PlanError::PathNotText { path: path.clone() });
        }
        // Whether there is one to be saved, its engine tells better.
        if engines::saving(target).is_none() && !files.exists(path) {
            return Ok(Intention::NothingToLose(ABSENT.to_owned()));
        }
    }
    match (engines::saving(target), target.engine) {
        (Some(engine), _) => Ok(Intention::Save(Saver::Engine(engine))),
        (None, _) if policy.snapshots.waiting.contains(&address) => Err(PlanError::Waiting { address }),
        (None, Engine::Unknown) => Err(PlanError::UnknownEngine),
        (None, engine) => Err(PlanError::NoTool { engine }),
    }
}
