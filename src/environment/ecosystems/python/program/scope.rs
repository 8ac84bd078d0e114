//! The names of a module with what they hold: assigning below them, and laying alternatives side by side.

use crate::environment::readers::code::{Computed, Entry, Place, put};

/// More alternatives of one value are not told apart.
pub(crate) const MOST_ALTERNATIVES: usize = 8;

/// Blocks and modules nested deeper are not gone through.
pub(crate) const DEEPEST: usize = 40;

/// Stands for the expression of a name that is a module.
pub(crate) const MODULE: &str = "<module>";

/// What is assigned, and where.
#[derive(Debug, Clone)]
pub(crate) struct Assigned {
    pub(crate) value: Computed,
    pub(crate) expression: String,
    pub(crate) place: Place,
}

impl Assigned {
    fn entry(&self, key: &str) -> Entry {
        Entry { key: key.to_owned(), value: self.value.clone(), expression: self.expression.clone(), place: self.place }
    }
}

/// The key of an address that holds a whole map's place: `DATABASES["default"] = "postgres://…"`, then a key below it.
pub(crate) const ADDRESS: &str = "";

/// Assigns to the keys `path` from the outside in; `None` among them stands for every key that is there.
pub(crate) fn assign(entries: &mut Vec<Entry>, path: &[Option<String>], assigned: &Assigned) {
    let Some((first, rest)) = path.split_first() else { return };
    let Some(key) = first else {
        let keys: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
        for key in keys {
            assign(entries, &[&[Some(key)], rest].concat(), assigned);
        }
        return;
    };
    if rest.is_empty() {
        put(entries, assigned.entry(key));
        return;
    }
    let at = entries.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
        entries.push(Entry { value: Computed::Map(Vec::new()), ..assigned.entry(key) });
        entries.len() - 1
    });
    let inner = &mut entries[at];
    below(&mut inner.value, inner.place, |entries| assign(entries, rest, assigned));
}

/// Changes the map that a value is, or each of its alternatives; an address is kept beside what is put below it.
fn below(value: &mut Computed, place: Place, mut change: impl FnMut(&mut Vec<Entry>)) {
    match value {
        Computed::Map(entries) => change(entries),
        Computed::Either(alternatives) => {
            for alternative in alternatives {
                if !matches!(alternative.value, Computed::Map(_)) {
                    alternative.value = with_address(alternative.value.clone(), alternative.place);
                }
                if let Computed::Map(entries) = &mut alternative.value {
                    change(entries);
                }
            }
        }
        other => {
            *other = with_address(std::mem::replace(other, Computed::Unset), place);
            if let Computed::Map(entries) = other {
                change(entries);
            }
        }
    }
}

fn with_address(value: Computed, place: Place) -> Computed {
    let entry = Entry { key: ADDRESS.to_owned(), value, expression: String::new(), place };
    let is_something = !matches!(entry.value, Computed::Unset);
    Computed::Map(is_something.then_some(entry).into_iter().collect())
}

/// Lays the entries of a map over those at `path`, as `update` does. An address replaces what is there, an unset one
/// nothing.
pub(crate) fn update(entries: &mut Vec<Entry>, path: &[Option<String>], assigned: &Assigned) {
    match &assigned.value {
        Computed::Unset => {}
        Computed::Map(more) => {
            for entry in more {
                let one = Assigned {
                    value: entry.value.clone(),
                    expression: entry.expression.clone(),
                    place: if entry.place.line == 0 { assigned.place } else { entry.place },
                };
                assign(entries, &[path, &[Some(entry.key.clone())]].concat(), &one);
            }
        }
        Computed::Text(_) => assign(entries, path, assigned),
        _ => assign(entries, &[path, &[Some(ADDRESS.to_owned())]].concat(), assigned),
    }
}

/// Lays what two ways through the code came to side by side.
pub(crate) fn either(one: Vec<Entry>, other: Vec<Entry>) -> Vec<Entry> {
    let mut merged = Vec::with_capacity(one.len());
    let mut other: Vec<Option<Entry>> = other.into_iter().map(Some).collect();
    for entry in one {
        let same = other.iter_mut().find(|other| other.as_ref().is_some_and(|other| other.key == entry.key));
        match same.and_then(Option::take) {
            Some(second) => merged.push(either_entry(entry, second)),
            None => merged.push(entry),
        }
    }
    merged.extend(other.into_iter().flatten());
    merged
}

fn either_entry(one: Entry, other: Entry) -> Entry {
    if one.value == other.value {
        return one;
    }
    let key = one.key.clone();
    let alternatives = |entry: Entry| match entry.value {
        Computed::Either(alternatives) => alternatives,
        _ => vec![entry],
    };
    let first = one.clone();
    let mut all = alternatives(one);
    for alternative in alternatives(other) {
        if !all.iter().any(|known| known.value == alternative.value) {
            all.push(Entry { key: key.clone(), ..alternative });
        }
    }
    Entry { value: Computed::Either(all), ..first }
}

/// Takes the alternative `round` everywhere.
pub(crate) fn picked(entry: &Entry, round: usize) -> Entry {
    match &entry.value {
        Computed::Either(alternatives) if !alternatives.is_empty() => {
            Entry { key: entry.key.clone(), ..picked(&alternatives[round % alternatives.len()], round) }
        }
        // The whole below is not copied on each level.
        Computed::Map(entries) => Entry {
            key: entry.key.clone(),
            value: Computed::Map(entries.iter().map(|entry| picked(entry, round)).collect()),
            expression: entry.expression.clone(),
            place: entry.place,
        },
        _ => entry.clone(),
    }
}

/// Counts the most alternatives of any value below these entries.
pub(crate) fn most_alternatives(entries: &[Entry]) -> usize {
    let count = |entry: &Entry| match &entry.value {
        Computed::Either(alternatives) => alternatives.len().max(most_alternatives(alternatives)),
        Computed::Map(entries) => most_alternatives(entries),
        _ => 1,
    };
    entries.iter().map(count).max().unwrap_or(1)
}

/// Counts the parts of a value.
pub(crate) fn size(value: &Computed) -> usize {
    match value {
        Computed::Map(entries) | Computed::Either(entries) => entries.iter().map(|entry| 1 + size(&entry.value)).sum(),
        Computed::List(items) => items.iter().map(|item| 1 + size(item)).sum(),
        _ => 1,
    }
}
