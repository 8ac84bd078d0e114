//! What was cut off or given up on: each cap and each reader that gives up says so here, and the judge hears of it.

use std::borrow::Cow;
use std::fmt;

use crate::environment::Origin;

/// A place behind which something was not followed that could name a database or run a command.
///
/// It must reach the judge: dropped, a cap would make the verdict better.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub(crate) struct NotFollowed {
    /// The first place: a line of a file, a variable, or the command line.
    pub(crate) place: Origin,
    /// How many such places there are in it, at least 1.
    pub(crate) count: usize,
    pub(crate) why: GivenUp,
}

/// Why something was not followed, as a phrase about its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GivenUp {
    /// There is more than is looked at ("it is nested more than 64 deep").
    TooMuch(Cow<'static, str>),
    /// It has a form that cannot be read ("it is no JSON: expected a comma").
    Form(Cow<'static, str>),
}

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (GivenUp::TooMuch(why) | GivenUp::Form(why)) = self;
        f.write_str(why)
    }
}

impl NotFollowed {
    /// Notes one place.
    pub(crate) fn at(place: Origin, why: GivenUp) -> Self {
        NotFollowed { place, count: 1, why }
    }
}
