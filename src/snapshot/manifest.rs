//! The manifest: the JSON file beside a dump that makes it a snapshot.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a snapshot is of, how it was made and how far it was checked. Written last, as the commit marker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The version of this format: 1. Fields are added, never renamed.
    pub(crate) schema: u32,
    /// The snapshot's name: the file name without its ending.
    pub(crate) id: String,
    /// Why it was taken.
    pub(crate) kind: Kind,
    /// The engine's name, as in `check --format json`.
    pub(crate) engine: String,
    /// The database's true name; for SQLite its absolute path.
    pub(crate) database: String,
    /// Where the database was, in words without secrets: `postgres://app@127.0.0.1:5432/app_test`.
    pub(crate) target: String,
    /// The root of the project that it was taken for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    /// When it was taken, UTC.
    pub(crate) taken_at: DateTime<Utc>,
    /// The run it was taken for.
    pub(crate) run: Option<String>,
    /// Later runs that found the database unchanged and took this snapshot as theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) used_by: Vec<String>,
    /// The dump's file name, in the folder of the manifest.
    pub(crate) file: String,
    /// Bytes in the dump.
    pub(crate) size: u64,
    /// SHA-256 of the dump, hexadecimal.
    pub(crate) sha256: String,
    /// How far it was verified.
    pub(crate) verified: VerificationLevel,
    /// `zstd` where the tool's output is compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compression: Option<String>,
    /// What wrote the dump.
    pub(crate) tool: Tool,
    /// The server it was taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<Server>,
    /// Tables and their rows, of the very state that was saved.
    #[serde(default)]
    pub(crate) tables: Vec<TableRows>,
    /// The engine's proof that nothing was written since, in its own form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<serde_json::Value>,
    /// The dump file as it was when it was last hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file_state: Option<FileState>,
    /// What a person should know of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// How to restore it by hand, a command each; `FILE` stands for the dump.
    #[serde(default)]
    pub(crate) by_hand: Vec<String>,
}

/// Why a snapshot was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Before a guarded command.
    Run,
    /// By `safe-test snapshot`.
    Manual,
    /// Before a restore.
    Safety,
}

/// How far a snapshot was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum VerificationLevel {
    /// Read back whole by the engine's own reader, hash matched.
    Read,
    /// Restored into a scratch database, tables and rows compared.
    Restore,
}

/// The program that wrote a dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tool {
    /// Its name, or `safe-test` where the dump was written by us.
    pub(crate) program: String,
    /// Its version.
    pub(crate) version: String,
    /// Its arguments; never a secret.
    pub(crate) arguments: Vec<String>,
}

/// The server that a dump was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Server {
    /// Its version as it says it.
    pub(crate) version: String,
    /// What identifies this server and database among others, so that a snapshot is not restored elsewhere.
    pub(crate) fingerprint: String,
}

/// A table and the number of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableRows {
    /// The name, with its schema where the engine has schemas.
    pub(crate) name: String,
    /// Its rows; `None` where they were not counted.
    pub(crate) rows: Option<u64>,
}

/// What the file system said of a dump when it was hashed: where one of these differs, it is hashed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileState {
    /// When it was hashed, UTC.
    pub(crate) hashed_at: DateTime<Utc>,
    /// Device and inode.
    pub(crate) inode: (u64, u64),
    /// Bytes.
    pub(crate) size: u64,
    /// Last change of content, seconds and nanoseconds.
    pub(crate) modified: (i64, i64),
    /// Last change of the inode, seconds and nanoseconds.
    pub(crate) changed: (i64, i64),
}
