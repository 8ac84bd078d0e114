//! Proving again that a snapshot is whole.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::reach::Target;
use crate::snapshot::postgres::beside;
use crate::snapshot::postgres::beside::Material;
use crate::snapshot::postgres::catalog::Contents;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::contents;
use crate::snapshot::postgres::facts::Facts;
use crate::snapshot::postgres::readback::{DumpFile, read_back};
use crate::snapshot::postgres::script::Script;
use crate::snapshot::postgres::tools;
use crate::snapshot::postgres::{PostgresError, Session};
use crate::snapshot::{Manifest, VerificationLevel, Watch};

/// A snapshot, and the server to restore it on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    /// The dump.
    pub(crate) file: &'a Path,
    /// Its manifest.
    pub(crate) manifest: &'a Manifest,
    /// The database it is to be restored to; for a verification only its server counts.
    pub(crate) target: &'a Target,
    /// The environment of this process: see [`Session::open`].
    pub(crate) environment: &'a [(OsString, OsString)],
    /// The present time, for the names of databases that are made.
    pub(crate) now: DateTime<Utc>,
    /// Whether a person has named the target, so that it may be another than the snapshot's own.
    pub(crate) elsewhere: bool,
}

impl<'a> Request<'a> {
    fn path_variable(&self) -> Option<&'a OsStr> {
        self.environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str())
    }

    fn dump_file(&self) -> DumpFile<'a> {
        DumpFile {
            path: self.file,
            sha256: &self.manifest.sha256,
            compressed: self.manifest.compression.as_deref() == Some("zstd"),
        }
    }
}

/// A snapshot that was read back and found whole.
#[derive(Debug)]
pub(crate) struct Whole<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) facts: Facts,
    pub(crate) promised: Contents,
    pub(crate) script: Script,
}

impl Whole<'_> {
    /// What a database is made of it from.
    pub(crate) fn material(&self) -> Material<'_> {
        Material {
            request: self.request,
            dump: self.request.dump_file(),
            facts: &self.facts,
            promised: &self.promised,
            script: &self.script,
        }
    }
}

/// Checks a snapshot. [`VerificationLevel::Read`]: its hash, then the whole dump through the engine's own reader, every table's rows
/// counted; no server is needed. [`VerificationLevel::Restore`]: besides, restored into a scratch database on the target's server,
/// tables and rows compared; the scratch database is dropped.
///
/// # Errors
///
/// [`PostgresError::HashMismatch`], [`PostgresError::Damaged`] and [`PostgresError::NotWhole`] say that the snapshot is bad;
/// any other, such as [`PostgresError::MissingExtensions`], that it could not be checked.
pub(crate) fn verify(request: &Request<'_>, level: VerificationLevel, watch: &dyn Watch) -> Result<(), PostgresError> {
    let whole = read(request, watch)?;
    if level == VerificationLevel::Read {
        return Ok(());
    }
    let connection = Connection::new(request.target, request.environment)?;
    let mut server = Session::open_maintenance(&connection, None)?;
    let scratch = beside::build(&mut server, whole.material(), "verifying", watch)?;
    beside::drop_database(&mut server, &scratch.name)
}

/// The check that needs no server.
pub(crate) fn read<'a>(request: &'a Request<'a>, watch: &dyn Watch) -> Result<Whole<'a>, PostgresError> {
    let manifest = request.manifest;
    let unusable = |reason: &str| PostgresError::Manifest { id: manifest.id.clone(), reason: reason.to_owned() };
    if manifest.engine != "postgres" {
        return Err(unusable("it is not one of PostgreSQL"));
    }
    let promised = contents::promised(manifest)?;
    let facts = manifest.state.as_ref().and_then(|state| state.get("database")).cloned();
    let facts = facts.and_then(|facts| serde_json::from_value(facts).ok()).ok_or_else(|| {
        unusable("it does not say with which owner, encoding and settings the database is to be made")
    })?;
    // A dump is read by tools of the version that wrote it, or later ones.
    let written_by = manifest.tool.version.split(|character: char| !character.is_ascii_digit()).next();
    let tools = tools::find(written_by.and_then(|major| major.parse().ok()), request.path_variable())?;
    let script = read_back(&tools, request.dump_file(), watch)?;
    contents::compare_dump(&request.file.display().to_string(), &promised, &script)?;
    Ok(Whole { request, facts, promised, script })
}
