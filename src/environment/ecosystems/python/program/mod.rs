//! A program in Python as far as it says what it connects to: the modules that belong together, read once and gone
//! through statement by statement, never executed.
//!
//! Source: the language reference ("Simple statements", "Compound statements", "The import system").

pub(crate) mod interpreter;
pub(crate) mod scope;
pub(crate) mod settings;

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::HashMap;
use crate::environment::ecosystems::python::program::interpreter::{Module, Run};
use crate::environment::ecosystems::python::program::scope::{Assigned, assign};
use crate::environment::readers::code::python::{Statement, statements};
use crate::environment::readers::code::{Computed, Entry, Place};

/// More modules of one program are not read.
const MOST_MODULES: usize = 256;
/// More bytes of one program are not read.
const MOST_BYTES: usize = 4 << 20;

/// The modules that were read, and where they are looked for.
pub(crate) struct Program {
    /// The folders that imports start at, absolute.
    roots: Vec<PathBuf>,
    /// The words of the command, as `sys.argv` has them.
    words: Vec<String>,
    modules: RefCell<HashMap<PathBuf, Option<Rc<Module>>>>,
    /// The paths of the modules, by their number.
    paths: RefCell<Vec<PathBuf>>,
    /// What the data files say that were read.
    data: RefCell<HashMap<PathBuf, Option<Computed>>>,
    parse: Parse,
    bytes: Cell<usize>,
    is_cut: Cell<bool>,
}

/// What stands in modules that have to do with settings. Upper case is that of constants.
const RELEVANT: &[&str] = &[
    "://", "environ", "getenv", "env(", "env.", "onnect", "create_", "HOST", "DATABASE", "DB", "NAME", "URL", "URI",
    "DSN", "PORT", "ENGINE", "Settings", "dotenv", "open(", "CONFIG",
];

/// Reads the values of a data file with their keys and lines, by its name; `None` where it cannot be read to its end.
pub(crate) type Parse = fn(&Path, &str) -> Option<Vec<(Vec<String>, String, u32)>>;

/// Reads a text file of the project; `None` where there is none.
pub(crate) type Read<'r> = Option<&'r dyn Fn(&Path) -> Option<String>>;

impl Program {
    pub(crate) fn new(roots: Vec<PathBuf>, words: Vec<String>, parse: Parse) -> Self {
        Program {
            roots,
            words,
            modules: RefCell::default(),
            paths: RefCell::default(),
            data: RefCell::default(),
            parse,
            bytes: Cell::new(0),
            is_cut: Cell::new(false),
        }
    }

    /// Tells whether more modules belong to it than are read.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.get()
    }

    /// The path of a module by its number.
    pub(crate) fn path(&self, number: usize) -> PathBuf {
        self.paths.borrow().get(number).cloned().unwrap_or_default()
    }

    /// The modules that were read.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.paths.borrow().clone()
    }

    /// `sys`, as far as settings ask for it.
    fn arguments(&self) -> Computed {
        let words = self.words.iter().cloned().map(Computed::Text).collect();
        let entry =
            |key: &str, value| Entry { key: key.to_owned(), value, expression: String::new(), place: Place::default() };
        Computed::Map(vec![entry("argv", Computed::List(words))])
    }

    fn module(&self, path: &Path, read: Read<'_>) -> Option<Rc<Module>> {
        if let Some(known) = self.modules.borrow().get(path) {
            return known.clone();
        }
        let text = read?(path);
        let number = self.paths.borrow().len();
        let is_too_much =
            number >= MOST_MODULES || self.bytes.get() + text.as_ref().map_or(0, String::len) > MOST_BYTES;
        self.is_cut.set(self.is_cut.get() || is_too_much);
        let module = text.filter(|_| !is_too_much).map(|text| {
            self.bytes.set(self.bytes.get() + text.len());
            self.paths.borrow_mut().push(path.to_owned());
            let statements = statements(&text);
            let is_constant = |one: &Statement| {
                one.indentation == 0
                    && !one.word().is_empty()
                    && !one.word().bytes().any(|byte| byte.is_ascii_lowercase())
            };
            let is_relevant = RELEVANT.iter().any(|mark| text.contains(mark)) || statements.iter().any(is_constant);
            Rc::new(Module { statements: statements.into(), number, is_relevant })
        });
        self.modules.borrow_mut().insert(path.to_owned(), module.clone());
        module
    }

    /// Reads a data file that the module at `from` names: as the map that it is loaded as.
    fn data(&self, from: &Path, name: &str, read: Read<'_>) -> Option<Computed> {
        let name = name.trim_start_matches("./");
        let above = from.ancestors().skip(1).take(4).map(Path::to_owned);
        self.roots.iter().cloned().chain(above).find_map(|folder| self.data_at(&folder.join(name), read))
    }

    fn data_at(&self, path: &Path, read: Read<'_>) -> Option<Computed> {
        if let Some(known) = self.data.borrow().get(path) {
            return known.clone();
        }
        let text = read?(path).filter(|text| self.bytes.get() + text.len() <= MOST_BYTES);
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
            let file = PathBuf::from(format!("{}.py", base.display()));
            [file, base.join("__init__.py")].into_iter().find(|path| self.is_there(path, read))
        })
    }

    /// Finds a file that the module at `from` names.
    fn beside(&self, from: &Path, name: &str, read: Read<'_>) -> Option<PathBuf> {
        let own = from.parent().map(Path::to_owned);
        let mut folders = own.into_iter().chain(self.roots.iter().cloned());
        folders.find_map(|folder| Some(folder.join(name)).filter(|path| self.is_there(path, read)))
    }

    fn is_there(&self, path: &Path, read: Read<'_>) -> bool {
        self.module(path, read).is_some()
    }

    /// Goes through the program from each of `entries`; gives the run and the names of the last one's module.
    pub(crate) fn run<'p>(
        &'p self,
        entries: &[PathBuf],
        read: Option<&'p dyn Fn(&Path) -> Option<String>>,
        lookup: &'p dyn Fn(&str) -> Option<String>,
        round: usize,
    ) -> (Run<'p>, Vec<Entry>) {
        let run = Run::new(self, read, lookup, round);
        let names = entries.iter().map(|entry| run.module(entry, 40)).last().unwrap_or_default();
        (run, names)
    }
}

/// More rounds are not made: what alternatives beyond them come to is not told apart.
pub(crate) const MOST_ROUNDS: usize = scope::MOST_ALTERNATIVES;

/// Counts the rounds after which each alternative was seen.
pub(crate) fn rounds(run: &Run<'_>) -> usize {
    let most = scope::most_alternatives(&run.names_of_all());
    most.max(if run.is_undecided() { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::ecosystems::python::program::settings::{of_any, of_django, of_environment};

    type Files<'f> = &'f [(&'f str, &'f str)];

    /// Lists what the program at `/p/s.py` says in all its rounds, each once.
    fn said(files: Files<'_>, environment: &[(&str, &str)], is_django: bool) -> Vec<String> {
        let parse = |_: &Path, text: &str| Some(vec![(vec!["a".to_owned(), "b".to_owned()], text.to_owned(), 1)]);
        let program = Program::new(vec!["/p".into()], vec!["manage.py".to_owned(), "test".to_owned()], parse);
        let read = |path: &Path| {
            let name = path.strip_prefix("/p").ok()?.to_str()?;
            files.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
        };
        let lookup =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let mut all = Vec::new();
        let entries = [PathBuf::from("/p/s.py")];
        let (first, _) = program.run(&entries, Some(&read), &lookup, 0);
        for round in 0..rounds(&first).min(MOST_ROUNDS) {
            let (run, names) = program.run(&entries, None, &lookup, round);
            let shown = |path: &Path| path.to_owned();
            let mut settings = if is_django { of_django(&run, &names, &shown) } else { of_any(&run, &shown) };
            settings.extend(of_environment(&run, true, &shown));
            settings.extend(of_environment(&run, false, &shown));
            for one in settings {
                let mark = if one.unresolved.is_some() { "?" } else { "" };
                let said = format!("{}{mark}={}", one.name, one.value);
                if !all.contains(&said) {
                    all.push(said);
                }
            }
        }
        all
    }

    #[test]
    fn what_is_assigned_last_counts_and_what_may_be_counts_too() {
        let table: &[(&str, &[&str])] = &[
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nDATABASES['default']['HOST'] = 'b'",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nDATABASES['default'].update({'HOST': 'b'})",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nDATABASES['default'].update(HOST='b')",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nDATABASES.update(default=dict(HOST='b'))",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nDATABASES = {'default': {'HOST': 'b'}}",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nfor x in DATABASES:\n  DATABASES[x]['HOST'] = 'b'",
                &["DATABASES.default.HOST=b"],
            ),
            ("PG = {'HOST': 'a'}\nDATABASES = {'default': PG}", &["DATABASES.default.HOST=a"]),
            (
                "PG = {'HOST': 'a'}\nDATABASES = {'default': {**PG, 'NAME': 'n'}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.NAME=n"],
            ),
            (
                "H = 'a'\nDATABASES = dict(default=dict(HOST=H + '.x', NAME=f'{H}_t'))",
                &["DATABASES.default.HOST=a.x", "DATABASES.default.NAME=a_t"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nif os.environ.get('X'):\n  DATABASES = {'default': {'HOST': 'b'}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b"],
            ),
            (
                "if f():\n  H = 'a'\nelif g():\n  H = 'b'\nelse:\n  H = 'c'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b", "DATABASES.default.HOST=c"],
            ),
            (
                "DEBUG = True\nif DEBUG:\n  H = 'a'\nelse:\n  H = 'b'\nDATABASES = {'default': {'HOST': H}}",
                &["DATABASES.default.HOST=a"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nif 'DYNO' in os.environ:\n  DATABASES['default']['HOST'] = 'b'",
                &["DATABASES.default.HOST=a", "DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nif os.getenv('GAE_APPLICATION'):\n  DATABASES['default']['HOST'] = 'b'",
                &["DATABASES.default.HOST=a"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\nif 'test' in sys.argv:\n  DATABASES['default']['HOST'] = 'b'",
                &["DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'HOST': secret('h'), 'PASSWORD': secret('p')}}",
                &["DATABASES.default.HOST?=secret('h')", "DATABASES.default.PASSWORD?=secret('p')"],
            ),
            ("DATABASES = get()", &["DATABASES.default?=get()"]),
            ("def get():\n  return {'default': {'HOST': 'a'}}\nDATABASES = get()", &["DATABASES.default.HOST=a"]),
            (
                "DATABASES = {'default': env.db('U', default='postgres://h/d')}\nDATABASES['default']['HOST'] = 'b'",
                &["DATABASES.default=postgres://h/d", "DATABASES.default.HOST=b"],
            ),
            (
                "DATABASES = {'default': {'NAME': BASE_DIR / 'a.sqlite3', 'HOST': None}}",
                &["DATABASES.default.NAME=a.sqlite3"],
            ),
            ("from local import *", &["DATABASES.default.HOST=l"]),
            (
                "DATABASES = {'default': {'HOST': 'a'}}\ntry:\n  from .local import *\nexcept ImportError:\n  pass",
                &["DATABASES.default.HOST=l"],
            ),
            (
                "try:\n  from missing import *\nexcept ImportError:\n  DATABASES = {'default': {'HOST': 'b'}}",
                &["DATABASES.default.HOST=b"],
            ),
            ("from pkg import base as b\nDATABASES = {'default': {'HOST': b.H}}", &["DATABASES.default.HOST=p"]),
            ("import pkg.base\nDATABASES = {'default': {'HOST': pkg.base.H}}", &["DATABASES.default.HOST=p"]),
            (
                "import importlib\nm = importlib.import_module(os.getenv('M', 'local'))\nDATABASES = m.DATABASES",
                &["DATABASES.default.HOST=l"],
            ),
            ("exec(open('local.py').read())", &["DATABASES.default.HOST=l"]),
            ("globals().update(dict(DATABASES={'default': {'HOST': 'b'}}))", &["DATABASES.default.HOST=b"]),
            (
                "os.environ['U'] = 'x'\nos.environ.setdefault('V', 'y')\nDATABASES = {'default': {'HOST': os.environ['U'], 'NAME': os.getenv('V')}}",
                &["DATABASES.default.HOST=x", "DATABASES.default.NAME=y", "U=x", "V=y"],
            ),
            (
                "DATABASES = {'default': {'HOST': 'a', 'OPTIONS': {'x': lambda: 1}, 'NAME': 'n'}}",
                &["DATABASES.default.HOST=a", "DATABASES.default.NAME=n"],
            ),
            ("BROKER_URL = 'redis://h/0'\nAPI_URL = 'https://x'", &["code.BROKER_URL=redis://h/0"]),
        ];
        for (text, expected) in table {
            let files = [
                ("s.py", *text),
                ("local.py", "DATABASES = {'default': {'HOST': 'l'}}"),
                ("pkg/__init__.py", ""),
                ("pkg/base.py", "H = 'p'"),
            ];
            assert_eq!(said(&files, &[], true), *expected, "{text}");
        }
    }

    #[test]
    fn any_program_tells_what_it_dials() {
        let table: &[(&str, &[&str])] = &[
            (
                "import sqlalchemy\nE = sqlalchemy.create_engine('postgresql://h/d')",
                &["code.E=postgresql://h/d", "create_engine.url=postgresql://h/d"],
            ),
            ("conn = psycopg2.connect(host='h', dbname=NAME)", &["connect.host=h"]),
            (
                "def create_app():\n  app = Flask()\n  app.config['SQLALCHEMY_DATABASE_URI'] = 'postgresql://h/d'",
                &["create_app.app.config.SQLALCHEMY_DATABASE_URI=postgresql://h/d"],
            ),
            ("class Config:\n  DB_HOST = 'h'\nclass ProductionConfig(Config):\n  DB_HOST = 'p'", &["Config.DB_HOST=h"]),
            (
                "class Settings(BaseSettings):\n  db_host: str = 'h'\n  db_name: str\n  set: str = 'x'\n  @property\n  def url(self):\n    return f'postgres://{self.db_host}'",
                &["DB_HOST=h"],
            ),
            ("class Settings(BaseSettings):\n  database_set: str = 'x'", &[]),
            (
                "ini = configparser.ConfigParser()\nini.read(os.path.join(HERE, 'x.ini'))\nURL = ini['a']['b']\nSAME = ini.get('a', 'b')",
                &["ini.a.b=redis://ini/1", "code.URL=redis://ini/1", "code.SAME=redis://ini/1"],
            ),
            (
                "with open('x.json') as f:\n  C = json.load(f)\nURL = C['a']['b']",
                &["C.a.b=redis://ini/1", "code.URL=redis://ini/1"],
            ),
            ("URL = 'redis://localhost:0/'", &["code.URL=redis://localhost:0/"]),
        ];
        for (text, expected) in table {
            let files = [("s.py", *text), ("x.ini", "redis://ini/1"), ("x.json", "redis://ini/1")];
            let found = said(&files, &[("DATABASE_SET", "value")], false);
            assert_eq!(found, *expected, "{text}");
        }
    }

    #[test]
    fn hostile_programs_end() {
        let pieces = [
            "from s import *\n",
            "if x:\n ",
            "class A(A):\n ",
            "def f(a=f()):\n ",
            "a = a + a\n",
            "a['b'] = a\n",
            "try:\n ",
            "é",
            "a = {",
            "a = b = ",
        ];
        for piece in pieces {
            said(&[("s.py", &piece.repeat(3_000))], &[], true);
        }
        let nested: String = (0..300).map(|depth| format!("{}if x{depth}:\n", " ".repeat(depth))).collect();
        said(&[("s.py", &nested)], &[], true);
        let doubling = format!("a = {{'x': 1}}\n{}", "a = {'l': a, 'r': a}\n".repeat(60));
        said(&[("s.py", &doubling)], &[], true);
    }
}
