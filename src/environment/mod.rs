//! Where values come from: dotenv dialects, load orders of frameworks, and the origin of each value.
//!
//! The question this stage answers is: which environment could the command see? Loaders disagree, so the answer is
//! a list of [`Reading`]s, one for each plausible loader. Nothing here judges a value, connects to anything, or
//! executes anything found in a file. Files are seen through [`Files`] only.
#![forbid(unsafe_code)]

pub(crate) mod condition;
pub(crate) mod derivation;
pub(crate) mod ecosystems;
pub(crate) mod evidence;
pub(crate) mod files;
pub(crate) mod follow;
pub(crate) mod invocation;
pub(crate) mod layering;
#[cfg(test)]
pub(crate) mod memory;
pub(crate) mod mode;
pub(crate) mod not_followed;
pub(crate) mod origin;
pub(crate) mod paths;
pub(crate) mod project;
#[cfg(test)]
pub(crate) mod property_tests;
pub(crate) mod readers;
pub(crate) mod reading;
pub(crate) mod remembered;
pub(crate) mod services;
pub(crate) mod survey;
pub(crate) mod workspace_patterns;

pub(crate) use crate::environment::condition::{Condition, FileProblem, ProblemKind};
pub(crate) use crate::environment::derivation::Derivation;
pub(crate) use crate::environment::ecosystems::is_plain;
pub(crate) use crate::environment::ecosystems::manifest::DataPath;
pub(crate) use crate::environment::evidence::{Driver, DriverEvidence, database_drivers};
pub(crate) use crate::environment::files::{Files, Folder};
pub(crate) use crate::environment::invocation::Invocation;
pub(crate) use crate::environment::mode::named_environment;
pub(crate) use crate::environment::origin::Origin;
pub(crate) use crate::environment::project::Project;
pub(crate) use crate::environment::reading::{Reading, Setting, Unresolved};
pub(crate) use crate::environment::services::{Published, Service, published, services};
pub(crate) use crate::environment::survey::{Survey, SurveyInput, survey};
