//! What a program puts into the environment on its way.

use crate::environment::ecosystems::python::program::scope::either;
use crate::environment::readers::code::{Computed, Entry, put};

/// Stands for a variable that was taken out of the environment: none holds a list.
pub(crate) const GONE: Computed = Computed::List(Vec::new());

/// The variables that were set so far, each name once.
#[derive(Debug, Default, Clone)]
pub(crate) struct Variables {
    /// They beat the environment.
    forced: Vec<Entry>,
    /// The environment beats them.
    defaults: Vec<Entry>,
}

impl Variables {
    /// Sets a variable: what was set before is gone.
    pub(crate) fn set(&mut self, entry: Entry) {
        put(&mut self.forced, entry);
    }

    /// Sets a variable in a function, which others of the program may do otherwise.
    pub(crate) fn set_too(&mut self, entry: Entry) {
        beside(&mut self.forced, entry);
    }

    /// Sets a variable where nothing did so before: `setdefault`.
    pub(crate) fn set_default(&mut self, entry: Entry) {
        if let Some(known) = self.forced.iter_mut().find(|known| known.key == entry.key) {
            fill(known, &GONE, &entry);
            if !may_be(known, &Computed::Unset) {
                return;
            }
        }
        match self.defaults.iter_mut().find(|known| known.key == entry.key) {
            None => self.defaults.push(entry),
            Some(known) => fill(known, &Computed::Unset, &entry),
        }
    }

    /// Sets a default in a function, which others of the program may do otherwise.
    pub(crate) fn set_default_too(&mut self, entry: Entry) {
        beside(&mut self.defaults, entry);
    }

    /// Notes that a file may set again what was taken out.
    pub(crate) fn may_return(&mut self) {
        for entry in self.forced.iter_mut().filter(|entry| entry.value == GONE) {
            let alternatives = [GONE, Computed::Unset].map(|value| Entry { value, ..entry.clone() });
            entry.value = Computed::Either(alternatives.to_vec());
        }
    }

    /// Finds what a variable was set to over the environment.
    pub(crate) fn forced(&self, name: &str) -> Option<&Entry> {
        find(&self.forced, name)
    }

    /// Finds what a variable was set to below the environment.
    pub(crate) fn fallback(&self, name: &str) -> Option<&Entry> {
        find(&self.defaults, name)
    }

    /// Lists those that beat the environment, or those that it beats.
    pub(crate) fn all(&self, forced: bool) -> &[Entry] {
        if forced { &self.forced } else { &self.defaults }
    }

    /// Counts the variables.
    pub(crate) fn count(&self) -> usize {
        self.forced.len() + self.defaults.len()
    }

    /// Lays what two ways through the code came to side by side. What one of them leaves alone may stay as it is.
    pub(crate) fn either(self, other: Variables) -> Variables {
        Variables {
            forced: either_or_unset(self.forced, other.forced),
            defaults: either_or_unset(self.defaults, other.defaults),
        }
    }
}

fn find<'l>(list: &'l [Entry], name: &str) -> Option<&'l Entry> {
    list.iter().find(|entry| entry.key == name)
}

fn may_be(entry: &Entry, value: &Computed) -> bool {
    match &entry.value {
        Computed::Either(alternatives) => alternatives.iter().any(|one| one.value == *value),
        own => own == value,
    }
}

/// Puts an entry where another one is `value`, or may be.
fn fill(known: &mut Entry, value: &Computed, entry: &Entry) {
    if known.value == *value {
        *known = entry.clone();
    } else if let Computed::Either(alternatives) = &mut known.value {
        alternatives.iter_mut().filter(|one| one.value == *value).for_each(|one| *one = entry.clone());
    }
}

fn beside(list: &mut Vec<Entry>, entry: Entry) {
    let merged = either(std::mem::take(list), vec![entry]);
    *list = merged;
}

fn either_or_unset(mut one: Vec<Entry>, mut other: Vec<Entry>) -> Vec<Entry> {
    let unset = |entry: &Entry| Entry { value: Computed::Unset, ..entry.clone() };
    let lacking = |list: &[Entry], from: &[Entry]| -> Vec<Entry> {
        from.iter().filter(|entry| list.iter().all(|own| own.key != entry.key)).map(unset).collect()
    };
    let (of_one, of_other) = (lacking(&one, &other), lacking(&other, &one));
    one.extend(of_one);
    other.extend(of_other);
    either(one, other)
}
