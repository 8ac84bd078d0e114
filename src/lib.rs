//! safe-test runs a test, migration or seed command so that it cannot touch a production database, and so that
//! whatever it does to a development database can be undone.
//!
//! The story, left to right, is the order of the modules:
//! [`environment`] (which values could the command see), [`reach`] (which databases do they name), [`verdict`]
//! (may any of them be production), [`snapshot`] (save each), [`clearance`] (proof that both happened), [`exec`] (run),
//! [`audit`] (write it down). A stage uses types of stages to its left; only [`commands`] knows both decisions and edge.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make what is opened here"))]

mod audit;
mod caller;
mod clearance;
mod cli;
mod collections;
mod commands;
mod durable;
mod environment;
mod error;
mod exec;
mod exit;
mod guard;
mod hash;
mod json;
mod letter_case;
mod lists;
mod lock;
mod own_tools;
mod policy;
mod random;
mod reach;
mod regular;
mod secret;
mod snapshot;
mod state_directory;
mod text;
mod tools;
mod touching;
mod ui;
mod verdict;

pub use commands::main;
