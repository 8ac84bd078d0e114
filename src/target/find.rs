//! From readings and invocations to targets: each environment that the command could see, one after the other.

use std::borrow::Cow;
use std::collections::HashMap;

use super::merge::Merger;
use super::names::{Name, Role};
use super::{Context, Doubt, Draft, Target};
use crate::environment::{Invocation, Origin, Reading, Setting};

/// One variable of an environment, with what its name says.
pub(super) struct Entry<'a> {
    pub(super) setting: Cow<'a, Setting>,
    pub(super) name: Name,
}

impl Entry<'_> {
    pub(super) fn value(&self) -> &str {
        self.setting.value.trim()
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.setting.origin
    }

    /// Whether the value names nothing: empty, `null`, `none`.
    pub(super) fn is_empty(&self) -> bool {
        super::bare::means_nothing(super::text::without_quotes(self.value()).0)
    }
}

/// One environment that the command could see: a reading with the assignments of one invocation over it.
pub(super) struct Scene<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    by_name: HashMap<String, usize>,
    pub(super) context: &'a Context<'a>,
}

impl<'a> Scene<'a> {
    fn new(settings: impl Iterator<Item = Cow<'a, Setting>>, context: &'a Context<'a>) -> Self {
        let mut entries: Vec<Entry<'a>> = Vec::new();
        for setting in settings {
            let inside = super::json::settings_inside(&setting);
            entries.push(Entry { name: Name::read(&setting.name), setting });
            let named = inside.into_iter().map(|setting| (Name::read(&setting.name), Cow::Owned(setting)));
            entries.extend(named.map(|(name, setting)| Entry { setting, name }));
        }
        let by_name = entries.iter().enumerate().map(|(at, entry)| (entry.setting.name.clone(), at)).collect();
        Scene { entries, by_name, context }
    }

    /// The variable of that exact name, where it holds something.
    pub(super) fn get(&self, name: &str) -> Option<&Entry<'a>> {
        self.by_name.get(name).map(|at| &self.entries[*at]).filter(|entry| !entry.is_empty())
    }
}

/// A draft with where it came from.
pub(super) struct Found {
    pub(super) draft: Draft,
    pub(super) origins: Vec<Origin>,
    /// The group of variables that it came from.
    pub(super) group: String,
    /// Only an engine is named; it counts where nothing else in the environment names a database.
    pub(super) weak: bool,
    /// libpq's own variables: what is missing is its default and nothing that another variable says.
    pub(super) keeps_default: bool,
}

impl Found {
    pub(super) fn new(draft: Draft, origin: Origin, group: &str) -> Self {
        Found { draft, origins: vec![origin], group: group.to_owned(), weak: false, keeps_default: false }
    }

    pub(super) fn add_origin(&mut self, origin: &Origin) {
        if !self.origins.contains(origin) {
            self.origins.push(origin.clone());
        }
    }
}

/// Finds every database that the command could reach, each once, with all the places its name was read from.
///
/// Each reading is looked at by itself, with the assignments of each invocation over it: parts of a connection are
/// combined within one environment, never across two. Text that cannot be dialled as it stands is dropped where
/// another reading of the same line can be.
#[must_use]
pub fn find_targets(readings: &[Reading], invocations: &[Invocation], context: &Context<'_>) -> Vec<Target> {
    let bare = Invocation { assignments: Vec::new(), words: vec![String::new()], origin: Origin::process("") };
    let empty = Reading { loader: String::new(), settings: Vec::new() };
    let invocations = if invocations.is_empty() { std::slice::from_ref(&bare) } else { invocations };
    let readings = if readings.is_empty() { std::slice::from_ref(&empty) } else { readings };
    let mut merger = Merger::default();
    for reading in readings {
        for (index, invocation) in invocations.iter().enumerate() {
            let overlay = overlay(invocation);
            let known = invocations[..index].iter().any(|earlier| earlier.assignments == invocation.assignments);
            let says_something = !super::arguments::settings(invocation).is_empty();
            let scene = scene(reading, overlay, context);
            if !known || says_something {
                merger.add_all(environment(&scene));
            }
            merger.add_all(super::arguments::find(invocation, &scene));
        }
    }
    merger.finish()
}

fn overlay(invocation: &Invocation) -> Vec<Setting> {
    let assigned = invocation.assignments.iter().map(|(name, value)| Setting {
        name: name.clone(),
        value: value.clone(),
        origin: Origin { variable: name.clone(), ..invocation.origin.clone() },
        unresolved: None,
    });
    let mut settings: Vec<Setting> = Vec::new();
    for setting in assigned.chain(super::arguments::settings(invocation)) {
        settings.retain(|earlier| earlier.name != setting.name);
        settings.push(setting);
    }
    settings
}

fn scene<'a>(reading: &'a Reading, overlay: Vec<Setting>, context: &'a Context<'a>) -> Scene<'a> {
    let hidden: std::collections::HashSet<String> = overlay.iter().map(|setting| setting.name.clone()).collect();
    let mut settings: Vec<&Setting> =
        reading.settings.iter().filter(|setting| !hidden.contains(&setting.name)).collect();
    settings.sort_by(|a, b| (&a.origin.file, a.origin.line, &a.name).cmp(&(&b.origin.file, b.origin.line, &b.name)));
    let settings = settings.into_iter().map(Cow::Borrowed).chain(overlay.into_iter().map(Cow::Owned));
    Scene::new(settings, context)
}

/// Everything that the variables of one environment name.
fn environment(scene: &Scene<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut consumed = vec![false; scene.entries.len()];
    for (index, entry) in scene.entries.iter().enumerate() {
        if entry.is_empty() || entry.name.role == Some(Role::Password) {
            continue;
        }
        let drafts = super::value::parse(&entry.name, &entry.setting.value, scene.context);
        consumed[index] = !drafts.is_empty();
        for mut draft in drafts {
            if entry.setting.unresolved.is_some() {
                draft.doubt(Doubt::Unresolved);
            }
            found.push(Found::new(draft, entry.origin().clone(), &entry.name.group));
        }
    }
    super::split::assemble(scene, &consumed, &mut found);
    super::ambient::dynamodb_tables(scene, &mut found);
    super::ambient::complete(scene, &mut found);
    found
}
