//! Hands snapshots to the engines that they are of: to check them, to put databases back, to clear up after that.

use crate::own_tools::ToolEnvironment;
use crate::policy::Policy;
use crate::reach::Target;
use crate::snapshot::engine::{Kept, Restoration, RestorePlan, Restored};
use crate::snapshot::plan::Saver;
use crate::snapshot::store::Stored;
use crate::snapshot::{
    Leftover, Manifest, Neighbours, PlanError, Provenance, SnapshotError, StoreError, VerificationLevel, Watch, engines,
};

/// Tells whether the target's server wants another password than the target holds, or one at all. What else keeps us from
/// it shows when it is used.
pub(crate) fn asks_for_password(target: &Target, environment: &ToolEnvironment) -> bool {
    let on_a_server = engines::saving(target).filter(|engine| !engine.keeps_files());
    on_a_server.is_some_and(|engine| engine.open(target, environment).is_err_and(|error| error.asks_for_password()))
}

/// Checks a snapshot again, by `policy` where programs of the project's own took it; see
/// [`SnapshotEngine::verify`](crate::snapshot::engine::SnapshotEngine::verify).
///
/// # Errors
///
/// What is wrong with it. Scratch databases are removed.
pub(crate) fn verify(
    restoration: &Restoration<'_>,
    level: VerificationLevel,
    policy: &Policy,
    watch: &dyn Watch,
) -> Result<(), SnapshotError> {
    Ok(saver_of(restoration.stored, policy)?.verify(restoration, level, watch)?)
}

/// Checks a snapshot and prepares to put back the database that it was taken from; see
/// [`SnapshotEngine::plan_restore`](crate::snapshot::engine::SnapshotEngine::plan_restore).
///
/// # Errors
///
/// Why it cannot be put back. Nothing was changed.
pub(crate) fn plan_restore<'r>(
    restoration: &Restoration<'r>,
    policy: &Policy,
    watch: &dyn Watch,
) -> Result<RestorePlan<'r>, SnapshotError> {
    Ok(saver_of(restoration.stored, policy)?.plan_restore(restoration, watch)?)
}

/// Exchanges a database for one that a restore has replaced and kept; see
/// [`SnapshotEngine::exchange_back`](crate::snapshot::engine::SnapshotEngine::exchange_back).
///
/// # Errors
///
/// Why not. Both are as they were, unless [`SnapshotError::may_have_changed_the_database`].
pub(crate) fn exchange_back(kept: &Kept<'_>) -> Result<Restored, SnapshotError> {
    let engine = engines::saving(kept.target).ok_or(PlanError::NoTool { engine: kept.target.engine })?;
    Ok(engine.exchange_back(kept)?)
}

/// Lists what restores have left on the target's server; see
/// [`SnapshotEngine::leftovers`](crate::snapshot::engine::SnapshotEngine::leftovers).
///
/// # Errors
///
/// Where the server cannot be asked.
pub(crate) fn leftovers(
    target: &Target,
    environment: &ToolEnvironment,
    past: &dyn Provenance,
) -> Result<Vec<Leftover>, SnapshotError> {
    let Some(engine) = engines::saving(target) else { return Ok(Vec::new()) };
    Ok(engine.leftovers(target, environment, past)?)
}

/// Asks the target's server what it counts of its databases; see
/// [`SnapshotEngine::neighbours`](crate::snapshot::engine::SnapshotEngine::neighbours). `None` where it counts
/// nothing that could be compared.
///
/// # Errors
///
/// Where the server cannot be asked.
pub(crate) fn neighbours(target: &Target, environment: &ToolEnvironment) -> Result<Option<Neighbours>, SnapshotError> {
    let Some(engine) = engines::saving(target) else { return Ok(None) };
    Ok(engine.neighbours(target, environment)?)
}

/// Lists the databases beside a target whose names `is_wanted` takes; see
/// [`SnapshotEngine::names_beside`](crate::snapshot::engine::SnapshotEngine::names_beside).
///
/// # Errors
///
/// Where the server cannot be asked, or the folder not be read.
pub(crate) fn names_beside(
    target: &Target,
    environment: &ToolEnvironment,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<String>, SnapshotError> {
    let Some(engine) = engines::saving(target) else { return Ok(Vec::new()) };
    Ok(engine.names_beside(target, environment, is_wanted)?)
}

/// Drops one of them; see [`SnapshotEngine::drop_leftover`](crate::snapshot::engine::SnapshotEngine::drop_leftover).
///
/// # Errors
///
/// Why it stays.
pub(crate) fn drop_leftover(
    target: &Target,
    environment: &ToolEnvironment,
    name: &str,
    past: &dyn Provenance,
) -> Result<bool, SnapshotError> {
    let engine = engines::saving(target).ok_or(PlanError::NoTool { engine: target.engine })?;
    Ok(engine.drop_leftover(target, environment, name, past)?)
}

/// Tells whether restores of any of these snapshots may have left databases on a server.
#[must_use]
pub(crate) fn may_have_left_databases(stored: &[Stored]) -> bool {
    let is_on_a_server =
        |stored: &Stored| engines::named(&stored.manifest.engine).is_some_and(|engine| !engine.keeps_files());
    stored.iter().any(is_on_a_server)
}

/// Tells whether programs of the project's own took a snapshot: what is in it they know, and it can only be restored into the
/// place of its database.
#[must_use]
pub(crate) fn is_by_own_programs(manifest: &Manifest) -> bool {
    engines::is_own_program(&manifest.engine)
}

/// Says in words what a snapshot holds, where it is no tables.
#[must_use]
pub(crate) fn contents(manifest: &Manifest) -> Option<String> {
    if is_by_own_programs(manifest) {
        return Some("what its own programs know".to_owned());
    }
    engines::named(&manifest.engine)?.contents(manifest)
}

fn saver_of(stored: &Stored, policy: &Policy) -> Result<Saver, SnapshotError> {
    let manifest = &stored.manifest;
    if is_by_own_programs(manifest) {
        let own = policy.snapshots.command_for(&manifest.target).cloned().map(Saver::Own);
        return own.ok_or_else(|| PlanError::NoCommand { address: manifest.target.clone() }.into());
    }
    let engine = engines::named(&manifest.engine).map(Saver::Engine);
    engine.ok_or_else(|| {
        let reason = format!("its engine `{}` is not one that this version can restore", manifest.engine);
        StoreError::Manifest { path: stored.dump.with_extension("json"), reason }.into()
    })
}
