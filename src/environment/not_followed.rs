//! What was cut off or given up on: each cap and each reader that gives up says so here, and the judge hears of it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use crate::environment::Origin;

/// A place behind which something was not followed that could name a database or run a command.
///
/// It must reach the judge: dropped, a cap would make the verdict better.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use]
pub(crate) struct NotFollowed {
    /// The first place: a line of a file, a variable, or the command line.
    pub(crate) place: Origin,
    /// How many such places there are in it, at least 1.
    pub(crate) count: usize,
    pub(crate) why: GivenUp,
}

/// Why something was not followed, as a phrase about its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum GivenUp {
    /// There is more than is looked at ("it is nested more than 256 deep").
    TooMuch(Cow<'static, str>),
    /// It has a form that cannot be read ("expected a comma").
    Form(Cow<'static, str>),
    /// What it says is known to the program alone ("a test's property is put together by code").
    Code(Cow<'static, str>),
    /// It is there and cannot be read ("it is a named pipe, not a regular file").
    Unreadable(String),
}

impl GivenUp {
    pub(crate) const fn too_much(why: &'static str) -> Self {
        GivenUp::TooMuch(Cow::Borrowed(why))
    }
}

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GivenUp::TooMuch(why) | GivenUp::Form(why) | GivenUp::Code(why) => why,
            GivenUp::Unreadable(why) => why,
        })
    }
}

impl NotFollowed {
    /// Notes one place.
    pub(crate) fn at(place: Origin, why: GivenUp) -> Self {
        NotFollowed { place, count: 1, why }
    }
}

/// Collects what is not followed, each place and reason once: a file is read for several load orders.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    found: RefCell<Vec<NotFollowed>>,
    seen: RefCell<HashSet<NotFollowed>>,
}

impl Gaps {
    pub(crate) fn note(&self, gap: NotFollowed) {
        if self.seen.borrow_mut().insert(gap.clone()) {
            self.found.borrow_mut().push(gap);
        }
    }

    /// Notes one place.
    pub(crate) fn give_up(&self, place: Origin, why: GivenUp) {
        self.note(NotFollowed::at(place, why));
    }

    pub(crate) fn into_inner(self) -> Vec<NotFollowed> {
        self.found.into_inner()
    }
}
