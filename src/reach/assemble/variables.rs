//! The variables of one environment that the command could see.

use std::borrow::Cow;
use std::collections::HashMap;
use std::iter;
use std::rc::Rc;

use crate::environment::readers::expansion::shell_word::{Quotes, Word};
use crate::environment::readers::expansion::{Budget, Scope, Unset};
use crate::environment::{Origin, Setting};
use crate::reach::assemble::by_name::ByName;
use crate::reach::assemble::json;
use crate::reach::grammars::placeholder::means_nothing;
use crate::reach::grammars::text::without_quotes;
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

    /// Tells whether the value names nothing: empty, `null`, `none`.
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

    /// Finds the variable of that exact name, where it holds something.
    pub(crate) fn get(&self, asked: ByName) -> Option<&Variable<'a>> {
        self.named(asked.name())
    }

    /// Fills in what a shell would, where the variables are known; the rest stays as written.
    ///
    /// `word` is one of the words of an invocation: what those refer to counts, see [`referred_names`].
    pub(crate) fn filled_in(&self, word: &str) -> String {
        let look = |name: &str| self.named(name).map(|variable| variable.value().to_owned());
        let word = Word::new(word, Quotes::Removed, Unset::AsWritten);
        word.expand_known(&mut Scope::new(&look), &mut Budget::new()).0
    }

    /// Not for others: a name that nobody has said to count may have been left out.
    fn named(&self, name: &str) -> Option<&Variable<'a>> {
        self.by_name.get(name).map(|at| &self.all[*at]).filter(|variable| !variable.is_empty())
    }
}

/// The names that a word may refer to as variables, and others that stand beside a `$`.
pub(crate) fn referred_names(word: &str) -> impl Iterator<Item = &str> {
    let words = word.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    words.filter(move |name| !name.is_empty() && word.contains('$'))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn whatever_a_word_is_filled_in_with_counts() {
        for text in [
            "$A",
            "${A}",
            "x$A-y$B",
            "${A:-$B}",
            "${A:-${B:-${C}}}",
            "\"${A}/$B\"",
            "'$A' $B",
            "${A:+$B}",
            "$A$B",
            "${A#*$B}",
            "${A/$B/$C}",
            "$(echo $A)",
            "${!A}",
            "\\$A",
            "${A_1}$_b",
            "$1a",
            "${#A}",
            "A",
        ] {
            let asked = RefCell::new(HashSet::new());
            let look = |name: &str| {
                // No variable has an empty name.
                asked.borrow_mut().extend((!name.is_empty()).then(|| name.to_owned()));
                name.starts_with('A').then(|| "x".to_owned())
            };
            Word::new(text, Quotes::Removed, Unset::AsWritten).expand_known(&mut Scope::new(&look), &mut Budget::new());
            let referred: HashSet<String> = referred_names(text).map(str::to_owned).collect();
            assert!(asked.borrow().is_subset(&referred), "{text}: {asked:?}");
        }
    }
}
