//! What the store and an engine say to each other while a snapshot is taken.

use crate::snapshot::{Obstacle, Server, TableRows, Tool, VerificationLevel};

/// What an engine reports of a dump that it has written, synced and read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Bytes in the file.
    pub(crate) size: u64,
    /// SHA-256 of the file's bytes, taken while they were written; 64 hexadecimal digits.
    pub(crate) sha256: String,
    /// The level of verification that was reached.
    pub(crate) verified: VerificationLevel,
    /// `zstd` where the tool's output was compressed by us.
    pub(crate) compression: Option<String>,
    /// What wrote the dump.
    pub(crate) tool: Tool,
    /// The server it was taken from; `None` for a database that is a file.
    pub(crate) server: Option<Server>,
    /// The tables with their row counts, of the very state that was saved.
    pub(crate) tables: Vec<TableRows>,
    /// What proves later that nothing was written since, in the engine's own form; `None` where nothing can.
    pub(crate) state: Option<serde_json::Value>,
    /// What keeps it from being put back whole.
    pub(crate) obstacles: Vec<Obstacle>,
    /// Where the database was, in the engine's own form.
    pub(crate) whereabouts: Option<serde_json::Value>,
    /// What a person should know of this snapshot, a sentence each.
    pub(crate) notes: Vec<String>,
    /// The commands that restore it by hand, without safe-test, `FILE` standing for the snapshot's path.
    pub(crate) by_hand: Vec<String>,
    /// What became of the copy that was asked for.
    pub(crate) copy: Option<Copied>,
}

/// What became of the copy that was to be kept in the server beside a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Copied {
    /// It is there.
    Kept {
        /// Its name.
        name: String,
    },
    /// There is none.
    NotKept {
        /// Why, a phrase.
        why: String,
    },
}

/// The one who waits for a long operation: told of its progress, asked whether to go on.
pub(crate) trait Watch: Sync {
    /// `bytes` more were read or written since the last call.
    fn advance(&self, bytes: u64);

    /// Tells whether the person or a signal asked to stop; the operation then ends with its own `Interrupted` error.
    fn interrupted(&self) -> bool;

    /// Is told what a person should know while it lasts: what is being waited for, what was found. A phrase.
    fn remark(&self, what: &str) {
        let _ = what;
    }
}

/// Nobody waits, and nobody asks to stop.
pub(crate) struct Unwatched;

impl Watch for Unwatched {
    fn advance(&self, _bytes: u64) {}

    fn interrupted(&self) -> bool {
        false
    }
}
