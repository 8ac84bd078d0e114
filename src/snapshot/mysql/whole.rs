//! What a snapshot holds where it is whole, and how that is found out.

use crate::snapshot::dump_reading::DumpFile;
use crate::snapshot::engine::Restoration;
use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::dump::{DumpReader, Held};
use crate::snapshot::mysql::recorded;
use crate::snapshot::mysql::recorded::Recorded;
use crate::snapshot::{Manifest, Watch};
use crate::text::shown;

/// A snapshot that is whole if its dump is the file, and holds what its manifest says.
#[derive(Debug)]
pub(crate) struct Whole<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) dump: DumpFile<'a>,
    pub(crate) recorded: Recorded,
}

/// Reads what a snapshot's manifest says of it. The dump is not looked at.
///
/// # Errors
///
/// [`MysqlError::Manifest`] where it does not say enough.
pub(crate) fn of<'a>(restoration: &Restoration<'a>) -> Result<Whole<'a>, MysqlError> {
    let manifest = &restoration.stored.manifest;
    let recorded = Recorded::of(manifest)?;
    let dump = DumpFile { path: &restoration.stored.dump, sha256: &manifest.sha256 };
    Ok(Whole { manifest, dump, recorded })
}

impl Whole<'_> {
    /// Checks the snapshot without a server: its hash, then the whole dump, every statement and row. Gives what it holds.
    ///
    /// # Errors
    ///
    /// `DumpError::HashMismatch`, `DumpError::Damaged` and `DumpError::NotWhole` say that the snapshot is bad; any
    /// other that it could not be checked.
    pub(crate) fn read(&self, watch: &dyn Watch) -> Result<Held, MysqlError> {
        let (held, _) = self.dump.read(DumpReader::reading(), watch)?;
        self.expect(&held)?;
        Ok(held)
    }

    /// Compares what the dump holds with what it is to hold.
    ///
    /// # Errors
    ///
    /// `DumpError::NotWhole`.
    pub(crate) fn expect(&self, held: &Held) -> Result<(), MysqlError> {
        recorded::expect(&shown(self.dump.path), self.manifest, &self.recorded, held)
    }
}
