//! What is said of a shell line, and what it is judged by.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::environment::Files;

/// What a shell line would do to a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    /// Nothing that is known, or it goes through safe-test already.
    Plain,
    /// It touches one without the guard.
    Touches(Touches),
}

/// How a shell line touches a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touches {
    /// The program's words as they stand on the line, short: `prisma migrate reset`. Nothing out of files.
    pub(crate) words: String,
    pub(crate) class: Class,
    /// The whole line with only what touches wrapped (`cd app && safe-test npm test`); `None` where no line can be given: it
    /// destroys volumes, acts elsewhere, or was not understood.
    pub(crate) instead: Option<String>,
}

/// What is done to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// A client is opened, or runs what does not only read.
    Client,
    Test,
    Migrate,
    Seed,
    Import,
    /// The project's policy names it, whatever it does.
    Named,
    /// Rolled back, emptied, dropped or made anew.
    Reset,
    /// The files, volumes or servers below it are removed.
    Destroys,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Class::Client => "client",
            Class::Test => "test",
            Class::Migrate => "migrate",
            Class::Seed => "seed",
            Class::Import => "import",
            Class::Named => "named",
            Class::Reset => "reset",
            Class::Destroys => "destroys",
        })
    }
}

/// How a project corrects what is known of commands, each by the words that they begin with: `npm run test:unit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Corrections {
    /// They touch nothing.
    pub(crate) plain: Vec<String>,
    /// They touch a database, also where `plain` says the contrary.
    pub(crate) guard: Vec<String>,
}

/// Where a line would run.
pub(crate) struct Place<'a> {
    /// The folder, absolute.
    pub(crate) folder: &'a Path,
    /// Finds the root of the project that a folder belongs to; asked only where scripts have to be looked up.
    pub(crate) root: &'a dyn Fn(&Path) -> PathBuf,
    pub(crate) files: &'a dyn Files,
    /// Tells whether a run of a command that names this file would save the database in it, or there is nothing to save;
    /// asked only about files that are called as those of databases.
    pub(crate) is_saved: &'a dyn Fn(&Path) -> bool,
}

/// What of a text touches a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) words: String,
    pub(super) class: Class,
    pub(super) edit: Edit,
}

/// How a text is changed, so that the guard is around what touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    /// These bytes are replaced, each.
    Replace(Vec<(Range<usize>, String)>),
    /// All of the text has to run below the guard: where the command stands is not known.
    All,
    /// The guard would not hold it.
    Never,
}
