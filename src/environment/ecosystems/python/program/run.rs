//! What one way through a program has found so far, and how much it may still go through.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::HashSet;
use crate::environment::ecosystems::python::program::modules::{Program, Read};
use crate::environment::ecosystems::python::program::scope::picked;
use crate::environment::ecosystems::python::program::variables::{GONE, Variables};
use crate::environment::readers::code::{Computed, Entry};
use crate::environment::readers::expansion::Lookup;

/// A file that the code loads into the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoadedBy {
    /// As the code spells it, without a start that is not known; empty for the nearest `.env` from its module upwards.
    pub(crate) name: String,
    /// The module that loads it.
    pub(crate) module: PathBuf,
    /// It beats the environment.
    pub(crate) overrides: bool,
    /// The ways that it is loaded on, each by its number among those that load another one, and how many these are.
    pub(crate) on: Vec<(usize, usize)>,
}

impl LoadedBy {
    /// Tells whether it is loaded in a round.
    pub(crate) fn is_in(&self, round: usize) -> bool {
        self.on.iter().all(|(number, count)| round % count == *number)
    }
}

/// One way through a program.
pub(crate) struct Run<'p> {
    pub(crate) program: &'p Program,
    /// Reads a module that was not read before.
    pub(crate) read: Read<'p>,
    pub(crate) lookup: Lookup<'p>,
    /// Which of several alternatives is taken.
    pub(crate) round: usize,
    pub(crate) found: RefCell<Found>,
    /// The modules gone through, by their numbers, with their names; those under way without.
    pub(crate) modules: RefCell<Vec<(usize, Rc<[Entry]>)>>,
    pub(crate) is_undecided: Cell<bool>,
    /// The modules that it starts at, and their folders.
    entries: Vec<PathBuf>,
    homes: Vec<PathBuf>,
    /// Rounds that are this far apart take the same alternatives on the way.
    period: Cell<usize>,
    steps: Cell<usize>,
    /// One of the modules that it starts at was not gone through to its end.
    was_cut: Cell<bool>,
    /// Where it was first given up on.
    cut: RefCell<Option<(PathBuf, u32)>>,
}

/// What a run finds besides the names.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What is put into the environment.
    pub(crate) variables: Variables,
    /// The places that connections are made to: the keywords of the call, or its address.
    pub(crate) connections: Vec<Entry>,
    pub(crate) files: Vec<LoadedBy>,
    /// The classes that may be told to hand their settings to the module: `Local.load_settings(__name__)`.
    pub(crate) settings_classes: Vec<String>,
    /// Which class holds the settings is said by what is not known.
    pub(crate) is_class_unknown: bool,
}

/// More is not gone through on one way: statements, and names and values that are copied for them.
pub(crate) const MOST_STEPS: usize = 60_000;

impl<'p> Run<'p> {
    pub(crate) fn new(
        program: &'p Program,
        read: Read<'p>,
        lookup: Lookup<'p>,
        round: usize,
        entries: &[PathBuf],
    ) -> Self {
        Run {
            program,
            read,
            lookup,
            round,
            found: RefCell::default(),
            modules: RefCell::default(),
            is_undecided: Cell::new(false),
            entries: entries.to_vec(),
            homes: homes(entries),
            period: Cell::new(1),
            steps: Cell::new(0),
            was_cut: Cell::new(false),
            cut: RefCell::default(),
        }
    }

    /// Tells whether a module stands beside or below those that it starts at.
    pub(crate) fn is_at_home(&self, path: &Path) -> bool {
        self.homes.iter().any(|home| path.starts_with(home))
    }

    /// Tells whether it starts at a module.
    pub(crate) fn starts_at(&self, path: &Path) -> bool {
        self.entries.iter().any(|entry| entry == path)
    }

    /// Takes the alternatives of this round where an entry is used.
    pub(crate) fn taken(&self, entry: &Entry) -> Entry {
        self.note_choices(entry);
        picked(entry, self.round)
    }

    /// Gives the text that a variable has by now.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        match self.value_of(name) {
            Computed::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Gives what a variable holds by now.
    pub(crate) fn value_of(&self, name: &str) -> Computed {
        let given = (self.lookup)(name);
        let found = self.found.borrow();
        let taken = |entry: &Entry| Some(self.taken(entry).value).filter(|value| *value != Computed::Unset);
        let set = found.variables.forced(name).and_then(taken);
        match set.or_else(|| found.variables.fallback(name).filter(|_| given.is_none()).and_then(taken)) {
            Some(value) if value == GONE => Computed::Unset,
            Some(value) => value,
            None => given.map_or(Computed::Unset, Computed::Text),
        }
    }

    /// Notes the class that holds the settings, where the environment says so.
    ///
    /// Source: django-configurations' manual.
    pub(crate) fn note_settings_class(&self, names: &[Entry]) {
        if !names.iter().any(|entry| has_databases(&entry.value)) {
            return;
        }
        let named = self.value_of("DJANGO_CONFIGURATION");
        let mut found = self.found.borrow_mut();
        match named {
            Computed::Unset => {}
            Computed::Text(named) => found.settings_classes = vec![named],
            _ => found.is_class_unknown = true,
        }
    }

    fn note_choices(&self, entry: &Entry) {
        match &entry.value {
            Computed::Either(alternatives) => {
                self.note_choice(alternatives.len());
                alternatives.iter().for_each(|entry| self.note_choices(entry));
            }
            Computed::Map(entries) => entries.iter().for_each(|entry| self.note_choices(entry)),
            _ => {}
        }
    }

    /// Notes that one of `count` alternatives was taken.
    fn note_choice(&self, count: usize) {
        let period = self.period.get();
        if count > 1 && !period.is_multiple_of(count) {
            self.period.set(period.saturating_mul(count));
        }
    }

    /// Takes what was put into the environment so far.
    pub(crate) fn variables(&self) -> Variables {
        let variables = self.found.borrow().variables.clone();
        self.spend(variables.count());
        variables
    }

    /// Does something, and forgets what it found besides modules.
    pub(crate) fn apart<T>(&self, does: impl FnOnce() -> T) -> T {
        let variables = self.variables();
        let (files, connections) = (self.count_files(), self.found.borrow().connections.len());
        let result = does();
        let mut found = self.found.borrow_mut();
        found.variables = variables;
        found.files.truncate(files);
        found.connections.truncate(connections);
        result
    }

    /// Counts the files that were loaded so far.
    pub(crate) fn count_files(&self) -> usize {
        self.found.borrow().files.len()
    }

    /// Notes which files are loaded on which of several ways.
    pub(crate) fn note_files(&self, ways: &[Range<usize>]) {
        let ways: Vec<_> = ways.iter().filter(|files| !files.is_empty()).collect();
        // What one of them loads and no other replaces is loaded.
        if ways.len() < 2 {
            return;
        }
        for (number, files) in ways.iter().enumerate() {
            for file in &mut self.found.borrow_mut().files[(*files).clone()] {
                file.on.push((number, ways.len()));
            }
        }
    }

    /// Goes on with these variables; gives those that were there.
    pub(crate) fn replace_variables(&self, variables: Variables) -> Variables {
        std::mem::replace(&mut self.found.borrow_mut().variables, variables)
    }

    /// What it came to; `names` are those of the module that counts.
    pub(crate) fn outcome(self, names: Vec<Entry>) -> Outcome {
        if self.is_undecided.get() {
            self.note_choice(2);
        }
        Outcome {
            is_undecided: self.is_undecided.get(),
            is_cut: self.was_cut.get() || self.is_cut(),
            cut: self.cut.borrow().clone(),
            all: self.names_of_all(),
            names,
            round: self.round,
            period: self.period.get(),
            found: self.found.into_inner(),
        }
    }

    /// The names of every module that was gone through, each value once.
    fn names_of_all(&self) -> Vec<Entry> {
        let mut all: Vec<Entry> = Vec::new();
        let mut seen = HashSet::default();
        for (_, names) in self.modules.borrow().iter() {
            let is_own = |entry: &&Entry| seen.insert((entry.key.clone(), entry.place.file, entry.place.line));
            all.extend(names.iter().filter(is_own).cloned());
        }
        all
    }

    pub(crate) fn spend(&self, steps: usize) {
        self.steps.set(self.steps.get().saturating_add(steps).min(MOST_STEPS));
        self.program.spend(steps);
    }

    /// Tells whether it was given up on because there is too much.
    pub(crate) fn is_cut(&self) -> bool {
        self.steps.get() >= MOST_STEPS || self.program.is_spent()
    }

    /// Begins at another module: what one of them costs is not taken from the others.
    pub(crate) fn begin(&self) {
        self.was_cut.set(self.was_cut.get() || self.steps.get() >= MOST_STEPS);
        self.steps.set(0);
    }

    /// Gives it up at a line of a module.
    pub(crate) fn cut_at(&self, path: &Path, line: u32) {
        self.cut.borrow_mut().get_or_insert_with(|| (path.to_owned(), line));
        self.steps.set(MOST_STEPS);
    }
}

/// What one way through a program came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) found: Found,
    /// The names of the module that was gone through last.
    pub(crate) names: Vec<Entry>,
    /// The names of every module, each value once.
    pub(crate) all: Vec<Entry>,
    /// Another round may come to something else.
    pub(crate) is_undecided: bool,
    /// It was given up on because there is too much.
    pub(crate) is_cut: bool,
    /// The module and the line where that was.
    pub(crate) cut: Option<(PathBuf, u32)>,
    round: usize,
    period: usize,
}

impl Outcome {
    /// Tells whether the way of another round is this one: only what is picked from its values may differ.
    pub(crate) fn is_of(&self, round: usize) -> bool {
        self.round % self.period == round % self.period
    }
}

/// Tells whether a value is a class that says which databases there are.
pub(crate) fn has_databases(value: &Computed) -> bool {
    match value {
        Computed::Map(inside) => inside.iter().any(|one| matches!(one.key.as_str(), "DATABASES" | "DATABASES()")),
        Computed::Either(alternatives) => alternatives.iter().any(|one| has_databases(&one.value)),
        _ => false,
    }
}

fn homes(entries: &[PathBuf]) -> Vec<PathBuf> {
    entries.iter().filter_map(|entry| entry.parent().map(Path::to_owned)).collect()
}
