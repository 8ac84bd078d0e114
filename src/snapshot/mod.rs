//! Saving a database before a command may touch it, and putting it back: plans, engines, manifests, retention.

#![forbid(unsafe_code)]

mod manifest;
pub mod postgres;
mod taken;

pub use manifest::{FileState, Kind, Level, Manifest, Server, TableRows, Tool};
pub use taken::{Taken, Watch};
