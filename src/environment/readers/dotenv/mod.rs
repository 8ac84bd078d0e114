//! What each dotenv loader makes of the same file.
//!
//! There is no one `.env` format: of 71 small files only ten mean the same to all loaders. So there is one reader for
//! each [`Dialect`], and each gives what that loader gives, its mistakes included. Three things differ on purpose:
//! nothing is ever executed (a command substitution is marked [`Unresolved`](crate::environment::Unresolved)), a line that a loader
//! rejects does not hide the lines after it (they are given as salvaged), and the process environment is a parameter.
//!
//! This is not a load order (which files are read, and what beats what across files), and it judges nothing.

mod budget;
mod command;
mod compose;
mod dialect;
mod django;
mod document;
mod expand;
mod go;
mod lenient;
mod node;
mod parse_env;
mod pattern;
mod php;
mod python;
mod ruby;
mod rust;
mod scope;
mod shell;
mod shell_word;
mod symfony;
mod template;
mod text;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod property_tests;

pub(crate) use crate::environment::readers::dotenv::dialect::Dialect;
pub(crate) use crate::environment::readers::dotenv::document::Document;

use crate::environment::readers::dotenv::scope::Lookup;

/// Reads `text` as the loader behind `dialect` would.
///
/// `lookup` is the process environment that the loader would see, for `${X}` and for loaders that let it win; a loader
/// of several files may answer with what earlier files set. Time and memory stay proportional to the input, whatever
/// it holds; an expansion that grows beyond all reason is left as written and reported.
#[must_use]
pub(crate) fn read(dialect: Dialect, text: &[u8], lookup: &dyn Fn(&str) -> Option<String>) -> Document {
    let (text, mut bad_lines) = text::decode(text);
    let mut document = read_text(dialect, &text, lookup);
    bad_lines.append(&mut document.problems);
    document.problems = bad_lines;
    document
}

fn read_text(dialect: Dialect, text: &str, lookup: Lookup<'_>) -> Document {
    match dialect {
        Dialect::DotenvyLoad => rust::read(text, lookup, rust::Call::Load),
        Dialect::DotenvyIter => rust::read(text, lookup, rust::Call::Iter),
        Dialect::Node => node::read(text),
        Dialect::NodeExpand12 => expand::expand(node::read(text), lookup, expand::Version::V12),
        Dialect::NodeExpand1000 => expand::expand(node::read(text), lookup, expand::Version::V1000),
        Dialect::NodeConfigExpand12 => expand::expand_after_config(node::read(text), lookup, expand::Version::V12),
        Dialect::NodeConfigExpand1000 => expand::expand_after_config(node::read(text), lookup, expand::Version::V1000),
        Dialect::NodeParseEnv20 => parse_env::read(text, lookup, parse_env::Version::V20),
        Dialect::NodeParseEnv24 => parse_env::read(text, lookup, parse_env::Version::V24),
        Dialect::Vite => parse_env::read_for_vite(text, lookup),
        Dialect::Phpdotenv => php::read(text, lookup),
        Dialect::Symfony => symfony::read(text, lookup),
        Dialect::Ruby => ruby::read(text, lookup),
        Dialect::PythonDotenvLoad => python::read(text, lookup, python::Call::Load),
        Dialect::PythonDotenvValues => python::read(text, lookup, python::Call::Values),
        Dialect::DjangoEnviron => django::read(text, lookup),
        Dialect::Godotenv15 => go::read(text, lookup, go::Version::V15),
        Dialect::Godotenv16 => go::read(text, lookup, go::Version::V16),
        Dialect::Compose => compose::read(text, lookup),
        Dialect::Shell => shell::read(text, lookup),
        Dialect::Lenient => lenient::read(text, lookup),
    }
}
