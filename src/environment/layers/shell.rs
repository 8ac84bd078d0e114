//! The environment that a command is started with: the process' own, with what wrappers assign before it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::Lookup;
use crate::environment::{Invocation, Origin, Setting, Unresolved};

/// The environment that a command is started with.
#[derive(Debug, Clone, Default)]
pub(in crate::environment) struct Shell {
    pub(super) settings: Rc<Vec<Setting>>,
    index: Rc<HashMap<String, usize>>,
    fingerprint: u64,
}

impl Shell {
    /// Bytes that are not UTF-8 are replaced.
    pub(in crate::environment) fn of_process(process: &[(OsString, OsString)]) -> Self {
        Shell::of(process.iter().map(|(name, value)| {
            let (name, value) = (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned());
            Setting::known(name.clone(), value, Origin::process(name))
        }))
    }

    /// A later setting of the same name replaces an earlier one.
    pub(in crate::environment) fn of(given: impl IntoIterator<Item = Setting>) -> Self {
        let mut settings: Vec<Setting> = Vec::new();
        let mut index = HashMap::new();
        for setting in given {
            match index.get(&setting.name) {
                Some(&at) => settings[at] = setting,
                None => {
                    index.insert(setting.name.clone(), settings.len());
                    settings.push(setting);
                }
            }
        }
        let mut hasher = DefaultHasher::new();
        for setting in &settings {
            (&setting.name, &setting.value, &setting.origin).hash(&mut hasher);
        }
        Shell { settings: Rc::new(settings), index: Rc::new(index), fingerprint: hasher.finish() }
    }

    /// This environment with the invocation's assignments in it.
    pub(in crate::environment) fn with_assignments(&self, invocation: &Invocation) -> Self {
        if invocation.assignments.is_empty() {
            return self.clone();
        }
        let mut given: Vec<Setting> = Vec::new();
        for (name, value) in &invocation.assignments {
            let look = |name: &str| {
                let before = given.iter().rev().find(|setting| setting.name == name);
                before.map(|setting| setting.value.clone()).or_else(|| self.get(name).map(str::to_owned))
            };
            let (value, unresolved) = expanded(value, &look);
            let origin = Origin { variable: name.clone(), ..invocation.origin.clone() };
            given.push(Setting { name: name.clone(), value, origin, unresolved });
        }
        Shell::of(self.settings.iter().cloned().chain(given))
    }

    pub(in crate::environment) fn get(&self, name: &str) -> Option<&str> {
        self.index.get(name).map(|at| self.settings[*at].value.as_str())
    }

    /// Tells environments apart.
    pub(in crate::environment) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// `$X`, `${X}` and `${X:-d}` as a shell expands them, where X is known; `$(…)` is left and said so.
pub(in crate::environment) fn expanded(text: &str, lookup: Lookup<'_>) -> (String, Option<Unresolved>) {
    let mut value = String::with_capacity(text.len());
    let mut unresolved = text.contains('`').then_some(Unresolved::CommandSubstitution);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        value.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let braced = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let bare = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (name, default, after) = match braced {
            Some((inner, after)) => match inner.split_once(":-").or_else(|| inner.split_once('-')) {
                Some((name, default)) => (name, Some(default), after),
                None => (inner, None, after),
            },
            None => (&rest[..bare], None, &rest[bare..]),
        };
        match lookup(name).or(default.map(str::to_owned)) {
            Some(known) if !name.is_empty() => {
                value.push_str(&known);
                rest = after;
            }
            _ => {
                if rest.starts_with('(') {
                    unresolved = Some(Unresolved::CommandSubstitution);
                }
                value.push('$');
            }
        }
    }
    value.push_str(rest);
    (value, unresolved)
}
