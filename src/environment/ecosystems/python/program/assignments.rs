//! Statements without a body: what they assign, and what is called.

use crate::environment::ecosystems::python::program::block::Block;
use crate::environment::ecosystems::python::program::calls::data_file;
use crate::environment::ecosystems::python::program::scope::{Assigned, DEEPEST, assign, size, update};
use crate::environment::readers::code::python::{Part, Statement, assignment, closing, parts};
use crate::environment::readers::code::{Computed, Entry};

/// Larger values, in parts, are taken for unknown.
const LARGEST_VALUE: usize = 512;

impl Block<'_, '_> {
    /// A statement without a body of its own.
    pub(crate) fn line(&mut self, statement: &Statement) {
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

/// Tells whether a statement only says of which type a name is: `DATABASE_URL: str`.
fn is_declaration(text: &str) -> bool {
    let is_name = |c: char| c == '_' || c.is_alphanumeric();
    text.split_once(':').is_some_and(|(name, _)| !name.is_empty() && name.trim_end().chars().all(is_name))
}
