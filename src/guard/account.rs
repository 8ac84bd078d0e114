//! What the guard saw while a command ran.

use crate::guard::rules::Refusal;

/// What was reached and what was refused, in the order in which it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Each database that was reached, once a program.
    pub(crate) reached: Vec<Reached>,
    /// Each connection that was refused, once a program and address.
    pub(crate) refused: Vec<Refused>,
}

/// A database that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Its address, or its socket's path.
    pub(crate) address: String,
    /// The program's name.
    pub(crate) program: String,
    /// The index of the target that it is; `None` for what passed with a note.
    pub(crate) target: Option<usize>,
    /// What is to be told of it.
    pub(crate) note: Option<String>,
}

/// A connection that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The address, or the socket's path.
    pub(crate) address: String,
    /// The program's name.
    pub(crate) program: String,
    /// Its process.
    pub(crate) process: i32,
    /// Why, and what a person can do.
    pub(crate) refusal: Refusal,
}

impl Account {
    /// Adds what is not there yet.
    pub(crate) fn add_reached(&mut self, reached: Reached) {
        if !self.reached.contains(&reached) {
            self.reached.push(reached);
        }
    }

    /// Adds a refusal; returns whether it is the first of this program and address.
    pub(crate) fn add_refused(&mut self, refused: Refused) -> bool {
        let is_known = |known: &Refused| known.address == refused.address && known.program == refused.program;
        let is_new = !self.refused.iter().any(is_known);
        if is_new {
            self.refused.push(refused);
        }
        is_new
    }
}
