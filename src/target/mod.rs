//! What a command could reach: the grammars of URLs, DSNs and split variables, and the [`Target`]s they name.
//!
//! [`find_targets`] looks at each environment that the command could see. By value first: what parses as a URL or
//! DSN names a database whatever its variable is called. By name second: `DB_HOST` and its like are put together.
//! Nothing here judges a target or connects to one.
#![forbid(unsafe_code)]

mod ado_net;
mod ambient;
mod arguments;
mod authority;
mod bare;
mod clients;
mod draft;
mod drivers;
mod embedded;
mod engine;
mod find;
#[cfg(test)]
mod find_tests;
mod go_mysql;
mod group;
mod homeless;
mod host;
mod instance;
mod jdbc;
mod json;
mod libpq;
mod looks;
mod managed;
mod merge;
mod model;
mod names;
mod oracle;
mod parameters;
mod part_origins;
mod pdo;
mod placeholder;
#[cfg(test)]
mod properties;
mod provider_programs;
pub(crate) mod providers;
mod query;
mod roles;
mod scene;
mod scheme;
mod servers;
mod services;
mod shown;
mod split;
mod split_files;
mod sqlite;
mod statements;
mod terminal;
#[cfg(test)]
mod testing;
mod text;
mod url;
mod value;
mod words;

use std::path::PathBuf;

use crate::environment::{Files, Project};
use draft::Draft;

pub(crate) use arguments::is_database_client;
pub(crate) use drivers::name_engines;
pub(crate) use engine::Engine;
pub(crate) use find::find_targets;
pub(crate) use model::{Doubt, Place, Target};
pub(crate) use placeholder::has_gap;

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
