//! The variables of one environment that the command could see.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::rc::Rc;

use crate::collections::{HashMap, HashSet};
use crate::environment::readers::expansion::shell_word::{Quotes, Word};
use crate::environment::readers::expansion::{Budget, Obstacle, Scope, Unset, names_with_default};
use crate::environment::{Origin, Setting};
use crate::reach::assemble::by_name::ByName;
use crate::reach::assemble::provider_value::at_a_provider;
use crate::reach::assemble::value::parse;
use crate::reach::assemble::{json, shapes, value};
use crate::reach::grammars::placeholder::means_nothing;
use crate::reach::grammars::scheme::engine_of_driver;
use crate::reach::grammars::text::{LONGEST_VALUE, without_quotes};
use crate::reach::names::{Name, Role};
use crate::reach::{Draft, Engine, Lookup};

/// A setting that many environments hold.
#[derive(Clone)]
pub(crate) enum Shared<'a> {
    Lent(&'a Setting),
    Own(Rc<Setting>),
}

impl Deref for Shared<'_> {
    type Target = Setting;

    fn deref(&self) -> &Setting {
        match self {
            Shared::Lent(setting) => setting,
            Shared::Own(setting) => setting,
        }
    }
}

/// One variable of an environment, with what its name and its value say.
#[derive(Clone)]
pub(crate) struct Variable<'a> {
    pub(crate) setting: Shared<'a>,
    spelled: Rc<str>,
    pub(crate) name: Rc<Name>,
    value: Rc<Value>,
    /// What is left out of the JSON in it.
    cut_inside: Option<&'static str>,
}

impl<'a> Variable<'a> {
    pub(crate) fn read(setting: Shared<'a>, known: &mut Known) -> Self {
        let (spelled, name, value) = known.read(&setting.name, &setting.value);
        Variable { setting, spelled, name, value, cut_inside: None }
    }

    /// Reads a setting, and those that its value holds.
    pub(crate) fn all_of(setting: Shared<'a>, known: &mut Known) -> Rc<[Self]> {
        let (inside, cut_inside) = json::settings_inside(&setting);
        let whole = Variable { cut_inside, ..Variable::read(setting, known) };
        let inside = inside.into_iter().map(|setting| Variable::read(Shared::Own(Rc::new(setting)), known));
        std::iter::once(whole).chain(inside).collect()
    }

    pub(crate) fn value(&self) -> &str {
        self.setting.value.trim()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.setting.origin
    }

    /// Leaves what the value names in doubt where something would have to be executed to know it.
    pub(crate) fn pass_doubt_on(&self, draft: &mut Draft) {
        if let Some(unresolved) = &self.setting.unresolved {
            draft.doubt(unresolved.into());
        }
    }

    /// Tells whether the value names nothing: empty, `null`, `none`.
    pub(crate) fn is_empty(&self) -> bool {
        self.value.is_empty
    }

    /// What the value names by itself, as a URL or DSN; empty where it is none.
    pub(crate) fn drafts(&self, lookup: &Lookup<'_>) -> &[Draft] {
        self.value.drafts.get_or_init(|| parse(&as_url(self), &self.setting.value, lookup))
    }

    /// Says what is left out of the value, where that could name a database.
    pub(crate) fn cut(&self, lookup: &Lookup<'_>) -> Option<&'static str> {
        self.cut_inside.or_else(|| value::cut(&self.name, &self.setting.value, lookup))
    }

    /// The part of a connection that it holds, see `read`, which is asked once for each name and value.
    pub(crate) fn role(&self, read: impl FnOnce(&Self) -> Option<Role>) -> Option<Role> {
        *self.value.role.get_or_init(|| read(self))
    }

    /// The engine that its value is the name of.
    pub(crate) fn engine(&self) -> Option<Engine> {
        *self.value.engine.get_or_init(|| engine_of_driver(self.value()))
    }

    /// The place at a provider that the value names by itself.
    pub(crate) fn at_a_provider(&self) -> Option<&Draft> {
        self.value.at_a_provider.get_or_init(|| at_a_provider(&self.setting.name, &self.name, self.value())).as_ref()
    }
}

/// Takes `REDIS_CONNECTION` and its like for a URL where the value is an address and no engine's name.
fn as_url<'e>(variable: &'e Variable<'_>) -> Cow<'e, Name> {
    let name = &variable.name;
    let connection =
        name.role == Some(Role::Engine) && variable.setting.name.to_ascii_uppercase().ends_with("CONNECTION");
    let is_address = |text: &str| text.contains([':', '@', '=', '/']) || shapes::is_address(text);
    if connection && name.says_database && is_address(variable.value()) {
        return Cow::Owned(Name { role: Some(Role::Url), ..Name::clone(name) });
    }
    Cow::Borrowed(name)
}

/// What a value says under its name, read when it is first asked for.
struct Value {
    is_empty: bool,
    drafts: OnceCell<Vec<Draft>>,
    at_a_provider: OnceCell<Option<Draft>>,
    role: OnceCell<Option<Role>>,
    engine: OnceCell<Option<Engine>>,
}

/// Names and values that were read, each once: the environments that a command could see mostly hold the same variables.
#[derive(Default)]
pub(crate) struct Known(HashMap<Rc<str>, (Rc<Name>, ByText)>);

type ByText = BTreeMap<String, Rc<Value>>;

impl Known {
    fn read(&mut self, name: &str, value: &str) -> (Rc<str>, Rc<Name>, Rc<Value>) {
        let spelled = match self.0.get_key_value(name) {
            Some((spelled, _)) => Rc::clone(spelled),
            None => Rc::from(name),
        };
        let (name, values) =
            self.0.entry(Rc::clone(&spelled)).or_insert_with(|| (Rc::new(Name::read(name)), ByText::new()));
        if let Some(known) = values.get(value) {
            return (spelled, Rc::clone(name), Rc::clone(known));
        }
        let read = Rc::new(Value {
            is_empty: names_nothing(value),
            drafts: OnceCell::new(),
            at_a_provider: OnceCell::new(),
            role: OnceCell::new(),
            engine: OnceCell::new(),
        });
        values.insert(value.to_owned(), Rc::clone(&read));
        (spelled, Rc::clone(name), read)
    }
}

/// One environment that the command could see: a reading with the assignments of one invocation over it.
pub(crate) struct Variables<'a> {
    pub(crate) all: Vec<Variable<'a>>,
    by_name: HashMap<Rc<str>, usize>,
    pub(crate) lookup: &'a Lookup<'a>,
    cuts: RefCell<Vec<(Origin, &'static str)>>,
}

impl<'a> Variables<'a> {
    pub(crate) fn new(all: Vec<Variable<'a>>, lookup: &'a Lookup<'a>) -> Self {
        let by_name = all.iter().enumerate().map(|(at, variable)| (Rc::clone(&variable.spelled), at)).collect();
        Variables { all, by_name, lookup, cuts: RefCell::default() }
    }

    /// Notes that more stands at `place` than is looked at: `why` is a phrase about it.
    pub(crate) fn cut_off(&self, place: &Origin, why: &'static str) {
        self.cuts.borrow_mut().push((place.clone(), why));
    }

    /// Hands over what was noted so far.
    pub(crate) fn cuts(&self) -> Vec<(Origin, &'static str)> {
        self.cuts.take()
    }

    /// Finds the variable of that exact name, where it holds something.
    pub(crate) fn get(&self, asked: ByName) -> Option<&Variable<'a>> {
        self.named(asked.name())
    }

    /// Fills a word in, see [`fill`]. It is one of the words of an invocation: what those refer to counts, see
    /// [`referred_names`](crate::environment::readers::expansion::referred_names).
    pub(crate) fn filled(&self, word: &str, defaults: Defaults<'_>) -> Filled {
        fill(word, defaults, &|name| self.named(name).map(|variable| variable.value().to_owned()))
    }

    /// Not for others: a name that nobody has said to count may have been left out.
    fn named(&self, name: &str) -> Option<&Variable<'a>> {
        self.by_name.get(name).map(|at| &self.all[*at]).filter(|variable| !variable.is_empty())
    }
}

/// Which variables the defaults in a word stand for: `${NAME:-x}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Defaults<'n> {
    /// For none: a `read`, a loop or a file that is not followed may set what is not known.
    OfNone,
    /// For those that the environment does not know: nothing else sets them.
    OfUnknown,
    /// For these, in order of their names, whatever the environment knows of them.
    Of(&'n [&'n str]),
}

/// A word with its variables filled in.
pub(crate) struct Filled {
    /// What is known, and the defaults that count; the rest stays as written.
    pub(crate) text: String,
    /// Whether all of it is known: each variable that was asked for, and no default is what a command prints. Where it is
    /// not, the text proves nothing.
    pub(crate) is_known: bool,
}

/// Fills in what a shell would. A word that is longer than what is read of one stays as it is.
pub(crate) fn fill(word: &str, defaults: Defaults<'_>, look: &dyn Fn(&str) -> Option<String>) -> Filled {
    if !word.contains(['$', '`']) {
        return Filled { text: word.to_owned(), is_known: true };
    }
    if word.len() > LONGEST_VALUE {
        return Filled { text: word.to_owned(), is_known: false };
    }
    let with_default: HashSet<&str> = names_with_default(word).collect();
    let takes_default = |name: &str| match defaults {
        Defaults::OfNone => false,
        Defaults::OfUnknown => with_default.contains(name),
        Defaults::Of(names) => names.binary_search(&name).is_ok(),
    };
    let is_known = Cell::new(true);
    let known = |name: &str| {
        if matches!(defaults, Defaults::Of(_)) && takes_default(name) {
            return None;
        }
        let value = look(name);
        is_known.set(is_known.get() && (value.is_some() || takes_default(name)));
        value
    };
    let mut scope = Scope::new(&known);
    let kept = with_default.iter().filter(|name| !takes_default(name) && look(name).is_none());
    kept.for_each(|name| scope.set(name, Err(Obstacle::Syntax)));
    let written = Word::new(word, Quotes::Removed, Unset::AsWritten);
    let (text, obstacle) = written.expand_known(&mut scope, &mut Budget::new());
    Filled { text, is_known: is_known.get() && (obstacle.is_none() || with_default.is_empty()) }
}

/// Tells whether a value names nothing, whatever the variable is called: it is empty, or `null`, `none`.
pub(crate) fn names_nothing(value: &str) -> bool {
    means_nothing(without_quotes(value).0)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashSet;

    use super::*;
    use crate::environment::readers::expansion::referred_names;

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
