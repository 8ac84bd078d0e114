//! `.safe-test.toml`: what a project asks for, and what of it is in force.
//!
//! What tightens applies at once. What loosens applies only once a person has approved that exact content
//! ([`trust`]), so that neither a pulled commit nor a program can open the door.
#![forbid(unsafe_code)]

mod document;
mod error;
mod fault;
mod force;
mod pattern;
pub(crate) mod trust;
mod values;

pub(crate) use crate::policy::document::{CommandSnapshot, Document, GuardMode, RestoreWhen};
pub(crate) use crate::policy::error::PolicyError;
pub(crate) use crate::policy::force::{GuardRules, Loosening, Policy, Production, leaves_the_project};
pub(crate) use crate::policy::values::FILE_WORD;

/// The policy's file name, at the project's root.
pub(crate) const FILE_NAME: &str = ".safe-test.toml";
