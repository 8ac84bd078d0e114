//! What a snapshot holds where it is whole, and how that is found out.

use crate::snapshot::engine::Restoration;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::catalog::Contents;
use crate::snapshot::postgres::contents;
use crate::snapshot::postgres::facts::Facts;
use crate::snapshot::postgres::installed::{LISTING, installed};
use crate::snapshot::postgres::readback::{DumpFile, hash, read_back};
use crate::snapshot::postgres::recorded;
use crate::snapshot::postgres::script::Script;
use crate::snapshot::postgres::tools;
use crate::snapshot::postgres::tools::Tools;
use crate::snapshot::{Manifest, Watch};
use crate::text::shown;

/// A snapshot that is whole if its dump is the file, and holds the contents, that its manifest says.
#[derive(Debug)]
pub(crate) struct Whole<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) dump: DumpFile<'a>,
    pub(crate) facts: Facts,
    pub(crate) promised: Contents,
    /// The tools that read the dump, and load it: whatever text their `pg_restore` makes of it, their `psql` knows.
    pub(crate) tools: Tools,
}

/// Reads what a snapshot's manifest says of it, and finds the tools that read it. The dump is not looked at.
///
/// # Errors
///
/// [`PostgresError::Manifest`] where it does not say enough, and those of [`tools::to_read`].
pub(crate) fn of<'a>(restoration: &Restoration<'a>) -> Result<Whole<'a>, PostgresError> {
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
    let (target, environment) = (restoration.target, restoration.environment);
    let reader = |tools: &[Tools]| tools::to_read(tools, manifest).cloned();
    let tools = reader(&LISTING.or_inside(|| installed(environment), target, environment)?)
        .or_else(|error| reader(&LISTING.inside(target, environment)).map_err(|_| error))?;
    Ok(Whole { manifest, dump, facts, promised, tools })
}

impl Whole<'_> {
    /// Checks that the dump is the very file that was written. No byte of another reaches a server.
    ///
    /// # Errors
    ///
    /// `DumpError::HashMismatch`, `DumpError::File`, [`ToolError::Interrupted`](crate::snapshot::tool_process::ToolError).
    pub(crate) fn expect_file(&self, watch: &dyn Watch) -> Result<(), PostgresError> {
        self.dump.expect(&hash(self.dump.path, watch)?)
    }

    /// Checks the snapshot as far as that needs no server: its hash, then the whole dump through the engine's own reader,
    /// every table's rows counted. Gives what the dump holds.
    ///
    /// # Errors
    ///
    /// `DumpError::HashMismatch`, `DumpError::Damaged` and `DumpError::NotWhole` say that the snapshot is
    /// bad; any other that it could not be checked.
    pub(crate) fn read(&self, watch: &dyn Watch) -> Result<Script, PostgresError> {
        let script = read_back(&self.tools, self.dump, watch)?;
        self.expect(&script)?;
        Ok(script)
    }

    /// Compares what the dump holds with what it is to hold.
    ///
    /// # Errors
    ///
    /// `DumpError::NotWhole`.
    pub(crate) fn expect(&self, script: &Script) -> Result<(), PostgresError> {
        contents::compare_dump(&shown(self.dump.path), &self.promised, script)
    }
}
