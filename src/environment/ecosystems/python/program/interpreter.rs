//! Goes through the statements of modules and keeps what is assigned: nothing is executed, and what cannot be decided
//! is gone through both ways.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::python::program::block::Block;
use crate::environment::ecosystems::python::program::calls::data_file;
use crate::environment::ecosystems::python::program::modules::{Program, Read};
use crate::environment::ecosystems::python::program::run::{LoadedBy, Outcome, Run};
use crate::environment::ecosystems::python::program::scope::{Assigned, DEEPEST, assign, either, size, update};
use crate::environment::ecosystems::python::program::variables::Variables;
use crate::environment::readers::code::python::{Part, Statement, assignment, closing, parts};
use crate::environment::readers::code::words::says_database;
use crate::environment::readers::code::{Computed, Entry, Place, put};
use crate::environment::readers::expansion::Lookup;

/// Larger values, in parts, are taken for unknown.
const LARGEST_VALUE: usize = 512;

/// Goes through a program from each of `entries`; the names of the last one count.
pub(crate) fn go_through(
    program: &Program,
    entries: &[PathBuf],
    read: Read<'_>,
    lookup: Lookup<'_>,
    round: usize,
) -> Outcome {
    let run = Run::new(program, read, lookup, round, entries);
    let go = |entry: &PathBuf| {
        run.begin();
        run.module(entry, DEEPEST)
    };
    let names = entries.iter().map(go).last().unwrap_or_default();
    run.note_settings_class(&names);
    run.outcome(names.to_vec())
}

impl Run<'_> {
    /// Goes through a module; gives its names.
    pub(crate) fn module(&self, path: &Path, depth: usize) -> Rc<[Entry]> {
        let Some(module) = self.program.module(path, self.read) else { return Rc::default() };
        if let Some((_, names)) = self.modules.borrow().iter().find(|(known, _)| *known == module.number) {
            return Rc::clone(names);
        }
        if depth == 0 {
            self.cut_at(path, 1);
            return Rc::default();
        }
        let at = self.modules.borrow().len();
        self.modules.borrow_mut().push((module.number, Rc::default()));
        let mut block = Block {
            run: self,
            path,
            file: module.number,
            outer: None,
            names: Vec::new(),
            returned: None,
            opened: None,
            is_function: false,
        };
        if module.is_relevant {
            block.go(&module.statements, depth);
        } else {
            block.go(&imports(&module.statements), depth);
        }
        let names: Rc<[Entry]> = block.names.into();
        self.modules.borrow_mut()[at].1 = Rc::clone(&names);
        names
    }
}

impl Block<'_, '_> {
    /// Goes through statements of one depth with what is nested below them.
    fn go(&mut self, statements: &[Statement], depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            self.run.cut_at(self.path, statements.first().map_or(1, |statement| statement.line));
            return;
        };
        let mut at = 0;
        while at < statements.len() {
            let statement = &statements[at];
            if self.run.is_cut() {
                self.run.cut_at(self.path, statement.line);
                return;
            }
            self.run.spend(1);
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
                || ["=", ".update(", ".setdefault(", "load_dotenv(", "read_env(", "include(", ".read("]
                    .iter()
                    .any(|mark| one.text.contains(mark))
        };
        if !branches.iter().any(|(_, body)| statements[body.clone()].iter().any(changes)) {
            return at;
        }
        let mut possible = Vec::new();
        let mut is_settled = false;
        for (condition, body) in branches {
            let holds = condition.map_or(Some(true), |condition| self.holds(condition));
            if holds != Some(false) {
                possible.push(body);
            }
            if holds == Some(true) {
                is_settled = true;
                break;
            }
        }
        // The branch that is taken for sure changes the names where they stand.
        if let ([body], true) = (&possible[..], is_settled) {
            self.go(&statements[body.clone()], depth);
            return at;
        }
        let before = self.names.clone();
        let variables = self.run.variables();
        let mut ways: Vec<Vec<Entry>> = Vec::new();
        let mut ways_of_variables = Vec::new();
        for body in possible {
            self.run.spend(2 * (before.len() + variables.count()));
            self.names.clone_from(&before);
            self.run.replace_variables(variables.clone());
            self.go(&statements[body], depth);
            ways.push(std::mem::take(&mut self.names));
            ways_of_variables.push(self.run.replace_variables(Variables::default()));
        }
        if !is_settled {
            ways.insert(0, before);
            ways_of_variables.insert(0, variables);
        }
        self.run.replace_variables(ways_of_variables.into_iter().reduce(Variables::either).unwrap_or_default());
        self.complete(&mut ways);
        self.names = ways.into_iter().reduce(either).unwrap_or_default();
        at
    }

    /// Adds to each way what the block around gives for a name that another way assigns.
    fn complete(&self, ways: &mut [Vec<Entry>]) {
        let Some(outer) = self.outer else { return };
        let mut keys: Vec<String> = Vec::new();
        for entry in ways.iter().flatten() {
            if !keys.contains(&entry.key) && outer.known(&entry.key).is_some() {
                keys.push(entry.key.clone());
            }
        }
        for key in keys {
            for way in ways.iter_mut().filter(|way| way.iter().all(|entry| entry.key != key)) {
                way.extend(outer.known(&key).cloned());
            }
        }
    }

    /// `try`: its body; what follows for the case that it fails counts where it may.
    fn attempt(&mut self, statements: &[Statement], body: std::ops::Range<usize>, depth: usize) -> usize {
        let inner = &statements[body.clone()];
        let is_missing = inner.iter().any(|one| self.imports_what_is_missing(one));
        let before = if is_missing { self.names.clone() } else { Vec::new() };
        let variables = if is_missing { self.run.variables() } else { Variables::default() };
        self.run.spend(before.len());
        self.go(inner, depth);
        let mut at = body.end;
        while let Some(next) = statements.get(at).filter(|next| matches!(next.word(), "except" | "else" | "finally")) {
            let body = self::body(statements, at);
            at = body.end;
            if next.word() != "except" {
                self.go(&statements[body], depth);
            } else if is_missing {
                let names = std::mem::replace(&mut self.names, before.clone());
                let own = self.run.replace_variables(variables.clone());
                self.go(&statements[body], depth);
                let other = self.run.replace_variables(Variables::default());
                self.run.replace_variables(own.either(other));
                let mut ways = [names, std::mem::take(&mut self.names)];
                self.complete(&mut ways);
                let [names, other] = ways;
                self.names = either(names, other);
            }
        }
        at
    }

    /// `class A(B):` holds the names of B, and its own.
    fn class(&mut self, header: &Statement, inner: &[Statement], depth: usize) {
        let rest = header.rest();
        let end = rest.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(rest.len());
        let (name, bases) = rest.split_at(end);
        let says_something = || {
            let is_one = |text: &str| ["ettings", "onfig", "Base"].iter().any(|mark| text.contains(mark));
            is_one(name) || is_one(bases) || inner.iter().any(|statement| is_about_settings(statement, false))
        };
        // Most classes of most modules are about something else.
        if !is_close(self.path) && !self.run.starts_at(self.path) && !says_something() {
            let place = self.at(header.line);
            let value = Computed::Unknown;
            put(&mut self.names, Entry { key: name.to_owned(), value, expression: String::new(), place });
            return;
        }
        let mut names = Vec::new();
        for base in bases.trim_start_matches('(').trim_end_matches(')').split(',') {
            if let Computed::Map(entries) = self.evaluate(base.trim(), header.line) {
                entries.into_iter().for_each(|entry| put(&mut names, entry));
            }
        }
        let mut block = self.inner(names, self.is_function);
        block.go(inner, depth);
        let mut own = block.names;
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
                self.run.found.borrow_mut().variables.set_default(default);
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
        // Of the modules that it starts at, all may be.
        let is_close = is_close(self.path) || self.run.starts_at(self.path) || says_more(name);
        if !inner.iter().any(|statement| is_about_settings(statement, is_close)) {
            return;
        }
        let mut names = Vec::new();
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
        let given = names.len();
        let mut block = self.inner(names, true);
        block.go(inner, depth);
        let (own, returned) = (block.names.split_off(given.min(block.names.len())), block.returned);
        for entry in own {
            if matches!(&entry.value, Computed::Map(_)) && !entry.key.ends_with("()") {
                // `app.config["URL"] = …` within `create_app`.
                put(&mut self.names, Entry { key: format!("{name}.{}", entry.key), ..entry });
            }
        }
        let value = returned.unwrap_or(Computed::Unknown);
        let place = self.at(header.line);
        put(&mut self.names, Entry { key: format!("{}()", name.trim()), value, expression: String::new(), place });
    }

    /// A statement without a body of its own.
    fn line(&mut self, statement: &Statement) {
        self.note_connections(statement);
        if statement.text.contains("open(")
            && let Some(name) = data_file(&statement.text)
        {
            let whole = opened(&statement.text).map(|expression| self.evaluate(expression, statement.line));
            self.opened = Some(match whole {
                Some(Computed::Text(whole)) if whole.ends_with(name) => whole,
                _ => name.to_owned(),
            });
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
                if self.known(&name).is_none() {
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
                return Computed::Map(self.run.module(&path, DEEPEST / 2).to_vec());
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
        if path.len() > 1 || adds {
            self.take_in(&path);
        }
        match (&assigned.value, adds) {
            (Computed::List(_), true) => {}
            (_, true) => update(&mut self.names, &path, assigned),
            (_, false) => assign(&mut self.names, &path, assigned),
        }
    }
}

/// Finds what is opened: `p` in `open(p)` and in `with p.open() as f`.
fn opened(text: &str) -> Option<&str> {
    let (before, behind) = text.split_once("open(")?;
    let Some(object) = before.strip_suffix('.') else {
        let inside = &behind[..closing(behind)?];
        return Some(inside.split(", ").next().unwrap_or(inside).trim());
    };
    Some(object.strip_prefix("with ").unwrap_or(object).rsplit(" = ").next().unwrap_or(object).trim())
}

/// The imports among statements, but those that wait for a call.
fn imports(statements: &[Statement]) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < statements.len() {
        let statement = &statements[at];
        match statement.word() {
            "from" | "import" => found.push(Statement { indentation: 0, ..statement.clone() }),
            "def" | "async" => at = body(statements, at).end - 1,
            _ => {}
        }
        at += 1;
    }
    found
}

/// Words in the paths of modules that settings are put together in.
const CLOSE: &[&str] = &[
    "base",
    "common",
    "conf",
    "config",
    "configuration",
    "conftest",
    "constants",
    "core",
    "database",
    "db",
    "env",
    "environment",
    "helpers",
    "local",
    "secrets",
    "settings",
    "test",
    "tests",
    "utils",
];

/// Tells whether settings are put together in a module of that path.
fn is_close(path: &Path) -> bool {
    let parts = path.components().rev().take(3).filter_map(|part| part.as_os_str().to_str());
    let mut words = parts.flat_map(|part| part.split(['.', '_', '-']));
    words.any(|word| CLOSE.contains(&word))
}

/// Tells whether the name of a function speaks of where something is.
fn says_more(name: &str) -> bool {
    let words = ["db", "database", "dsn", "host", "pg", "postgres", "mysql", "mongo", "redis", "sql", "uri", "url"];
    name.to_ascii_lowercase().split('_').any(|word| words.contains(&word))
}

/// Tells whether a statement in a function may say something about settings; `is_close` where the function may be there to
/// put them together.
fn is_about_settings(statement: &Statement, is_close: bool) -> bool {
    let marks = ["environ", "getenv", "env(", "env.", "env=", "://", "create_engine", "DATABASE", "load_dotenv"];
    let more = ["onnect", "config", "reate_", "settings"];
    marks.iter().any(|mark| statement.text.contains(mark))
        || is_close && (statement.word() == "return" || more.iter().any(|mark| statement.text.contains(mark)))
}

/// Tells whether a statement only says of which type a name is: `DATABASE_URL: str`.
fn is_declaration(text: &str) -> bool {
    let is_name = |c: char| c == '_' || c.is_alphanumeric();
    text.split_once(':').is_some_and(|(name, _)| !name.is_empty() && name.trim_end().chars().all(is_name))
}

/// Finds the statements that are nested below the one at `at`.
fn body(statements: &[Statement], at: usize) -> std::ops::Range<usize> {
    let outer = statements[at].indentation;
    let end = statements[at + 1..].iter().position(|one| one.indentation <= outer);
    at + 1..end.map_or(statements.len(), |end| at + 1 + end)
}
