//! Classes and functions: what they hold, and which of them are gone through.

use std::path::Path;

use crate::environment::ecosystems::python::program::block::Block;
use crate::environment::ecosystems::python::program::run::LoadedBy;
use crate::environment::readers::code::python::{Statement, closing};
use crate::environment::readers::code::words::says_database;
use crate::environment::readers::code::{Computed, Entry, Place, put};

impl Block<'_, '_> {
    /// `class A(B):` holds the names of B, and its own.
    pub(crate) fn class(&mut self, header: &Statement, inner: &[Statement], depth: usize) {
        let rest = header.rest();
        let end = rest.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(rest.len());
        let (name, bases) = rest.split_at(end);
        let says_something = || {
            let is_one = |text: &str| ["ettings", "onfig", "Base"].iter().any(|mark| text.contains(mark));
            is_one(name) || is_one(bases) || self.are_about_settings(inner, false)
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

    /// Tells whether one of the statements may say something about settings.
    fn are_about_settings(&self, statements: &[Statement], is_close: bool) -> bool {
        let tell = || statements.iter().any(|statement| is_about_settings(statement, is_close));
        self.run.program.once_about(statements, is_close, tell)
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
                let file = LoadedBy { name, module: self.path.to_owned(), overrides: false, on: Vec::new() };
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

    /// Goes through a function; gives its own names, and what it returns.
    fn call_with(&self, given: Vec<Entry>, inner: &[Statement], depth: usize) -> (Vec<Entry>, Computed) {
        let count = given.len();
        let mut block = self.inner(given, true);
        block.go(inner, depth);
        let own = block.names.split_off(count.min(block.names.len()));
        (own, block.returned.map_or(Computed::Unknown, |returned| returned.value))
    }

    /// A function: what it returns is kept under its name with `()`; what it does counts as if it were called.
    pub(crate) fn function(&mut self, header: &Statement, inner: &[Statement], depth: usize) {
        let rest = header.rest();
        let rest = rest.strip_prefix("def ").unwrap_or(rest).trim_start();
        let Some((name, parameters)) = rest.split_once('(') else {
            // `async with`, `async for`
            self.go(inner, depth);
            return;
        };
        // Of the modules that it starts at, all may be.
        let is_close = is_close(self.path) || self.run.starts_at(self.path) || says_more(name);
        if !self.are_about_settings(inner, is_close) {
            return;
        }
        let mut given = Vec::new();
        let parameters = closing(parameters).map_or("", |end| &parameters[..end]);
        for parameter in parameters.split(',') {
            let name = parameter.split([':', '=']).next().unwrap_or_default().trim().trim_start_matches('*');
            // What a parameter is called may stand for something else around it.
            let default =
                parameter.split_once('=').map_or(Computed::Unknown, |(_, default)| self.evaluate(default, header.line));
            given.push(Entry {
                key: name.to_owned(),
                value: default,
                expression: String::new(),
                place: self.at(header.line),
            });
        }
        let place = self.at(header.line);
        let of_any = |value| Entry { key: format!("{}(…)", name.trim()), value, expression: String::new(), place };
        // What it gives for other arguments than its defaults is known where it hangs on none of them.
        if given.iter().any(|parameter| parameter.value != Computed::Unknown) {
            let unknown = given.iter().map(|one| Entry { value: Computed::Unknown, ..one.clone() }).collect();
            let (_, value) = self.run.apart(|| self.call_with(unknown, inner, depth));
            put(&mut self.names, of_any(value));
        } else if self.known(&of_any(Computed::Unset).key).is_some() {
            put(&mut self.names, of_any(Computed::Unset));
        }
        let (own, value) = self.call_with(given, inner, depth);
        for entry in own {
            if matches!(&entry.value, Computed::Map(_)) && !entry.key.ends_with(')') {
                // `app.config["URL"] = …` within `create_app`.
                put(&mut self.names, Entry { key: format!("{name}.{}", entry.key), ..entry });
            }
        }
        put(&mut self.names, Entry { key: format!("{}()", name.trim()), value, expression: String::new(), place });
    }
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
