//! What each dotenv loader makes of the same file.
//!
//! There is no one `.env` format: of 71 small files only ten mean the same to all loaders. So there is one reader for
//! each [`Dialect`], and each gives what that loader gives, its mistakes included. Three things differ on purpose:
//! nothing is ever executed (a command substitution is marked [`Unresolved`](crate::environment::Unresolved)), a line that a loader
//! rejects does not hide the lines after it (they are given as salvaged), and the process environment is a parameter.
//!
//! This is not a load order (which files are read, and what beats what across files), and it judges nothing.

mod command;
mod compose;
mod dialect;
mod django;
mod document;
mod dotenv_expand;
mod go;
mod lenient;
mod node;
mod parse_env;
mod pattern;
mod php;
mod python;
mod ruby;
mod rust;
mod salvage;
mod shell;
mod symfony;
mod text;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod property_tests;

pub(crate) use crate::environment::readers::dotenv::dialect::{Dialect, EVERY_DIALECT};
pub(crate) use crate::environment::readers::dotenv::document::Document;

use crate::environment::readers::expansion::Lookup;

/// Reads `text` as the loader behind `dialect` would.
///
/// `lookup` is the process environment that the loader would see, for `${X}` and for loaders that let it win; a loader
/// of several files may answer with what earlier files set. Time and memory stay proportional to the input, whatever
/// it holds; an expansion that grows beyond all reason is left as written and reported.
#[must_use]
pub(crate) fn read(dialect: Dialect, text: &[u8], lookup: Lookup<'_>) -> Document {
    let (text, broken_lines) = text::decode(text);
    let mut document = dialect.read(&text, lookup);
    let not_utf_8 =
        |line| document::Problem { line, message: "not UTF-8; the bytes in question were replaced".to_owned() };
    document.problems.splice(0..0, broken_lines.into_iter().map(not_utf_8));
    document
}
