//! Database files that lie in the project, found by how they begin: what a run without a name may touch unnamed.
//!
//! What tools made for themselves is left out (`left_out.txt`), and so are sources and the like
//! (`text_and_pictures.txt`); links are not followed. The search is bounded; one that
//! was cut off says so, and proves nothing.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::commands::disk::can_look_into;
use crate::lists::{List, list};
use crate::reach::{Engine, looks_like_file};
use crate::regular;
use crate::snapshot;
use crate::snapshot::FileMark;
use crate::text::shown;

static LEFT_OUT: List = list!("left_out.txt");
static TEXT_AND_PICTURES: List = list!("text_and_pictures.txt");

/// How much is looked at before the search is given up.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Names in folders.
    names: usize,
    time: Duration,
}

/// A large monorepo has about 100 000 names, which are looked at in a fifth of a second.
const BOUNDS: Bounds = Bounds { names: 250_000, time: Duration::from_secs(2) };

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The files with their engines, sorted by path; absolute.
    pub(crate) files: Vec<(PathBuf, Engine)>,
    /// Why not all of the project was looked through, a phrase; `None` where it was.
    pub(crate) cut: Option<String>,
}

/// A search that runs beside other work; dropped, it ends soon.
pub(crate) struct Search {
    thread: io::Result<JoinHandle<Found>>,
    stop: Arc<AtomicBool>,
}

impl Search {
    /// Begins to look through the project at `root`; the folder of its snapshots, `store`, is left out.
    pub(crate) fn begin(root: &Path, store: Option<&Path>) -> Search {
        let (root, store) = (root.to_owned(), store.map(Path::to_owned));
        let stop = Arc::new(AtomicBool::new(false));
        let is_stopped = Arc::clone(&stop);
        let thread = Builder::new().spawn(move || find(&root, store.as_deref(), BOUNDS, &is_stopped));
        Search { thread, stop }
    }

    /// Waits for the end of it.
    pub(crate) fn finish(mut self) -> Found {
        let never_begun = io::Error::other("it was not begun");
        match std::mem::replace(&mut self.thread, Err(never_begun)) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(error) => Found { cut: Some(format!("the system starts no thread: {error}")), ..Found::default() },
        }
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn find(root: &Path, store: Option<&Path>, bounds: Bounds, is_stopped: &AtomicBool) -> Found {
    let started = Instant::now();
    let marks: Vec<FileMark> = snapshot::file_marks().collect();
    let mut found = Found::default();
    let mut folders = vec![root.to_owned()];
    let mut names = 0;
    while let Some(folder) = folders.pop() {
        let entries = match list(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                found.cut = Some(format!("{} could not be looked through: {error}", shown(&folder)));
                break;
            }
        };
        names += entries.len();
        if names > bounds.names || started.elapsed() > bounds.time || is_stopped.load(Ordering::Relaxed) {
            found.cut = Some("the project has more files than are looked through".to_owned());
            break;
        }
        if folder != root && entries.iter().any(|entry| left_out(entry) == Some("mark")) {
            continue;
        }
        for entry in entries {
            // A link leads out of the project, or to what is found by itself.
            let Ok(kind) = entry.file_type() else { continue };
            if !(kind.is_dir() || kind.is_file()) || left_out(&entry) == Some("") {
                continue;
            }
            if kind.is_file() && is_text_or_picture(&entry) {
                continue;
            }
            let path = entry.path();
            if kind.is_dir() {
                if Some(path.as_path()) != store {
                    folders.push(path);
                }
                continue;
            }
            match engine_of(&entry, &path, &marks) {
                Ok(Some(engine)) => found.files.push((path, engine)),
                Ok(None) => {}
                Err(error) => found.cut = Some(format!("{} could not be looked at: {error}", shown(&path))),
            }
        }
    }
    found.files.sort();
    found
}

/// Lists a folder; nothing where neither this account nor the command may look into it, or where it has gone.
fn list(folder: &Path) -> io::Result<Vec<DirEntry>> {
    match fs::read_dir(folder).and_then(Iterator::collect) {
        Err(error) if is_nothing(&error) && !can_look_into(folder) => Ok(Vec::new()),
        listed => listed,
    }
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory)
}

/// Finds what the list of what is left out says of a name.
fn left_out(entry: &DirEntry) -> Option<&'static str> {
    LEFT_OUT.find(entry.file_name().to_str()?)
}

/// Tells whether a file is of a kind that no database is, by its name.
fn is_text_or_picture(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let ending = name.to_str().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending);
    ending.is_some_and(|ending| TEXT_AND_PICTURES.contains(ending))
}

/// Finds the engine whose database a file is, by its first bytes; by its length, most files need not be opened.
fn engine_of(entry: &DirEntry, path: &Path, marks: &[FileMark]) -> io::Result<Option<Engine>> {
    let looked_at = || {
        let length = entry.metadata()?.len();
        let is_named_so = || entry.file_name().to_str().is_some_and(looks_like_file);
        let may_be = |mark: &&FileMark| length >= mark.unit && (length.is_multiple_of(mark.unit) || is_named_so());
        let Some(longest) = marks.iter().filter(may_be).map(|mark| mark.beginning.len()).max() else { return Ok(None) };
        let head = regular::head(path, longest)?;
        Ok(marks.iter().find(|mark| head.starts_with(mark.beginning)).map(|mark| mark.engine))
    };
    match looked_at() {
        Err(error) if is_nothing(&error) => Ok(None),
        looked => looked,
    }
}

#[cfg(test)]
mod tests;
