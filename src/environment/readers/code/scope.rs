//! What is known around an expression.

use std::cell::Cell;

use crate::environment::readers::code::computed::{Computed, Place};
use crate::environment::readers::expansion::Lookup;

/// What is known around an expression.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    /// The variables of the environment.
    pub(crate) lookup: Lookup<'s>,
    /// The names of the code.
    pub(crate) names: &'s dyn Fn(&str) -> Option<Computed>,
    /// Gives a member of a map that the code knows by a name, without a copy of the others; `None` where it has to be
    /// taken from the whole.
    pub(crate) members: &'s dyn Fn(&str, &str) -> Option<Computed>,
    /// Decides a choice that hangs on an unset variable as if it stayed unset.
    pub(crate) settles_unset: bool,
    /// Takes a choice that hangs on an unset variable the other way.
    pub(crate) takes_other: bool,
    /// Is set where a choice hangs on an unset variable.
    pub(crate) is_undecided: &'s Cell<bool>,
    /// Is set where a variable that is not set is filled into a text, as nothing.
    pub(crate) fills_unset: &'s Cell<bool>,
    /// Where the expression starts.
    pub(crate) place: Place,
}

impl Scope<'_> {
    /// Tells what a condition comes to; `None` where that is not known.
    pub(crate) fn holds(&self, condition: &Computed) -> Option<bool> {
        match condition {
            Computed::Text(text) => Some(!text.is_empty()),
            Computed::Flag(flag) => Some(*flag),
            Computed::Unset if self.settles_unset => Some(false),
            Computed::Unset => {
                self.is_undecided.set(true);
                Some(self.takes_other)
            }
            Computed::Map(entries) => Some(!entries.is_empty()),
            Computed::List(items) => Some(!items.is_empty()),
            Computed::Either(_) | Computed::Unknown => None,
        }
    }
}
