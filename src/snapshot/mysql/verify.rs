//! Proves again that a snapshot is whole.

use crate::snapshot::beside_names::Purpose;
use crate::snapshot::engine::Restoration;
use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::beside;
use crate::snapshot::mysql::definitions;
use crate::snapshot::mysql::restore::own_server;
use crate::snapshot::mysql::whole;
use crate::snapshot::{VerificationLevel, Watch};

/// Checks a snapshot. [`VerificationLevel::Read`]: hash, and the whole dump compared with the manifest.
/// [`VerificationLevel::Restore`]: besides, its tables made in a scratch database on the target's server and compared row by
/// row; the scratch database is dropped.
///
/// # Errors
///
/// `DumpError::HashMismatch`, `DumpError::Damaged` and `DumpError::NotWhole` say that the snapshot is bad; any other
/// that it could not be checked.
pub(crate) fn verify(
    restoration: &Restoration<'_>,
    level: VerificationLevel,
    watch: &dyn Watch,
) -> Result<(), MysqlError> {
    let whole = whole::of(restoration)?;
    whole.read(watch)?;
    if level == VerificationLevel::Read {
        return Ok(());
    }
    let mut server = own_server(restoration)?;
    let manifest = &restoration.stored.manifest;
    let place = (manifest.target.as_str(), manifest.database.as_str());
    let [name] = beside::announce(&mut server, place, restoration.now, restoration.ledger, [Purpose::Verifying])?;
    let handing = definitions::handing(&mut server, &manifest.database)?;
    beside::build(&mut server, &whole, &name, &handing, watch)?;
    beside::drop_database(&mut server.client, &name)
}
