//! From readings and invocations to targets: each environment that the command could see, one after the other.

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
use crate::reach::arguments::{Call, Values, only_variable};
use crate::reach::assemble::{Defaults, Known, Shared, Variable, Variables, fill, names_nothing};
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
    let refers = invocations.iter().flat_map(|invocation| &invocation.words).any(|word| word.contains(['$', '`']));
    let values = Values::of(if refers { readings } else { &[] });
    let calls: Vec<Call<'_>> = invocations.iter().map(|invocation| Call::read(invocation, &values)).collect();
    let mut known = Known::default();
    let counting = counting_names(readings, &calls, &mut known, lookup);
    let (classes, class_of) = classes(&calls, &counting);
    let classes: Vec<Overlay<'_>> = classes.iter().map(|own| Overlay::of(own, &counting, &mut known)).collect();

    let mut merger = Merger::default();
    let mut environments = HashSet::default();
    let mut called = HashSet::default();
    let refers: Vec<bool> = calls.iter().map(|call| call.refers_to(&counting)).collect();
    let mut silent = vec![false; calls.len()];
    let mut spent = 0;
    'readings: for reading in readings {
        let base = Base::of(reading, &counting, &mut known);
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
                spent += base.settings.len() + overlay.settings.len();
                Look { fingerprint: overlay.fingerprint_over(&base), variables: None }
            });
            let is_new = is_first && environments.insert(look.fingerprint);
            let way = std::mem::discriminant(&overlay.defaults);
            let calls_anew = !silent[index] && called.insert((index, look.fingerprint, way));
            if !is_new && !calls_anew {
                continue;
            }
            let variables = look.variables.get_or_insert_with(|| {
                let all = overlay.laid_over(&base, &mut known);
                spent += READING * all.len();
                Variables::new(all, lookup)
            });
            if is_new {
                merger.add_all(assemble::find(variables));
            }
            if calls_anew {
                spent += READING * call.invocation.words.len();
                let found = arguments::find(call, variables, overlay.defaults);
                // Whether words name anything hangs on no variable, unless they refer to one.
                silent[index] = found.is_empty() && !refers[index];
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

/// A setting with what it says.
struct Told<'s> {
    setting: &'s Setting,
    /// Of what it says, and of the file that it stands in. The line says nothing about what is reached.
    hash: u64,
    /// The variable that it is, and those that its value holds.
    variables: Rc<[Variable<'s>]>,
}

/// The settings of a reading that count.
struct Base<'s> {
    settings: Vec<Told<'s>>,
    by_name: HashMap<&'s str, usize>,
    /// The sum of the settings' hashes.
    sum: u64,
}

impl<'s> Base<'s> {
    fn of(reading: &'s Reading, counting: &HashSet<&str>, known: &mut Known) -> Self {
        let mut settings = only(reading.settings.iter().map(Rc::as_ref), counting, known);
        settings.sort_by(|a, b| key(a.setting).cmp(&key(b.setting)));
        let by_name = by_name(&settings);
        let sum = sum(&settings);
        Base { settings, by_name, sum }
    }

    fn get(&self, name: &str) -> Option<&Told<'s>> {
        self.by_name.get(name).map(|at| &self.settings[*at])
    }
}

/// What invocations set alike.
struct Class<'c> {
    settings: Vec<Setting>,
    /// The names of those that their words set: variables are filled in there.
    typed: Vec<&'c str>,
    defaults: Defaults<'c>,
    /// Nothing knows the variables that the words refer to, and there are defaults: what is written stays in doubt.
    is_open: bool,
}

/// What a class of invocations sets, with its names.
struct Overlay<'s> {
    settings: Vec<Told<'s>>,
    by_name: HashMap<&'s str, usize>,
    sum: u64,
    typed: &'s [&'s str],
    defaults: Defaults<'s>,
    is_open: bool,
}

impl<'s> Overlay<'s> {
    fn of(class: &'s Class<'s>, counting: &HashSet<&str>, known: &mut Known) -> Self {
        let settings = only(class.settings.iter(), counting, known);
        let by_name = by_name(&settings);
        let sum = sum(&settings);
        Overlay { settings, by_name, sum, typed: &class.typed, defaults: class.defaults, is_open: class.is_open }
    }

    /// Tells the environment apart that the settings of a reading are with these over them.
    fn fingerprint_over(&self, base: &Base<'_>) -> u64 {
        let hidden = self.by_name.keys().filter_map(|name| base.get(name));
        let left = hidden.fold(base.sum, |sum, told| sum.wrapping_sub(told.hash));
        // How variables are filled in makes a difference only where they are.
        let filling = (!self.typed.is_empty()).then_some((self.typed, self.defaults, self.is_open));
        fingerprint(left.wrapping_add(self.sum), &filling)
    }

    /// Lays these settings over those of a reading.
    fn laid_over(&self, base: &Base<'s>, known: &mut Known) -> Vec<Variable<'s>> {
        let mut all = Vec::with_capacity(base.settings.len() + self.settings.len());
        let below = base.settings.iter().filter(|told| !self.by_name.contains_key(told.setting.name.as_str()));
        below.for_each(|told| all.extend_from_slice(&told.variables));
        for told in &self.settings {
            match self.filled(told.setting, base) {
                Some(filled) => all.extend_from_slice(&Variable::all_of(Shared::Own(Rc::new(filled)), known)),
                None => all.extend_from_slice(&told.variables),
            }
        }
        all
    }

    /// Fills in the variables that a word refers to, from all that is set beside it, and those that an assignment takes its
    /// own default from (`A=${A:-b}`), from the reading that it is laid over.
    fn filled(&self, setting: &Setting, base: &Base<'_>) -> Option<Setting> {
        if !setting.value.contains('$') {
            return None;
        }
        if self.typed.contains(&setting.name.as_str()) {
            return Some(self.filled_word(setting, base));
        }
        let below = takes_itself(setting).then(|| base.get(&setting.name)).flatten()?.setting;
        let is_for_variables = below.origin.file.as_deref().is_some_and(is_named_for_variables);
        (is_for_variables && !names_nothing(&below.value)).then(|| below.clone())
    }

    fn filled_word(&self, setting: &Setting, base: &Base<'_>) -> Setting {
        let is_unresolved = Cell::new(setting.unresolved.is_some());
        let look = |name: &str| {
            let own = self.by_name.get(name).map(|at| &self.settings[*at]);
            let found = own.or_else(|| base.get(name)).filter(|told| !names_nothing(&told.setting.value))?.setting;
            is_unresolved.set(is_unresolved.get() || found.unresolved.is_some());
            Some(found.value.clone())
        };
        let filled = fill(&setting.value, self.defaults, &look);
        let is_in_doubt = is_unresolved.get() || !filled.is_known && self.is_open;
        let unresolved = is_in_doubt.then_some(Unresolved::Variable).or_else(|| setting.unresolved.clone());
        Setting { value: filled.text, unresolved, ..setting.clone() }
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
/// further ones where something that counts cannot be told, and where words have defaults for what some environment does
/// not know. Many commands of a script set the same.
fn classes<'c>(calls: &'c [Call<'_>], counting: &HashSet<&str>) -> (Vec<Class<'c>>, Vec<Vec<usize>>) {
    let mut classes: Vec<Class<'_>> = Vec::new();
    let mut class_by_fingerprint: HashMap<u64, usize> = HashMap::default();
    let mut class_of: Vec<Vec<usize>> = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let invocation = call.invocation;
        let is_as_before = || {
            let before = at.checked_sub(1)?;
            let same = invocation.assigns_as(calls[before].invocation) && call.is_plain() && calls[before].is_plain();
            same.then(|| class_of[before].clone())
        };
        let own = is_as_before().unwrap_or_else(|| {
            let has_unknown = invocation.unknown.iter().any(|(_, name)| counting.contains(&**name));
            let ways = [Some(false), has_unknown.then_some(true)].into_iter().flatten();
            let ways = ways.flat_map(|with_unknown| call.ways().map(move |defaults| (with_unknown, defaults)));
            let class = |(with_unknown, defaults): (bool, Defaults<'c>)| {
                let settings = overlay(invocation, with_unknown, &call.typed, counting);
                let typed: Vec<&str> = call.typed.iter().map(|setting| setting.name.as_str()).collect();
                let is_open = call.is_open(defaults);
                let sum = settings.iter().map(hash).fold(0, u64::wrapping_add);
                let fingerprint = fingerprint(sum, &(&typed, defaults, is_open));
                *class_by_fingerprint.entry(fingerprint).or_insert_with(|| {
                    classes.push(Class { settings, typed, defaults, is_open });
                    classes.len() - 1
                })
            };
            ways.map(class).collect()
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
/// the arguments of a database client refer to them. What is nothing but a variable in the words of another program
/// (`exec "$JAVA"`) names something only where that holds an address.
fn counting_names<'s>(
    readings: &'s [Reading],
    calls: &'s [Call<'s>],
    known: &mut Known,
    lookup: &Lookup<'_>,
) -> HashSet<&'s str> {
    let mut counting: HashSet<&str> = HashSet::default();
    let typed = || calls.iter().flat_map(|call| &call.typed);
    let words = || calls.iter().flat_map(Call::filled_words);
    let bare: HashSet<&str> =
        words().filter_map(|(word, client)| if client { None } else { only_variable(word) }).collect();
    let whole = words().filter(|(word, client)| *client || only_variable(word).is_none());
    counting.extend(whole.flat_map(|(word, _)| referred_names(word)));
    let holds_address = |name: &str, value: &str| bare.contains(name) && arguments::names_address(value, lookup);
    counting.extend(typed().flat_map(|setting| referred_names(&setting.value)));
    let mut seen = HashSet::default();
    let of_readings = readings.iter().flat_map(|reading| &reading.settings).map(Rc::as_ref);
    for setting in of_readings.chain(typed()) {
        let name = setting.name.as_str();
        if !counting.contains(name)
            && seen.insert((name, setting.value.as_str(), setting.unresolved.is_some()))
            && (assemble::counts(setting, known, lookup) || holds_address(name, &setting.value))
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
                && (assemble::counts(&assigned_by(invocation, name, value), known, lookup)
                    || holds_address(name, value.unwrap_or_default()))
            {
                counting.insert(name);
            }
        }
    }
    counting
}

fn only<'s>(settings: impl Iterator<Item = &'s Setting>, counting: &HashSet<&str>, known: &mut Known) -> Vec<Told<'s>> {
    let counting = settings.filter(|setting| counting.contains(setting.name.as_str()));
    let told = |setting| {
        let variables = Variable::all_of(Shared::Lent(setting), known);
        Told { setting, hash: hash(setting), variables }
    };
    counting.map(told).collect()
}

fn hash(setting: &Setting) -> u64 {
    let mut hasher = keyed_hasher();
    let Origin { file, variable, .. } = &setting.origin;
    // The bytes of a path are hashed, not its parts.
    let file = file.as_deref().map(Path::as_os_str);
    (&setting.name, &setting.value, setting.unresolved.is_some(), file, variable).hash(&mut hasher);
    hasher.finish()
}

/// Each name stands once in a set.
fn by_name<'s>(settings: &[Told<'s>]) -> HashMap<&'s str, usize> {
    settings.iter().enumerate().map(|(at, told)| (told.setting.name.as_str(), at)).collect()
}

/// Tells sets of settings apart: each name stands once in a set.
fn sum(settings: &[Told<'_>]) -> u64 {
    settings.iter().map(|told| told.hash).fold(0, u64::wrapping_add)
}

/// Tells environments apart by the sum of their settings, with what else makes a difference.
fn fingerprint(sum: u64, further: &impl Hash) -> u64 {
    let mut hasher = keyed_hasher();
    hasher.write_u64(sum);
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
