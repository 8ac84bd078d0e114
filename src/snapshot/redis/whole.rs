//! What a snapshot holds where it is whole, and how that is found out.

use crate::own_tools::ToolEnvironment;
use crate::regular;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_reading::DumpFile;
use crate::snapshot::engine::Restoration;
use crate::snapshot::redis::RedisError;
use crate::snapshot::redis::check::read_checked;
use crate::snapshot::redis::installed::installed;
use crate::snapshot::redis::rdb::{self, Held, Keeping};
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
/// [`RedisError::Manifest`] where its dump is none of ours.
pub(crate) fn of<'a>(restoration: &Restoration<'a>) -> Result<Whole<'a>, RedisError> {
    let manifest = &restoration.stored.manifest;
    if manifest.compression.as_deref() != Some("zstd") {
        return Err(RedisError::Manifest { id: manifest.id.clone(), reason: "its dump is not compressed with zstd" });
    }
    Ok(Whole { manifest, dump: DumpFile { path: &restoration.stored.dump, sha256: &manifest.sha256 } })
}

/// Writes for a manifest what a file holds.
pub(crate) fn listed(held: &Held) -> Vec<TableRows> {
    let databases = held.databases.iter();
    let mut listed: Vec<TableRows> = databases
        .map(|(number, keys)| TableRows { name: format!("database {number}"), rows: Some(keys.count) })
        .collect();
    if held.libraries > 0 {
        listed.push(TableRows { name: "functions".to_owned(), rows: Some(held.libraries) });
    }
    listed
}

impl Whole<'_> {
    /// Checks the snapshot without a server: its hash, then the whole file by our own reader and by the server's program where
    /// there is one, and that it holds what the manifest promises. Gives what it holds.
    ///
    /// # Errors
    ///
    /// `DumpError::HashMismatch`, `DumpError::Damaged` and `DumpError::NotWhole` say that the snapshot is bad; any
    /// other that it could not be checked.
    pub(crate) fn read(&self, environment: &ToolEnvironment, watch: &dyn Watch) -> Result<Held, RedisError> {
        let tools = installed(environment).into_iter().find(|tools| tools.check.is_some());
        let file = regular::open_own(self.dump.path).map_err(DumpError::file("read", self.dump.path))?;
        let (held, found) = read_checked(self.dump.path, file, tools.as_ref(), watch)?;
        self.dump.expect(&found)?;
        let held = held?;
        let (found, promised) = (listed(&held), &self.manifest.tables);
        if found == *promised {
            return Ok(held);
        }
        let differs = |one: &&TableRows| !promised.contains(one);
        let mut differences: Vec<String> =
            found.iter().filter(differs).map(|one| format!("`{}` is not as promised", one.name)).collect();
        let is_missing = |one: &&TableRows| !found.iter().any(|other| other.name == one.name);
        differences.extend(promised.iter().filter(is_missing).map(|one| format!("`{}` is missing", one.name)));
        let what = shown(self.dump.path).into_owned();
        Err(DumpError::NotWhole { what, differences: differences.join("; ") }.into())
    }

    /// Sums what it holds, but for keys whose time is over by then, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// Those of [`DumpFile::pull`].
    pub(crate) fn summed(&self, over: u64, watch: &dyn Watch) -> Result<Held, RedisError> {
        Ok(self.dump.pull(|source| rdb::read(source, Keeping::Sum { over }), watch)?)
    }
}
