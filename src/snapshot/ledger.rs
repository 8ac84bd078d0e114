//! What is written down before a database is made on a server, so that it is known later whatever happens meanwhile; and what
//! holds of a snapshot since its manifest was written.

use std::error::Error;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Databases that are about to be made on a server beside one that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Making {
    /// What identifies the server, as in the manifests of its snapshots.
    pub(crate) server: String,
    /// Where the database that they belong to is, in words without secrets.
    pub(crate) target: String,
    /// The database that they belong to.
    pub(crate) database: String,
    /// Their names.
    pub(crate) making: Vec<String>,
}

/// What holds of a snapshot since its manifest was written, which stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Restated {
    /// The snapshot's id.
    pub(crate) snapshot: String,
    /// What takes the place of the fields of these names in its manifest's `state`: the engine's own.
    pub(crate) state: Value,
}

/// What remembers the databases that safe-test makes, and what holds of its snapshots.
pub(crate) trait Ledger {
    /// Writes down what is about to be made.
    ///
    /// # Errors
    ///
    /// It cannot be written: then nothing may be made.
    fn write_down(&self, making: &Making) -> Result<(), Box<dyn Error + Send + Sync>>;

    /// Writes down what holds of a snapshot from now on.
    ///
    /// # Errors
    ///
    /// It cannot be written: then what was written before holds.
    fn restate(&self, restated: &Restated) -> Result<(), Box<dyn Error + Send + Sync>>;
}
