//! Keeps the folder of snapshots: names, commit markers, locks. The edge to the file system.
//!
//! A snapshot is two files, `<id>.dump` and `<id>.json`; the manifest is written last and makes the snapshot count.
//! While one is being taken, `<id>.json.partial` reserves the name and is locked by the process that takes it, so
//! that whatever lacks a manifest and is not locked is a leftover of something that was killed. A running command
//! that depends on a snapshot holds a lock on its dump: the manifest may be written anew meanwhile, the dump is not.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::durable;
use crate::hash::Hash;
use crate::json::Json;
use crate::lock::{Lock, is_at, lock, try_lock};
use crate::regular;
use crate::secret::ForeignText;
use crate::snapshot::file_state::file_state;
use crate::snapshot::manifest::{brought_up_to_date, lasting_hash};
use crate::snapshot::place;
use crate::snapshot::place::{GITIGNORE, expect_unshared};
use crate::snapshot::{Manifest, Provenance, Standing, StoreError};

/// The folder that holds the snapshots and the audit log of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Store {
    directory: PathBuf,
}

/// A snapshot in the store.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    /// Its manifest.
    pub(crate) manifest: Manifest,
    /// What the log knows the manifest by: see [`lasting_hash`].
    pub(crate) hash: Hash,
    /// The dump file.
    pub(crate) dump: PathBuf,
}

impl Stored {
    /// Tells whether it was made here, as `past` remembers.
    #[must_use]
    pub(crate) fn standing(&self, past: &dyn Provenance) -> Standing {
        past.standing_of(&self.manifest.id, &self.hash)
    }
}

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
    /// Finds the store of a project, as [`place::find`] says. Nothing is created.
    ///
    /// # Errors
    ///
    /// As [`place::find`].
    pub(crate) fn locate(root: &Path, configured: Option<&str>) -> Result<Self, StoreError> {
        Ok(Store { directory: place::find(root, configured)? })
    }

    #[must_use]
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    #[must_use]
    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("audit.log")
    }

    /// Makes the folder (0700) with its `.gitignore` where it is missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Folder`] where it cannot be made or written, [`StoreError::WritableByOthers`] where it cannot be closed to
    /// others.
    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        let failed = |cause| StoreError::Folder { path: self.directory.clone(), cause };
        let gitignore = self.directory.join(".gitignore");
        if regular::read_own(&gitignore, regular::SMALL)
            .is_ok_and(|text| !GITIGNORE.as_bytes().starts_with(&text) || text == GITIGNORE.as_bytes())
        {
            return Ok(());
        }
        durable::private_folder(&self.directory).map_err(failed)?;
        fs::set_permissions(&self.directory, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        // Some file systems have no permissions of their own, and take the change without making it.
        expect_unshared(&self.directory)?;
        // Two that begin at once write the same bytes; a beginning that was left half written is completed.
        let written =
            regular::open_own_to_write(&gitignore, OpenOptions::new().write(true).create(true).truncate(false));
        written.and_then(|mut file| file.write_all(GITIGNORE.as_bytes())).map_err(failed)
    }

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
                        let directory = self.directory.clone();
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

    /// Writes what has changed of a manifest since it was written: who used the snapshot, how far it was checked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Manifest`], [`StoreError::Write`]; the manifest is left as it was.
    pub(crate) fn rewrite(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let path = self.manifest_path(&manifest.id);
        let failed = |cause| StoreError::Write { path: path.clone(), cause };
        let (_, stands) = self.read_value(&manifest.id)?;
        let text = brought_up_to_date(stands, manifest).and_then(|value| Json::pretty(&value));
        let text = format!("{}\n", text.map_err(|error| failed(error.into()))?);
        durable::write(&path, text.as_bytes()).map_err(failed)
    }

    /// Lists every snapshot, newest first by the manifests' own time, and the manifests that cannot be read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Folder`] where the folder is there and cannot be listed.
    pub(crate) fn list(&self) -> Result<(Vec<Stored>, Vec<StoreError>), StoreError> {
        let (mut stored, mut broken) = (Vec::new(), Vec::new());
        for name in self.names()? {
            let Some(id) = name.strip_suffix(".json") else { continue };
            match self.read_manifest(id) {
                Ok(snapshot) => stored.push(snapshot),
                Err(error) => broken.push(error),
            }
        }
        stored.sort_by(|a: &Stored, b: &Stored| {
            (b.manifest.taken_at, &b.manifest.id).cmp(&(a.manifest.taken_at, &a.manifest.id))
        });
        Ok((stored, broken))
    }

    /// Reads the snapshots one by one, newest first by the times in their names, and leaves out the manifests that
    /// cannot be read: who finds what it looks for need not read the rest.
    ///
    /// # Errors
    ///
    /// [`StoreError::Folder`] where the folder is there and cannot be listed.
    pub(crate) fn newest_first(&self) -> Result<impl Iterator<Item = Stored>, StoreError> {
        let names = self.names()?;
        let mut ids: Vec<String> =
            names.iter().filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
        ids.sort_by(|a, b| (time_in(b), b).cmp(&(time_in(a), a)));
        Ok(ids.into_iter().filter_map(|id| self.read_manifest(&id).ok()))
    }

    /// Removes a snapshot: the manifest first, so that a crash in between leaves a leftover and no broken snapshot.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] while a running command depends on it; [`StoreError::Write`] where it cannot be removed.
    pub(crate) fn remove(&self, stored: &Stored) -> Result<(), StoreError> {
        let dump = match regular::open_own(&stored.dump) {
            Ok(dump) => Some(dump),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(cause) => return Err(StoreError::Write { path: stored.dump.clone(), cause }),
        };
        if let Some(dump) = &dump
            && !try_lock(dump, Lock::Exclusive)
                .map_err(|cause| StoreError::Write { path: stored.dump.clone(), cause })?
        {
            return Err(StoreError::InUse { id: stored.manifest.id.clone() });
        }
        let path = self.manifest_path(&stored.manifest.id);
        let failed = |cause| StoreError::Write { path: path.clone(), cause };
        remove_if_there(&path).map_err(failed)?;
        durable::sync_folder(&self.directory).map_err(failed)?;
        remove_if_there(&stored.dump).map_err(|cause| StoreError::Write { path: stored.dump.clone(), cause })
    }

    /// Marks a snapshot as needed until the returned file is closed: prune leaves it alone.
    ///
    /// # Errors
    ///
    /// [`StoreError::Write`] where it is gone, or is being removed.
    pub(crate) fn hold(&self, id: &str) -> Result<File, StoreError> {
        let path = self.dump_path(id);
        let failed = |cause| StoreError::Write { path: path.clone(), cause };
        let dump = regular::open_own(&path).map_err(failed)?;
        let is_held = try_lock(&dump, Lock::Shared).map_err(failed)?;
        if !is_held || !is_at(&dump, &path) || !self.manifest_path(id).exists() {
            return Err(failed(io::ErrorKind::NotFound.into()));
        }
        Ok(dump)
    }

    /// Reads the snapshot of that name.
    ///
    /// # Errors
    ///
    /// [`StoreError::Manifest`] where its manifest is missing or cannot be read.
    pub(crate) fn read_manifest(&self, id: &str) -> Result<Stored, StoreError> {
        let (manifest, value) = self.read_value(id)?;
        Ok(Stored { dump: self.directory.join(&manifest.file), hash: lasting_hash(value), manifest })
    }

    fn read_value(&self, id: &str) -> Result<(Manifest, Value), StoreError> {
        let path = self.manifest_path(id);
        let broken = |reason: String| StoreError::Manifest { path: path.clone(), reason };
        let text = regular::read_own(&path, regular::LARGE).map_err(|error| broken(error.to_string()))?;
        let broken_json = |error: serde_json::Error| broken(ForeignText::of(error).to_string());
        let value: Value = serde_json::from_slice(&text).map_err(broken_json)?;
        let manifest = Manifest::deserialize(&value).map_err(broken_json)?;
        // The manifest says where the dump is; a name with a folder in it is not one that we wrote.
        if manifest.schema != 1 || manifest.id != id || manifest.file != format!("{id}.dump") {
            return Err(broken("it is not the manifest of the snapshot it is named after".to_owned()));
        }
        Ok((manifest, value))
    }

    pub(crate) fn names(&self) -> Result<Vec<String>, StoreError> {
        let failed = |cause| StoreError::Folder { path: self.directory.clone(), cause };
        match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(cause) => Err(failed(cause)),
            Ok(entries) => {
                let mut names = Vec::new();
                for entry in entries {
                    names.extend(entry.map_err(failed)?.file_name().into_string());
                }
                names.sort();
                Ok(names)
            }
        }
    }

    pub(crate) fn manifest_path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.json"))
    }

    pub(crate) fn marker_path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.json.partial"))
    }

    fn dump_path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.dump"))
    }

    /// Where an engine writes the dump of a snapshot until it counts.
    pub(crate) fn partial_path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.dump.partial"))
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

/// Makes a database's name fit for a file name; the manifest has the true one.
fn fit_for_a_file_name(name: &str) -> String {
    let fit: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).take(80).collect();
    let fit = fit.trim_start_matches(['.', '-']);
    if fit.is_empty() { "database".to_owned() } else { fit.to_owned() }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Finds the time in a snapshot's name: `20261121_143022` in `app_test_20261121_143022_2`.
pub(crate) fn time_in(id: &str) -> Option<&str> {
    let is_time = |text: &&str| {
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        text.len() == 15
            && text.split_once('_').is_some_and(|(date, time)| date.len() == 8 && is_number(date) && is_number(time))
    };
    let ending = |id: &'_ str| id.len().checked_sub(15);
    let whole = ending(id).and_then(|at| id.get(at..)).filter(is_time);
    whole.or_else(|| {
        let (id, _) = id.rsplit_once('_')?;
        id.get(ending(id)?..).filter(is_time)
    })
}
