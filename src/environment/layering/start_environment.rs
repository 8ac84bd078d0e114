//! The environment that a command is started with: the process' own, with what wrappers assign before it.

use std::cell::RefCell;
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use crate::collections::{HashMap, HashSet, keyed_hasher};
use crate::environment::invocation::unknown_value;
use crate::environment::readers::expansion::shell_word::{Quotes, Word};
use crate::environment::readers::expansion::{Budget, Scope, Unset};
use crate::environment::{Invocation, Origin, Setting, Unresolved};

/// Bytes that the values of earlier assignments may add to later ones: `A=$B$B`, `B=$C$C`, … would fill any memory. What
/// is beyond them stays as written.
const MOST_EXPANDED: usize = 1 << 20;

/// The environment that a command is started with.
#[derive(Debug, Clone, Default)]
pub(crate) struct StartEnvironment {
    pub(crate) settings: Rc<Vec<Rc<Setting>>>,
    index: Rc<HashMap<String, usize>>,
    fingerprint: u64,
    asked: Rc<RefCell<HashSet<String>>>,
    /// The texts of values that cannot be known.
    unknown: Rc<Vec<String>>,
}

impl StartEnvironment {
    /// Makes every environment that a program may see in the entries of the process environment: one, unless a name stands
    /// there twice with different values. Then C, Python and node take its first value, a shell the last, and each
    /// value between is counted too. Bytes that are not UTF-8 are replaced.
    pub(crate) fn of_process(process: &[(OsString, OsString)]) -> Vec<Self> {
        let mut names: Vec<String> = Vec::new();
        let mut values: HashMap<String, Vec<String>> = HashMap::default();
        for (name, value) in process {
            let (name, value) = (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned());
            let known = values.entry(name.clone()).or_default();
            if known.is_empty() {
                names.push(name);
            }
            if known.last() != Some(&value) {
                known.push(value);
            }
        }
        let most = values.values().map(Vec::len).max().unwrap_or(1);
        let of_round = |round: usize| {
            StartEnvironment::of(names.iter().map(|name| {
                let values = &values[name];
                let value = values[round.min(values.len() - 1)].clone();
                Rc::new(Setting::known(name.clone(), value, Origin::process(name)))
            }))
        };
        (0..most).map(of_round).collect()
    }

    /// A later setting of the same name replaces an earlier one.
    pub(crate) fn of(given: impl IntoIterator<Item = Rc<Setting>>) -> Self {
        let mut settings: Vec<Rc<Setting>> = Vec::new();
        let mut index = HashMap::default();
        for setting in given {
            match index.get(&setting.name) {
                Some(&at) => settings[at] = setting,
                None => {
                    index.insert(setting.name.clone(), settings.len());
                    settings.push(setting);
                }
            }
        }
        let is_unknown = |setting: &&Rc<Setting>| setting.unresolved.is_some() && may_hold_a_command(&setting.value);
        let unknown: Vec<String> = settings.iter().filter(is_unknown).map(|setting| setting.value.clone()).collect();
        settings.iter_mut().for_each(|setting| *setting = with_doubt(&unknown, setting));
        let mut hasher = keyed_hasher();
        for setting in &settings {
            // Not the line: each command of a script has one of its own for what was exported before it.
            (&setting.name, &setting.value, setting.unresolved.is_some(), &setting.origin.file).hash(&mut hasher);
        }
        StartEnvironment {
            settings: Rc::new(settings),
            index: Rc::new(index),
            fingerprint: hasher.finish(),
            asked: Rc::default(),
            unknown: Rc::new(unknown),
        }
    }

    /// This environment with the invocation's assignments in it.
    pub(crate) fn with_assignments(&self, invocation: &Invocation) -> Self {
        if invocation.assignments.is_empty() { self.clone() } else { self.assigned(invocation, false) }
    }

    /// This environment with the invocation's assignments in it, and with the variables that cannot be told.
    pub(crate) fn with_unknown(&self, invocation: &Invocation) -> Self {
        self.assigned(invocation, true)
    }

    fn assigned(&self, invocation: &Invocation, with_unknown: bool) -> Self {
        let mut given: Vec<Rc<Setting>> = Vec::new();
        let mut latest: HashMap<&str, usize> = HashMap::default();
        let mut budget = Budget::of(MOST_EXPANDED);
        for (name, value) in invocation.assigned(with_unknown) {
            let origin = Origin { variable: name.to_owned(), ..invocation.origin.clone() };
            let Some(value) = value else {
                latest.insert(name, given.len());
                let unresolved = Some(Unresolved::Variable);
                given.push(Rc::new(Setting { name: name.to_owned(), value: unknown_value(name), origin, unresolved }));
                continue;
            };
            let look = |name: &str| {
                let before = latest.get(name).map(|at| given[*at].value.as_str());
                before.or_else(|| self.get(name)).map(str::to_owned)
            };
            let word = Word::new(value, Quotes::Removed, Unset::AsWritten);
            let (value, obstacle) = word.expand_known(&mut Scope::new(&look), &mut budget);
            let unresolved = obstacle.map(Unresolved::from);
            latest.insert(name, given.len());
            given.push(Rc::new(Setting { name: name.to_owned(), value, origin, unresolved }));
        }
        StartEnvironment::of(self.settings.iter().cloned().chain(given))
    }

    /// Gives the setting, marked where its value is made of one here that cannot be known.
    pub(crate) fn with_doubt(&self, setting: &Rc<Setting>) -> Rc<Setting> {
        with_doubt(&self.unknown, setting)
    }

    /// The same environment, of which nothing was asked so far.
    pub(crate) fn afresh(&self) -> Self {
        StartEnvironment { asked: Rc::default(), ..self.clone() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        if !self.asked.borrow().contains(name) {
            self.asked.borrow_mut().insert(name.to_owned());
        }
        self.value(name)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.index.get(name).map(|at| self.settings[*at].value.as_str())
    }

    /// Lists the variables that were asked for so far, each with what the answer was.
    pub(crate) fn answers(&self) -> Vec<(String, Option<String>)> {
        let asked = self.asked.borrow();
        asked.iter().map(|name| (name.clone(), self.value(name).map(str::to_owned))).collect()
    }

    /// Tells whether it would answer the same.
    pub(crate) fn agrees(&self, answers: &[(String, Option<String>)]) -> bool {
        answers.iter().all(|(name, value)| self.value(name) == value.as_deref())
    }

    /// Tells environments apart by what is set and in which file.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

fn with_doubt(unknown: &[String], setting: &Rc<Setting>) -> Rc<Setting> {
    let is_made_of_one = || unknown.iter().any(|text| setting.value.contains(text.as_str()));
    if setting.unresolved.is_none() && may_hold_a_command(&setting.value) && is_made_of_one() {
        return Rc::new(Setting { unresolved: Some(Unresolved::Variable), ..Setting::clone(setting) });
    }
    Rc::clone(setting)
}

fn may_hold_a_command(value: &str) -> bool {
    value.contains("$(") || value.contains('`')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(pairs: &[(String, String)]) -> StartEnvironment {
        let origin = Origin::process("");
        let invocation = Invocation { assignments: pairs.to_vec(), unknown: Vec::new(), words: Vec::new(), origin };
        StartEnvironment::default().with_assignments(&invocation)
    }

    #[test]
    fn each_value_of_a_name_that_stands_twice_is_in_an_environment() {
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
        let cases: [Case<'_>; 6] = [
            (&[], &[""]),
            (&[("A", "1"), ("B", "2")], &["A=1 B=2"]),
            (&[("A", "1"), ("B", "2"), ("A", "1")], &["A=1 B=2"]),
            (&[("A", "1"), ("B", "2"), ("A", "3")], &["A=1 B=2", "A=3 B=2"]),
            (&[("A", "1"), ("A", "3"), ("A", "1")], &["A=1", "A=3", "A=1"]),
            (&[("A", "1"), ("B", "x"), ("A", "2"), ("A", "3"), ("B", "y")], &["A=1 B=x", "A=2 B=y", "A=3 B=y"]),
        ];
        for (process, expected) in cases {
            let process: Vec<_> = process.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let shown = |one: &StartEnvironment| {
                let pairs = one.settings.iter().map(|setting| format!("{}={}", setting.name, setting.value));
                pairs.collect::<Vec<_>>().join(" ")
            };
            let environments = StartEnvironment::of_process(&process);
            assert_eq!(environments.iter().map(shown).collect::<Vec<_>>(), expected, "{process:?}");
        }
    }

    #[test]
    fn an_assignment_sees_those_before_it() {
        let pairs = [("A", "1"), ("B", "$A${A}"), ("A", "2"), ("C", "$A$B")];
        let shell = assigned(&pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((shell.get("B"), shell.get("C")), (Some("11"), Some("211")));
    }

    #[test]
    fn an_assignment_is_filled_in_by_the_shells_rules() {
        let pairs = [("A", ""), ("B", "${A:-prod}-${A-x}"), ("C", "$B$(id)"), ("D", "${B%%-*}")];
        let shell = assigned(&pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let given: Vec<_> = shell.settings.iter().map(|set| (set.value.as_str(), set.unresolved.clone())).collect();
        let expected = [
            ("", None),
            ("prod-", None),
            ("prod-$(id)", Some(Unresolved::CommandSubstitution)),
            ("${B%%-*}", Some(Unresolved::Template)),
        ];
        assert_eq!(given, expected);
    }

    #[test]
    fn values_that_double_each_other_stay_as_written_once_they_are_too_large() {
        let doubled = (1..60).map(|at| (format!("A{at}"), format!("$A{0}${{A{0}:-localhost}}", at - 1)));
        let pairs: Vec<_> = std::iter::once(("A0".to_owned(), "x".to_owned())).chain(doubled).collect();
        let shell = assigned(&pairs);
        assert_eq!(shell.get("A10").map(str::len), Some(1024));
        let last = shell.settings.last().unwrap();
        assert_eq!((last.value.as_str(), &last.unresolved), ("$A58${A58:-localhost}", &Some(Unresolved::Template)));
    }
}
