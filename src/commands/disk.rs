//! Gives the deciding stages the file system, and remembers what of it could not be read.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::environment::files::HEAD;
use crate::environment::not_followed::{GivenUp, NotFollowed};
use crate::environment::{Condition, Files, Folder, Origin, Project};
use crate::regular;
use crate::regular::pipe;
use crate::regular::pipe::Patience;

/// The real file system.
#[derive(Default)]
pub(crate) struct Disk {
    /// What pipes said that a person has named: no second reader gets it.
    pipes: BTreeMap<PathBuf, Vec<u8>>,
    /// What is there and could not be read, and why.
    unread: RefCell<BTreeMap<PathBuf, String>>,
}

impl Disk {
    /// Reads the pipe that `path` names, once; does nothing where it names something else.
    ///
    /// # Errors
    ///
    /// As [`pipe::read`].
    pub(crate) fn read_pipe(&mut self, path: &Path) -> io::Result<()> {
        if !self.is_pipe(path)
            && let Some(bytes) = pipe::read(path, regular::LARGE, Patience::USUAL)?
        {
            self.pipes.insert(path.to_owned(), bytes);
        }
        Ok(())
    }

    /// Tells whether `path` was read by [`Disk::read_pipe`].
    pub(crate) fn is_pipe(&self, path: &Path) -> bool {
        self.pipes.contains_key(path)
    }

    /// Lists what was asked for so far, is there and could not be read, except what is in `known`: it could name a database
    /// or run a command, whoever asked for it.
    pub(crate) fn not_followed(&self, project: &Project, known: &[Condition]) -> Vec<Condition> {
        let is_known = |file: &Path| {
            known.iter().any(|one| match one {
                Condition::UnreadableFile { file: known, .. } => known == file,
                Condition::NotFollowed(NotFollowed { place, .. }) => place.file.as_deref() == Some(file),
                _ => false,
            })
        };
        let unread = self.unread.borrow();
        let in_project = |path: &PathBuf| if *path == project.root { ".".into() } else { project.shown(path) };
        let shown = unread.iter().map(|(path, why)| (in_project(path), why));
        let new = shown.filter(|(file, _)| !is_known(file)).map(|(file, why)| {
            let place = Origin::whole_file(file, None);
            Condition::NotFollowed(NotFollowed::at(place, GivenUp::Unreadable(why.clone())))
        });
        new.collect()
    }

    /// Reads as `read` does, and remembers what keeps an existing file from being read.
    fn noting(&self, path: &Path, read: impl FnOnce(&Path) -> io::Result<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.pipes.get(path) {
            return Ok(Some(bytes.clone()));
        }
        match read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(_) if regular::is_null_device(path) => Ok(Some(Vec::new())),
            Err(error) => {
                // Whoever opens a folder for a file gets nothing out of it either.
                if error.kind() != io::ErrorKind::IsADirectory {
                    self.unread.borrow_mut().insert(path.to_owned(), error.to_string());
                }
                Err(error)
            }
        }
    }
}

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.noting(path, |path| regular::read(path, regular::LARGE))
    }

    fn head(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.noting(path, |path| regular::head(path, HEAD))
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn list(&self, path: &Path) -> Vec<OsString> {
        let listed = fs::read_dir(path).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
        listed.unwrap_or_else(|error: io::Error| {
            // Of one that nobody looks into, as the data folder of a container's database, the command sees nothing either.
            if error.kind() != io::ErrorKind::NotADirectory && can_look_into(path) {
                self.unread.borrow_mut().insert(path.to_owned(), format!("it cannot be listed: {error}"));
            }
            Vec::new()
        })
    }

    fn folder(&self, path: &Path) -> Option<Folder> {
        let mut found = fs::symlink_metadata(path).ok()?;
        let is_link = found.is_symlink();
        if is_link {
            found = fs::metadata(path).ok()?;
        }
        found.is_dir().then(|| Folder { id: (found.dev(), found.ino()), is_link })
    }
}

/// Tells whether what lies in a folder can be opened by its name.
pub(crate) fn can_look_into(folder: &Path) -> bool {
    access(folder, Access::EXEC_OK).is_ok()
}
