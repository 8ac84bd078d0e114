//! Saves databases before a command may touch them, and puts them back: plans, engines, manifests, retention.

mod describe;
mod dump_stream;
mod engine;
mod engine_error;
mod engines;
mod error;
mod file_state;
mod latest;
mod leftovers;
mod lock;
mod manifest;
mod moved_project;
mod order;
mod plan;
mod plan_error;
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
mod threads;
mod tool_process;

pub(crate) use crate::snapshot::describe::{Described, describe};
pub(crate) use crate::snapshot::engine::{DumpCommand, Fate, Restoration};
pub(crate) use crate::snapshot::error::SnapshotError;
pub(crate) use crate::snapshot::latest::{latest, unread_since};
pub(crate) use crate::snapshot::manifest::{FileState, Kind, Manifest, Server, TableRows, Tool, VerificationLevel};
pub(crate) use crate::snapshot::moved_project::follow_project;
pub(crate) use crate::snapshot::order::Order;
pub(crate) use crate::snapshot::plan::{Intention, plan};
pub(crate) use crate::snapshot::plan_error::PlanError;
pub(crate) use crate::snapshot::receipt::{Care, Receipt};
pub(crate) use crate::snapshot::restore::{drop_replaced, restore, verify};
pub(crate) use crate::snapshot::retention::{Decision, decide};
pub(crate) use crate::snapshot::store::{Store, Stored};
pub(crate) use crate::snapshot::store_error::StoreError;
pub(crate) use crate::snapshot::take::{Foreseen, foresee, take};
pub(crate) use crate::snapshot::taken::{Taken, Watch};
