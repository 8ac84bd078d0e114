//! The names around a statement, and what expressions come to with them.

use std::cell::Cell;
use std::path::Path;

use crate::environment::ecosystems::python::program::run::Run;
use crate::environment::ecosystems::python::program::scope::size;
use crate::environment::readers::code::{Computed, Entry, Place, Scope};

/// How a block is left before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Returned,
    Failed,
}

/// The names of a module, a class or a function while it is gone through.
pub(crate) struct Block<'r, 'p> {
    pub(crate) run: &'r Run<'p>,
    pub(crate) path: &'r Path,
    pub(crate) file: usize,
    /// The block around it, whose names are known in it.
    pub(crate) outer: Option<&'r Block<'r, 'p>>,
    pub(crate) names: Vec<Entry>,
    /// What it returns, as it may come.
    pub(crate) returned: Option<Entry>,
    /// It was left: what follows is not gone through.
    pub(crate) left: Option<Left>,
    /// What fails here is caught.
    pub(crate) is_tried: bool,
    /// How many statements since `try` may have failed.
    pub(crate) doubts: usize,
    /// The data file that was opened last, as the code spells it.
    pub(crate) opened: Option<String>,
    /// It is what a function does.
    pub(crate) is_function: bool,
}

impl<'p> Block<'_, 'p> {
    /// A block of its own for a module.
    pub(crate) fn of_module<'b>(run: &'b Run<'p>, path: &'b Path, file: usize) -> Block<'b, 'p> {
        Block {
            run,
            path,
            file,
            outer: None,
            names: Vec::new(),
            returned: None,
            left: None,
            is_tried: false,
            doubts: 0,
            opened: None,
            is_function: false,
        }
    }

    /// A block within this one, with names of its own.
    pub(crate) fn inner<'b>(&'b self, names: Vec<Entry>, is_function: bool) -> Block<'b, 'p> {
        Block { outer: Some(self), names, is_function, ..Block::of_module(self.run, self.path, self.file) }
    }

    /// Finds a name in this block, or in those around it.
    pub(crate) fn known(&self, name: &str) -> Option<&Entry> {
        let own = self.names.iter().rev().find(|entry| entry.key == name);
        own.or_else(|| self.outer?.known(name))
    }

    /// Makes a name of a block around this one its own, before something below it is changed.
    pub(crate) fn take_in(&mut self, path: &[Option<String>]) {
        let Some(Some(name)) = path.first() else { return };
        if self.names.iter().all(|entry| entry.key != *name)
            && let Some(entry) = self.outer.and_then(|outer| outer.known(name)).cloned()
        {
            self.run.spend(size(&entry.value));
            self.names.push(entry);
        }
    }

    /// Tells whether a condition holds; `None` where that is not known.
    pub(crate) fn holds(&self, text: &str, line: u32) -> Option<bool> {
        if text.contains("TYPE_CHECKING") {
            return Some(false);
        }
        if text.contains("__name__") {
            return Some(true);
        }
        let is_undecided = Cell::new(false);
        let value = self.with_scope(line, is_about_elsewhere(text), &is_undecided, |scope| {
            let value = scope.evaluate(text);
            scope.holds(&value)
        });
        if is_undecided.get() { None } else { value }
    }

    pub(crate) fn at(&self, line: u32) -> Place {
        Place { file: self.file, line }
    }

    pub(crate) fn evaluate(&self, expression: &str, line: u32) -> Computed {
        self.with_names(line, |scope| scope.evaluate(expression))
    }

    pub(crate) fn with_names<T>(&self, line: u32, with: impl Fn(&Scope<'_>) -> T) -> T {
        self.with_scope(line, false, &self.run.is_undecided, with)
    }

    pub(crate) fn with_scope<T>(
        &self,
        line: u32,
        settles: bool,
        is_undecided: &Cell<bool>,
        with: impl Fn(&Scope<'_>) -> T,
    ) -> T {
        let names = |name: &str| {
            if name == "sys" {
                return Some(self.run.program.arguments());
            }
            let entry = self.known(name)?;
            self.run.spend(size(&entry.value));
            Some(self.run.taken(entry).value)
        };
        let members = |name: &str, member: &str| match &self.known(name)?.value {
            Computed::Map(entries) if name != "sys" => {
                let entry = entries.iter().rev().find(|entry| entry.key == member);
                self.run.spend(1 + entry.map_or(0, |entry| size(&entry.value)));
                Some(entry.map_or(Computed::Unknown, |entry| self.run.taken(entry).value))
            }
            _ => None,
        };
        let lookup = |name: &str| self.run.variable(name);
        with(&Scope {
            lookup: &lookup,
            names: &names,
            members: &members,
            settles_unset: settles,
            takes_other: self.run.round % 2 == 1,
            is_undecided,
            fills_unset: &Cell::new(false),
            place: self.at(line),
        })
    }
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
