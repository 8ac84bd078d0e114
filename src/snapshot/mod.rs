//! Saving a database before a command may touch it, and putting it back: plans, engines, manifests, retention.

mod describe;
mod error;
mod file_state;
mod latest;
mod leftovers;
mod lock;
mod manifest;
mod plan;
pub(crate) mod postgres;
mod receipt;
mod restore;
mod retention;
pub(crate) mod sqlite;
mod store;
mod store_error;
mod take;
mod taken;
#[cfg(test)]
mod testing;

pub(crate) use describe::describe;
pub(crate) use error::SnapshotError;
pub(crate) use latest::{latest, unread_since};
pub(crate) use manifest::{FileState, Kind, Level, Manifest, Server, TableRows, Tool};
pub(crate) use plan::{PlanError, Step, plan};
pub(crate) use receipt::{Care, Receipt};
pub(crate) use restore::{Request, drop_replaced, replaced, restore, verify};
pub(crate) use retention::{Decision, decide};
pub(crate) use store::{Store, Stored};
pub(crate) use store_error::StoreError;
pub(crate) use take::{Order, take};
pub(crate) use taken::{Taken, Watch};
