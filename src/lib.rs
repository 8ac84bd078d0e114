//! safe-test runs a test, migration or seed command so that it cannot touch a production database, and so that
//! whatever it does to a development database can be undone.
//!
//! The story, left to right, is the order of the modules:
//! [`environment`] (which values could the command see), [`target`] (which databases do they name), [`verdict`]
//! (may any of them be production), [`snapshot`] (save each), [`clearance`] (proof that both happened), [`exec`] (run),
//! [`audit`] (write it down). A stage uses types of stages to its left; only [`commands`] knows both decisions and edge.

pub mod audit;
pub mod caller;
pub mod clearance;
mod cli;
pub mod commands;
pub mod environment;
pub mod error;
pub mod exec;
pub mod exit;
pub mod policy;
pub mod secret;
pub mod snapshot;
pub mod target;
mod ui;
pub mod verdict;
