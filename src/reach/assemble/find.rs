//! From readings and invocations to targets: each environment that the command could see, one after the other.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;

use crate::environment::{Invocation, Origin, Reading, Setting};
use crate::reach::assemble::merge::Merger;
use crate::reach::assemble::scene::{Entry, Found, Names, Scene};
use crate::reach::names::{Name, Role};
use crate::reach::{Context, Doubt, Target};

/// Finds every database that the command could reach, each once, with all the places its name was read from.
///
/// Each reading is looked at by itself, with the assignments of each invocation over it: parts of a connection are
/// combined within one environment, never across two. Text that cannot be dialled as it stands is dropped where
/// another reading of the same line can be.
#[must_use]
pub(crate) fn find_targets(readings: &[Reading], invocations: &[Invocation], context: &Context<'_>) -> Vec<Target> {
    let bare = Invocation { assignments: Vec::new(), words: vec![String::new()], origin: Origin::process("") };
    let empty = Reading { loader: String::new(), settings: Vec::new() };
    let invocations = if invocations.is_empty() { std::slice::from_ref(&bare) } else { invocations };
    let readings = if readings.is_empty() { std::slice::from_ref(&empty) } else { readings };
    let (mut merger, mut names) = (Merger::default(), Names::default());
    for reading in readings {
        for (index, invocation) in invocations.iter().enumerate() {
            let overlay = overlay(invocation);
            let known = invocations[..index].iter().any(|earlier| earlier.assignments == invocation.assignments);
            let says_something = !crate::reach::arguments::settings(invocation).is_empty();
            let scene = scene(reading, overlay, &mut names, context);
            if !known || says_something {
                merger.add_all(environment(&scene));
            }
            merger.add_all(crate::reach::arguments::find(invocation, &scene));
        }
    }
    merger.finish()
}

/// What an invocation sets; of several settings of one name the last.
fn overlay(invocation: &Invocation) -> Vec<Setting> {
    let assigned = invocation.assignments.iter().map(|(name, value)| {
        Setting::known(name.clone(), value.clone(), Origin { variable: name.clone(), ..invocation.origin.clone() })
    });
    let all: Vec<Setting> = assigned.chain(crate::reach::arguments::settings(invocation)).collect();
    let mut later = HashSet::new();
    let mut settings: Vec<Setting> =
        all.into_iter().rev().filter(|setting| later.insert(setting.name.clone())).collect();
    settings.reverse();
    settings
}

/// What settings are ordered by: their place, so that the order of what is found stays the same.
fn key(setting: &Setting) -> (Option<&OsStr>, Option<u32>, &str) {
    let Origin { file, line, .. } = &setting.origin;
    (file.as_deref().map(Path::as_os_str), *line, &setting.name)
}

fn scene<'a>(reading: &'a Reading, overlay: Vec<Setting>, names: &mut Names, context: &'a Context<'a>) -> Scene<'a> {
    let hidden: HashSet<String> = overlay.iter().map(|setting| setting.name.clone()).collect();
    let mut settings: Vec<&Setting> =
        reading.settings.iter().filter(|setting| !hidden.contains(&setting.name)).collect();
    settings.sort_by(|a, b| key(a).cmp(&key(b)));
    let settings = settings.into_iter().map(Cow::Borrowed).chain(overlay.into_iter().map(Cow::Owned));
    Scene::new(settings, names, context)
}

/// `REDIS_CONNECTION` holds an engine's name or a whole connection; what it holds decides.
fn as_url<'e>(entry: &'e Entry<'_>) -> Cow<'e, Name> {
    let name = &entry.name;
    let connection = name.role == Some(Role::Engine) && entry.setting.name.to_ascii_uppercase().ends_with("CONNECTION");
    let is_address =
        entry.value().contains([':', '@', '=', '/']) || crate::reach::grammars::looks::like_address(entry.value());
    if connection && is_address && name.says_database {
        return Cow::Owned(Name { role: Some(Role::Url), ..Name::clone(name) });
    }
    Cow::Borrowed(name)
}

/// Everything that the variables of one environment name.
fn environment(scene: &Scene<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut consumed = vec![false; scene.entries.len()];
    for (index, entry) in scene.entries.iter().enumerate() {
        if entry.is_empty() || entry.name.role == Some(Role::Password) {
            continue;
        }
        // A folder under `DB_SOCKET` or `DB_HOST` is a part of that connection, not one of its own.
        let folder = matches!(entry.name.role, Some(Role::Socket | Role::Host)) && entry.value().starts_with('/');
        if folder && entry.name.says_database {
            continue;
        }
        let drafts = crate::reach::grammars::value::parse(&as_url(entry), &entry.setting.value, scene.context);
        consumed[index] = !drafts.is_empty();
        for mut draft in drafts {
            if entry.setting.unresolved.is_some() {
                draft.doubt(Doubt::Unresolved);
            }
            let mut one = Found::new(draft, entry.origin().clone(), &entry.name.group);
            // A URL without a host means its driver's default, whatever other variables say.
            one.keeps_default = true;
            found.push(one);
        }
    }
    crate::reach::names::split::assemble(scene, &consumed, &mut found);
    crate::reach::assemble::managed::add(scene, &mut found);
    crate::reach::assemble::ambient::dynamodb_tables(scene, &mut found);
    crate::reach::assemble::ambient::complete(scene, &mut found);
    found
}
