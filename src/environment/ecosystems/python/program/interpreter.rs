//! Goes through the statements of modules and keeps what is assigned: nothing is executed, and what cannot be decided
//! is gone through both ways.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::python::program::block::Block;
use crate::environment::ecosystems::python::program::modules::{Program, Read};
use crate::environment::ecosystems::python::program::run::{Outcome, Run};
use crate::environment::ecosystems::python::program::scope::{DEEPEST, either};
use crate::environment::ecosystems::python::program::variables::Variables;
use crate::environment::readers::code::python::{Statement, closing};
use crate::environment::readers::code::{Computed, Entry, put};
use crate::environment::readers::expansion::Lookup;

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
    pub(crate) fn go(&mut self, statements: &[Statement], depth: usize) {
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

/// Finds the statements that are nested below the one at `at`.
fn body(statements: &[Statement], at: usize) -> std::ops::Range<usize> {
    let outer = statements[at].indentation;
    let end = statements[at + 1..].iter().position(|one| one.indentation <= outer);
    at + 1..end.map_or(statements.len(), |end| at + 1 + end)
}
