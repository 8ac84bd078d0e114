//! What is written down before a database is made on a server, so that it is known later whatever happens meanwhile.

use std::error::Error;

use serde::{Deserialize, Serialize};

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

/// What remembers the databases that safe-test makes.
pub(crate) trait Ledger {
    /// Writes down what is about to be made.
    ///
    /// # Errors
    ///
    /// It cannot be written: then nothing may be made.
    fn write_down(&self, making: &Making) -> Result<(), Box<dyn Error + Send + Sync>>;
}
