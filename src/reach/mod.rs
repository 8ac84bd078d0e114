//! What a command could reach: the grammars of URLs, DSNs and split variables, and the [`Target`]s they name.
//!
//! [`find_targets`] looks at each environment that the command could see. By value first: what parses as a URL or
//! DSN names a database whatever its variable is called. By name second: `DB_HOST` and its like are put together.
//! Nothing here judges a target or connects to one.
#![forbid(unsafe_code)]

pub(crate) mod arguments;
pub(crate) mod assemble;
pub(crate) mod engine;
pub(crate) mod grammars;
pub(crate) mod host;
pub(crate) mod model;
pub(crate) mod names;
#[cfg(test)]
pub(crate) mod property_tests;
pub(crate) mod providers;
pub(crate) mod shown;
#[cfg(test)]
pub(crate) mod testing;

use std::path::PathBuf;

use crate::environment::{Files, Project};
use crate::reach::assemble::draft::Draft;

pub(crate) use crate::reach::arguments::is_database_client;
pub(crate) use crate::reach::assemble::drivers::name_engines;
pub(crate) use crate::reach::assemble::find::find_targets;
pub(crate) use crate::reach::engine::Engine;
pub(crate) use crate::reach::grammars::placeholder::has_gap;
pub(crate) use crate::reach::model::{Doubt, Place, Target};

/// What paths and service names are looked up in.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The folders of the command.
    pub(crate) project: &'a Project,
    /// The files that may be read.
    pub(crate) files: &'a dyn Files,
    /// Folders that a relative SQLite path may be relative to, for the loader at hand; the current one first.
    pub(crate) base_folders: &'a [PathBuf],
}
