//! What a snapshot holds where it is whole, and how that is found out.

use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_reading::DumpFile;
use crate::snapshot::engine::Restoration;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::archive::{ArchiveReader, Collection, Held, Kind};
use crate::snapshot::mongodb::compare::named;
use crate::snapshot::{Manifest, TableRows, Watch};
use crate::text::shown;

/// A snapshot that is whole if its dump is the file, and holds what its manifest says.
#[derive(Debug)]
pub(crate) struct Whole<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) dump: DumpFile<'a>,
}

/// Reads what a snapshot's manifest says of it. The dump is not looked at.
///
/// # Errors
///
/// [`MongoError::Manifest`] where its dump is none of ours.
pub(crate) fn of<'a>(restoration: &Restoration<'a>) -> Result<Whole<'a>, MongoError> {
    let manifest = &restoration.stored.manifest;
    if manifest.compression.as_deref() != Some("zstd") {
        return Err(MongoError::Manifest { id: manifest.id.clone(), reason: "its dump is not compressed with zstd" });
    }
    Ok(Whole { manifest, dump: DumpFile { path: &restoration.stored.dump, sha256: &manifest.sha256 } })
}

/// Writes for a manifest what an archive holds.
pub(crate) fn listed(held: &Held) -> Vec<TableRows> {
    let rows = |one: &Collection| (one.kind == Kind::Collection).then_some(one.documents.rows);
    held.collections.iter().map(|(name, one)| TableRows { name: name.clone(), rows: rows(one) }).collect()
}

impl Whole<'_> {
    /// Checks the snapshot without a server: its hash, then the whole archive, every checksum, and that it holds what the
    /// manifest promises. Gives what it holds.
    ///
    /// # Errors
    ///
    /// `DumpError::HashMismatch`, `DumpError::Damaged` and `DumpError::NotWhole` say that the snapshot is bad; any
    /// other that it could not be checked.
    pub(crate) fn read(&self, watch: &dyn Watch) -> Result<Held, MongoError> {
        let held = self.dump.read(ArchiveReader::of(&self.manifest.database), watch)?;
        let found = listed(&held);
        let promised = &self.manifest.tables;
        let differs = |one: &&TableRows| !promised.contains(one);
        let mut differences: Vec<String> =
            found.iter().filter(differs).map(|one| format!("`{}` is not as promised", one.name)).collect();
        let is_found = |one: &&TableRows| found.iter().any(|other| other.name == one.name);
        differences
            .extend(promised.iter().filter(|one| !is_found(one)).map(|one| format!("`{}` is missing", one.name)));
        if differences.is_empty() {
            return Ok(held);
        }
        let what = shown(self.dump.path).into_owned();
        Err(DumpError::NotWhole { what, differences: named(&differences) }.into())
    }
}
