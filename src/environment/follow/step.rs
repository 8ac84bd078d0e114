//! One simple command on the way from the command line to what would run.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::{HashMap, keyed_hasher};
use crate::environment::follow::shell_text::assignment;
use crate::environment::follow::wrappers::WrapperFile;
use crate::environment::{Invocation, Origin};
use crate::text::fits;
use crate::tools::wrappers::Effect;

/// What a wrapper that takes the environment away leaves of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Emptied {
    /// How many of the assignments come before it.
    pub(crate) before: usize,
    /// The names that it hands on nevertheless, as patterns of turbo: `PG*`, `!PGHOST`.
    pub(crate) kept: Rc<Vec<String>>,
}

impl Emptied {
    /// Hands nothing on of what stands before.
    pub(crate) fn of_all(before: usize) -> Self {
        Emptied { before, kept: Rc::default() }
    }

    /// Tells whether a variable is handed on.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        let (without, with): (Vec<&String>, Vec<&String>) = self.kept.iter().partition(|one| one.starts_with('!'));
        with.iter().any(|pattern| fits(pattern, name)) && !without.iter().any(|pattern| fits(&pattern[1..], name))
    }
}

/// One simple command out of what would run, with what its wrappers do to it.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) invocation: Invocation,
    /// It only stands for others, which follow in the list: a wrapper, `npm test`.
    pub(crate) stands_for_others: bool,
    /// It calls a function of the script that it stands in.
    pub(crate) calls_function: bool,
    /// The files that wrappers load first, the outermost wrapper's first.
    pub(crate) files: Vec<WrapperFile>,
    /// The wrappers around it that inject variables, and the containers it runs in.
    pub(crate) effects: Vec<(Effect, String)>,
    /// The words of the innermost wrapper that runs it away from here: they name the place.
    pub(crate) place: Vec<String>,
    /// The folder it runs in.
    pub(crate) folder: PathBuf,
    /// A wrapper takes the environment away (`env -i`, `sudo`).
    pub(crate) emptied: Option<Emptied>,
    /// How many steps it is away from the command line.
    pub(crate) depth: u8,
}

impl Step {
    /// The command line itself; `words` are not empty.
    pub(crate) fn typed(words: Vec<String>, folder: &Path) -> Self {
        Step {
            invocation: Invocation {
                assignments: Vec::new(),
                unknown: Vec::new(),
                words,
                places: Rc::default(),
                origin: Origin::command_line(),
            },
            stands_for_others: false,
            calls_function: false,
            files: Vec::new(),
            effects: Vec::new(),
            place: Vec::new(),
            folder: folder.to_owned(),
            emptied: None,
            depth: 0,
        }
    }

    /// Tells steps apart by what they would do.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = keyed_hasher();
        let Invocation { assignments, unknown, words, .. } = &self.invocation;
        let unknown: BTreeSet<&str> = unknown.iter().map(|(_, name)| &**name).collect();
        unknown.hash(&mut hasher);
        (
            words,
            effective(assignments),
            &self.effects,
            &self.place,
            self.folder.as_os_str(),
            self.calls_function,
            &self.emptied,
        )
            .hash(&mut hasher);
        for WrapperFile { path, reader, overrides } in &self.files {
            (path.as_os_str(), reader, overrides).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// The same with another invocation in it.
    pub(crate) fn with_invocation(&self, invocation: Invocation) -> Self {
        let (files, effects) = (self.files.clone(), self.effects.clone());
        let (place, folder, emptied) = (self.place.clone(), self.folder.clone(), self.emptied.clone());
        Step { invocation, files, effects, place, folder, emptied, ..*self }
    }

    /// The same with another command in it.
    pub(crate) fn running<'w>(mut self, words: impl IntoIterator<Item = &'w str>) -> Self {
        self.invocation.words = words.into_iter().map(str::to_owned).collect();
        self
    }

    pub(crate) fn with_assignments(mut self, assignments: Vec<(String, String)>) -> Self {
        self.invocation.assignments.extend(assignments);
        self
    }

    /// What it assigns after a wrapper took the environment away; `None` where none does.
    pub(crate) fn assigned_afresh(&self) -> Option<Invocation> {
        let emptied = self.emptied.as_ref()?;
        let (before, behind) = self.invocation.assignments.split_at_checked(emptied.before)?;
        let kept = before.iter().filter(|(name, _)| emptied.keeps(name));
        let assignments = kept.chain(behind).cloned().collect();
        Some(Invocation { assignments, unknown: Vec::new(), ..self.invocation.clone() })
    }

    /// How much room it takes.
    pub(crate) fn cost(&self) -> usize {
        1 + self.invocation.assignments.len() + self.invocation.unknown.len()
    }

    /// Adds what stands before a command of a script: its assignments, and what cannot be told.
    pub(crate) fn assign(&mut self, assignments: Vec<(String, String)>, unknown: Vec<(usize, Rc<str>)>) {
        let before = self.invocation.assignments.len();
        self.invocation.assignments.extend(assignments);
        self.invocation.unknown.extend(unknown.into_iter().map(|(at, name)| (before + at, name)));
    }

    /// `X=Y` at the start of the words moved to the assignments; `None` where nothing else is there.
    pub(crate) fn without_leading_assignments(mut self) -> Option<Self> {
        let count = self.invocation.words.iter().take_while(|word| assignment(word).is_some()).count();
        let pairs: Vec<_> = self.invocation.words.drain(..count).filter_map(|word| assignment(&word)).collect();
        self.invocation.assignments.extend(pairs);
        (!self.invocation.words.is_empty()).then_some(self)
    }
}

/// Leaves out the assignments that change nothing, as those of a script that calls itself do.
fn effective(assignments: &[(String, String)]) -> Vec<&(String, String)> {
    let mut kept: Vec<Option<&(String, String)>> = Vec::with_capacity(assignments.len());
    // Where each name was set last, since a value last referred to others.
    let mut last: HashMap<&str, usize> = HashMap::default();
    last.reserve(assignments.len());
    for pair in assignments {
        if pair.1.contains(['$', '`']) {
            last.clear();
        } else {
            let before = last.insert(&pair.0, kept.len());
            before.into_iter().for_each(|at| kept[at] = None);
        }
        kept.push(Some(pair));
    }
    kept.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_is_told_by_its_name() {
        let kept = ["PG*", "!PGPASS*", "DATABASE_URL", "*_DSN", "A*B*C"].map(str::to_owned).to_vec();
        let emptied = Emptied { before: 0, kept: Rc::new(kept) };
        for (name, expected) in [
            ("PGHOST", true),
            ("PGPASSWORD", false),
            ("DATABASE_URL", true),
            ("DATABASE_URL_2", false),
            ("MAIN_DSN", true),
            ("MAIN_DSN_2", false),
            ("AxBxC", true),
            ("AxBCxC", true),
            ("AxBxCx", false),
            ("HOST", false),
        ] {
            assert_eq!(emptied.keeps(name), expected, "{name}");
        }
    }

    #[test]
    fn assignments_that_change_nothing_are_left_out() {
        let table: &[(&[&str], &[&str])] = &[
            (&["A=1", "A=1"], &["A=1"]),
            (&["A=1", "B=2", "A=3"], &["B=2", "A=3"]),
            (&["A=1", "B=$A", "A=1"], &["A=1", "B=$A", "A=1"]),
            (&["A=1", "A=$A:x", "A=$A:x"], &["A=1", "A=$A:x", "A=$A:x"]),
        ];
        for (given, expected) in table {
            let pairs: Vec<_> = given.iter().filter_map(|word| assignment(word)).collect();
            let kept: Vec<String> = effective(&pairs).iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(kept, *expected, "{given:?}");
        }
    }
}
