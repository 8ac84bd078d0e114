//! A snapshot that was read back and found whole: what a database is made of.

use crate::snapshot::engine::Restoration;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::catalog::Contents;
use crate::snapshot::postgres::contents;
use crate::snapshot::postgres::facts::Facts;
use crate::snapshot::postgres::installed::installed;
use crate::snapshot::postgres::readback::{DumpFile, read_back};
use crate::snapshot::postgres::recorded;
use crate::snapshot::postgres::script::Script;
use crate::snapshot::postgres::tools;
use crate::snapshot::postgres::tools::Tools;
use crate::snapshot::{Manifest, Watch};
use crate::text::shown;

/// A whole snapshot.
#[derive(Debug)]
pub(crate) struct Whole<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) dump: DumpFile<'a>,
    pub(crate) facts: Facts,
    pub(crate) promised: Contents,
    pub(crate) script: Script,
    /// The tools that read the dump, and load it: whatever text their `pg_restore` makes of it, their `psql` knows.
    pub(crate) tools: Tools,
}

/// Checks a snapshot as far as that needs no server: its hash, then the whole dump through the engine's own reader, every
/// table's rows counted.
///
/// # Errors
///
/// [`PostgresError::HashMismatch`], [`PostgresError::Damaged`] and [`PostgresError::NotWhole`] say that the snapshot is bad;
/// any other that it could not be checked.
pub(crate) fn read<'a>(restoration: &Restoration<'a>, watch: &dyn Watch) -> Result<Whole<'a>, PostgresError> {
    let manifest = &restoration.stored.manifest;
    let promised = contents::promised(manifest)?;
    let facts = recorded::database(manifest).ok_or_else(|| PostgresError::Manifest {
        id: manifest.id.clone(),
        reason: "it does not say with which owner, encoding and settings the database is to be made".to_owned(),
    })?;
    let dump = DumpFile {
        path: &restoration.stored.dump,
        sha256: &manifest.sha256,
        compressed: manifest.compression.as_deref() == Some("zstd"),
    };
    let tools = tools::to_read(&installed(restoration.environment), manifest)?.clone();
    let script = read_back(&tools, dump, watch)?;
    contents::compare_dump(&shown(dump.path), &promised, &script)?;
    Ok(Whole { manifest, dump, facts, promised, script, tools })
}
