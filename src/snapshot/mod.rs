//! Saving a database before a command may touch it, and putting it back: plans, engines, manifests, retention.

mod latest;
mod manifest;
mod plan;
mod receipt;
mod retention;
mod store;
mod store_error;
mod taken;
#[cfg(test)]
mod testing;

pub use latest::latest;
pub use manifest::{FileState, Kind, Level, Manifest, Server, TableRows, Tool};
pub use plan::{PlanError, Step, plan};
pub use receipt::{Care, Receipt};
pub use retention::{Decision, decide};
pub use store::{Reservation, Store, Stored, file_state, hash_file};
pub use store_error::StoreError;
pub use taken::{Taken, Watch};
