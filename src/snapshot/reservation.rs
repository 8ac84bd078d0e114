//! Gives a snapshot its name, keeps it for the process that takes the snapshot, and makes the snapshot count.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::durable;
use crate::json::Json;
use crate::lock::{is_at, lock};
use crate::regular;
use crate::snapshot::file_state::file_state;
use crate::snapshot::id::fit_for_a_file_name;
use crate::snapshot::manifest::lasting_hash;
use crate::snapshot::{Manifest, Provenance, Store, StoreError, Stored};

/// A name in the store that is taken and locked while its snapshot is made. Dropping it without
/// [`Store::commit`] removes what was written under it.
#[derive(Debug)]
pub(crate) struct Reservation {
    id: String,
    directory: PathBuf,
    /// Holds the lock; its content becomes the manifest.
    marker: File,
    is_committed: bool,
}

impl Store {
    /// Takes the next name for a snapshot of `database` that was never given, and locks it for this process.
    ///
    /// # Errors
    ///
    /// [`StoreError::Write`] where nothing can be created in the folder.
    pub(crate) fn reserve(
        &self,
        database: &str,
        now: DateTime<Utc>,
        past: &dyn Provenance,
    ) -> Result<Reservation, StoreError> {
        loop {
            let id = self.free_id(database, now, past);
            let path = self.marker_path(&id);
            match regular::create(&path) {
                Ok(marker) => {
                    let failed = |cause| StoreError::Write { path: path.clone(), cause };
                    lock(&marker).map_err(failed)?;
                    // Another process may have cleared the unlocked marker away between the two calls above, and a
                    // third one may have made its own since.
                    if is_at(&marker, &path) && !self.manifest_path(&id).exists() {
                        let directory = self.directory().to_owned();
                        return Ok(Reservation { id, directory, marker, is_committed: false });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(StoreError::Write { path, cause }),
            }
        }
    }

    /// Finds the name that a snapshot of `database` gets, unless another process takes it first.
    #[must_use]
    pub(crate) fn free_id(&self, database: &str, now: DateTime<Utc>, past: &dyn Provenance) -> String {
        let base = format!("{}_{}", fit_for_a_file_name(database), now.format("%Y%m%d_%H%M%S"));
        let mut id = base.clone();
        let mut number = 1_u32;
        // A link that leads nowhere is in the way, too.
        let is_taken = |id: &str| {
            [self.manifest_path(id), self.dump_path(id), self.partial_path(id), self.marker_path(id)]
                .iter()
                .any(|path| path.symlink_metadata().is_ok())
                // It may be gone, and what was written down of it must not be read as of another.
                || past.was_given(id, now)
        };
        while is_taken(&id) {
            number += 1;
            id = format!("{base}_{number}");
        }
        id
    }

    /// Makes a reserved snapshot count: the dump gets its final name, then the manifest is written.
    ///
    /// # Errors
    ///
    /// [`StoreError::Write`]; nothing is left under a final name then, except where removing it failed as well.
    pub(crate) fn commit(
        &self,
        mut reservation: Reservation,
        mut manifest: Manifest,
        now: DateTime<Utc>,
    ) -> Result<Stored, StoreError> {
        let dump = self.dump_path(&reservation.id);
        let failed = |error| {
            let _ = fs::remove_file(&dump);
            Err(error)
        };
        // Reaches the disk with the manifest's own name, or without it: then it is a leftover.
        if let Err(cause) = fs::rename(reservation.partial(), &dump) {
            return failed(StoreError::Write { path: dump.clone(), cause });
        }
        manifest.file_state = file_state(&dump, now).ok();
        let marker = self.marker_path(&reservation.id);
        let told = |manifest: &Manifest| {
            Ok((lasting_hash(serde_json::to_value(manifest)?), format!("{}\n", Json::pretty(manifest)?)))
        };
        let (hash, text) = match told(&manifest) {
            Ok(told) => told,
            Err(error) => return failed(StoreError::Write { path: marker, cause: serde_json::Error::into(error) }),
        };
        let finish = || -> io::Result<()> {
            (&reservation.marker).write_all(text.as_bytes())?;
            reservation.marker.sync_all()?;
            durable::rename(&marker, &self.manifest_path(&reservation.id))
        };
        if let Err(cause) = finish() {
            return failed(StoreError::Write { path: marker, cause });
        }
        reservation.is_committed = true;
        Ok(Stored { manifest, hash, dump })
    }
}

impl Reservation {
    #[must_use]
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Where the engine writes the dump; it is not there yet.
    #[must_use]
    pub(crate) fn partial(&self) -> PathBuf {
        self.directory.join(format!("{}.dump.partial", self.id))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.is_committed {
            return;
        }
        // Besides the dump there may be side files that an engine made next to it: their names begin with the dump's.
        let partial = format!("{}.dump.partial", self.id);
        let names = fs::read_dir(&self.directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
        for name in names.filter(|name| name.as_encoded_bytes().starts_with(partial.as_bytes())) {
            let _ = fs::remove_file(self.directory.join(name));
        }
        // Last: it says that the others belong to a living process.
        let _ = fs::remove_file(self.directory.join(format!("{}.json.partial", self.id)));
    }
}
