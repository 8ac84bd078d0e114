//! Whatever keeps a snapshot from being taken, checked or put back: the store's errors and the engines'.

use crate::error::Explain;
use crate::exit::Exit;
use crate::reach::Target;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::sqlite::SqliteError;
use crate::snapshot::{PlanError, StoreError};

/// An error of the store or of an engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    /// One target cannot be saved.
    #[error("cannot snapshot {shown}, named by {origin}")]
    Target {
        /// The target, for people.
        shown: String,
        /// Where it is named.
        origin: String,
        /// Why.
        #[source]
        cause: Box<SnapshotError>,
    },
    /// One target was not put back.
    #[error("cannot restore {shown}")]
    NotRestored {
        /// The target, for people.
        shown: String,
        /// The snapshot of what was there before, where one was taken.
        safety: Option<String>,
        /// Why.
        #[source]
        cause: Box<SnapshotError>,
    },
    /// There is no way to save the target.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// SQLite's.
    #[error(transparent)]
    Sqlite(#[from] SqliteError),
    /// PostgreSQL's.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
}

impl SnapshotError {
    /// Whether a restore that ended with this error may have changed the database all the same.
    #[must_use]
    pub(crate) fn may_have_changed_the_database(&self) -> bool {
        match self {
            SnapshotError::NotRestored { cause, .. } => cause.may_have_changed_the_database(),
            SnapshotError::Sqlite(SqliteError::RestoredDiffers { .. })
            | SnapshotError::Postgres(PostgresError::NotRestored { .. }) => true,
            _ => false,
        }
    }

    /// Whether what is in the place of a database is so damaged that it cannot be saved, so that a restore replaces it as
    /// it is.
    #[must_use]
    pub(crate) fn says_that_the_database_is_damaged(&self) -> bool {
        matches!(self, SnapshotError::Sqlite(SqliteError::Damaged { .. } | SqliteError::NotDatabase { .. }))
    }

    /// The error with the target that it is about.
    #[must_use]
    pub(crate) fn about(self, target: &Target) -> Self {
        let origin = target.origins.first().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        SnapshotError::Target { shown: target.shown(), origin, cause: Box::new(self) }
    }
}

impl Explain for SnapshotError {
    fn hint(&self) -> Option<String> {
        match self {
            SnapshotError::Target { cause, .. } => cause.hint(),
            SnapshotError::NotRestored { safety, cause, .. } => {
                let before = safety
                    .as_ref()
                    .map(|id| format!("what was there before is saved as {id}: `safe-test restore {id}` puts it back"));
                let hints: Vec<String> = cause.hint().into_iter().chain(before).collect();
                (!hints.is_empty()).then(|| hints.join("; "))
            }
            SnapshotError::Plan(error) => error.hint(),
            SnapshotError::Store(error) => error.hint(),
            SnapshotError::Sqlite(error) => error.hint(),
            SnapshotError::Postgres(error) => error.hint(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            SnapshotError::Target { cause, .. } | SnapshotError::NotRestored { cause, .. } => cause.exit(),
            SnapshotError::Plan(error) => error.exit(),
            SnapshotError::Store(error) => error.exit(),
            SnapshotError::Sqlite(error) => error.exit(),
            SnapshotError::Postgres(error) => error.exit(),
        }
    }
}
