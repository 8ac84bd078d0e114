//! Whether a snapshot was made by this machine, as its audit log tells.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::hash::Hash;

/// What the log that is anchored on this machine says of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// An entry holds the hash of its manifest.
    Known,
    /// An entry of an earlier version, which wrote no hashes, names its id.
    Named,
    /// An entry holds another hash for its id: this is not the manifest that was written then.
    Changed,
    /// No entry names it: it came from elsewhere.
    Unknown,
}

impl Standing {
    /// Tells whether the snapshot is one of this machine's own.
    #[must_use]
    pub(crate) fn is_known(self) -> bool {
        matches!(self, Standing::Known | Standing::Named)
    }
}

/// What remembers which snapshots were made here.
pub(crate) trait Provenance {
    /// Tells how the manifest with this id and hash stands. Where nothing can be learned it is unknown.
    fn standing_of(&self, id: &str, hash: &Hash) -> Standing;

    /// Tells whether `id`, which has the time `taken_at` in it, was given to a snapshot before.
    fn was_given(&self, id: &str, taken_at: DateTime<Utc>) -> bool;

    /// Tells whether a database of this name, which has the time `at` in it, was about to be made here on `server`.
    fn was_made(&self, server: &str, database: &str, at: DateTime<Utc>) -> bool;

    /// Finds what was [restated](crate::snapshot::Restated) last of the snapshot with this id, taken at that time.
    fn restated(&self, _id: &str, _taken_at: DateTime<Utc>) -> Option<Value> {
        None
    }
}
