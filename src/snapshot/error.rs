//! What keeps a snapshot from being taken, checked or put back: the store's errors and the engines'.

use crate::error::Explain;
use crate::exit::Exit;
use crate::policy::FILE_NAME;
use crate::reach::Target;
use crate::snapshot::engine_error::{Consequence, EngineError, EngineFailure};
use crate::snapshot::{PlanError, StoreError};

/// An error of the store or of an engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    /// One target cannot be saved.
    #[error("cannot snapshot {shown}, named by {origin}")]
    Target {
        /// The target, for people.
        shown: String,
        /// Its address, as a policy names it.
        address: String,
        /// Where it is named.
        origin: String,
        /// What to do, where more is known of it than the cause knows.
        advice: Option<String>,
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
        /// What was found, when the snapshot was taken, to be needed for a restore.
        needed: Option<String>,
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
    /// An engine's.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl SnapshotError {
    /// Tells whether a restore that ended with this error may have changed the database all the same.
    #[must_use]
    pub(crate) fn may_have_changed_the_database(&self) -> bool {
        self.consequence() == Consequence::MayHaveChanged
    }

    /// Tells whether what is in the place of a database is so damaged that it cannot be saved, so that a restore
    /// replaces it as it is.
    #[must_use]
    pub(crate) fn says_that_the_database_is_damaged(&self) -> bool {
        self.consequence() == Consequence::DamagedBefore
    }

    /// Tells whether the server may be ready in a moment: it says that it starts, or does not answer yet.
    #[must_use]
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            SnapshotError::Target { cause, .. } | SnapshotError::NotRestored { cause, .. } => cause.may_pass(),
            SnapshotError::Engine(error) => error.found_it_starting() || error.found_no_server(),
            SnapshotError::Plan(_) | SnapshotError::Store(_) => false,
        }
    }

    fn consequence(&self) -> Consequence {
        match self {
            SnapshotError::Target { cause, .. } | SnapshotError::NotRestored { cause, .. } => cause.consequence(),
            SnapshotError::Engine(error) => error.consequence(),
            SnapshotError::Plan(_) | SnapshotError::Store(_) => Consequence::Untouched,
        }
    }

    /// Returns the error with the target that it is about.
    #[must_use]
    pub(crate) fn about(self, target: &Target) -> Self {
        let origin = target.origins.first().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let (shown, address) = (target.shown(), target.address());
        SnapshotError::Target { shown, address, origin, advice: None, cause: Box::new(self) }
    }

    /// Returns the error with what to do about it, where that is known better than its cause knows it.
    #[must_use]
    pub(crate) fn advised(self, better: Option<String>) -> Self {
        match self {
            SnapshotError::Target { shown, address, origin, advice, cause } => {
                SnapshotError::Target { shown, address, origin, advice: better.or(advice), cause }
            }
            other => other,
        }
    }

    /// Tells whether nothing was heard of a server.
    #[must_use]
    pub(crate) fn found_no_server(&self) -> bool {
        match self {
            SnapshotError::Target { cause, .. } | SnapshotError::NotRestored { cause, .. } => cause.found_no_server(),
            SnapshotError::Engine(error) => error.found_no_server(),
            SnapshotError::Plan(_) | SnapshotError::Store(_) => false,
        }
    }
}

impl Explain for SnapshotError {
    fn hint(&self) -> Option<String> {
        match self {
            SnapshotError::Target { advice, cause, .. } => advice.clone().or_else(|| cause.hint()),
            SnapshotError::NotRestored { safety, needed, cause, .. } => {
                let before = safety
                    .as_ref()
                    .map(|id| format!("what was there before is saved as {id}: `safe-test restore {id}` puts it back"));
                // What was found to be needed says more than a cause that knows nothing of it.
                let what_to_do = needed.clone().or_else(|| cause.hint());
                let hints: Vec<String> = what_to_do.into_iter().chain(before).collect();
                (!hints.is_empty()).then(|| hints.join("; "))
            }
            SnapshotError::Plan(error) => error.hint(),
            SnapshotError::Store(error) => error.hint(),
            SnapshotError::Engine(error) => error.hint(),
        }
    }

    fn loosening(&self) -> Option<String> {
        match self {
            SnapshotError::Target { cause, address, .. }
                if matches!(**cause, SnapshotError::Plan(PlanError::NoTool { .. })) =>
            {
                Some(format!(
                    "put `target = \"{address}\"` and `how = \"…\"`, which says how it is kept, below [[snapshots.external]] in \
                     {FILE_NAME}, or the programs that save it below [[snapshots.command]], and run `safe-test trust`"
                ))
            }
            SnapshotError::Target { cause, .. } | SnapshotError::NotRestored { cause, .. } => cause.loosening(),
            SnapshotError::Plan(error) => error.loosening(),
            SnapshotError::Store(error) => error.loosening(),
            SnapshotError::Engine(error) => error.loosening(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            SnapshotError::Target { cause, .. } | SnapshotError::NotRestored { cause, .. } => cause.exit(),
            SnapshotError::Plan(error) => error.exit(),
            SnapshotError::Store(error) => error.exit(),
            SnapshotError::Engine(error) => error.exit(),
        }
    }
}

/// An engine may find the manifest at fault, which is the store's.
impl EngineFailure for StoreError {
    fn consequence(&self) -> Consequence {
        Consequence::Untouched
    }
}

/// An engine may be given a target that it cannot save.
impl EngineFailure for PlanError {
    fn consequence(&self) -> Consequence {
        Consequence::Untouched
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::sqlite::SqliteError;

    #[test]
    fn an_engine_s_error_keeps_what_it_says() {
        let (path, source) = ("/app.db".into(), std::io::ErrorKind::PermissionDenied.into());
        let engine_s = SqliteError::Unreadable { path, source };
        let (said, hint, exit) = (engine_s.to_string(), engine_s.hint(), engine_s.exit());
        let error = SnapshotError::Engine(engine_s.into());
        assert_eq!((error.to_string(), error.hint(), error.exit()), (said, hint, exit));
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("permission denied"));
    }

    #[test]
    fn what_an_error_means_for_the_database_is_told_through_all_wrappings() {
        let path = || "/app.db".into();
        let (complaint, difference) = ("page 3".to_owned(), "t has 1 row of 2".to_owned());
        let cases: [(EngineError, bool, bool); 3] = [
            (SqliteError::RestoredDiffers { path: path(), difference }.into(), true, false),
            (SqliteError::Damaged { path: path(), complaint }.into(), false, true),
            (SqliteError::Hash { path: path() }.into(), false, false),
        ];
        for (error, changed, damaged) in cases {
            let cause = Box::new(SnapshotError::Engine(error));
            let error = SnapshotError::NotRestored { shown: "app".to_owned(), safety: None, needed: None, cause };
            assert_eq!(error.may_have_changed_the_database(), changed, "{error}");
            assert_eq!(error.says_that_the_database_is_damaged(), damaged, "{error}");
        }
    }
}
