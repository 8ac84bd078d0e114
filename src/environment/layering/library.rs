//! Reads files once, and each dotenv file once for every dialect that tells something else about it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::{HashMap, HashSet};
use crate::environment::condition::{Condition, FileProblem, LARGEST_FILE, ProblemKind};
use crate::environment::layering::loaded_file::LoadedFile;
use crate::environment::layering::memo::Memo;
use crate::environment::not_followed::{Gaps, GivenUp};
use crate::environment::readers::code;
use crate::environment::readers::code::javascript::without_comments;
use crate::environment::readers::code::{Comments, Pair};
use crate::environment::readers::dotenv::{Dialect, Document};
use crate::environment::readers::encoding::{decoded, utf_16};
use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::formats::{FlatEntry, Flatten};
use crate::environment::{Files, Origin, Project, Setting};
use crate::text::{line_at, shown};

/// How many dialects read a file, and by line how many of them stumbled there, and why.
#[derive(Default)]
struct Stumbles {
    readers: u32,
    lines: BTreeMap<u32, (u32, String)>,
}

/// Parts of names of files in a format that is read as UTF-16, too, by whoever reads it.
const READ_AS_UTF_16: &[&str] = &[".xml", ".json", ".yml", ".yaml"];

type Entries = Rc<Vec<FlatEntry>>;

/// The files of one survey, by the bytes of their paths: these are compared sooner than the parts are.
pub(crate) struct Library<'a> {
    pub(crate) files: &'a dyn Files,
    project: &'a Project,
    loaded: RefCell<HashMap<OsString, Option<Rc<LoadedFile>>>>,
    manifests: RefCell<HashMap<OsString, Rc<str>>>,
    /// With the address of the reader: each scene asks for the same files.
    flattened: RefCell<HashMap<(OsString, usize), Entries>>,
    problems: RefCell<Vec<FileProblem>>,
    stumbles: RefCell<BTreeMap<PathBuf, Stumbles>>,
    conditions: RefCell<Vec<Condition>>,
    /// What load orders made of files, by a key that says of which, and what for.
    made: Memo,
    /// What was not followed, of the command as of files.
    pub(crate) gaps: Gaps,
}

impl<'a> Library<'a> {
    pub(crate) fn new(files: &'a dyn Files, project: &'a Project) -> Self {
        Library {
            files,
            project,
            loaded: RefCell::default(),
            manifests: RefCell::default(),
            flattened: RefCell::default(),
            problems: RefCell::default(),
            stumbles: RefCell::default(),
            conditions: RefCell::default(),
            made: Memo::default(),
            gaps: Gaps::default(),
        }
    }

    /// Tells whether something is there.
    pub(crate) fn exists(&self, path: &Path) -> bool {
        self.files.exists(path)
    }

    /// Reads a file that a loader would read; what keeps it from being read is noted as a problem.
    fn file(&self, path: &Path) -> Option<Rc<LoadedFile>> {
        if let Some(kept) = self.loaded.borrow().get(path.as_os_str()) {
            return kept.clone();
        }
        let file = self.read(path).map(Rc::new);
        self.loaded.borrow_mut().insert(path.as_os_str().to_owned(), file.clone());
        file
    }

    /// Gives `path` as it is shown to people.
    pub(crate) fn shown(&self, path: &Path) -> PathBuf {
        self.project.shown(path)
    }

    /// Reads the text of a file that a loader would read; bytes that are not UTF-8 are replaced.
    pub(crate) fn string(&self, path: &Path) -> Option<String> {
        self.file(path).map(|file| decoded(&file.bytes).into_owned())
    }

    /// Reads the text of a manifest, empty where it is none. It is no file of the environment, but tells which are.
    pub(crate) fn manifest(&self, path: &Path) -> Rc<str> {
        if let Some(kept) = self.manifests.borrow().get(path.as_os_str()) {
            return Rc::clone(kept);
        }
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes.unwrap_or_default(),
            Err(error) => {
                if error.kind() != io::ErrorKind::IsADirectory {
                    self.give_up(path, None, GivenUp::Unreadable(error.to_string()));
                }
                Vec::new()
            }
        };
        let text: Rc<str> = decoded(&bytes).into();
        self.manifests.borrow_mut().insert(path.as_os_str().to_owned(), Rc::clone(&text));
        text
    }

    /// Reads the entries of the settings file at `path` as `flatten` reads them; what is given up on in it is
    /// noted.
    pub(crate) fn entries(&self, path: &Path, flatten: Flatten) -> Option<Rc<Vec<FlatEntry>>> {
        // Two readers that the linker gives one address read the same.
        let key = (path.as_os_str().to_owned(), flatten as usize);
        if let Some(kept) = self.flattened.borrow().get(&key) {
            return Some(Rc::clone(kept));
        }
        let flat = flatten(&self.string(path)?);
        let entries = Rc::new(flat.entries(|stop| self.give_up(path, Some(stop.line), stop.why)));
        self.flattened.borrow_mut().insert(key, Rc::clone(&entries));
        Some(entries)
    }

    /// Makes something once of what files say: each scene, and each module of it, asks for the same. `key` says of which
    /// files, and what it is.
    pub(crate) fn once<T: 'static>(&self, key: String, make: impl FnOnce() -> T) -> Rc<T> {
        self.made.once(key, make)
    }

    /// Finds the pairs in `text`, which is code of the file at `path`; what is cut off is noted.
    pub(crate) fn pairs(&self, path: &Path, text: &str, comments: Comments) -> Vec<Pair> {
        code::pairs(text, comments).all(|line, why| self.give_up(path, Some(line), why))
    }

    /// Finds the pairs of a file of code whose comments begin with slashes, once; none where it is not there.
    pub(crate) fn pairs_of_code(&self, path: &Path) -> Rc<Vec<Pair>> {
        self.once(format!("pairs of {}", shown(path)), || {
            let text = self.string(path).unwrap_or_default();
            self.pairs(path, &text, Comments::Slashes)
        })
    }

    /// Reads a file of JavaScript or TypeScript without its comments, once; `None` where it is not there.
    pub(crate) fn code(&self, path: &Path) -> Option<Rc<String>> {
        let code = self.once(format!("code of {}", shown(path)), || {
            let tell = |line, why| self.give_up(path, Some(line), why);
            self.string(path).map(|text| Rc::new(without_comments(&text, tell)))
        });
        Option::clone(&code)
    }

    fn read(&self, path: &Path) -> Option<LoadedFile> {
        let shown = self.project.shown(path);
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes?,
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                // Whatever else can be opened (a pipe of a password manager's) may say anything.
                self.give_up(path, None, GivenUp::Unreadable(error.to_string()));
                return None;
            }
            Err(error) => {
                let (kind, why) = match error.kind() {
                    io::ErrorKind::IsADirectory => (ProblemKind::Folder, "it is a folder".to_owned()),
                    io::ErrorKind::FileTooLarge => (ProblemKind::TooLarge, "it is too large".to_owned()),
                    _ => (ProblemKind::Unreadable, error.to_string()),
                };
                self.unreadable(shown, kind, why);
                return None;
            }
        };
        if bytes.len() > LARGEST_FILE {
            let why = format!("it is larger than {} MiB", LARGEST_FILE >> 20);
            self.unreadable(shown, ProblemKind::TooLarge, why);
            return None;
        }
        if let Some(text) = utf_16(&bytes) {
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
            if !READ_AS_UTF_16.iter().any(|ending| name.contains(ending)) {
                let why = "it is UTF-16, which only some loaders read; save it as UTF-8";
                self.give_up(path, None, GivenUp::Form(why.into()));
            }
            return Some(LoadedFile::new(shown, text.into_bytes()));
        }
        if let Err(error) = std::str::from_utf8(&bytes) {
            let line = line_at(&bytes, error.valid_up_to());
            let message = "holds bytes that are not UTF-8".to_owned();
            self.problem(FileProblem { file: shown.clone(), line: Some(line), message, kind: ProblemKind::NotUtf8 });
        }
        Some(LoadedFile::new(shown, bytes))
    }

    fn unreadable(&self, file: PathBuf, kind: ProblemKind, why: String) {
        self.conditions.borrow_mut().push(Condition::UnreadableFile { file: file.clone(), why: why.clone() });
        self.problem(FileProblem { file, line: None, message: why, kind });
    }

    pub(crate) fn problem(&self, problem: FileProblem) {
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Notes that a file was given up on, at `line` where one is to blame.
    pub(crate) fn give_up(&self, path: &Path, line: Option<u32>, why: GivenUp) {
        let place = Origin::whole_file(self.project.shown(path), line);
        self.gaps.give_up(place, why);
    }

    /// Reads the settings that `dialect` reads from the dotenv file at `path`; `lookup` gives what was loaded before.
    pub(crate) fn dotenv(&self, path: &Path, dialect: Dialect, lookup: Lookup<'_>) -> Option<Rc<Vec<Rc<Setting>>>> {
        let file = self.file(path)?;
        if file.is_read_by_one() {
            self.give_up(
                path,
                None,
                GivenUp::too_much("it is larger than 256 KiB, so that it was not read in each dialect"),
            );
        }
        Some(file.settings(dialect, lookup, |document| self.note_stumbles(path, document)))
    }

    /// Tells what the dotenv file at `path` says about `name`, nothing expanded.
    pub(crate) fn unexpanded(&self, path: &Path, name: &str) -> Option<String> {
        self.file(path)?.unexpanded(name)
    }

    /// Tells whether every dialect reads the same from the file.
    pub(crate) fn is_plain(&self, path: &Path) -> bool {
        self.file(path).is_none_or(|file| file.is_plain)
    }

    fn note_stumbles(&self, path: &Path, document: &Document) {
        let mut stumbles = self.stumbles.borrow_mut();
        let stumbles = stumbles.entry(path.to_owned()).or_default();
        stumbles.readers += 1;
        let mut seen = HashSet::default();
        for problem in document.problems.iter().filter(|problem| seen.insert(problem.line)) {
            stumbles.lines.entry(problem.line).or_insert((0, problem.message.clone())).0 += 1;
        }
    }

    /// Lists the files read, the problems and the conditions. A line is a problem where most readers stumbled over it:
    /// some skip whatever they do not understand, and a few stumble over values of several lines.
    pub(crate) fn into_parts(self) -> (Vec<PathBuf>, Vec<FileProblem>, Vec<Condition>) {
        let mut problems = self.problems.into_inner();
        for (path, Stumbles { readers, lines }) in self.stumbles.into_inner() {
            let file = self.project.shown(&path);
            for (line, (count, message)) in lines {
                if 2 * count > readers {
                    let kind = ProblemKind::BrokenLine;
                    problems.push(FileProblem { file: file.clone(), line: Some(line), message, kind });
                }
            }
        }
        let loaded = self.loaded.into_inner();
        let mut files: Vec<_> = loaded.into_iter().filter_map(|(path, file)| file.map(|_| path.into())).collect();
        files.sort();
        let mut conditions = self.conditions.into_inner();
        conditions.extend(self.gaps.into_inner().into_iter().map(Condition::NotFollowed));
        (files, problems, conditions)
    }
}
