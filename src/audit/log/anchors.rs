//! The anchors in the user's state directory.
//!
//! `audit/anchors/ID/PLACE` remembers the end of the log with that id at that place, `audit/places/PLACE` which
//! log was last seen there. PLACE is a hash of the log's path. So a log that moved is known again by its id, one
//! that is gone is missed at its place, and a copied project goes on beside its original.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::audit::AuditError;
use crate::audit::anchor::{Anchor, SLOT};
use crate::durable;
use crate::hash::Hash;
use crate::regular;

/// Gives the folder of all anchors below a state directory. Nothing else is kept in it.
pub(crate) fn anchors_folder(state_directory: &Path) -> PathBuf {
    state_directory.join("audit")
}

/// The anchors below one state directory.
#[derive(Debug, Clone)]
pub(crate) struct Anchors {
    folder: PathBuf,
}

/// An anchor with the file that holds it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    /// `None` where the file cannot be understood.
    pub(crate) anchor: Option<Anchor>,
}

/// A log's place: the name its path goes by in the state directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogPlace(String);

impl LogPlace {
    pub(crate) fn of(log: &Path) -> Self {
        LogPlace(Hash::of(log.as_os_str().as_encoded_bytes()).to_string()[..32].to_owned())
    }
}

impl Anchors {
    pub(crate) fn below(state_directory: &Path) -> Self {
        Anchors { folder: anchors_folder(state_directory) }
    }

    /// Gives the folder that they are kept in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the id of the log that was last seen at `place`.
    pub(crate) fn log_at(&self, place: &LogPlace) -> Result<Option<String>, AuditError> {
        let path = self.place_path(place);
        match regular::read_own(&path, regular::SMALL) {
            Ok(text) => Ok(Some(String::from_utf8_lossy(&text).trim_end().to_owned()).filter(|id| is_id(id))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(AuditError::Anchor { path, source }),
        }
    }

    /// Remembers that the log `id` is at `place`.
    pub(crate) fn set_log_at(&self, place: &LogPlace, id: &str) -> Result<(), AuditError> {
        let path = self.place_path(place);
        self.write(&path, format!("{id}\n").as_bytes()).map_err(|source| AuditError::Anchor { path, source })
    }

    /// Takes the anchor of a log that moved along to its new place, and forgets that the log was at the old one.
    pub(crate) fn follow(&self, kept: &Path, id: &str, place: &LogPlace) -> Result<PathBuf, AuditError> {
        let own = self.anchor_path(id, place);
        let renamed = durable::rename(kept, &own);
        renamed.map_err(|source| AuditError::Anchor { path: own.clone(), source })?;
        if let Some(name) = kept.file_name() {
            let old = LogPlace(name.to_string_lossy().into_owned());
            if self.log_at(&old)?.as_deref() == Some(id) {
                // Where this fails, the log is missed at the old place though it is elsewhere: the safe mistake.
                let _ = fs::remove_file(self.place_path(&old));
            }
        }
        Ok(own)
    }

    pub(crate) fn anchor_path(&self, id: &str, place: &LogPlace) -> PathBuf {
        self.folder.join("anchors").join(id).join(&place.0)
    }

    /// Reads the anchor of the log `id` at `place`.
    pub(crate) fn load(&self, id: &str, place: &LogPlace) -> Result<Option<Kept>, AuditError> {
        load(self.anchor_path(id, place))
    }

    /// Reads the anchors of the log `id` at every place.
    pub(crate) fn load_all(&self, id: &str) -> Result<Vec<Kept>, AuditError> {
        let folder = self.folder.join("anchors").join(id);
        let failed = |source| AuditError::Anchor { path: folder.clone(), source };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(failed(source)),
        };
        let mut kept = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            // A name with an ending is a temporary file that a kill left behind.
            if path.extension().is_none() {
                kept.extend(load(path)?.filter(|kept| kept.anchor.is_some()));
            }
        }
        Ok(kept)
    }

    /// Makes an anchor's file anew with `anchor` in it, under its name only once it is whole.
    pub(crate) fn create(&self, path: &Path, anchor: &Anchor) -> Result<AnchorFile, AuditError> {
        let written = encode(anchor).and_then(|(bytes, at)| {
            let mut file = vec![0; 2 * SLOT];
            file[at as usize..at as usize + bytes.len()].copy_from_slice(&bytes);
            self.write(path, &file)
        });
        written.map_err(|source| AuditError::Anchor { path: path.to_owned(), source })?;
        AnchorFile::open(path)
    }

    /// Writes a private file, and its folder where that is not there.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        durable::private_folder(path.parent().unwrap_or(Path::new("/")))?;
        durable::write_from(&self.folder, path, bytes)
    }

    /// Removes what killed calls have left unfinished.
    pub(crate) fn clear_unfinished(&self) {
        durable::clear_unfinished(&self.folder);
    }

    fn place_path(&self, place: &LogPlace) -> PathBuf {
        self.folder.join("places").join(&place.0)
    }
}

/// Tells whether `text` has the form of a log's id; what is read from a log becomes part of a path only if it has.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn load(path: PathBuf) -> Result<Option<Kept>, AuditError> {
    match regular::read_own(&path, regular::SMALL) {
        Ok(bytes) => Ok(Some(Kept { anchor: Anchor::decode(&bytes), path })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AuditError::Anchor { path, source }),
    }
}

/// An anchor file that is open for being written in turn.
#[derive(Debug)]
pub(crate) struct AnchorFile {
    file: File,
    path: PathBuf,
}

impl AnchorFile {
    /// Opens the file at `path`, whose both slots exist.
    pub(crate) fn open(path: &Path) -> Result<Self, AuditError> {
        let file = regular::open_own_to_write(path, OpenOptions::new().write(true));
        let file = file.map_err(|source| AuditError::Anchor { path: path.to_owned(), source })?;
        Ok(AnchorFile { file, path: path.to_owned() })
    }

    /// Writes `anchor` into the slot that its generation points at, and syncs it; the other slot stays.
    pub(crate) fn write(&self, anchor: &Anchor) -> Result<(), AuditError> {
        self.put(anchor).and_then(|()| self.file.sync_data()).map_err(|source| self.failed(source))
    }

    /// Writes `anchor` like [`AnchorFile::write`], but leaves it to the kernel when it reaches the disk: after a power
    /// loss the slot before it may count.
    pub(crate) fn write_unsynced(&self, anchor: &Anchor) -> Result<(), AuditError> {
        self.put(anchor).map_err(|source| self.failed(source))
    }

    fn put(&self, anchor: &Anchor) -> io::Result<()> {
        let (bytes, at) = encode(anchor)?;
        self.file.write_all_at(&bytes, at)
    }

    fn failed(&self, source: io::Error) -> AuditError {
        AuditError::Anchor { path: self.path.clone(), source }
    }
}

fn encode(anchor: &Anchor) -> io::Result<(Vec<u8>, u64)> {
    anchor.encode().map_err(io::Error::other)
}
