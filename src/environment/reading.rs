//! What one plausible loader would hand to the command.

use std::rc::Rc;

use crate::environment::Origin;

/// One variable, as one loader would set it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Setting {
    /// The name that the command would see; nested keys are joined with dots (`spring.datasource.url`).
    pub(crate) name: String,
    /// The value after this loader's unquoting and expansion; the text as written where `unresolved` is set.
    pub(crate) value: String,
    /// Where it was read.
    pub(crate) origin: Origin,
    /// Why `value` is not what the command would see, where that cannot be known without executing something.
    pub(crate) unresolved: Option<Unresolved>,
}

impl Setting {
    /// Makes a setting whose value is what the command would see.
    #[must_use]
    pub(crate) fn known(name: impl Into<String>, value: impl Into<String>, origin: Origin) -> Self {
        Setting { name: name.into(), value: value.into(), origin, unresolved: None }
    }
}

/// Why a value cannot be known by reading alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Unresolved {
    /// It holds `$(…)` or backquotes that some loaders execute; safe-test never does.
    CommandSubstitution,
    /// It is made of a variable that cannot be known: one that a script reads, loops over or takes away, or sets to what
    /// something prints.
    Variable,
    /// It is code of a template language (ERB, Jinja, Twig, …) or a call (`env("X")`) that was not evaluated.
    Template,
    /// It is an expression in code that says which database it is, and was not evaluated. No reading holds it: it is
    /// noted as not followed.
    Code,
}

/// The merged environment that one plausible loader gives: each name at most once, the winning value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Which loader, for people: `Laravel`, `dotenv (Node.js)`, `process environment`.
    pub(crate) loader: String,
    /// The settings, in no particular order; readings mostly have the same ones.
    pub(crate) settings: Vec<Rc<Setting>>,
}

impl Reading {
    /// Finds the setting of that exact name.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().map(Rc::as_ref).find(|setting| setting.name == name)
    }
}
