//! Database files that lie in the project, found by how they begin: what a run without a name may touch unnamed.
//!
//! What tools made for themselves is left out (`left_out.txt`), and so are sources and the like
//! (`text_and_pictures.txt`); links are not followed. The search is bounded; one that
//! was cut off says so, and proves nothing.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Dir, FileType};

use crate::commands::disk::can_look_into;
use crate::lists::{List, list};
use crate::reach::{Engine, looks_like_file, main_file};
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

/// Finds which of these files are databases; what is not there, or no file, is none. One that may not be read is, where it is
/// called so.
pub(crate) fn among(paths: impl IntoIterator<Item = PathBuf>) -> Vec<(PathBuf, Engine)> {
    let marks: Vec<FileMark> = snapshot::file_marks().collect();
    let engine = |path: &Path| match engine_of(path, &marks) {
        Ok(engine) => engine,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            marks.first().filter(|_| path.to_str().is_some_and(looks_like_file)).map(|mark| mark.engine)
        }
        Err(_) => None,
    };
    paths.into_iter().filter_map(|path| engine(&path).map(|engine| (path, engine))).collect()
}

/// Tells whether a run of a command that names this file would save what is in it, or there is nothing to save.
pub(crate) fn is_saved(path: &Path) -> bool {
    let marks: Vec<FileMark> = snapshot::file_marks().collect();
    let main = path.to_str().map_or(path, |path| Path::new(main_file(path)));
    match engine_of(main, &marks) {
        Ok(engine) => engine.is_some() || regular::head(main, 1).is_ok_and(|head| head.is_empty()),
        Err(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    }
}

/// Finds the engine whose database a file is, by how it begins.
fn engine_of<'m>(path: &Path, marks: impl IntoIterator<Item = &'m FileMark> + Clone) -> io::Result<Option<Engine>> {
    let longest = marks.clone().into_iter().map(|mark| mark.beginning.len()).max();
    let head = regular::head(path, longest.unwrap_or_default())?;
    Ok(marks.into_iter().find(|mark| head.starts_with(mark.beginning)).map(|mark| mark.engine))
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
    let mut folders = vec![Folder { parent: None, path: root.to_owned() }];
    let mut names = 0;
    while let Some(folder) = folders.pop() {
        let Listed { handle, entries } = match folder.list() {
            Ok(listed) => listed,
            Err(error) => {
                found.cut = Some(format!("{} could not be looked through: {error}", shown(&folder.path)));
                break;
            }
        };
        names += entries.len();
        if names > bounds.names || started.elapsed() > bounds.time || is_stopped.load(Ordering::Relaxed) {
            found.cut = Some("the project has more files than are looked through".to_owned());
            break;
        }
        // The project itself may be called anything, and lie anywhere.
        if folder.path != root && entries.iter().any(|entry| entry.left_out == Some("mark")) {
            continue;
        }
        for entry in entries.into_iter().filter(|entry| entry.left_out != Some("")) {
            let path = folder.path.join(OsStr::from_bytes(entry.name.to_bytes()));
            if entry.is_folder {
                if Some(path.as_path()) != store {
                    folders.push(Folder { parent: handle.clone(), path });
                }
                continue;
            }
            match entry.engine(handle.as_deref(), &path, &marks) {
                Ok(Some(engine)) => found.files.push((path, engine)),
                Ok(None) => {}
                Err(error) => found.cut = Some(format!("{} could not be looked at: {error}", shown(&path))),
            }
        }
    }
    found.files.sort();
    found
}

/// A folder that is to be looked through.
struct Folder {
    /// The one that it is in, open; `None` for the project's root. Opened from there, the way to it is not looked up again.
    parent: Option<Rc<Dir>>,
    path: PathBuf,
}

/// A folder that is open, and what is in it; nothing where it could not be, and need not be.
#[derive(Default)]
struct Listed {
    handle: Option<Rc<Dir>>,
    entries: Vec<Entry>,
}

/// A folder, or a file that is looked at.
struct Entry {
    name: CString,
    is_folder: bool,
    /// What the list of what is left out says of its name.
    left_out: Option<&'static str>,
}

impl Folder {
    /// Lists it; nothing where neither this account nor the command may look into it, or where it has gone.
    fn list(&self) -> io::Result<Listed> {
        match self.open().and_then(Listed::of) {
            Err(error) if is_nothing(&error) && !can_look_into(&self.path) => Ok(Listed::default()),
            listed => listed,
        }
    }

    fn open(&self) -> io::Result<Dir> {
        let path = CString::new(self.path.as_os_str().as_bytes())?;
        let folder = match &self.parent {
            None => regular::open_folder(CWD, &path, true)?,
            Some(parent) => {
                let name = CString::new(self.path.file_name().unwrap_or_default().as_bytes())?;
                regular::open_folder(parent.fd()?, &name, false)?
            }
        };
        Ok(Dir::new(folder)?)
    }
}

impl Listed {
    fn of(mut folder: Dir) -> io::Result<Listed> {
        let mut entries = Vec::new();
        while let Some(entry) = folder.read() {
            let entry = entry?;
            let name = entry.file_name();
            if !matches!(name.to_bytes(), b"." | b"..") {
                entries.push((name.to_owned(), entry.file_type()));
            }
        }
        let handle = folder.fd()?;
        let entries = entries.into_iter().map(|(name, kind)| Entry::new(handle, name, kind)).collect();
        Ok(Listed { entries, handle: Some(Rc::new(folder)) })
    }
}

impl Entry {
    fn new(folder: BorrowedFd<'_>, name: CString, kind: FileType) -> Entry {
        let text = name.to_str().ok();
        let mut left_out = text.and_then(|name| LEFT_OUT.find(name));
        let kind = match kind {
            // Some file systems do not say.
            FileType::Unknown => look_at(folder, &name).map_or(FileType::Unknown, |found| found.kind),
            kind => kind,
        };
        // A link leads out of the project, or to what is found by itself.
        let is_looked_at = match kind {
            FileType::Directory => true,
            FileType::RegularFile => !text.is_some_and(is_text_or_picture),
            _ => false,
        };
        if !is_looked_at {
            left_out = left_out.or(Some(""));
        }
        Entry { name, is_folder: kind == FileType::Directory, left_out }
    }

    /// Finds the engine whose database a file is, by its first bytes; by its length, most files need not be opened.
    fn engine(&self, folder: Option<&Dir>, path: &Path, marks: &[FileMark]) -> io::Result<Option<Engine>> {
        let Some(folder) = folder else { return Ok(None) };
        let looked_at = || {
            let length = look_at(folder.fd()?, &self.name)?.length;
            let is_named_so = || self.name.to_str().is_ok_and(looks_like_file);
            let may_be = |mark: &&FileMark| length >= mark.unit && (length.is_multiple_of(mark.unit) || is_named_so());
            if marks.iter().any(|mark| may_be(&mark)) { engine_of(path, marks) } else { Ok(None) }
        };
        match looked_at() {
            Err(error) if is_nothing(&error) => Ok(None),
            looked => looked,
        }
    }
}

/// What the file system says of a name.
struct Look {
    kind: FileType,
    length: u64,
}

fn look_at(folder: BorrowedFd<'_>, name: &CStr) -> io::Result<Look> {
    let found = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let length = u64::try_from(found.st_size).unwrap_or_default();
    Ok(Look { kind: FileType::from_raw_mode(found.st_mode), length })
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory)
}

/// Tells whether a file is of a kind that no database is, by its name.
fn is_text_or_picture(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| TEXT_AND_PICTURES.contains(ending))
}

#[cfg(test)]
mod tests;
