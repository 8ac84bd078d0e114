//! What a command could reach: the [`Target`]s that values, variable names and arguments name.
//!
//! [`find_targets`] looks at each environment that the command could see, in four steps, one a folder:
//!
//! - `grammars` read one value, a URL or DSN, into a draft. They know nothing of variables.
//! - `names` read one variable's name: which part of which database it holds.
//! - `assemble` puts the variables of one environment together: by value first, by name second.
//! - `arguments` read the command's own words.
//!
//! `find` goes through all environments, `merge` makes one target of everything that names one database. Nothing here
//! judges a target or connects to one.
#![forbid(unsafe_code)]

mod arguments;
mod assemble;
mod display;
mod engine;
mod find;
mod grammars;
mod lookup;
mod merge;
mod names;
mod part_origins;
mod ports;
#[cfg(test)]
mod property_tests;
mod providers;
mod readings;
#[cfg(test)]
mod secrecy_tests;
mod target;
#[cfg(test)]
mod testing;
mod unstated_engine;
mod without_secrets;

pub(crate) use crate::reach::arguments::{acts_unseen, database_client, named_files};
pub(crate) use crate::reach::engine::Engine;
pub(crate) use crate::reach::find::find_targets;
pub(crate) use crate::reach::grammars::draft::Draft;
pub(crate) use crate::reach::grammars::placeholder::{has_gap, is_open_ended};
pub(crate) use crate::reach::grammars::sqlite::{SIDE_FILES, looks_like_file, main_file};
pub(crate) use crate::reach::lookup::Lookup;
pub(crate) use crate::reach::merge::Reached;
pub(crate) use crate::reach::ports::{Certainty, Port};
pub(crate) use crate::reach::providers::{provider_of_host, provider_of_instance};
pub(crate) use crate::reach::target::{Doubt, Place, Target};
pub(crate) use crate::reach::unstated_engine::name_engines;
