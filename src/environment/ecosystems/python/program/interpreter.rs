//! Goes through the statements of modules and keeps what is assigned: nothing is executed, and what cannot be decided
//! is gone through both ways.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::HashSet;
use crate::environment::ecosystems::python::program::Program;
use crate::environment::ecosystems::python::program::scope::{Assigned, assign, either, picked, size, update};
use crate::environment::ecosystems::python::program::settings::says_database;
use crate::environment::readers::code::python::{Part, Statement, assignment, closing, parts};
use crate::environment::readers::code::{Computed, Entry, Place, Scope, put};
use crate::environment::readers::expansion::Lookup;

/// A file that the code loads into the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadedBy {
    /// As the code spells it, without a start that is not known.
    pub(crate) name: String,
    /// The module that loads it.
    pub(crate) module: PathBuf,
    /// It beats the environment.
    pub(crate) overrides: bool,
}

/// One way through a program.
pub(crate) struct Run<'p> {
    pub(crate) program: &'p Program,
    /// Reads a module that was not read before; `None` where only those count that were.
    pub(crate) read: Option<&'p dyn Fn(&Path) -> Option<String>>,
    pub(crate) lookup: Lookup<'p>,
    /// Which of several alternatives is taken.
    pub(crate) round: usize,
    pub(crate) found: RefCell<Found>,
    /// The modules gone through, with their names; those under way without.
    modules: RefCell<Vec<(PathBuf, Vec<Entry>)>>,
    is_undecided: Cell<bool>,
    steps: Cell<usize>,
}

/// What a run finds besides the names.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What is put into the environment, and whether it beats what is there.
    pub(crate) environment: Vec<(Entry, bool)>,
    /// The places that connections are made to: the keywords of the call, or its address.
    pub(crate) connections: Vec<Entry>,
    pub(crate) files: Vec<LoadedBy>,
}

/// More is not gone through: statements, and names and values that are copied for them.
const MOST_STEPS: usize = 100_000;
/// Larger values, in parts, are taken for unknown.
const LARGEST_VALUE: usize = 512;
/// Blocks and modules nested deeper are not gone through.
const DEEPEST: usize = 40;

/// Stands for the expression of a name that is a module.
const MODULE: &str = "<module>";

/// Calls that dial what they are given. Sources: the manuals of SQLAlchemy, psycopg, PyMySQL, asyncpg, PyMongo, redis-py,
/// peewee, databases, Tortoise, Alembic and Django.
const DIALS: &[&str] = &[
    "create_engine",
    "create_async_engine",
    "create_pool",
    "connect",
    "MongoClient",
    "AsyncIOMotorClient",
    "Redis",
    "StrictRedis",
    "from_url",
    "Database",
    "PostgresqlDatabase",
    "MySQLDatabase",
    "PostgresqlExtDatabase",
    "SqliteDatabase",
    "ConnectionPool",
    "AsyncConnectionPool",
    "set_main_option",
];

/// Parts of [`DIALS`]: where none of them stands, none of those does.
const MARKS_OF_DIALS: &[&str] =
    &["onnect", "reate_", "lient(", "Redis(", "from_url", "Database(", "Pool(", "set_main_option"];

impl<'p> Run<'p> {
    pub(crate) fn new(
        program: &'p Program,
        read: Option<&'p dyn Fn(&Path) -> Option<String>>,
        lookup: Lookup<'p>,
        round: usize,
    ) -> Self {
        Run {
            program,
            read,
            lookup,
            round,
            found: RefCell::default(),
            modules: RefCell::default(),
            is_undecided: Cell::new(false),
            steps: Cell::new(0),
        }
    }

    /// Tells whether another round may come to something else.
    pub(crate) fn is_undecided(&self) -> bool {
        self.is_undecided.get()
    }

    /// The names of every module that was gone through, each value once.
    pub(crate) fn names_of_all(&self) -> Vec<Entry> {
        let mut all: Vec<Entry> = Vec::new();
        let mut seen = HashSet::default();
        for (_, names) in self.modules.borrow().iter() {
            let is_own = |entry: &&Entry| seen.insert((entry.key.clone(), entry.place.file, entry.place.line));
            all.extend(names.iter().filter(is_own).cloned());
        }
        all
    }

    fn spend(&self, steps: usize) {
        self.steps.set(self.steps.get().saturating_add(steps).min(MOST_STEPS));
    }

    /// Tells whether it was given up on because there is too much.
    pub(crate) fn is_cut(&self) -> bool {
        self.steps.get() >= MOST_STEPS
    }

    /// Goes through a module; gives its names.
    pub(crate) fn module(&self, path: &Path, depth: usize) -> Vec<Entry> {
        if let Some((_, names)) = self.modules.borrow().iter().find(|(known, _)| known == path) {
            return names.clone();
        }
        let Some(module) = self.program.module(path, self.read) else { return Vec::new() };
        if depth == 0 {
            self.spend(MOST_STEPS);
            return Vec::new();
        }
        self.modules.borrow_mut().push((path.to_owned(), Vec::new()));
        let mut block = Block { run: self, path, file: module.number, names: Vec::new(), returned: None, opened: None };
        if module.is_relevant {
            block.go(&module.statements, depth);
        } else {
            let is_import = |one: &&Statement| matches!(one.word(), "from" | "import");
            let imports = module.statements.iter().filter(is_import);
            let imports: Vec<Statement> = imports.map(|one| Statement { indentation: 0, ..one.clone() }).collect();
            block.go(&imports, depth);
        }
        let names = block.names;
        if let Some(known) = self.modules.borrow_mut().iter_mut().find(|(known, _)| known == path) {
            known.1.clone_from(&names);
        }
        names
    }
}

/// The names of a module, a class or a function while it is gone through.
struct Block<'r, 'p> {
    run: &'r Run<'p>,
    path: &'r Path,
    file: usize,
    names: Vec<Entry>,
    returned: Option<Computed>,
    /// The data file that was opened last, as the code spells it.
    opened: Option<String>,
}

impl Block<'_, '_> {
    /// Goes through statements of one depth with what is nested below them.
    fn go(&mut self, statements: &[Statement], depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            self.run.spend(MOST_STEPS);
            return;
        };
        let mut at = 0;
        while at < statements.len() {
            if self.run.is_cut() {
                return;
            }
            self.run.spend(1);
            let statement = &statements[at];
            let body = body(statements, at);
            at = body.end;
            let inner = &statements[body.clone()];
            match statement.word() {
                "if" => at = self.choice(statements, statement, body, depth),
                "try" => at = self.attempt(statements, body, depth),
                "class" => self.class(statement, inner, depth),
                "def" | "async" => self.function(statement, inner, depth),
                "for" => self.each(statement, inner, depth),
                "with" | "while" | "match" | "case" | "finally" | "else" => {
                    self.line(statement);
                    self.go(inner, depth);
                }
                "from" | "import" => self.import(statement, depth),
                "return" => self.returned = Some(self.evaluate(statement.rest(), statement.line)),
                _ => self.line(statement),
            }
        }
    }

    /// `for a in b:` goes through its body once, with the items of what is known side by side; not at all for none.
    fn each(&mut self, header: &Statement, inner: &[Statement], depth: usize) {
        let Some((targets, list)) = header.rest().split_once(" in ") else { return };
        let list = list.trim();
        let inside = list.strip_prefix("enumerate(").map(|inside| &inside[..closing(inside).unwrap_or(inside.len())]);
        let list = inside.map_or(list, |inside| inside.split(',').next().unwrap_or(inside));
        let items = match self.evaluate(list, header.line) {
            Computed::List(items) => items,
            Computed::Unset => Vec::new(),
            _ => vec![Computed::Unknown],
        };
        if items.is_empty() {
            return;
        }
        let place = self.at(header.line);
        let name = targets.rsplit(',').next().unwrap_or(targets).trim().trim_matches(['(', ')']);
        let entry = |value| Entry { key: name.to_owned(), value, expression: list.to_owned(), place };
        let known = items.iter().all(|item| matches!(item, Computed::Text(_) | Computed::Map(_)));
        let value = if known { Computed::Either(items.into_iter().map(entry).collect()) } else { Computed::Unknown };
        put(&mut self.names, entry(value));
        self.go(inner, depth);
    }

    /// `if`, `elif` and `else`: the branch that is known to be taken, or all that may be, side by side.
    fn choice(
        &mut self,
        statements: &[Statement],
        first: &Statement,
        body: std::ops::Range<usize>,
        depth: usize,
    ) -> usize {
        let mut branches = vec![(Some(first), body.clone())];
        let mut at = body.end;
        while let Some(next) = statements.get(at).filter(|next| matches!(next.word(), "elif" | "else")) {
            let body = self::body(statements, at);
            at = body.end;
            let is_last = next.word() == "else";
            branches.push(((!is_last).then_some(next), body));
            if is_last {
                break;
            }
        }
        let changes = |one: &Statement| {
            matches!(one.word(), "from" | "import" | "return" | "def" | "class")
                || ["=", ".update(", "load_dotenv(", "read_env(", "include(", ".read("]
                    .iter()
                    .any(|mark| one.text.contains(mark))
        };
        if !branches.iter().any(|(_, body)| statements[body.clone()].iter().any(changes)) {
            return at;
        }
        let before = self.names.clone();
        let mut ways: Vec<Vec<Entry>> = Vec::new();
        let mut is_settled = false;
        for (condition, body) in branches {
            let holds = condition.map_or(Some(true), |condition| self.holds(condition));
            if holds == Some(false) {
                continue;
            }
            self.run.spend(2 * before.len());
            self.names.clone_from(&before);
            self.go(&statements[body], depth);
            ways.push(std::mem::take(&mut self.names));
            if holds == Some(true) {
                is_settled = true;
                break;
            }
        }
        if !is_settled {
            ways.insert(0, before);
        }
        self.names = ways.into_iter().reduce(either).unwrap_or_default();
        at
    }

    /// Tells whether a condition holds; `None` where that is not known.
    fn holds(&self, condition: &Statement) -> Option<bool> {
        let text = condition.rest();
        if text.contains("TYPE_CHECKING") {
            return Some(false);
        }
        if text.contains("__name__") {
            return Some(true);
        }
        let is_undecided = Cell::new(false);
        let value = self.with_scope(condition.line, is_about_elsewhere(text), &is_undecided, |scope| {
            let value = scope.evaluate(text);
            scope.holds(&value)
        });
        if is_undecided.get() { None } else { value }
    }

    /// `try`: its body; what follows for the case that it fails counts where it may.
    fn attempt(&mut self, statements: &[Statement], body: std::ops::Range<usize>, depth: usize) -> usize {
        let inner = &statements[body.clone()];
        let before = self.names.clone();
        self.run.spend(before.len());
        let is_missing = inner.iter().any(|one| self.imports_what_is_missing(one));
        self.go(inner, depth);
        let mut at = body.end;
        while let Some(next) = statements.get(at).filter(|next| matches!(next.word(), "except" | "else" | "finally")) {
            let body = self::body(statements, at);
            at = body.end;
            if next.word() != "except" {
                self.go(&statements[body], depth);
            } else if is_missing {
                let names = std::mem::replace(&mut self.names, before.clone());
                self.go(&statements[body], depth);
                let other = std::mem::take(&mut self.names);
                self.names = either(names, other);
            }
        }
        at
    }

    fn imports_what_is_missing(&self, statement: &Statement) -> bool {
        let rest = statement.rest();
        let module = rest.split([' ', '\t']).next().unwrap_or_default();
        match statement.word() {
            "from" | "import" => self.run.program.resolve(self.path, module, self.run.read).is_none(),
            _ => false,
        }
    }

    /// `class A(B):` holds the names of B, and its own.
    fn class(&mut self, header: &Statement, inner: &[Statement], depth: usize) {
        let rest = header.rest();
        let end = rest.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(rest.len());
        let (name, bases) = rest.split_at(end);
        let mut names = Vec::new();
        for base in bases.trim_start_matches('(').trim_end_matches(')').split(',') {
            if let Computed::Map(entries) = self.evaluate(base.trim(), header.line) {
                entries.into_iter().for_each(|entry| put(&mut names, entry));
            }
        }
        // The names around a class are known in it.
        let outer = self.names.len();
        self.run.spend(outer);
        let mut block = Block {
            run: self.run,
            path: self.path,
            file: self.file,
            names: self.names.clone(),
            returned: None,
            opened: None,
        };
        block.names.extend(names);
        block.go(inner, depth);
        let mut own = block.names.split_off(outer);
        // Each field of such a class is a variable of the environment with a default.
        if bases.contains("Settings") {
            self.fill_from_environment(&mut own);
        }
        let (value, place) = (Computed::Map(own), self.at(header.line));
        put(&mut self.names, Entry { key: name.to_owned(), value, expression: String::new(), place });
    }

    /// Gives fields the values of their variables, and notes the files that the class says it reads.
    ///
    /// Source: pydantic-settings' manual ("Environment variable names", "Dotenv (.env) support").
    fn fill_from_environment(&self, fields: &mut [Entry]) {
        let configured = |key: &str| {
            let configuration = fields.iter().find(|entry| matches!(entry.key.as_str(), "model_config" | "Config"))?;
            let Computed::Map(entries) = &configuration.value else { return None };
            entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.clone())
        };
        let names = match configured("env_file") {
            Some(Computed::List(names)) => names,
            one => one.into_iter().collect(),
        };
        for name in names {
            if let Computed::Text(name) = name {
                let file = LoadedBy { name, module: self.path.to_owned(), overrides: false };
                self.run.found.borrow_mut().files.push(file);
            }
        }
        let prefix = match configured("env_prefix") {
            Some(Computed::Text(prefix)) => prefix,
            _ => String::new(),
        };
        for field in fields.iter_mut().filter(|field| !matches!(field.value, Computed::Map(_))) {
            let name = format!("{prefix}{}", field.key);
            let given = [name.to_uppercase(), name].iter().find_map(|name| (self.run.lookup)(name));
            // The variable is in the reading under its own name and place; where it is not set, its default is.
            if let Some(given) = given {
                field.value = Computed::Text(given);
                field.place = Place::default();
            } else if let Computed::Text(value) = &field.value
                && says_database(&field.key, value)
            {
                let default = Entry { key: format!("{prefix}{}", field.key).to_uppercase(), ..field.clone() };
                self.run.found.borrow_mut().environment.push((default, false));
                field.place = Place::default();
            }
        }
    }

    /// A function: what it returns is kept under its name with `()`; what it does counts as if it were called.
    fn function(&mut self, header: &Statement, inner: &[Statement], depth: usize) {
        let rest = header.rest();
        let rest = rest.strip_prefix("def ").unwrap_or(rest).trim_start();
        let Some((name, parameters)) = rest.split_once('(') else {
            // `async with`, `async for`
            self.go(inner, depth);
            return;
        };
        if !inner.iter().any(is_about_settings) {
            return;
        }
        self.run.spend(self.names.len());
        let mut names = self.names.clone();
        let parameters = closing(parameters).map_or("", |end| &parameters[..end]);
        for parameter in parameters.split(',') {
            let name = parameter.split([':', '=']).next().unwrap_or_default().trim().trim_start_matches('*');
            // What a parameter is called may stand for something else around it.
            let default =
                parameter.split_once('=').map_or(Computed::Unknown, |(_, default)| self.evaluate(default, header.line));
            names.push(Entry {
                key: name.to_owned(),
                value: default,
                expression: String::new(),
                place: self.at(header.line),
            });
        }
        let outer = names.len();
        let mut block = Block { run: self.run, path: self.path, file: self.file, names, returned: None, opened: None };
        block.go(inner, depth);
        for entry in block.names.split_off(outer.min(block.names.len())) {
            if matches!(&entry.value, Computed::Map(_)) && !entry.key.ends_with("()") {
                // `app.config["URL"] = …` within `create_app`.
                put(&mut self.names, Entry { key: format!("{name}.{}", entry.key), ..entry });
            }
        }
        let value = block.returned.take().unwrap_or(Computed::Unknown);
        let place = self.at(header.line);
        put(&mut self.names, Entry { key: format!("{}()", name.trim()), value, expression: String::new(), place });
    }

    /// `from a import *`, `from a import b as c`, `import a.b as c`.
    fn import(&mut self, statement: &Statement, depth: usize) {
        let rest = statement.rest();
        let program = self.run.program;
        if statement.word() == "import" {
            for one in rest.split(',') {
                let (module, name) = one.split_once(" as ").unwrap_or((one, one));
                let (module, name) = (module.trim(), name.trim());
                if let Some(path) = program.resolve(self.path, module, self.run.read) {
                    let value = self.namespace(&path, depth);
                    let path: Vec<_> = name.split('.').map(|name| Some(name.to_owned())).collect();
                    let place = self.at(statement.line);
                    assign(&mut self.names, &path, &Assigned { value, expression: MODULE.to_owned(), place });
                }
            }
            return;
        }
        let Some((module, names)) = rest.split_once("import") else { return };
        let module = module.trim();
        let path = program.resolve(self.path, module, self.run.read);
        let scope = path.as_ref().map(|path| self.run.module(path, depth)).unwrap_or_default();
        let names = names.split('#').next().unwrap_or_default().trim().trim_start_matches('(').trim_end_matches(')');
        for one in names.split([',', '\n']).map(str::trim).filter(|one| !one.is_empty() && !one.starts_with('#')) {
            if one == "*" {
                let own = scope.iter().filter(|entry| entry.expression != MODULE);
                own.cloned().for_each(|entry| put(&mut self.names, entry));
                continue;
            }
            let (name, own) = one.split_once(" as ").unwrap_or((one, one));
            let (name, own) = (name.trim(), own.trim());
            for (key, own) in [(name.to_owned(), own.to_owned()), (format!("{name}()"), format!("{own}()"))] {
                if let Some(entry) = scope.iter().find(|entry| entry.key == key) {
                    put(&mut self.names, Entry { key: own, ..entry.clone() });
                }
            }
            let separator = if module.ends_with('.') { "" } else { "." };
            let below = format!("{module}{separator}{name}");
            if !scope.iter().any(|entry| entry.key == name)
                && let Some(path) = program.resolve(self.path, &below, self.run.read)
            {
                let value = self.namespace(&path, depth);
                let place = self.at(statement.line);
                let expression = MODULE.to_owned();
                put(&mut self.names, Entry { key: own.to_owned(), value, expression, place });
            }
        }
    }

    /// The names of a module as one value, without the modules that it imports itself.
    fn namespace(&self, path: &Path, depth: usize) -> Computed {
        let mut names = self.run.module(path, depth);
        names.retain(|entry| entry.expression != MODULE);
        let value = Computed::Map(names);
        self.run.spend(size(&value));
        value
    }

    /// A statement without a body of its own.
    fn line(&mut self, statement: &Statement) {
        self.note_connections(statement);
        if let Some(name) = data_file(&statement.text).filter(|_| statement.text.contains("open(")) {
            self.opened = Some(name.to_owned());
        }
        match assignment(&statement.text) {
            Some(assignment) => {
                let value = self.assigned_value(assignment.expression, statement.line, assignment.adds);
                let assigned =
                    Assigned { value, expression: assignment.expression.to_owned(), place: self.at(statement.line) };
                for target in assignment.targets {
                    self.assign(target, &assigned, assignment.adds);
                }
            }
            None if is_declaration(&statement.text) => {
                let name = statement.word().to_owned();
                if !self.names.iter().any(|entry| entry.key == name) {
                    let place = self.at(statement.line);
                    let entry = Entry { key: name, value: Computed::Unset, expression: String::new(), place };
                    self.names.push(entry);
                }
            }
            None => self.call(statement),
        }
    }

    fn assigned_value(&self, expression: &str, line: u32, adds: bool) -> Computed {
        let inside = ["importlib.import_module(", "import_module(", "__import__("]
            .iter()
            .find_map(|call| expression.strip_prefix(call))
            .and_then(|inside| Some(&inside[..closing(inside)?]));
        if let Some(inside) = inside {
            let arguments = self.with_names(line, |scope| scope.arguments(inside));
            let module = arguments.and_then(|arguments| arguments.positional.into_iter().next());
            if let Some(Computed::Text(module)) = module
                && let Some(path) = self.run.program.resolve(self.path, &module, self.run.read)
            {
                return Computed::Map(self.run.module(&path, DEEPEST / 2));
            }
        }
        if ["load(", "load_all(", "read_config("].iter().any(|call| expression.contains(call))
            && let Some(name) = data_file(expression).or(self.opened.as_deref())
            && let Some(value) = self.run.program.data(self.path, name, self.run.read)
        {
            return value;
        }
        match self.evaluate(expression, line) {
            value if size(&value) > LARGEST_VALUE => Computed::Unknown,
            value @ (Computed::Map(_) | Computed::List(_)) => value,
            value if !adds => value,
            _ => Computed::Unknown,
        }
    }

    fn assign(&mut self, target: &str, assigned: &Assigned, adds: bool) {
        let Some(parts) = parts(target) else { return };
        if let [Part::Name(os), Part::Name("environ"), Part::Index(key)] = parts[..]
            && os == "os"
            && let Computed::Text(name) = self.evaluate(key, assigned.place.line)
        {
            self.note_variable(&name, assigned, true);
            return;
        }
        let path = self.keys(&parts, assigned.place.line);
        match (&assigned.value, adds) {
            (Computed::List(_), true) => {}
            (_, true) => update(&mut self.names, &path, assigned),
            (_, false) => assign(&mut self.names, &path, assigned),
        }
    }

    fn keys(&self, parts: &[Part<'_>], line: u32) -> Vec<Option<String>> {
        let key = |part: &Part<'_>| match part {
            Part::Name(name) => Some((*name).to_owned()),
            Part::Index(expression) => match self.evaluate(expression, line) {
                Computed::Text(key) => Some(key),
                // The name of a loop stands for every key; what is put together for a key of its own.
                _ if expression.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) => None,
                _ => Some((*expression).to_owned()),
            },
        };
        parts.iter().map(key).collect()
    }

    fn note_variable(&self, name: &str, assigned: &Assigned, overrides: bool) {
        let entry = Entry {
            key: name.to_owned(),
            value: assigned.value.clone(),
            expression: assigned.expression.clone(),
            place: assigned.place,
        };
        self.run.found.borrow_mut().environment.push((entry, overrides));
    }

    /// A call that changes something: `A["b"].update(…)`, `os.environ.setdefault(…)`, `load_dotenv(…)`.
    fn call(&mut self, statement: &Statement) {
        let text = statement.text.as_str();
        let Some((function, rest)) = split_call(text) else { return };
        let Some(end) = closing(rest) else { return };
        let Some(arguments) = self.with_names(statement.line, |scope| scope.arguments(&rest[..end])) else { return };
        let Some(targets) = parts(function) else { return };
        let place = self.at(statement.line);
        let assigned = |value: Computed, expression: &str| Assigned { value, expression: expression.to_owned(), place };
        let [before @ .., Part::Name(last)] = &targets[..] else { return };
        // `session.run("pytest", env={…})`
        for (_, value) in arguments.keywords.iter().filter(|(key, _)| key == "env") {
            let Computed::Map(entries) = value else { continue };
            for entry in entries {
                self.note_variable(&entry.key, &assigned(entry.value.clone(), &entry.expression), true);
            }
        }
        let is_environment = matches!(before, [.., Part::Name("environ")]);
        match (*last, &arguments.positional[..]) {
            ("setdefault", [Computed::Text(name), value, ..]) if is_environment => {
                self.note_variable(name, &assigned(value.clone(), text), false);
            }
            ("update", given) => {
                let mut all: Vec<Computed> = given.to_vec();
                let keywords = arguments.keywords.iter().map(|(key, value)| Entry {
                    key: key.clone(),
                    value: value.clone(),
                    expression: String::new(),
                    place,
                });
                all.push(Computed::Map(keywords.collect()));
                let is_scope = matches!(before, [Part::Name("globals" | "locals" | "vars")]);
                let path = if is_scope { Vec::new() } else { self.keys(before, statement.line) };
                for value in all {
                    match &value {
                        Computed::Map(entries) if is_environment => {
                            for entry in entries {
                                self.note_variable(&entry.key, &assigned(entry.value.clone(), &entry.expression), true);
                            }
                        }
                        _ => update(&mut self.names, &path, &assigned(value, text)),
                    }
                }
            }
            ("setdefault", [Computed::Text(key), value, ..]) => {
                let path = [self.keys(before, statement.line), vec![Some(key.clone())]].concat();
                let is_there = matches!(self.names_at(&path), Some(value) if value != Computed::Unset);
                if !is_there {
                    assign(&mut self.names, &path, &assigned(value.clone(), text));
                }
            }
            ("load_dotenv" | "read_env" | "read_envfile" | "read_dotenv" | "dotenv_values", given) => {
                let named = ["dotenv_path", "env_file", "path"];
                let named =
                    arguments.keywords.iter().find(|(key, _)| named.contains(&key.as_str())).map(|(_, value)| value);
                if let Some(Computed::Text(name)) = given.first().or(named) {
                    let is_true = |(key, value): &(String, Computed)| {
                        matches!(key.as_str(), "override" | "overwrite") && *value == Computed::Flag(true)
                    };
                    let overrides = arguments.keywords.iter().any(is_true);
                    let file = LoadedBy { name: name.clone(), module: self.path.to_owned(), overrides };
                    self.run.found.borrow_mut().files.push(file);
                }
            }
            ("read" | "read_file", _) => {
                let path = self.keys(before, statement.line);
                let name = data_file(rest).or(self.opened.as_deref());
                if let Some(value) = name.and_then(|name| self.run.program.data(self.path, name, self.run.read)) {
                    update(&mut self.names, &path, &assigned(value, text));
                }
            }
            ("include" | "exec" | "execfile", _) => self.include(rest),
            _ => {}
        }
    }

    /// `include("components/database.py")`, `exec(open("local.py").read())`: code of another file in this one.
    fn include(&mut self, arguments: &str) {
        let names: Vec<String> =
            arguments.split(['"', '\'']).filter(|part| part.ends_with(".py")).map(str::to_owned).collect();
        for name in names {
            if let Some(path) = self.run.program.beside(self.path, &name, self.run.read) {
                let names = self.run.module(&path, DEEPEST / 2);
                names.into_iter().for_each(|entry| put(&mut self.names, entry));
            }
        }
    }

    fn names_at(&self, path: &[Option<String>]) -> Option<Computed> {
        let mut entries = &self.names;
        let (last, outer) = path.split_last()?;
        for key in outer {
            match &entries.iter().find(|entry| Some(&entry.key) == key.as_ref())?.value {
                Computed::Map(inner) => entries = inner,
                _ => return None,
            }
        }
        entries.iter().find(|entry| Some(&entry.key) == last.as_ref()).map(|entry| entry.value.clone())
    }

    /// Notes the places that a statement dials.
    fn note_connections(&self, statement: &Statement) {
        let text = statement.text.as_str();
        if !text.contains('(') || !MARKS_OF_DIALS.iter().any(|mark| text.contains(mark)) {
            return;
        }
        for name in DIALS {
            for (at, _) in text.match_indices(name) {
                let before = text[..at].chars().next_back();
                if before.is_some_and(|c| c == '_' || c.is_alphanumeric()) {
                    continue;
                }
                let Some(rest) = text[at + name.len()..].strip_prefix('(') else { continue };
                let Some(end) = closing(rest) else { continue };
                let Some(arguments) = self.with_names(statement.line, |scope| scope.arguments(&rest[..end])) else {
                    continue;
                };
                let place = self.at(statement.line);
                let entry = |key: &str, value: &Computed| Entry {
                    key: key.to_owned(),
                    value: value.clone(),
                    expression: rest[..end].to_owned(),
                    place,
                };
                let address = arguments
                    .positional
                    .iter()
                    .find(|value| matches!(value, Computed::Text(text) if text.contains("://")));
                let mut entries: Vec<Entry> = address.map(|address| entry("url", address)).into_iter().collect();
                entries.extend(arguments.keywords.iter().map(|(key, value)| entry(key, value)));
                if !entries.is_empty() {
                    self.run.found.borrow_mut().connections.push(entry(name, &Computed::Map(entries)));
                }
            }
        }
    }

    fn at(&self, line: u32) -> Place {
        Place { file: self.file, line }
    }

    fn evaluate(&self, expression: &str, line: u32) -> Computed {
        self.with_names(line, |scope| scope.evaluate(expression))
    }

    fn with_names<T>(&self, line: u32, with: impl Fn(&Scope<'_>) -> T) -> T {
        self.with_scope(line, false, &self.run.is_undecided, with)
    }

    fn with_scope<T>(&self, line: u32, settles: bool, is_undecided: &Cell<bool>, with: impl Fn(&Scope<'_>) -> T) -> T {
        let names = |name: &str| {
            if name == "sys" {
                return Some(self.run.program.arguments());
            }
            let entry = self.names.iter().rev().find(|entry| entry.key == name)?;
            self.run.spend(size(&entry.value));
            Some(picked(entry, self.run.round).value)
        };
        let lookup = |name: &str| {
            let given = (self.run.lookup)(name);
            let found = self.run.found.borrow();
            let set = found.environment.iter().rev().find(|(entry, _)| entry.key == name);
            match (set, given) {
                (Some((entry, true)), _) | (Some((entry, false)), None) => match &entry.value {
                    Computed::Text(text) => Some(text.clone()),
                    _ => None,
                },
                (_, given) => given,
            }
        };
        with(&Scope {
            lookup: &lookup,
            names: &names,
            settles_unset: settles,
            takes_other: self.run.round % 2 == 1,
            is_undecided,
            place: self.at(line),
        })
    }
}

/// Tells whether a statement in a function may say something about settings.
fn is_about_settings(statement: &Statement) -> bool {
    let marks =
        ["environ", "getenv", "env(", "env.", "env=", "://", "onnect", "config", "reate_", "DATABASE", "settings"];
    statement.word() == "return" || marks.iter().any(|mark| statement.text.contains(mark))
}

/// Finds the data file that is named in a text.
fn data_file(text: &str) -> Option<&str> {
    let endings = [".ini", ".cfg", ".conf", ".json", ".yml", ".yaml", ".toml"];
    text.split(['"', '\'']).skip(1).step_by(2).find(|name| endings.iter().any(|ending| name.ends_with(ending)))
}

/// Tells whether a statement only says of which type a name is: `DATABASE_URL: str`.
fn is_declaration(text: &str) -> bool {
    let is_name = |c: char| c == '_' || c.is_alphanumeric();
    text.split_once(':').is_some_and(|(name, _)| !name.is_empty() && name.trim_end().chars().all(is_name))
}

/// Splits `a.b(…` at the parenthesis that opens the last call of a chain.
fn split_call(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("await ").unwrap_or(text);
    for (scope, name) in [
        ("globals().update(", "globals.update"),
        ("locals().update(", "locals.update"),
        ("vars().update(", "vars.update"),
    ] {
        if let Some(rest) = text.strip_prefix(scope) {
            return Some((name, rest));
        }
    }
    let open = text.find('(')?;
    Some((text[..open].trim(), &text[open + 1..]))
}

/// Finds the statements that are nested below the one at `at`.
fn body(statements: &[Statement], at: usize) -> std::ops::Range<usize> {
    let outer = statements[at].indentation;
    let end = statements[at + 1..].iter().position(|one| one.indentation <= outer);
    at + 1..end.map_or(statements.len(), |end| at + 1 + end)
}

/// Words of conditions that speak of production, or of a platform that marks itself. Sources: the platforms' manuals.
const ELSEWHERE: &[&str] = &[
    "prod",
    "production",
    "live",
    "staging",
    "heroku",
    "dyno",
    "gae",
    "gcp",
    "cloud",
    "aws",
    "rds",
    "lambda",
    "beanstalk",
    "fly",
    "render",
    "vercel",
    "railway",
    "azure",
    "website",
    "kubernetes",
    "k8s",
    "openshift",
    "deployed",
];

/// Tells whether a condition speaks of production or of a hosting platform: where it hangs on a variable that is not
/// set here, it is about another place.
fn is_about_elsewhere(condition: &str) -> bool {
    let lower = condition.to_ascii_lowercase();
    lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| ELSEWHERE.contains(&word))
}

/// A module that was read.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) statements: Rc<[Statement]>,
    pub(crate) number: usize,
    /// It holds a word that settings are made of; if not, what it imports may.
    pub(crate) is_relevant: bool,
}
