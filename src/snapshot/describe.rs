//! Looks at a target as a run would, and says what it found and how it would be saved. Writes nothing.

use crate::own_tools::ToolEnvironment;
use crate::reach::Target;
use crate::snapshot::engine::{Description, Found};
use crate::snapshot::plan::Intention;
use crate::snapshot::{Obstacle, SnapshotError};

/// What a look at a target came to.
pub(crate) enum Described {
    /// Nothing would be saved, and why.
    NothingToSave(String),
    /// A database, and what would keep it from being put back whole.
    Database(Description, Vec<Obstacle>),
}

/// Looks at a target as [`crate::snapshot::take()`] would.
///
/// # Errors
///
/// What would keep it from being saved.
pub(crate) fn describe(
    target: &Target,
    intention: &Intention,
    environment: &ToolEnvironment,
) -> Result<Described, SnapshotError> {
    let engine = match intention {
        Intention::NothingToLose(reason) | Intention::LeftToPolicy(reason) => {
            return Ok(Described::NothingToSave(reason.clone()));
        }
        Intention::Save(engine) => engine,
    };
    Ok(match engine.open(target, environment)? {
        Found::NothingToLose(reason) => Described::NothingToSave(reason.to_owned()),
        Found::Database(mut database) => {
            let obstacles = database.obstacles()?;
            Described::Database(database.describe(), obstacles)
        }
    })
}
