//! One environment that the command could see, and what was found in it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::iter;
use std::rc::Rc;

use crate::environment::{Origin, Setting};
use crate::reach::names::Name;
use crate::reach::{Context, Draft};

/// How many variables are kept as the origins of one connection.
const MOST_ORIGINS: usize = 200;

/// One variable of an environment, with what its name says.
pub(crate) struct Entry<'a> {
    pub(crate) setting: Cow<'a, Setting>,
    pub(crate) name: Rc<Name>,
}

impl Entry<'_> {
    pub(crate) fn value(&self) -> &str {
        self.setting.value.trim()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.setting.origin
    }

    /// Whether the value names nothing: empty, `null`, `none`.
    pub(crate) fn is_empty(&self) -> bool {
        crate::reach::grammars::bare::means_nothing(crate::reach::grammars::text::without_quotes(self.value()).0)
    }
}

/// Names that were read, each once: the environments that a command could see mostly hold the same variables.
#[derive(Default)]
pub(crate) struct Names(HashMap<String, Rc<Name>>);

impl Names {
    fn read(&mut self, text: &str) -> Rc<Name> {
        if let Some(name) = self.0.get(text) {
            return Rc::clone(name);
        }
        let name = Rc::new(Name::read(text));
        self.0.insert(text.to_owned(), Rc::clone(&name));
        name
    }
}

/// One environment that the command could see: a reading with the assignments of one invocation over it.
pub(crate) struct Scene<'a> {
    pub(crate) entries: Vec<Entry<'a>>,
    by_name: HashMap<String, usize>,
    pub(crate) context: &'a Context<'a>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(
        settings: impl Iterator<Item = Cow<'a, Setting>>,
        names: &mut Names,
        context: &'a Context<'a>,
    ) -> Self {
        let mut entries: Vec<Entry<'a>> = Vec::new();
        for setting in settings {
            let inside = crate::reach::grammars::json::settings_inside(&setting);
            for setting in iter::once(setting).chain(inside.into_iter().map(Cow::Owned)) {
                entries.push(Entry { name: names.read(&setting.name), setting });
            }
        }
        let by_name = entries.iter().enumerate().map(|(at, entry)| (entry.setting.name.clone(), at)).collect();
        Scene { entries, by_name, context }
    }

    /// The variable of that exact name, where it holds something.
    pub(crate) fn get(&self, name: &str) -> Option<&Entry<'a>> {
        self.by_name.get(name).map(|at| &self.entries[*at]).filter(|entry| !entry.is_empty())
    }
}

/// A draft with where it came from.
pub(crate) struct Found {
    pub(crate) draft: Draft,
    pub(crate) origins: Vec<Origin>,
    /// The group of variables that it came from.
    pub(crate) group: String,
    /// Only an engine is named; it counts where nothing else in the environment names a database.
    pub(crate) weak: bool,
    /// libpq's own variables: what is missing is its default and nothing that another variable says.
    pub(crate) keeps_default: bool,
}

impl Found {
    pub(crate) fn new(draft: Draft, origin: Origin, group: &str) -> Self {
        Found { draft, origins: vec![origin], group: group.to_owned(), weak: false, keeps_default: false }
    }

    pub(crate) fn add_origin(&mut self, origin: &Origin) {
        if self.origins.len() < MOST_ORIGINS && !self.origins.contains(origin) {
            self.origins.push(origin.clone());
        }
    }
}
