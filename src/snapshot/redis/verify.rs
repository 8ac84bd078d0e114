//! Proves again that a snapshot is whole.

use crate::snapshot::engine::Restoration;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::restore::rehearse;
use crate::snapshot::redis::whole;
use crate::snapshot::{VerificationLevel, Watch};

/// Checks a snapshot. [`VerificationLevel::Read`]: hash, and the whole file compared with the manifest.
/// [`VerificationLevel::Restore`]: besides, loaded into a temporary server, and compared.
///
/// # Errors
///
/// `DumpError::HashMismatch`, `DumpError::Damaged` and `DumpError::NotWhole` say that the snapshot is bad; any other
/// that it could not be checked.
pub(crate) fn verify(
    restoration: &Restoration<'_>,
    level: VerificationLevel,
    watch: &dyn Watch,
) -> Result<(), RedisError> {
    whole::of(restoration)?.read(restoration.environment, watch)?;
    match level {
        VerificationLevel::Read => Ok(()),
        VerificationLevel::Restore => rehearse(restoration, watch),
    }
}
