//! Hands snapshots to the engines that they are of: to check them, to put databases back, to clear up after that.

use crate::own_tools::ToolEnvironment;
use crate::reach::Target;
use crate::snapshot::engine::{Kept, Replaced, Restoration, RestorePlan, Restored, SnapshotEngine};
use crate::snapshot::store::Stored;
use crate::snapshot::{PlanError, SnapshotError, StoreError, VerificationLevel, Watch, engines};

/// Tells whether the target's server wants another password than the target holds, or one at all. What else keeps us from
/// it shows when it is used.
pub(crate) fn asks_for_password(target: &Target, environment: &ToolEnvironment) -> bool {
    let on_a_server = engines::saving(target).filter(|engine| !engine.keeps_files());
    on_a_server.is_some_and(|engine| engine.open(target, environment).is_err_and(|error| error.asks_for_password()))
}

/// Checks a snapshot again; see [`SnapshotEngine::verify`].
///
/// # Errors
///
/// What is wrong with it. Scratch databases are removed.
pub(crate) fn verify(
    restoration: &Restoration<'_>,
    level: VerificationLevel,
    watch: &dyn Watch,
) -> Result<(), SnapshotError> {
    Ok(engine_of(restoration.stored)?.verify(restoration, level, watch)?)
}

/// Verifies a snapshot and prepares to put back the database that it was taken from; see
/// [`SnapshotEngine::plan_restore`].
///
/// # Errors
///
/// Why it cannot be put back. Nothing was changed.
pub(crate) fn plan_restore<'r>(
    restoration: &Restoration<'r>,
    watch: &dyn Watch,
) -> Result<RestorePlan<'r>, SnapshotError> {
    Ok(engine_of(restoration.stored)?.plan_restore(restoration, watch)?)
}

/// Exchanges a database for one that a restore has replaced and kept; see [`SnapshotEngine::exchange_back`].
///
/// # Errors
///
/// Why not. Both are as they were, unless [`SnapshotError::may_have_changed_the_database`].
pub(crate) fn exchange_back(kept: &Kept<'_>) -> Result<Restored, SnapshotError> {
    let engine = engines::saving(kept.target).ok_or(PlanError::NoTool { engine: kept.target.engine })?;
    Ok(engine.exchange_back(kept)?)
}

/// Drops the databases that restores have replaced and kept on the target's server; with `dry_run`, only lists them.
///
/// # Errors
///
/// Where the server cannot be asked.
pub(crate) fn drop_replaced(
    target: &Target,
    environment: &ToolEnvironment,
    dry_run: bool,
) -> Result<Vec<Replaced>, SnapshotError> {
    let Some(engine) = engines::saving(target) else { return Ok(Vec::new()) };
    Ok(engine.drop_replaced(target, environment, dry_run)?)
}

fn engine_of(stored: &Stored) -> Result<&'static dyn SnapshotEngine, StoreError> {
    engines::named(&stored.manifest.engine).ok_or_else(|| StoreError::Manifest {
        path: stored.dump.with_extension("json"),
        reason: format!("its engine `{}` is not one that this version can restore", stored.manifest.engine),
    })
}
