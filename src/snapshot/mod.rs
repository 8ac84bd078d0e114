//! Saves databases before a command may touch them, and puts them back: plans, engines, manifests, retention.

mod describe;
mod dump_stream;
mod engine;
mod engines;
mod error;
mod file_state;
mod latest;
mod leftovers;
mod lock;
mod manifest;
mod plan;
mod postgres;
mod receipt;
mod restore;
mod retention;
mod reuse;
mod sqlite;
mod store;
mod store_error;
mod take;
mod taken;
#[cfg(test)]
mod testing;
mod tool_process;

pub(crate) use crate::snapshot::describe::{Look, describe};
pub(crate) use crate::snapshot::engine::{DumpCommand, Fate, Restoration};
pub(crate) use crate::snapshot::error::SnapshotError;
pub(crate) use crate::snapshot::latest::{latest, unread_since};
pub(crate) use crate::snapshot::manifest::{FileState, Kind, Manifest, Server, TableRows, Tool, VerificationLevel};
pub(crate) use crate::snapshot::plan::{Intention, PlanError, plan};
pub(crate) use crate::snapshot::receipt::{Care, Receipt};
pub(crate) use crate::snapshot::restore::{drop_replaced, restore, verify};
pub(crate) use crate::snapshot::retention::{Decision, decide};
pub(crate) use crate::snapshot::store::{Store, Stored};
pub(crate) use crate::snapshot::store_error::StoreError;
pub(crate) use crate::snapshot::take::{Foreseen, Order, foresee, take};
pub(crate) use crate::snapshot::taken::{Taken, Watch};
