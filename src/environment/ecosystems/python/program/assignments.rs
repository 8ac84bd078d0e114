//! Statements without a body: what they assign, and what is called.

use crate::environment::ecosystems::python::program::block::Block;
use crate::environment::ecosystems::python::program::calls::{data_file, is_environment};
use crate::environment::ecosystems::python::program::scope::{Assigned, DEEPEST, assign, size, update};
use crate::environment::readers::code::python::{Part, Statement, assignment, closing, parts};
use crate::environment::readers::code::{Computed, Entry};

/// Larger values, in parts, are taken for unknown.
const LARGEST_VALUE: usize = 512;

impl Block<'_, '_> {
    /// A statement without a body of its own.
    pub(crate) fn line(&mut self, statement: &Statement) {
        self.note_connections(statement);
        if statement.word() == "del" {
            self.delete(statement);
            return;
        }
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
                self.doubts += usize::from(is_doubtful(&value, assignment.expression));
                let assigned =
                    Assigned { value, expression: assignment.expression.to_owned(), place: self.at(statement.line) };
                for target in assignment.targets {
                    self.assign(target, &assigned, assignment.adds);
                }
                self.call_within(assignment.expression, statement);
            }
            None if is_declaration(&statement.text) => {
                let name = statement.word().to_owned();
                if self.known(&name).is_none() {
                    let place = self.at(statement.line);
                    let entry = Entry { key: name, value: Computed::Unset, expression: String::new(), place };
                    self.names.push(entry);
                }
            }
            None => {
                self.doubts += usize::from(self.may_fail(statement));
                self.call(statement);
            }
        }
    }

    /// Tells whether a statement fails for sure: it reads a variable that is not set, as `os.environ["X"]`.
    pub(crate) fn fails(&mut self, statement: &Statement) -> bool {
        let text = assignment(&statement.text).map_or(statement.text.as_str(), |assignment| assignment.expression);
        let is_unset =
            |name: &Computed| matches!(name, Computed::Text(name) if self.run.value_of(name) == Computed::Unset);
        let reads = text.match_indices(SUBSCRIPT).any(|(at, mark)| {
            let rest = &text[at + mark.len()..];
            closing(rest).is_some_and(|end| is_unset(&self.evaluate(&rest[..end], statement.line)))
        });
        self.doubts += usize::from(reads);
        let hangs = [" if ", " or ", " and ", " for ", "lambda"].iter().any(|word| text.contains(word));
        statement.word() == "raise" || reads && !hangs
    }

    /// Tells whether a statement may fail: it calls something, but to open a file that is there.
    fn may_fail(&self, statement: &Statement) -> bool {
        let opens = || {
            let name = data_file(&statement.text).filter(|_| statement.text.contains("open("));
            name.is_some_and(|name| self.run.program.data(self.path, name, self.run.read).is_some())
        };
        statement.text.contains('(') && !opens()
    }

    /// `del os.environ["X"]`
    fn delete(&mut self, statement: &Statement) {
        for target in statement.rest().split(',') {
            if let Some(name) = parts(target).and_then(|parts| self.variable_of(&parts, statement.line)) {
                self.unset_variable(&name, statement);
            }
        }
    }

    /// Finds the variable that is meant by `os.environ["X"]`.
    fn variable_of(&self, parts: &[Part<'_>], line: u32) -> Option<String> {
        let [before @ .., Part::Index(key)] = parts else { return None };
        match self.evaluate(key, line) {
            Computed::Text(name) if is_environment(before) => Some(name),
            _ => None,
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
        if let Some(name) = self.variable_of(&parts, assigned.place.line) {
            self.note_variable(&name, assigned, true);
            return;
        }
        if let (true, true, Computed::Map(entries)) = (adds, is_environment(&parts), &assigned.value) {
            for Entry { key, value, expression, .. } in entries {
                let (value, expression) = (value.clone(), expression.clone());
                self.note_variable(key, &Assigned { value, expression, ..*assigned }, true);
            }
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

/// Reads a variable so that one that is not set is an error.
const SUBSCRIPT: &str = "environ[";

/// Tells whether what an expression came to may be because it fails.
pub(crate) fn is_doubtful(value: &Computed, expression: &str) -> bool {
    let reads = ["os.environ.get(", "environ.get(", "os.getenv(", "getenv("];
    let is_reading = || {
        let inside = reads.iter().find_map(|read| expression.strip_prefix(read));
        inside.is_some_and(|inside| closing(inside) == Some(inside.len() - 1))
    };
    match value {
        Computed::Unknown => true,
        Computed::Unset => expression != "None" && !expression.is_empty() && !is_reading(),
        _ => false,
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
