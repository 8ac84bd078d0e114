//! What a manifest's `state` holds for MySQL and MariaDB: what the dump holds besides tables, and the database as a whole.

use serde::{Deserialize, Serialize};

use crate::snapshot::Manifest;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::dump::Held;
use crate::snapshot::mysql::objects::Kind;

/// All of it, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// What proves later that nothing was written since.
    #[serde(default)]
    pub(crate) proof: Option<Proof>,
    /// What follows the name where the database is made: its character set and the like, as the server writes it.
    pub(crate) options: String,
    /// The objects that are no tables, with their kinds: `trigger t1`.
    pub(crate) definitions: Vec<String>,
    /// The longest statement, in bytes.
    pub(crate) longest_statement: u64,
    /// The sequences that columns take their defaults from: each is named with its database, so that it has to be there
    /// before such a table can be made anywhere.
    pub(crate) sequences_in_defaults: Vec<String>,
    /// The tables that foreign keys lead to and that were gone already.
    pub(crate) leads_nowhere: Vec<String>,
}

impl Recorded {
    /// Reads what a manifest holds.
    ///
    /// # Errors
    ///
    /// [`MysqlError::Manifest`] where it does not say enough.
    pub(crate) fn of(manifest: &Manifest) -> Result<Recorded, MysqlError> {
        let unusable = |reason: &str| MysqlError::Manifest { id: manifest.id.clone(), reason: reason.to_owned() };
        let state = manifest.state.as_ref().ok_or_else(|| unusable("it does not say what the dump holds"))?;
        if manifest.compression.as_deref() != Some("zstd") {
            return Err(unusable("its dump is not compressed with zstd"));
        }
        Recorded::deserialize(state).map_err(|error| unusable(&error.to_string()))
    }

    /// Lists the kinds of the objects that are no tables.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        let is_of =
            |listed: &str, kind: &Kind| listed.strip_prefix(kind.word()).is_some_and(|rest| rest.starts_with(' '));
        let kind = move |listed: &String| Kind::DEFINITIONS.into_iter().rfind(|kind| is_of(listed, kind));
        self.definitions.iter().filter_map(kind)
    }
}

/// Where the server stood when a database was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proof {
    /// The server.
    pub(crate) server: String,
    /// When it was started, in seconds since 1970; measured, so that two of one life may differ by one.
    pub(crate) started: u64,
    /// How far InnoDB's log had come.
    pub(crate) logged: String,
    /// A hash of all that is no table, and of the database's own options.
    pub(crate) definitions: String,
}

impl Proof {
    /// Tells whether the two are of one moment, as far as writing goes.
    #[must_use]
    pub(crate) fn is_as(&self, other: &Proof) -> bool {
        let is_one_life = self.started.abs_diff(other.started) <= 2;
        is_one_life && Proof { started: 0, ..self.clone() } == Proof { started: 0, ..other.clone() }
    }
}

/// Lists the objects of a dump that are no tables.
#[must_use]
pub(crate) fn listed(held: &Held) -> Vec<String> {
    held.definitions.keys().map(|(kind, name)| format!("{} {name}", kind.word())).collect()
}

/// Compares what a dump holds with what its manifest promises: tables with their rows, and all other objects by name.
///
/// # Errors
///
/// [`DumpError::NotWhole`].
pub(crate) fn expect(what: &str, manifest: &Manifest, recorded: &Recorded, held: &Held) -> Result<(), MysqlError> {
    let mut differences = Vec::new();
    for table in &manifest.tables {
        match held.tables.get(&table.name) {
            None => differences.push(format!("`{}` is missing", table.name)),
            Some(found) if table.rows.is_some_and(|rows| rows != found.rows.rows) => {
                differences.push(format!("`{}` has {} rows instead of {:?}", table.name, found.rows.rows, table.rows));
            }
            Some(_) => {}
        }
    }
    let is_promised = |name: &str| manifest.tables.iter().any(|table| table.name == name);
    differences
        .extend(held.tables.keys().filter(|name| !is_promised(name)).map(|name| format!("`{name}` is there besides")));
    let found = listed(held);
    differences.extend(
        recorded.definitions.iter().filter(|name| !found.contains(name)).map(|name| format!("the {name} is missing")),
    );
    differences.extend(
        found
            .iter()
            .filter(|name| !recorded.definitions.contains(name))
            .map(|name| format!("the {name} is there besides")),
    );
    if differences.is_empty() {
        return Ok(());
    }
    let differences = crate::snapshot::mysql::dump::named(&differences);
    Err(MysqlError::Dump(DumpError::NotWhole { what: what.to_owned(), differences }))
}
