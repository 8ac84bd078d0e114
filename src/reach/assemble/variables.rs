//! The variables of one environment that the command could see.

use crate::reach::assemble::json;
use crate::reach::grammars::placeholder::means_nothing;
use crate::reach::grammars::text::without_quotes;
use std::borrow::Cow;
use std::collections::HashMap;
use std::iter;
use std::rc::Rc;

use crate::environment::{Origin, Setting};
use crate::reach::names::Name;
use crate::reach::{Doubt, Draft, Lookup};

/// One variable of an environment, with what its name says.
pub(crate) struct Variable<'a> {
    pub(crate) setting: Cow<'a, Setting>,
    pub(crate) name: Rc<Name>,
}

impl Variable<'_> {
    pub(crate) fn value(&self) -> &str {
        self.setting.value.trim()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.setting.origin
    }

    /// Leaves what the value names in doubt where something would have to be executed to know it.
    pub(crate) fn pass_doubt_on(&self, draft: &mut Draft) {
        if self.setting.unresolved.is_some() {
            draft.doubt(Doubt::Unresolved);
        }
    }

    /// Whether the value names nothing: empty, `null`, `none`.
    pub(crate) fn is_empty(&self) -> bool {
        means_nothing(without_quotes(self.value()).0)
    }
}

/// Names that were read, each once: the environments that a command could see mostly hold the same variables.
#[derive(Default)]
pub(crate) struct Names(HashMap<String, Rc<Name>>);

impl Names {
    pub(crate) fn read(&mut self, text: &str) -> Rc<Name> {
        if let Some(name) = self.0.get(text) {
            return Rc::clone(name);
        }
        let name = Rc::new(Name::read(text));
        self.0.insert(text.to_owned(), Rc::clone(&name));
        name
    }
}

/// One environment that the command could see: a reading with the assignments of one invocation over it.
pub(crate) struct Variables<'a> {
    pub(crate) all: Vec<Variable<'a>>,
    by_name: HashMap<String, usize>,
    pub(crate) lookup: &'a Lookup<'a>,
}

impl<'a> Variables<'a> {
    pub(crate) fn new(
        settings: impl Iterator<Item = Cow<'a, Setting>>,
        names: &mut Names,
        lookup: &'a Lookup<'a>,
    ) -> Self {
        let mut all: Vec<Variable<'a>> = Vec::new();
        for setting in settings {
            let inside = json::settings_inside(&setting);
            for setting in iter::once(setting).chain(inside.into_iter().map(Cow::Owned)) {
                all.push(Variable { name: names.read(&setting.name), setting });
            }
        }
        let by_name = all.iter().enumerate().map(|(at, variable)| (variable.setting.name.clone(), at)).collect();
        Variables { all, by_name, lookup }
    }

    /// Finds the variable of that exact name, where it holds something. A name that stands in the code has to be in
    /// [`READ_BY_NAME`](crate::reach::assemble::READ_BY_NAME).
    pub(crate) fn get(&self, name: &str) -> Option<&Variable<'a>> {
        self.by_name.get(name).map(|at| &self.all[*at]).filter(|variable| !variable.is_empty())
    }
}
