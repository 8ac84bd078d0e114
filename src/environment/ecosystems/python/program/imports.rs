//! Names that come from other modules.

use std::path::Path;

use crate::environment::ecosystems::python::program::block::Block;
use crate::environment::ecosystems::python::program::scope::{Assigned, DEEPEST, MODULE, assign, size};
use crate::environment::readers::code::python::Statement;
use crate::environment::readers::code::{Computed, Entry, put};

/// What stands behind a name for what it is itself, for what it gives when called, and for what it gives for arguments.
const OF_NAME: &[&str] = &["", "()", "(…)"];

impl Block<'_, '_> {
    /// `from a import *`, `from a import b as c`, `import a.b as c`.
    pub(crate) fn import(&mut self, statement: &Statement, depth: usize) {
        let rest = statement.rest();
        let program = self.run.program;
        // What a function imports when it is called is followed beside the settings alone: there are many, and they
        // lead everywhere.
        if self.is_function && !self.run.is_at_home(self.path) {
            self.forget_imported(statement);
            return;
        }
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
            for suffix in OF_NAME {
                let key = format!("{name}{suffix}");
                if let Some(entry) = scope.iter().find(|entry| entry.key == key) {
                    put(&mut self.names, Entry { key: format!("{own}{suffix}"), ..entry.clone() });
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

    pub(crate) fn imports_what_is_missing(&self, statement: &Statement) -> bool {
        let rest = statement.rest();
        let module = rest.split([' ', '\t']).next().unwrap_or_default();
        match statement.word() {
            "from" | "import" => self.run.program.resolve(self.path, module, self.run.read).is_none(),
            _ => false,
        }
    }

    /// Leaves unknown what the names of an import stand for, whatever they are around it.
    fn forget_imported(&mut self, statement: &Statement) {
        let rest = statement.rest();
        let names = rest.split_once("import").map_or(rest, |(_, names)| names);
        for one in names.split([',', '\n', '(', ')']).map(str::trim) {
            let name = one.split_once(" as ").map_or(one, |(_, own)| own.trim());
            let name = name.split('.').next().unwrap_or_default();
            if !name.is_empty() {
                for key in OF_NAME.iter().map(|suffix| format!("{name}{suffix}")) {
                    let place = self.at(statement.line);
                    self.names.push(Entry { key, value: Computed::Unknown, expression: String::new(), place });
                }
            }
        }
    }

    /// The names of a module as one value, without the modules that it imports itself.
    pub(crate) fn namespace(&self, path: &Path, depth: usize) -> Computed {
        let names = self.run.module(path, depth);
        let value = Computed::Map(names.iter().filter(|entry| entry.expression != MODULE).cloned().collect());
        self.run.spend(size(&value));
        value
    }

    /// `include("components/database.py")`, `exec(open("local.py").read())`: code of another file in this one.
    pub(crate) fn include(&mut self, arguments: &str) {
        let names: Vec<String> =
            arguments.split(['"', '\'']).filter(|part| part.ends_with(".py")).map(str::to_owned).collect();
        for name in names {
            if let Some(path) = self.run.program.beside(self.path, &name, self.run.read) {
                let names = self.run.module(&path, DEEPEST / 2);
                names.iter().cloned().for_each(|entry| put(&mut self.names, entry));
            }
        }
    }
}
