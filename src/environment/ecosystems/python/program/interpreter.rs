//! Goes through the statements of modules and keeps what is assigned: nothing is executed, and what cannot be decided
//! is gone through both ways.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::python::program::assignments::is_doubtful;
use crate::environment::ecosystems::python::program::block::{Block, Left};
use crate::environment::ecosystems::python::program::modules::{Program, Read};
use crate::environment::ecosystems::python::program::run::{Outcome, Run};
use crate::environment::ecosystems::python::program::scope::{DEEPEST, MOST_ALTERNATIVES, either};
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
        let mut block = Block::of_module(self, path, module.number);
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
        while at < statements.len() && self.left.is_none() {
            let statement = &statements[at];
            if self.run.is_cut() {
                self.run.cut_at(self.path, statement.line);
                return;
            }
            if self.is_tried && self.fails(statement) {
                self.left = Some(Left::Failed);
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
                "match" if inner.first().is_some_and(|first| first.word() == "case") => {
                    self.matched(statement, inner, depth);
                }
                "while" => {
                    self.line(statement);
                    self.go(inner, depth);
                    self.left = None;
                }
                "with" | "finally" | "else" => {
                    self.line(statement);
                    self.go(inner, depth);
                }
                "from" | "import" => self.import(statement, depth),
                "return" => self.give_back(statement),
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
        self.left = None;
    }

    /// `return`: what is returned before is beside it, where that was on another way.
    fn give_back(&mut self, statement: &Statement) {
        let value = self.evaluate(statement.rest(), statement.line);
        self.doubts += usize::from(is_doubtful(&value, statement.rest()));
        let (expression, place) = (statement.rest().to_owned(), self.at(statement.line));
        let entry = Entry { key: String::new(), value, expression, place };
        let before = self.returned.take().into_iter().collect();
        self.returned = either(before, vec![entry]).pop();
        if let Some(Entry { value, .. }) = &mut self.returned
            && matches!(value, Computed::Either(alternatives) if alternatives.len() > MOST_ALTERNATIVES)
        {
            *value = Computed::Unknown;
        }
        self.left = Some(Left::Returned);
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
pub(crate) fn body(statements: &[Statement], at: usize) -> std::ops::Range<usize> {
    let outer = statements[at].indentation;
    let end = statements[at + 1..].iter().position(|one| one.indentation <= outer);
    at + 1..end.map_or(statements.len(), |end| at + 1 + end)
}
