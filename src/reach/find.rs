//! From readings and invocations to targets: each environment that the command could see, one after the other.

use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::rc::Rc;

use crate::collections::{HashMap, HashSet, keyed_hasher};
use crate::environment::follow::env_programs::is_named_for_variables;
use crate::environment::invocation::unknown_value;
use crate::environment::paths::is_code;
use crate::environment::readers::expansion::referred_names;
use crate::environment::{Invocation, Origin, Reading, Setting, Unresolved};
use crate::reach::arguments::Call;
use crate::reach::assemble::{Known, Variables, fill, names_nothing};
use crate::reach::merge::Merger;
use crate::reach::{Lookup, Reached, arguments, assemble};

/// Finds every database that the command could reach, each once, with all the places its name was read from.
///
/// Each reading is looked at by itself, with the assignments of each invocation over it: parts of a connection are
/// combined within one environment, never across two. Environments that differ only in what names no database are
/// looked at once. Text that cannot be dialled as it stands is dropped where another reading of the same line can be.
///
/// Many commands that each set something else, in files that differ for each, make as many environments as their
/// product: past a budget the rest is told as not followed.
#[must_use]
pub(crate) fn find_targets(readings: &[Reading], invocations: &[Invocation], lookup: &Lookup<'_>) -> Reached {
    find_within(MOST_WORK, readings, invocations, lookup)
}

/// What is spent on environments at most, in variables that are told apart. That takes about three seconds.
const MOST_WORK: usize = 150_000_000;
/// What reading a variable costs, against telling it apart.
const READING: usize = 100;

fn find_within(most: usize, readings: &[Reading], invocations: &[Invocation], lookup: &Lookup<'_>) -> Reached {
    let origin = Origin::process("");
    let bare = Invocation {
        assignments: Vec::new(),
        unknown: Vec::new(),
        words: vec![String::new()],
        origin,
        places: Rc::default(),
    };
    let empty = Reading { loader: String::new(), settings: Vec::new() };
    let invocations = if invocations.is_empty() { std::slice::from_ref(&bare) } else { invocations };
    let readings = if readings.is_empty() { std::slice::from_ref(&empty) } else { readings };
    let calls: Vec<Call<'_>> = invocations.iter().map(|invocation| Call::read(invocation, readings)).collect();
    let mut known = Known::default();
    let counting = counting_names(readings, &calls, &mut known, lookup);
    let (classes, class_of) = classes(&calls, &counting);
    let classes: Vec<Overlay<'_>> = classes.iter().map(|own| Overlay::of(own, &counting)).collect();

    let mut merger = Merger::default();
    let mut environments = HashSet::default();
    let mut called = HashSet::default();
    let mut silent = vec![false; calls.len()];
    let mut spent = 0;
    'readings: for reading in readings {
        let mut settings = only(reading.settings.iter().map(Rc::as_ref), &counting);
        settings.sort_by(|(a, _), (b, _)| key(a).cmp(&key(b)));
        let mut looks: Vec<Option<Look<'_>>> = classes.iter().map(|_| None).collect();
        let each = calls.iter().enumerate();
        for (index, call, class) in each.flat_map(|(at, one)| class_of[at].iter().map(move |class| (at, one, *class))) {
            if spent > most {
                let place = &call.invocation.origin;
                merger.note_cut(place, "the commands set variables in more ways than are looked at");
                break 'readings;
            }
            spent += 1;
            let overlay = &classes[class];
            let is_first = looks[class].is_none();
            let look = looks[class].get_or_insert_with(|| {
                spent += settings.len() + overlay.settings.len();
                Look { fingerprint: overlay.fingerprint_over(&settings), variables: None }
            });
            let is_new = is_first && environments.insert(look.fingerprint);
            let calls_anew = !silent[index] && called.insert((index, look.fingerprint, overlay.unset.is_empty()));
            if !is_new && !calls_anew {
                continue;
            }
            let variables = look.variables.get_or_insert_with(|| {
                let laid: Vec<&Setting> = laid_over(&settings, overlay).map(|(setting, _)| *setting).collect();
                let over = laid.iter().map(|setting| overlay.filled(setting, &laid, &settings));
                let variables = Variables::new(over, &mut known, lookup);
                spent += READING * variables.all.len();
                variables
            });
            if is_new {
                merger.add_all(assemble::find(variables));
            }
            // What words name whose variables one environment knows, another one need not know.
            if calls_anew && (!call.is_known_somewhere || call.is_known_to(variables, overlay.unset)) {
                spent += READING * call.invocation.words.len();
                let found = arguments::find(call, variables, overlay.unset);
                // Whether words name anything hangs on no variable, unless they refer to one.
                silent[index] = found.is_empty() && !call.refers;
                merger.add_all(found);
            }
            variables.cuts().into_iter().for_each(|(place, why)| merger.note_cut(&place, why));
        }
    }
    merger.finish()
}

/// A reading with the settings of one class of invocations over it.
struct Look<'s> {
    fingerprint: u64,
    /// Put together when something is to be found among them.
    variables: Option<Variables<'s>>,
}

/// A setting with a hash of what it says, and of the file that it stands in. The line says nothing about what is reached.
type Hashed<'s> = (&'s Setting, u64);

/// What invocations set alike.
#[derive(Default)]
struct Class<'c> {
    settings: Vec<Setting>,
    /// The names of those that their words set: variables are filled in there.
    typed: Vec<&'c str>,
    /// The variables that are taken for unknown: their defaults are looked at.
    unset: &'c [&'c str],
    /// Nothing knows the variables that the words refer to, and there are defaults: what is written stays in doubt.
    is_open: bool,
}

/// What a class of invocations sets, with its names.
struct Overlay<'s> {
    settings: Vec<Hashed<'s>>,
    names: HashSet<&'s str>,
    typed: &'s [&'s str],
    unset: &'s [&'s str],
    is_open: bool,
}

impl<'s> Overlay<'s> {
    fn of(class: &'s Class<'s>, counting: &HashSet<&str>) -> Self {
        let settings = only(class.settings.iter(), counting);
        let names = settings.iter().map(|(setting, _)| setting.name.as_str()).collect();
        Overlay { settings, names, typed: &class.typed, unset: class.unset, is_open: class.is_open }
    }

    /// Tells the environment apart that the settings of a reading are with these over them.
    fn fingerprint_over(&self, settings: &[Hashed<'_>]) -> u64 {
        // How variables are filled in makes a difference only where they are.
        let filling = (!self.typed.is_empty()).then_some((self.typed, self.unset, self.is_open));
        fingerprint(laid_over(settings, self), &filling)
    }

    /// Fills in the variables that a word refers to, from all that is set beside it, and those that an assignment takes its
    /// own default from (`A=${A:-b}`), from the reading that it is laid over.
    fn filled(&self, setting: &'s Setting, all: &[&Setting], below: &[Hashed<'_>]) -> Cow<'s, Setting> {
        let name = setting.name.as_str();
        if !setting.value.contains('$') || !self.names.contains(name) {
            return Cow::Borrowed(setting);
        }
        if self.typed.contains(&name) {
            return self.filled_word(setting, all);
        }
        let file = |one: &Setting| one.origin.file.as_deref().is_some_and(is_named_for_variables);
        let itself = || {
            let mut below = below.iter().rev().map(|(one, _)| *one);
            below.find(|one| one.name == name).filter(|one| !names_nothing(&one.value) && file(one))
        };
        match takes_itself(setting).then(itself).flatten() {
            Some(found) => Cow::Owned(found.clone()),
            None => Cow::Borrowed(setting),
        }
    }

    fn filled_word(&self, setting: &'s Setting, all: &[&Setting]) -> Cow<'s, Setting> {
        let is_unresolved = Cell::new(setting.unresolved.is_some());
        let look = |name: &str| {
            let mut beside = all.iter().rev();
            let found = beside.find(|one| one.name == name).filter(|one| !names_nothing(&one.value))?;
            is_unresolved.set(is_unresolved.get() || found.unresolved.is_some());
            Some(found.value.clone())
        };
        let filled = fill(&setting.value, self.unset, &look);
        let unresolved = |is_it: bool| is_it.then_some(Unresolved::Variable).or_else(|| setting.unresolved.clone());
        if filled.is_known {
            let unresolved = unresolved(is_unresolved.get());
            return Cow::Owned(Setting { value: filled.text, unresolved, ..setting.clone() });
        }
        Cow::Owned(Setting { unresolved: unresolved(self.is_open), ..setting.clone() })
    }
}

/// Tells whether an assignment is the variable's own value, or something else where it has none: `A=${A:-b}`.
fn takes_itself(setting: &Setting) -> bool {
    let Some(inside) = setting.value.strip_prefix("${").and_then(|text| text.strip_suffix('}')) else { return false };
    inside
        .strip_prefix(setting.name.as_str())
        .is_some_and(|operation| operation.is_empty() || operation.trim_start_matches(':').starts_with(['-', '=', '?']))
}

/// Sorts the invocations by what they set of what counts: the settings of each class, and the classes of each invocation,
/// a second one where something that counts cannot be told, and where words have defaults for what some environment does
/// not know. Many commands of a script set the same.
fn classes<'c>(calls: &'c [Call<'_>], counting: &HashSet<&str>) -> (Vec<Class<'c>>, Vec<Vec<usize>>) {
    let mut classes: Vec<Class<'_>> = Vec::new();
    let mut class_by_fingerprint: HashMap<u64, usize> = HashMap::default();
    let mut class_of: Vec<Vec<usize>> = Vec::new();
    let is_plain = |call: &Call<'_>| call.typed.is_empty() && call.unset.is_empty();
    for (at, call) in calls.iter().enumerate() {
        let invocation = call.invocation;
        let is_as_before = || {
            let before = at.checked_sub(1)?;
            let same = invocation.assigns_as(calls[before].invocation) && is_plain(call) && is_plain(&calls[before]);
            same.then(|| class_of[before].clone())
        };
        let own = is_as_before().unwrap_or_else(|| {
            let has_unknown = invocation.unknown.iter().any(|(_, name)| counting.contains(&**name));
            let none: &[&str] = &[];
            let ways = [Some(false), has_unknown.then_some(true)].into_iter().flatten();
            let ways = ways.flat_map(|unknown| {
                [Some(none), (!call.unset.is_empty()).then_some(&*call.unset)].map(|unset| Some((unknown, unset?)))
            });
            let class = |(with_unknown, unset): (bool, &'c [&'c str])| {
                let settings = overlay(invocation, with_unknown, &call.typed, counting);
                let typed: Vec<&str> = call.typed.iter().map(|setting| setting.name.as_str()).collect();
                let is_open = unset.is_empty() && !call.unset.is_empty() && !call.is_known_somewhere;
                let fingerprint = fingerprint(only(settings.iter(), counting).iter(), &(&typed, unset, is_open));
                *class_by_fingerprint.entry(fingerprint).or_insert_with(|| {
                    classes.push(Class { settings, typed, unset, is_open });
                    classes.len() - 1
                })
            };
            ways.flatten().map(class).collect()
        });
        class_of.push(own);
    }
    (classes, class_of)
}

/// Tells what an invocation sets of what counts, with what its words set; of several settings of one name the last.
fn overlay(invocation: &Invocation, with_unknown: bool, typed: &[Setting], counting: &HashSet<&str>) -> Vec<Setting> {
    let assigned = invocation.assigned(with_unknown).filter(|(name, _)| counting.contains(name));
    let assigned = assigned.map(|(name, value)| assigned_by(invocation, name, value));
    let all: Vec<Setting> = assigned.chain(typed.iter().cloned()).collect();
    let mut later = HashSet::default();
    let mut settings: Vec<Setting> =
        all.into_iter().rev().filter(|setting| later.insert(setting.name.clone())).collect();
    settings.reverse();
    settings
}

fn assigned_by(invocation: &Invocation, name: &str, value: Option<&str>) -> Setting {
    let origin = invocation.place_of(name, value);
    let unresolved = value.is_none().then_some(Unresolved::Variable);
    let value = value.map_or_else(|| unknown_value(name), str::to_owned);
    Setting { unresolved, ..Setting::known(name, value, origin) }
}

/// Finds the names that have a part in what any of the environments names: by themselves, by one of their values, or because
/// the arguments of a database client refer to them.
fn counting_names<'s>(
    readings: &'s [Reading],
    calls: &'s [Call<'s>],
    known: &mut Known,
    lookup: &Lookup<'_>,
) -> HashSet<&'s str> {
    let mut counting: HashSet<&str> = HashSet::default();
    let typed = || calls.iter().flat_map(|call| &call.typed);
    counting.extend(calls.iter().flat_map(Call::filled_words).flat_map(|word| referred_names(word)));
    counting.extend(typed().flat_map(|setting| referred_names(&setting.value)));
    let mut seen = HashSet::default();
    let of_readings = readings.iter().flat_map(|reading| &reading.settings).map(Rc::as_ref);
    for setting in of_readings.chain(typed()) {
        let name = setting.name.as_str();
        if !counting.contains(name)
            && seen.insert((name, setting.value.as_str(), setting.unresolved.is_some()))
            && assemble::counts(setting, known, lookup)
        {
            counting.insert(name);
        }
    }
    for (at, Call { invocation, .. }) in calls.iter().enumerate() {
        if at.checked_sub(1).is_some_and(|before| invocation.assigns_as(calls[before].invocation)) {
            continue;
        }
        for (name, value) in invocation.assigned(true) {
            if !counting.contains(name)
                && seen.insert((name, value.unwrap_or_default(), value.is_none()))
                && assemble::counts(&assigned_by(invocation, name, value), known, lookup)
            {
                counting.insert(name);
            }
        }
    }
    counting
}

fn only<'s>(settings: impl Iterator<Item = &'s Setting>, counting: &HashSet<&str>) -> Vec<Hashed<'s>> {
    let counting = settings.filter(|setting| counting.contains(setting.name.as_str()));
    counting
        .map(|setting| {
            let mut hasher = keyed_hasher();
            let Origin { file, variable, .. } = &setting.origin;
            // The bytes of a path are hashed, not its parts.
            let file = file.as_deref().map(Path::as_os_str);
            (&setting.name, &setting.value, setting.unresolved.is_some(), file, variable).hash(&mut hasher);
            (setting, hasher.finish())
        })
        .collect()
}

/// Lays the settings of an invocation over those of a reading.
fn laid_over<'r, 's>(settings: &'r [Hashed<'s>], overlay: &'r Overlay<'s>) -> impl Iterator<Item = &'r Hashed<'s>> {
    let is_hidden = |setting: &Setting| overlay.names.contains(setting.name.as_str());
    settings.iter().filter(move |(setting, _)| !is_hidden(setting)).chain(&overlay.settings)
}

/// Tells environments apart, with what else makes a difference.
fn fingerprint<'r, 's: 'r>(settings: impl Iterator<Item = &'r Hashed<'s>>, further: &impl Hash) -> u64 {
    let mut hasher = keyed_hasher();
    settings.for_each(|(_, hash)| hasher.write_u64(*hash));
    further.hash(&mut hasher);
    hasher.finish()
}

/// Orders settings by their place, so that the order of what is found stays the same: code last, since it mostly takes values
/// from elsewhere, and where one is written out says more.
fn key(setting: &Setting) -> (bool, Option<&OsStr>, Option<u32>, &str) {
    let Origin { file, line, .. } = &setting.origin;
    (file.as_deref().is_some_and(is_code), file.as_deref().map(Path::as_os_str), *line, &setting.name)
}

#[cfg(test)]
mod all_pairs;
#[cfg(test)]
mod caps;
#[cfg(test)]
mod tests;
