//! Where values come from: dotenv dialects, load orders of frameworks, and the origin of each value.
//!
//! The question this stage answers is: which environment could the command see? Loaders disagree, so the answer is
//! a list of [`Reading`]s, one for each plausible loader. Nothing here judges a value, connects to anything, or
//! executes anything found in a file. Files are seen through [`Files`] only.
#![forbid(unsafe_code)]

mod code;
mod command;
pub(crate) mod dotenv;
mod drivers;
mod files;
pub(crate) mod formats;
mod framework;
mod invocation;
mod layers;
mod load;
mod load_order;
mod manifests;
#[cfg(test)]
pub(crate) mod memory;
mod mode;
mod origin;
mod paths;
mod placeholders;
mod programs;
mod project;
#[cfg(test)]
mod properties;
mod reading;
mod services;
mod shell;
mod survey;

pub(crate) use files::Files;
pub(crate) use invocation::Invocation;
pub(crate) use manifests::{Driver, DriverEvidence, database_drivers};
pub(crate) use mode::named_environment;
pub(crate) use origin::Origin;
pub(crate) use project::Project;
pub(crate) use reading::{Reading, Setting, Unresolved};
pub(crate) use services::{Service, services};
pub(crate) use survey::{Condition, FileProblem, ProblemKind, Survey, SurveyInput, survey};
