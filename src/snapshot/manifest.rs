//! The manifest: the JSON file beside a dump that makes it a snapshot.
//!
//! The audit log knows a snapshot by its manifest's hash, which is of all that never changes once the manifest is
//! written: its JSON without spaces, keys sorted, without [`AFTERWARDS`]. By hand:
//! `jq -cjS 'del(.file_state, .used_by, .verified)' ID.json | sha256sum`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::hash::Hash;
use crate::snapshot::{Obstacle, Provenance};

/// What later runs and checks set. Nothing rests on it alone: a dump that is put back is hashed first, whatever is said
/// of its file or its verification; and the runs that used a snapshot only decide which of those made here is the latest.
const AFTERWARDS: [&str; 3] = ["file_state", "used_by", "verified"];

/// Hashes what lasts of a manifest, also what only a later version knows of.
#[must_use]
pub(crate) fn lasting_hash(mut manifest: Value) -> Hash {
    if let Some(fields) = manifest.as_object_mut() {
        AFTERWARDS.iter().for_each(|field| drop(fields.remove(*field)));
    }
    manifest.sort_all_objects();
    Hash::of(manifest.to_string().as_bytes())
}

/// Puts into a manifest as it stands on the disk what `newer` says of the time after it was written, and nothing else.
///
/// # Errors
///
/// Only where a value cannot be JSON; those of a manifest always can.
pub(crate) fn brought_up_to_date(mut stands: Value, newer: &Manifest) -> serde_json::Result<Value> {
    let mut newer = serde_json::to_value(newer)?;
    if let (Some(stands), Some(newer)) = (stands.as_object_mut(), newer.as_object_mut()) {
        for field in AFTERWARDS {
            match newer.remove(field) {
                Some(value) => drop(stands.insert(field.to_owned(), value)),
                None => drop(stands.remove(field)),
            }
        }
    }
    Ok(stands)
}

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
    pub(crate) state: Option<Value>,
    /// Where the database was, in the engine's own form: what tells later that its name still leads there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) whereabouts: Option<Value>,
    /// The dump file as it was when it was last hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file_state: Option<FileState>,
    /// What keeps it from being put back whole, as far as that showed when it was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) obstacles: Vec<Obstacle>,
    /// What a person should know of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// How to restore it by hand, a command each; `FILE` stands for the dump.
    #[serde(default)]
    pub(crate) by_hand: Vec<String>,
}

impl Manifest {
    /// Takes in what `past` says of the time since it was written. Only what is kept in memory changes.
    #[must_use]
    pub(crate) fn restated_by(mut self, past: &dyn Provenance) -> Self {
        if let Some(Value::Object(newer)) = past.restated(&self.id, self.taken_at)
            && let Some(state) = self.state.as_mut().and_then(Value::as_object_mut)
        {
            state.extend(newer);
        }
        self
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::testing::manifest;

    #[test]
    fn the_hash_is_of_what_lasts_in_whatever_order_it_stands() {
        let value = serde_json::to_value(manifest("a", "shop", Kind::Run, "2026-11-21T14:30:22Z")).unwrap();
        let hash = lasting_hash(value.clone());
        let with = |field: &str, other: Value| {
            let mut changed = value.clone();
            changed[field] = other;
            lasting_hash(changed)
        };
        for (field, other) in
            [("file_state", Value::Null), ("used_by", vec!["r"].into()), ("verified", "restore".into())]
        {
            assert_eq!(with(field, other), hash, "{field}");
        }
        for (field, other) in [
            ("target", "sqlite:/etc/passwd".into()),
            ("sha256", "0".into()),
            ("kind", "manual".into()),
            ("run", "r".into()),
            ("tables", Value::Null),
            ("unheard_of", 1.into()),
        ] {
            assert_ne!(with(field, other), hash, "{field}");
        }
        let backwards: serde_json::Map<_, _> = value.as_object().unwrap().clone().into_iter().rev().collect();
        assert_eq!(lasting_hash(backwards.into()), hash);
    }

    #[test]
    fn what_is_brought_up_to_date_keeps_its_hash_and_what_only_later_versions_know() {
        let mut newer = manifest("a", "shop", Kind::Run, "2026-11-21T14:30:22Z");
        let mut stands = serde_json::to_value(&newer).unwrap();
        stands["unheard_of"] = 1.into();
        newer.used_by = vec!["r".to_owned()];
        newer.target = "elsewhere".to_owned();
        let now = brought_up_to_date(stands.clone(), &newer).unwrap();
        assert_eq!((&now["used_by"][0], &now["unheard_of"]), (&"r".into(), &1.into()));
        assert_eq!(lasting_hash(now), lasting_hash(stands));
    }

    #[test]
    fn the_hash_is_the_one_that_can_be_computed_by_hand() {
        let text = r#"{ "tool": {"b": 1, "a": "é"}, "verified": "read", "id": "x", "used_by": ["r"] }"#;
        let by_hand = Hash::of("{\"id\":\"x\",\"tool\":{\"a\":\"é\",\"b\":1}}".as_bytes());
        assert_eq!(lasting_hash(serde_json::from_str(text).unwrap()), by_hand);
    }
}
