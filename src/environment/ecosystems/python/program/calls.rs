//! Calls that change what names hold, the environment, or which files are loaded.

use crate::environment::ecosystems::python::program::block::Block;
use crate::environment::ecosystems::python::program::run::{LoadedBy, has_databases};
use crate::environment::ecosystems::python::program::scope::{Assigned, assign, update};
use crate::environment::ecosystems::python::program::variables::GONE;
use crate::environment::readers::code::python::{Part, Statement, closing, parts};
use crate::environment::readers::code::{Computed, Entry};

impl Block<'_, '_> {
    /// Notes that a variable is set, over the environment or below it.
    pub(crate) fn note_variable(&self, name: &str, assigned: &Assigned, overrides: bool) {
        let entry = Entry {
            key: name.to_owned(),
            value: assigned.value.clone(),
            expression: assigned.expression.clone(),
            place: assigned.place,
        };
        let mut found = self.run.found.borrow_mut();
        self.run.spend(found.variables.count() / 32);
        match (overrides, self.is_function) {
            (true, false) => found.variables.set(entry),
            (true, true) => found.variables.set_too(entry),
            (false, false) => found.variables.set_default(entry),
            (false, true) => found.variables.set_default_too(entry),
        }
    }

    /// Notes that a variable is taken out of the environment.
    pub(crate) fn unset_variable(&self, name: &str, statement: &Statement) {
        if self.run.value_of(name) == Computed::Unset {
            return;
        }
        let (expression, place) = (statement.text.clone(), self.at(statement.line));
        self.note_variable(name, &Assigned { value: GONE, expression, place }, true);
    }

    /// Notes what calls within an expression change.
    pub(crate) fn call_within(&mut self, expression: &str, statement: &Statement) {
        let is_of_name = |c: char| c == '.' || c == '_' || c.is_alphanumeric();
        for (at, _) in CHANGING.iter().flat_map(|mark| expression.match_indices(mark)) {
            let start = expression[..at].trim_end_matches(is_of_name).len();
            self.call(&Statement { text: expression[start..].to_owned(), ..statement.clone() });
        }
    }

    /// A call that changes something: `A["b"].update(…)`, `os.environ.setdefault(…)`, `load_dotenv(…)`.
    pub(crate) fn call(&mut self, statement: &Statement) {
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
        let is_environment = is_environment(before);
        match (*last, &arguments.positional[..]) {
            ("setdefault", [Computed::Text(name), value, ..]) if is_environment => {
                self.note_variable(name, &assigned(value.clone(), text), false);
            }
            ("putenv", [Computed::Text(name), value, ..]) => {
                self.note_variable(name, &assigned(value.clone(), text), true);
            }
            ("pop", [Computed::Text(name), ..]) if is_environment => self.unset_variable(name, statement),
            ("unsetenv", [Computed::Text(name), ..]) => self.unset_variable(name, statement),
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
                        _ => {
                            self.take_in(&path);
                            update(&mut self.names, &path, &assigned(value, text));
                        }
                    }
                }
            }
            ("setdefault", [Computed::Text(key), value, ..]) => {
                let path = [self.keys(before, statement.line), vec![Some(key.clone())]].concat();
                self.take_in(&path);
                let is_there = matches!(self.names_at(&path), Some(value) if value != Computed::Unset);
                if !is_there {
                    assign(&mut self.names, &path, &assigned(value.clone(), text));
                }
            }
            ("load_dotenv" | "read_env" | "read_envfile" | "read_dotenv" | "dotenv_values", given) => {
                let named = ["dotenv_path", "env_file", "path"];
                let named =
                    arguments.keywords.iter().find(|(key, _)| named.contains(&key.as_str())).map(|(_, value)| value);
                let name = match given.first().or(named) {
                    Some(Computed::Text(name)) => Some(name.clone()),
                    Some(_) if !rest[..end].contains("find_dotenv()") => None,
                    _ => Some(String::new()),
                };
                if let Some(name) = name {
                    let is_true = |(key, value): &(String, Computed)| {
                        matches!(key.as_str(), "override" | "overwrite") && *value == Computed::Flag(true)
                    };
                    let overrides = arguments.keywords.iter().any(is_true);
                    let file = LoadedBy { name, module: self.path.to_owned(), overrides, on: Vec::new() };
                    let mut found = self.run.found.borrow_mut();
                    found.files.push(file);
                    found.variables.may_return();
                }
            }
            ("read" | "read_file", _) => {
                let path = self.keys(before, statement.line);
                let name = data_file(rest).or(self.opened.as_deref());
                if let Some(value) = name.and_then(|name| self.run.program.data(self.path, name, self.run.read)) {
                    self.take_in(&path);
                    update(&mut self.names, &path, &assigned(value, text));
                }
            }
            ("include" | "exec" | "execfile", _) => self.include(rest),
            (_, _) if rest[..end].trim() == "__name__" => {
                // `logging.getLogger(__name__)` chooses nothing.
                if let [Part::Name(class)] = before
                    && self.known(class).is_some_and(|class| has_databases(&class.value))
                {
                    self.run.found.borrow_mut().settings_classes.push((*class).to_owned());
                }
            }
            _ => {}
        }
    }

    pub(crate) fn names_at(&self, path: &[Option<String>]) -> Option<Computed> {
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

    pub(crate) fn keys(&self, parts: &[Part<'_>], line: u32) -> Vec<Option<String>> {
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
}

/// Calls that change something besides giving a value.
const CHANGING: &[&str] = &["environ.pop(", "environ.setdefault(", "load_dotenv(", "read_env(", "dotenv_values("];

/// Tells whether a path is that of the variables of the environment: `os.environ`, `environ`.
pub(crate) fn is_environment(parts: &[Part<'_>]) -> bool {
    matches!(parts, [.., Part::Name("environ")])
}

/// Finds the data file that is named in a text.
pub(crate) fn data_file(text: &str) -> Option<&str> {
    let endings = [".ini", ".cfg", ".conf", ".json", ".yml", ".yaml", ".toml"];
    text.split(['"', '\'']).skip(1).step_by(2).find(|name| endings.iter().any(|ending| name.ends_with(ending)))
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
