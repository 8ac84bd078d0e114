//! From readings and invocations to targets: each environment that the command could see, one after the other.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;

use crate::environment::{Invocation, Origin, Reading, Setting};
use crate::reach::assemble::{Names, Variables};
use crate::reach::merge::Merger;
use crate::reach::{Lookup, Target, arguments, assemble};

/// Finds every database that the command could reach, each once, with all the places its name was read from.
///
/// Each reading is looked at by itself, with the assignments of each invocation over it: parts of a connection are
/// combined within one environment, never across two. Text that cannot be dialled as it stands is dropped where
/// another reading of the same line can be.
#[must_use]
pub(crate) fn find_targets(readings: &[Reading], invocations: &[Invocation], lookup: &Lookup<'_>) -> Vec<Target> {
    let bare = Invocation { assignments: Vec::new(), words: vec![String::new()], origin: Origin::process("") };
    let empty = Reading { loader: String::new(), settings: Vec::new() };
    let invocations = if invocations.is_empty() { std::slice::from_ref(&bare) } else { invocations };
    let readings = if readings.is_empty() { std::slice::from_ref(&empty) } else { readings };
    let (mut merger, mut names) = (Merger::default(), Names::default());
    for reading in readings {
        for (index, invocation) in invocations.iter().enumerate() {
            let overlay = overlay(invocation);
            let known = invocations[..index].iter().any(|earlier| earlier.assignments == invocation.assignments);
            let says_something = !arguments::settings(invocation).is_empty();
            let variables = variables(reading, overlay, &mut names, lookup);
            if !known || says_something {
                merger.add_all(assemble::find(&variables));
            }
            merger.add_all(arguments::find(invocation, &variables));
        }
    }
    merger.finish()
}

/// Lists what an invocation sets; of several settings of one name the last.
fn overlay(invocation: &Invocation) -> Vec<Setting> {
    let assigned = invocation.assignments.iter().map(|(name, value)| {
        Setting::known(name.clone(), value.clone(), Origin { variable: name.clone(), ..invocation.origin.clone() })
    });
    let all: Vec<Setting> = assigned.chain(arguments::settings(invocation)).collect();
    let mut later = HashSet::new();
    let mut settings: Vec<Setting> =
        all.into_iter().rev().filter(|setting| later.insert(setting.name.clone())).collect();
    settings.reverse();
    settings
}

/// Orders settings by their place, so that the order of what is found stays the same.
fn key(setting: &Setting) -> (Option<&OsStr>, Option<u32>, &str) {
    let Origin { file, line, .. } = &setting.origin;
    (file.as_deref().map(Path::as_os_str), *line, &setting.name)
}

fn variables<'a>(
    reading: &'a Reading,
    overlay: Vec<Setting>,
    names: &mut Names,
    lookup: &'a Lookup<'a>,
) -> Variables<'a> {
    let hidden: HashSet<String> = overlay.iter().map(|setting| setting.name.clone()).collect();
    let mut settings: Vec<&Setting> =
        reading.settings.iter().filter(|setting| !hidden.contains(&setting.name)).collect();
    settings.sort_by(|a, b| key(a).cmp(&key(b)));
    let settings = settings.into_iter().map(Cow::Borrowed).chain(overlay.into_iter().map(Cow::Owned));
    Variables::new(settings, names, lookup)
}

#[cfg(test)]
mod tests;
