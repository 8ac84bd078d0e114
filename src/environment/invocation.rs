//! One simple command out of what would run: `npm test` may stand for `cross-env NODE_ENV=test jest`.

use std::rc::Rc;

use crate::environment::Origin;

/// A program with its arguments and the assignments before it, after wrappers and scripts were looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invocation {
    /// `X=Y` before the program, by `env`, `cross-env`, `-e` and the like, outermost first.
    pub(crate) assignments: Vec<(String, String)>,
    /// The variables that a script sets to what cannot be told before the command (`read`, a loop), each with how many of
    /// the assignments come before that. Whether the command sees them is not known either: both is looked at.
    pub(crate) unknown: Vec<(usize, Rc<str>)>,
    /// The program and its arguments, quotes removed; never empty. Bytes that are not UTF-8 are replaced.
    pub(crate) words: Vec<String>,
    /// Where it stands: the command line itself (no file), or the script that the command line names.
    pub(crate) origin: Origin,
    /// Where those of the assignments stand that do not stand where it does: in the settings of a task runner.
    pub(crate) places: Rc<Vec<AssignedAt>>,
}

/// A name and its value, with the place that they are assigned in.
pub(crate) type AssignedAt = (String, String, Origin);

impl Invocation {
    /// Returns the program's name without folders.
    #[must_use]
    pub(crate) fn program(&self) -> &str {
        let program = self.words.first().map_or("", String::as_str);
        program.rsplit('/').next().unwrap_or(program)
    }

    /// Notes where assignments stand.
    pub(crate) fn placed(&mut self, places: &Rc<Vec<AssignedAt>>) {
        if self.places.is_empty() {
            self.places = Rc::clone(places);
        } else if !places.is_empty() {
            Rc::make_mut(&mut self.places).extend_from_slice(places);
        }
    }

    /// Gives the place that a variable is assigned in.
    pub(crate) fn place_of(&self, name: &str, value: Option<&str>) -> Origin {
        let mut places = self.places.iter().rev();
        let place = places.find(|(own, assigned, _)| own == name && Some(assigned.as_str()) == value);
        let origin = place.map_or(&self.origin, |(_, _, origin)| origin);
        Origin { variable: name.to_owned(), ..origin.clone() }
    }

    /// Tells whether it assigns what another does, in the same file, as most commands of a script do.
    pub(crate) fn assigns_as(&self, other: &Invocation) -> bool {
        self.assignments == other.assignments && self.unknown == other.unknown && self.origin.file == other.origin.file
    }

    /// Lists what is assigned, in order, with the variables that cannot be told where `with_unknown`: those have no value.
    pub(crate) fn assigned(&self, with_unknown: bool) -> impl Iterator<Item = (&str, Option<&str>)> {
        let mut unknown = self.unknown.iter().filter(move |_| with_unknown).peekable();
        let mut assignments = self.assignments.iter().enumerate().peekable();
        std::iter::from_fn(move || {
            let at = assignments.peek().map_or(usize::MAX, |(at, _)| *at);
            if let Some((_, name)) = unknown.next_if(|(before, _)| *before <= at) {
                return Some((&**name, None));
            }
            assignments.next().map(|(_, (name, value))| (name.as_str(), Some(value.as_str())))
        })
    }

    /// Finds the value of `--option VALUE` or `--option=VALUE` among the words.
    pub(crate) fn option(&self, option: &str) -> Option<&str> {
        self.words.iter().enumerate().find_map(|(at, word)| match option_of(word) {
            (name, value @ Some(_)) if name == option => value,
            _ if word == option => self.words.get(at + 1).map(String::as_str),
            _ => None,
        })
    }
}

/// Stands for the value of a variable that cannot be told, as a command's output does.
pub(crate) fn unknown_value(name: &str) -> String {
    format!("$(read {name})")
}

/// Splits an option from the value attached to it: `--file=x` is `--file` and `x`.
pub(crate) fn option_of(word: &str) -> (&str, Option<&str>) {
    word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)))
}
