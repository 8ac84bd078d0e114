//! Checks snapshots, puts databases back, and says how a target would be saved: hands each to its engine.

use std::ffi::OsString;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::reach::{Place, Target};
use crate::snapshot::store::Stored;
use crate::snapshot::{SnapshotError, StoreError, VerificationLevel, Watch, postgres, sqlite};

/// A snapshot, and the target it is checked at or put back to.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    /// The snapshot.
    pub(crate) stored: &'a Stored,
    /// The target.
    pub(crate) target: &'a Target,
    /// The process environment, for the tools.
    pub(crate) environment: &'a [(OsString, OsString)],
    /// When the call began.
    pub(crate) now: DateTime<Utc>,
    /// Whether what is in the target's place is too damaged to be saved: it is then kept as it is, under another name.
    pub(crate) damaged: bool,
}

/// Checks a snapshot again: its hash, the whole of it through the engine's own reader, and at [`VerificationLevel::Restore`] by
/// restoring it into a scratch database next to the target.
///
/// # Errors
///
/// What is wrong with it. Scratch databases are removed.
pub(crate) fn verify(request: &Request<'_>, level: VerificationLevel, watch: &dyn Watch) -> Result<(), SnapshotError> {
    let stored = request.stored;
    match stored.manifest.engine.as_str() {
        "sqlite" => sqlite::verify(&stored.dump, &stored.manifest, level, watch).map(|_| ())?,
        "postgres" => postgres::verify(&request.for_postgres(), level, watch)?,
        _ => return Err(unknown_engine(stored)),
    }
    Ok(())
}

/// Puts the database back that a snapshot was taken from, and gives what a person should know, a sentence each. The
/// caller has taken a safety snapshot, or says that what is there is damaged.
///
/// # Errors
///
/// Why not. The database is then as it was before.
pub(crate) fn restore(request: &Request<'_>, watch: &dyn Watch) -> Result<Vec<String>, SnapshotError> {
    let stored = request.stored;
    match stored.manifest.engine.as_str() {
        "sqlite" => {
            let database = Path::new(&stored.manifest.database);
            // What was judged is the target: the manifest may not lead anywhere else.
            if !matches!(request.target.places.as_slice(), [Place::File { path }] if path == database) {
                return Err(not_its_target(stored));
            }
            let restored = match request.damaged {
                true => sqlite::replace(&stored.dump, &stored.manifest, database, request.now, watch)?,
                false => sqlite::restore(&stored.dump, &stored.manifest, database, watch)?,
            };
            Ok(restored.notes)
        }
        "postgres" => {
            let restored = postgres::restore(&request.for_postgres(), watch)?;
            let kept = restored
                .replaced
                .map(|name| format!("What was there before is kept as the database `{name}` until the next prune."));
            Ok(restored.notes.into_iter().chain(kept).collect())
        }
        _ => Err(unknown_engine(stored)),
    }
}

/// The names of the databases that restores have replaced and kept on the target's server.
///
/// # Errors
///
/// Where the server cannot be asked.
pub(crate) fn replaced(target: &Target, environment: &[(OsString, OsString)]) -> Result<Vec<String>, SnapshotError> {
    let leftovers = postgres::leftovers(target, environment)?;
    let own = leftovers.into_iter().filter(|one| Some(&one.of) == target.database.as_ref());
    Ok(own.map(|leftover| leftover.name).collect())
}

/// Drops one of them, or finds it gone; `false` where another call is at work on it.
///
/// # Errors
///
/// Where it is not one of them, or somebody uses it.
pub(crate) fn drop_replaced(
    target: &Target,
    environment: &[(OsString, OsString)],
    name: &str,
) -> Result<bool, SnapshotError> {
    Ok(postgres::drop_leftover(target, environment, name)?)
}

impl<'a> Request<'a> {
    fn for_postgres(&self) -> postgres::Request<'a> {
        postgres::Request {
            file: &self.stored.dump,
            manifest: &self.stored.manifest,
            target: self.target,
            environment: self.environment,
            now: self.now,
            elsewhere: false,
        }
    }
}

fn not_its_target(stored: &Stored) -> SnapshotError {
    StoreError::Manifest {
        path: stored.dump.with_extension("json"),
        reason: format!("its database `{}` is not its target `{}`", stored.manifest.database, stored.manifest.target),
    }
    .into()
}

fn unknown_engine(stored: &Stored) -> SnapshotError {
    StoreError::Manifest {
        path: stored.dump.with_extension("json"),
        reason: format!("its engine `{}` is not one that this version can restore", stored.manifest.engine),
    }
    .into()
}
