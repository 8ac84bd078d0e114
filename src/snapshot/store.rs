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

use serde::Deserialize;
use serde_json::Value;

use crate::durable;
use crate::hash::Hash;
use crate::json::Json;
use crate::lock::{Lock, is_at, try_lock};
use crate::regular;
use crate::secret::ForeignText;
use crate::snapshot::id::time_in;
use crate::snapshot::manifest::{brought_up_to_date, lasting_hash};
use crate::snapshot::place;
use crate::snapshot::place::{GITIGNORE, expect_unshared};
use crate::snapshot::{Kind, Manifest, Provenance, Standing, StoreError};

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

    /// Tells whether no run's or manual snapshot is newer than `id` of the same database. One that is not there is not the newest;
    /// where the folder cannot be read, any may be.
    pub(crate) fn is_newest(&self, id: &str) -> bool {
        let Ok(newest_first) = self.newest_first() else { return true };
        let mut met = Vec::new();
        for Stored { manifest, .. } in newest_first.filter(|stored| stored.manifest.kind != Kind::Safety) {
            if manifest.id == id {
                return !met.contains(&(manifest.engine, manifest.target));
            }
            met.push((manifest.engine, manifest.target));
        }
        false
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

    pub(crate) fn dump_path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.dump"))
    }

    /// Where an engine writes the dump of a snapshot until it counts.
    pub(crate) fn partial_path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.dump.partial"))
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
