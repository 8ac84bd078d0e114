//! From readings and invocations to targets: each environment that the command could see, one after the other.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::environment::{Invocation, Origin, Reading, Setting};
use crate::reach::assemble::{Names, Variables};
use crate::reach::merge::Merger;
use crate::reach::{Lookup, Target, arguments, assemble};

/// Finds every database that the command could reach, each once, with all the places its name was read from.
///
/// Each reading is looked at by itself, with the assignments of each invocation over it: parts of a connection are
/// combined within one environment, never across two. Environments that differ only in what names no database are
/// looked at once. Text that cannot be dialled as it stands is dropped where another reading of the same line can be.
#[must_use]
pub(crate) fn find_targets(readings: &[Reading], invocations: &[Invocation], lookup: &Lookup<'_>) -> Vec<Target> {
    let bare = Invocation { assignments: Vec::new(), words: vec![String::new()], origin: Origin::process("") };
    let empty = Reading { loader: String::new(), settings: Vec::new() };
    let invocations = if invocations.is_empty() { std::slice::from_ref(&bare) } else { invocations };
    let readings = if readings.is_empty() { std::slice::from_ref(&empty) } else { readings };
    let overlays: Vec<Vec<Setting>> = invocations.iter().map(overlay).collect();
    let mut names = Names::default();
    let counting = counting_names(readings, &overlays, invocations, &mut names, lookup);
    let overlays: Vec<Vec<&Setting>> = overlays.iter().map(|overlay| only(overlay, &counting)).collect();

    let mut merger = Merger::default();
    let mut environments = HashSet::new();
    let mut calls = HashSet::new();
    let mut silent = vec![false; invocations.len()];
    for reading in readings {
        let mut settings = only(&reading.settings, &counting);
        settings.sort_by(|a, b| key(a).cmp(&key(b)));
        for (index, invocation) in invocations.iter().enumerate() {
            let over: Vec<&Setting> = laid_over(&settings, &overlays[index]);
            let fingerprint = fingerprint(&over);
            let is_new = environments.insert(fingerprint);
            let calls_anew = !silent[index] && calls.insert((index, fingerprint));
            if !is_new && !calls_anew {
                continue;
            }
            let variables = Variables::new(over.into_iter().map(Cow::Borrowed), &mut names, lookup);
            if is_new {
                merger.add_all(assemble::find(&variables));
            }
            if calls_anew {
                let found = arguments::find(invocation, &variables);
                // Whether words name anything hangs on no variable.
                silent[index] = found.is_empty();
                merger.add_all(found);
            }
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

/// The names that have a part in what any of the environments names: by themselves, by one of their values, or because
/// an invocation's words refer to them.
fn counting_names<'s>(
    readings: &'s [Reading],
    overlays: &'s [Vec<Setting>],
    invocations: &'s [Invocation],
    names: &mut Names,
    lookup: &Lookup<'_>,
) -> HashSet<&'s str> {
    let mut counting: HashSet<&str> = HashSet::new();
    counting.extend(
        invocations.iter().flat_map(|invocation| &invocation.words).flat_map(|word| arguments::referred_names(word)),
    );
    let mut seen = HashSet::new();
    for setting in readings.iter().flat_map(|reading| &reading.settings).chain(overlays.iter().flatten()) {
        let name = setting.name.as_str();
        if seen.insert((name, setting.value.as_str()))
            && !counting.contains(name)
            && assemble::counts(setting, names, lookup)
        {
            counting.insert(name);
        }
    }
    counting
}

fn only<'s>(settings: &'s [Setting], counting: &HashSet<&str>) -> Vec<&'s Setting> {
    settings.iter().filter(|setting| counting.contains(setting.name.as_str())).collect()
}

/// The settings of a reading with those of an invocation over them.
fn laid_over<'s>(settings: &[&'s Setting], overlay: &[&'s Setting]) -> Vec<&'s Setting> {
    let hidden = |setting: &&&Setting| overlay.iter().any(|own| own.name == setting.name);
    settings.iter().filter(|setting| !hidden(setting)).chain(overlay).copied().collect()
}

/// Tells environments apart, by what is set and in which file; the line says nothing more about what is reached.
fn fingerprint(settings: &[&Setting]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for setting in settings {
        let Origin { file, variable, .. } = &setting.origin;
        (&setting.name, &setting.value, setting.unresolved.is_some(), file, variable).hash(&mut hasher);
    }
    hasher.finish()
}

/// Orders settings by their place, so that the order of what is found stays the same.
fn key(setting: &Setting) -> (Option<&OsStr>, Option<u32>, &str) {
    let Origin { file, line, .. } = &setting.origin;
    (file.as_deref().map(Path::as_os_str), *line, &setting.name)
}

#[cfg(test)]
mod tests;
