//! Proves again that a snapshot is whole.

use crate::snapshot::beside_names::Purpose;
use crate::snapshot::engine::Restoration;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::error::in_use;
use crate::snapshot::mongodb::restore::own_server;
use crate::snapshot::mongodb::scratch::rehearse;
use crate::snapshot::mongodb::whole;
use crate::snapshot::turn::Turn;
use crate::snapshot::{VerificationLevel, Watch};

/// Checks a snapshot. [`VerificationLevel::Read`]: hash, and the whole archive compared with the manifest.
/// [`VerificationLevel::Restore`]: besides, restored to a scratch database on the target's server, and compared.
///
/// # Errors
///
/// `DumpError::HashMismatch`, `DumpError::Damaged` and `DumpError::NotWhole` say that the snapshot is bad; any other
/// that it could not be checked.
pub(crate) fn verify(
    restoration: &Restoration<'_>,
    level: VerificationLevel,
    watch: &dyn Watch,
) -> Result<(), MongoError> {
    let held = whole::of(restoration)?.read(watch)?;
    if level == VerificationLevel::Read {
        return Ok(());
    }
    let mut session = own_server(restoration)?;
    let database = &restoration.stored.manifest.database;
    let _turn =
        Turn::take(restoration.environment, &session.identity.fingerprint, database).ok_or_else(|| in_use(database))?;
    rehearse(&mut session, restoration, Purpose::Verifying, &held, watch)
}
