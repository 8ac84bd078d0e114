//! Finds an earlier snapshot that may serve as this run's own, where its engine proves that nothing was written since.

use std::fs::File;

use chrono::Duration;

use crate::snapshot::file_state::{file_state, hash_file};
use crate::snapshot::order::Order;
use crate::snapshot::store::Stored;
use crate::snapshot::{FileState, Kind, Manifest, SnapshotError, Watch};

/// How long a dump's hash is believed while its file looks untouched.
const HASH_BELIEVED_FOR: Duration = Duration::days(1);

/// An earlier snapshot of a database.
pub(crate) struct Reusable {
    stored: Stored,
    /// Keeps a prune from removing the dump until the manifest is written anew: else the manifest would be left alone.
    held: Option<File>,
}

impl Reusable {
    /// Finds the newest snapshot that a run may take as its own.
    ///
    /// Where copies are wanted, its manifest is as of now.
    ///
    /// A safety snapshot is not one: `latest` never means it. Nor is one from the future, which would hide all that a
    /// clock set right again has taken since; nor one that was not made here, which may hold anything.
    pub(crate) fn newest(order: &Order<'_>, engine: &str, address: &str) -> Result<Option<Self>, SnapshotError> {
        let newest = order.store.newest_first()?.find(|stored| {
            let manifest = &stored.manifest;
            manifest.kind != Kind::Safety
                && manifest.taken_at <= order.now
                && manifest.engine == engine
                && manifest.target == address
                && stored.standing(order.past).is_known()
        });
        let as_of_now = |stored: Stored| match order.copies {
            Some(_) => Stored { manifest: stored.manifest.restated_by(order.past), ..stored },
            None => stored,
        };
        Ok(newest.map(|stored| Reusable { stored: as_of_now(stored), held: None }))
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.stored.manifest
    }

    pub(crate) fn id(&self) -> &str {
        &self.stored.manifest.id
    }

    /// Gives it back where its dump is still what it was: its file looks untouched since it was hashed not long ago, or is
    /// hashed again.
    pub(crate) fn believed(mut self, order: &Order<'_>, watch: &dyn Watch) -> Option<Self> {
        self.held = Some(order.store.hold(self.id()).ok()?);
        let now = file_state(&self.stored.dump, order.now).ok()?;
        let is_untouched = self.stored.manifest.file_state.as_ref().is_some_and(|then| {
            let age = order.now - then.hashed_at;
            age >= Duration::zero()
                && age < HASH_BELIEVED_FOR
                && FileState { hashed_at: then.hashed_at, ..now.clone() } == *then
        });
        if !is_untouched {
            // One of another length is another file, and may be a very long one.
            let is_of_that_length = now.size == self.stored.manifest.size;
            if !is_of_that_length || hash_file(&self.stored.dump, watch).ok()? != self.stored.manifest.sha256 {
                return None;
            }
            self.stored.manifest.file_state = Some(now);
        }
        Some(self)
    }

    /// Marks it as this run's as well.
    ///
    /// # Errors
    ///
    /// Where its manifest cannot be written; it is then as it was.
    pub(crate) fn claim(mut self, order: &Order<'_>) -> Result<Stored, SnapshotError> {
        if order.kind == Kind::Run {
            // Only the last run matters to `latest`; a list that grows with every run would not.
            self.stored.manifest.used_by = vec![order.run.to_owned()];
            order.store.rewrite(&self.stored.manifest)?;
        }
        Ok(self.stored)
    }
}
