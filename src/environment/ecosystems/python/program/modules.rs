//! The modules and data files of a program, each read once.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::HashMap;
use crate::environment::ecosystems::python::program::scope::{Assigned, assign};
use crate::environment::readers::code::python::{Statement, statements};
use crate::environment::readers::code::{Computed, Entry, Place};

/// More modules of one program are not read.
const MOST_MODULES: usize = 340;
/// More bytes of one program are not read.
const MOST_BYTES: usize = 4 << 20;

/// The modules that any program of a judgement has read, by the bytes of their paths, each parsed once; `None` where there is
/// none.
pub(crate) type Sources = Rc<RefCell<HashMap<OsString, Option<Rc<Source>>>>>;

/// What the text of a module says.
#[derive(Debug)]
pub(crate) struct Source {
    statements: Rc<[Statement]>,
    is_relevant: bool,
    /// How long it is.
    bytes: usize,
}

impl Source {
    fn of(text: &str) -> Self {
        // What is longer is not gone through.
        let statements = if text.len() <= MOST_BYTES { statements(text) } else { Vec::new() };
        let is_constant = |one: &Statement| {
            one.indentation == 0 && !one.word().is_empty() && !one.word().bytes().any(|byte| byte.is_ascii_lowercase())
        };
        let is_relevant = RELEVANT.iter().any(|mark| text.contains(mark)) || statements.iter().any(is_constant);
        Source { statements: statements.into(), is_relevant, bytes: text.len() }
    }
}

/// The modules that were read, and where they are looked for.
pub(crate) struct Program {
    sources: Sources,
    /// The folders that imports start at, absolute.
    roots: Vec<PathBuf>,
    /// The words of the command, as `sys.argv` has them.
    words: Vec<String>,
    modules: RefCell<HashMap<OsString, Option<Rc<Module>>>>,
    /// Where the modules are that the modules of a folder import, by the folder and then by their names there.
    resolved: RefCell<HashMap<OsString, HashMap<String, Option<PathBuf>>>>,
    /// The paths of the modules, by their number.
    paths: RefCell<Vec<PathBuf>>,
    /// What the data files say that were read.
    data: RefCell<HashMap<PathBuf, Option<Computed>>>,
    /// What was told of statements of its modules, by where they stand in memory, which is for as long as it is there.
    told: RefCell<HashMap<(usize, usize, bool), bool>>,
    parse: Parse,
    bytes: Cell<usize>,
    /// The steps of all ways through it.
    steps: Cell<usize>,
    is_cut: Cell<bool>,
}

/// All ways through a program together, in one environment, take no more steps.
const MOST_STEPS_OF_ALL: usize = 200_000;

/// What stands in modules that have to do with settings. Upper case is that of constants.
const RELEVANT: &[&str] = &[
    "://", "environ", "getenv", "env(", "env.", "onnect", "create_", "HOST", "DATABASE", "DB", "NAME", "URL", "URI",
    "DSN", "PORT", "ENGINE", "Settings", "dotenv", "open(", "CONFIG",
];

/// Reads the values of a data file with their keys and lines, by its name; `None` where it cannot be read to its end.
pub(crate) type Parse = fn(&Path, &str) -> Option<Vec<(Vec<String>, String, u32)>>;

/// Reads a text file of the project; `None` where there is none.
pub(crate) type Read<'r> = &'r dyn Fn(&Path) -> Option<String>;

impl Program {
    pub(crate) fn new(roots: Vec<PathBuf>, words: Vec<String>, parse: Parse, sources: Sources) -> Self {
        Program {
            sources,
            roots,
            words,
            modules: RefCell::default(),
            resolved: RefCell::default(),
            paths: RefCell::default(),
            data: RefCell::default(),
            told: RefCell::default(),
            parse,
            bytes: Cell::new(0),
            steps: Cell::new(0),
            is_cut: Cell::new(false),
        }
    }

    /// Tells it apart from others: where it looks for modules, and the words that it sees.
    pub(crate) fn key(&self) -> String {
        format!("{:?} {:?}", self.roots, self.words)
    }

    /// Begins for another scene: what ways cost before is not taken from its own.
    pub(crate) fn begin(&self) {
        self.steps.set(0);
    }

    /// Tells whether more modules belong to it than are read.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.get()
    }

    /// Counts steps of a way through it.
    pub(crate) fn spend(&self, steps: usize) {
        self.steps.set(self.steps.get().saturating_add(steps));
    }

    /// Tells whether all ways together took more steps than are taken.
    pub(crate) fn is_spent(&self) -> bool {
        self.steps.get() >= MOST_STEPS_OF_ALL
    }

    /// The path of a module by its number.
    pub(crate) fn path(&self, number: usize) -> PathBuf {
        self.paths.borrow().get(number).cloned().unwrap_or_default()
    }

    /// Tells something of statements of a module once for all ways through it.
    pub(crate) fn once_about(&self, statements: &[Statement], is_close: bool, tell: impl FnOnce() -> bool) -> bool {
        let key = (statements.as_ptr().addr(), statements.len(), is_close);
        *self.told.borrow_mut().entry(key).or_insert_with(tell)
    }

    /// Counts the modules and data files that were read.
    pub(crate) fn count(&self) -> usize {
        self.paths.borrow().len()
    }

    /// The modules that were read.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.paths.borrow().clone()
    }

    /// `sys`, as far as settings ask for it.
    pub(crate) fn arguments(&self) -> Computed {
        let words = self.words.iter().cloned().map(Computed::Text).collect();
        let entry =
            |key: &str, value| Entry { key: key.to_owned(), value, expression: String::new(), place: Place::default() };
        Computed::Map(vec![entry("argv", Computed::List(words))])
    }

    pub(crate) fn module(&self, path: &Path, read: Read<'_>) -> Option<Rc<Module>> {
        if let Some(known) = self.modules.borrow().get(path.as_os_str()) {
            return known.clone();
        }
        let known = self.sources.borrow().get(path.as_os_str()).cloned();
        let source = known.unwrap_or_else(|| {
            let source = read(path).map(|text| Rc::new(Source::of(&text)));
            self.sources.borrow_mut().insert(path.as_os_str().to_owned(), source.clone());
            source
        });
        let number = self.paths.borrow().len();
        let is_too_much =
            number >= MOST_MODULES || self.bytes.get() + source.as_ref().map_or(0, |source| source.bytes) > MOST_BYTES;
        self.is_cut.set(self.is_cut.get() || is_too_much);
        let module = source.filter(|_| !is_too_much).map(|source| {
            self.bytes.set(self.bytes.get() + source.bytes);
            self.paths.borrow_mut().push(path.to_owned());
            let (statements, is_relevant) = (Rc::clone(&source.statements), source.is_relevant);
            Rc::new(Module { statements, number, is_relevant })
        });
        self.modules.borrow_mut().insert(path.as_os_str().to_owned(), module.clone());
        module
    }

    /// Reads a data file that the module at `from` names: as the map that it is loaded as.
    pub(crate) fn data(&self, from: &Path, name: &str, read: Read<'_>) -> Option<Computed> {
        let name = name.trim_start_matches("./");
        let above = from.ancestors().skip(1).take(4).map(Path::to_owned);
        self.roots.iter().cloned().chain(above).find_map(|folder| self.data_at(&folder.join(name), read))
    }

    fn data_at(&self, path: &Path, read: Read<'_>) -> Option<Computed> {
        if let Some(known) = self.data.borrow().get(path) {
            return known.clone();
        }
        let text = read(path).filter(|text| self.bytes.get() + text.len() <= MOST_BYTES);
        let value = text.map(|text| {
            self.bytes.set(self.bytes.get() + text.len());
            let file = self.paths.borrow().len();
            self.paths.borrow_mut().push(path.to_owned());
            let mut entries = Vec::new();
            let Some(values) = (self.parse)(path, &text) else { return Computed::Unknown };
            for (keys, value, line) in values {
                let keys: Vec<_> = keys.into_iter().map(Some).collect();
                let (value, place) = (Computed::Text(value), Place { file, line });
                assign(&mut entries, &keys, &Assigned { value, expression: String::new(), place });
            }
            Computed::Map(entries)
        });
        self.data.borrow_mut().insert(path.to_owned(), value.clone());
        value
    }

    /// Finds the file of a module that `from` imports.
    pub(crate) fn resolve(&self, from: &Path, module: &str, read: Read<'_>) -> Option<PathBuf> {
        // What a module imports hangs on its folder alone.
        let folder = from.parent().unwrap_or(from).as_os_str();
        if let Some(known) = self.resolved.borrow().get(folder).and_then(|known| known.get(module)) {
            return known.clone();
        }
        let found = self.find(from, module, read);
        let mut resolved = self.resolved.borrow_mut();
        resolved.entry(folder.to_owned()).or_default().insert(module.to_owned(), found.clone());
        found
    }

    fn find(&self, from: &Path, module: &str, read: Read<'_>) -> Option<PathBuf> {
        let name = module.trim_start_matches('.');
        let dots = module.len() - name.len();
        let below =
            |folder: &Path| if name.is_empty() { folder.to_owned() } else { folder.join(name.replace('.', "/")) };
        let folders: Vec<PathBuf> = match dots {
            0 => {
                let own = from.parent().map(Path::to_owned);
                self.roots.iter().cloned().chain(own).collect()
            }
            dots => from.ancestors().nth(dots).map(Path::to_owned).into_iter().collect(),
        };
        if name.contains(|c: char| !(c == '_' || c == '.' || c.is_alphanumeric())) {
            return None;
        }
        folders.iter().find_map(|folder| {
            let base = below(folder);
            let mut file = base.clone().into_os_string();
            file.push(".py");
            [file.into(), base.join("__init__.py")].into_iter().find(|path| self.is_there(path, read))
        })
    }

    /// Finds a file that the module at `from` names.
    pub(crate) fn beside(&self, from: &Path, name: &str, read: Read<'_>) -> Option<PathBuf> {
        let own = from.parent().map(Path::to_owned);
        let mut folders = own.into_iter().chain(self.roots.iter().cloned());
        folders.find_map(|folder| Some(folder.join(name)).filter(|path| self.is_there(path, read)))
    }

    fn is_there(&self, path: &Path, read: Read<'_>) -> bool {
        self.module(path, read).is_some()
    }
}

/// A module that was read.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) statements: Rc<[Statement]>,
    pub(crate) number: usize,
    /// It holds a word that settings are made of; if not, what it imports may.
    pub(crate) is_relevant: bool,
}
