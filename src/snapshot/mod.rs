//! Saving a database before a command may touch it, and putting it back: plans, engines, manifests, retention.

mod describe;
mod error;
mod file_state;
mod latest;
mod leftovers;
mod lock;
mod manifest;
mod plan;
pub mod postgres;
mod receipt;
mod restore;
mod retention;
pub mod sqlite;
mod store;
mod store_error;
mod take;
mod taken;
#[cfg(test)]
mod testing;

pub use describe::{Description, describe};
pub use error::SnapshotError;
pub use file_state::{file_state, hash_file};
pub use latest::{latest, unread_since};
pub use manifest::{FileState, Kind, Level, Manifest, Server, TableRows, Tool};
pub use plan::{PlanError, Step, plan};
pub use receipt::{Care, Receipt};
pub use restore::{Request, drop_replaced, replaced, restore, verify};
pub use retention::{Decision, decide};
pub use store::{Reservation, Store, Stored};
pub use store_error::StoreError;
pub use take::{Order, take};
pub use taken::{Taken, Watch};
