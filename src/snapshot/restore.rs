//! Checks snapshots and puts databases back: hands each to its engine.

use std::ffi::OsString;
use std::path::Path;

use super::store::Stored;
use super::{Level, PostgresSession, SnapshotError, TableRows, Watch, postgres, sqlite};
use crate::target::Target;

/// What a restore left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// What a person should know, a sentence each: where the replaced database is kept, what was left out.
    pub notes: Vec<String>,
}

/// Checks `stored` again: its hash, the whole of it through the engine's own reader, and at [`Level::Restore`] by
/// restoring it into a scratch database. `target` is where that may be done, for an engine that needs a server.
///
/// # Errors
///
/// What is wrong with it. Scratch databases are removed.
pub fn verify(
    stored: &Stored,
    level: Level,
    target: Option<&Target>,
    environment: &[(OsString, OsString)],
    watch: &dyn Watch,
) -> Result<Vec<TableRows>, SnapshotError> {
    let manifest = &stored.manifest;
    match manifest.engine.as_str() {
        "sqlite" => Ok(sqlite::verify(&stored.dump, manifest, level, watch)?),
        "postgres" => Ok(postgres::verify(&stored.dump, manifest, level, target, environment, watch)?),
        _ => Err(unknown_engine(stored)),
    }
}

/// Puts the database back that `stored` was taken from. The caller has verified it and taken a safety snapshot.
///
/// # Errors
///
/// Why not. The database is then as it was before.
pub fn restore(
    stored: &Stored,
    target: &Target,
    environment: &[(OsString, OsString)],
    watch: &dyn Watch,
) -> Result<Restored, SnapshotError> {
    let manifest = &stored.manifest;
    match manifest.engine.as_str() {
        "sqlite" => {
            let restored = sqlite::restore(&stored.dump, manifest, Path::new(&manifest.database), watch)?;
            Ok(Restored { notes: restored.notes })
        }
        "postgres" => {
            let mut session = PostgresSession::open_server(target, environment)?;
            let restored = session.restore(&stored.dump, manifest, watch)?;
            Ok(Restored { notes: restored.notes })
        }
        _ => Err(unknown_engine(stored)),
    }
}

fn unknown_engine(stored: &Stored) -> SnapshotError {
    super::StoreError::Manifest {
        path: stored.dump.with_extension("json"),
        reason: format!("its engine `{}` is not one that this version can restore", stored.manifest.engine),
    }
    .into()
}
