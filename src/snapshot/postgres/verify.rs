//! Proves again that a snapshot is whole.

use crate::snapshot::beside_names::Purpose;
use crate::snapshot::engine::Restoration;
use crate::snapshot::postgres::beside::Marker;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::{PostgresError, Session, beside, whole};
use crate::snapshot::{VerificationLevel, Watch};

/// Checks a snapshot. [`VerificationLevel::Read`]: as [`Whole::read`](whole::Whole::read) does. [`VerificationLevel::Restore`]: besides, restored
/// into a scratch database on the target's server, tables and rows compared; the scratch database is dropped.
///
/// # Errors
///
/// `DumpError::HashMismatch`, `DumpError::Damaged` and `DumpError::NotWhole` say that the snapshot is bad;
/// any other, such as [`PostgresError::MissingExtensions`], that it could not be checked.
pub(crate) fn verify(
    restoration: &Restoration<'_>,
    level: VerificationLevel,
    watch: &dyn Watch,
) -> Result<(), PostgresError> {
    let whole = whole::of(restoration)?;
    if level == VerificationLevel::Read {
        return whole.read(watch).map(drop);
    }
    whole.expect_file(watch)?;
    let connection = Connection::new(restoration.target, restoration.environment)?;
    let mut server = Session::open_maintenance(&connection, None)?;
    let [name] = beside::announce(&mut server, restoration, [Purpose::Verifying])?;
    let marker = Marker::of(restoration, Purpose::Verifying);
    beside::build(&mut server, &whole, &name, &marker, watch)?;
    beside::drop_database(&mut server, &name)
}
