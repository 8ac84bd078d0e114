//! The environment that a command is started with: the process' own, with what wrappers assign before it.

use std::cell::RefCell;
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::rc::Rc;

use crate::collections::{HashMap, HashSet, keyed_hasher};
use crate::environment::invocation::unknown_value;
use crate::environment::readers::expansion::shell_word::{Quotes, Word};
use crate::environment::readers::expansion::{Budget, Scope, Unset};
use crate::environment::{Invocation, Origin, Setting, Unresolved};

/// The environment that a command is started with.
#[derive(Debug, Clone, Default)]
pub(crate) struct StartEnvironment {
    pub(crate) settings: Rc<Vec<Rc<Setting>>>,
    index: Rc<HashMap<Named, usize>>,
    /// The sum of the settings' hashes: each name stands there once, and in which order does not matter.
    fingerprint: u64,
    asked: Rc<RefCell<HashSet<String>>>,
    /// The texts of values that cannot be known.
    unknown: Rc<Vec<String>>,
    /// Whether settings are marked for being made of them.
    has_marks: bool,
    /// What the values of earlier assignments may still add to later ones; what is beyond that stays as written.
    budget: Budget,
}

/// A setting as the name that it is found by.
#[derive(Debug, Clone)]
struct Named(Rc<Setting>);

impl std::borrow::Borrow<str> for Named {
    fn borrow(&self) -> &str {
        &self.0.name
    }
}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Named {}

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
        let mut new = StartEnvironment::default();
        for setting in given {
            new.set(setting);
        }
        new.find_unknown();
        new.mark(0..new.settings.len());
        new
    }

    /// This environment with the invocation's assignments in it.
    pub(crate) fn with_assignments(&self, invocation: &Invocation) -> Self {
        self.assigned(invocation.assigned(false), invocation)
    }

    /// This environment with variables that are set one after the other; those that cannot be told have no value.
    pub(crate) fn assigned<'p>(
        &self,
        pairs: impl Iterator<Item = (&'p str, Option<&'p str>)>,
        by: &Invocation,
    ) -> Self {
        let (mut new, touched, _) = self.with_all(pairs, by);
        new.mark_touched(self, touched);
        new
    }

    /// The same for an environment of which the first ones were set already; `None` where it has to be made from the
    /// beginning.
    pub(crate) fn assigned_further<'p>(
        &self,
        pairs: impl Iterator<Item = (&'p str, Option<&'p str>)>,
        by: &Invocation,
    ) -> Option<Self> {
        let (mut new, touched, forgets) = self.with_all(pairs, by);
        // What was marked for its sake stays marked here.
        (!(forgets && self.has_marks)).then(|| {
            new.mark_touched(self, touched);
            new
        })
    }

    /// Sets them one after the other; gives the places too, and whether what could not be known is replaced.
    fn with_all<'p>(
        &self,
        pairs: impl Iterator<Item = (&'p str, Option<&'p str>)>,
        by: &Invocation,
    ) -> (Self, Vec<usize>, bool) {
        let mut new = self.afresh();
        let (mut touched, mut forgets) = (Vec::new(), false);
        for (name, value) in pairs {
            let origin = by.place_of(name, value);
            let (value, unresolved) = match value {
                Some(value) => {
                    let look = |name: &str| new.value(name).map(str::to_owned);
                    let word = Word::new(value, Quotes::Removed, Unset::AsWritten);
                    let mut budget = new.budget.clone();
                    let (value, obstacle) = word.expand_known(&mut Scope::new(&look), &mut budget);
                    new.budget = budget;
                    (value, obstacle.map(Unresolved::from))
                }
                None => (unknown_value(name), Some(Unresolved::Variable)),
            };
            let setting = Rc::new(Setting { name: name.to_owned(), value, origin, unresolved });
            if is_unknown(&setting) {
                Rc::make_mut(&mut new.unknown).push(setting.value.clone());
            }
            let (at, before) = new.set(setting);
            forgets |= before.is_some_and(|before| is_unknown(&before));
            touched.push(at);
        }
        if forgets {
            new.find_unknown();
        }
        (new, touched, forgets)
    }

    /// Sets a variable; gives its place, and what was there.
    fn set(&mut self, setting: Rc<Setting>) -> (usize, Option<Rc<Setting>>) {
        self.fingerprint = self.fingerprint.wrapping_add(hash_of(&setting));
        let settings = Rc::make_mut(&mut self.settings);
        if let Some(&at) = self.index.get(setting.name.as_str()) {
            let before = std::mem::replace(&mut settings[at], setting);
            self.fingerprint = self.fingerprint.wrapping_sub(hash_of(&before));
            return (at, Some(before));
        }
        let at = settings.len();
        Rc::make_mut(&mut self.index).insert(Named(Rc::clone(&setting)), at);
        settings.push(setting);
        (at, None)
    }

    fn find_unknown(&mut self) {
        let unknown = self.settings.iter().filter(|setting| is_unknown(setting));
        self.unknown = Rc::new(unknown.map(|setting| setting.value.clone()).collect());
    }

    /// Marks those of an environment made of another one that are made of what cannot be known.
    fn mark_touched(&mut self, before: &Self, touched: Vec<usize>) {
        if Rc::ptr_eq(&self.unknown, &before.unknown) {
            self.mark(touched);
        } else {
            self.mark(0..self.settings.len());
        }
    }

    fn mark(&mut self, places: impl IntoIterator<Item = usize>) {
        if self.unknown.is_empty() {
            return;
        }
        for at in places {
            let marked = with_doubt(&self.unknown, &self.settings[at]);
            if !Rc::ptr_eq(&marked, &self.settings[at]) {
                self.set(marked);
                self.has_marks = true;
            }
        }
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

    /// As [`StartEnvironment::get`], with the place that it was set in.
    pub(crate) fn setting(&self, name: &str) -> Option<&Setting> {
        self.get(name)?;
        self.index.get(name).map(|&at| self.settings[at].as_ref())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.index.get(name).map(|&at| self.settings[at].value.as_str())
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

fn is_unknown(setting: &Setting) -> bool {
    setting.unresolved.is_some() && may_hold_a_command(&setting.value)
}

/// Stands for a setting: not for its line, as each command of a script has one of its own for what was exported before it.
fn hash_of(setting: &Setting) -> u64 {
    let mut hasher = keyed_hasher();
    // The bytes of a path are hashed, not its parts.
    let file = setting.origin.file.as_deref().map(Path::as_os_str);
    (&setting.name, &setting.value, setting.unresolved.is_some(), file).hash(&mut hasher);
    hasher.finish()
}

fn may_hold_a_command(value: &str) -> bool {
    value.contains("$(") || value.contains('`')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(pairs: &[(String, String)]) -> StartEnvironment {
        let origin = Origin::process("");
        let invocation = Invocation {
            assignments: pairs.to_vec(),
            unknown: Vec::new(),
            words: Vec::new(),
            origin,
            places: Rc::default(),
        };
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

    proptest::proptest! {
        #[test]
        fn what_is_assigned_further_is_what_is_assigned_at_once(
            pairs in proptest::collection::vec(("[A-D]", "(\\$[A-D]|x|`y`|\\$\\(z\\)){0,3}"), 0..8),
            unknown in proptest::collection::vec((0_usize..8, "[A-D]"), 0..3),
            done in 0_usize..8,
        ) {
            let mut unknown: Vec<(usize, Rc<str>)> =
                unknown.into_iter().map(|(before, name)| (before.min(pairs.len()), name.into())).collect();
            unknown.sort();
            let origin = Origin::process("");
            let whole = Invocation { assignments: pairs, unknown, words: Vec::new(), origin: origin.clone(), places: Rc::default() };
            let host = StartEnvironment::of([Rc::new(Setting::known("A", "$(z)", origin.clone()))]);
            for with_unknown in [false, true] {
                let all = || whole.assigned(with_unknown);
                let further = host.assigned(all().take(done), &whole).assigned_further(all().skip(done), &whole);
                let Some(further) = further else { continue };
                let at_once = host.assigned(all(), &whole);
                assert_eq!(further.settings, at_once.settings);
                assert_eq!(further.fingerprint(), at_once.fingerprint());
            }
        }
    }
}
