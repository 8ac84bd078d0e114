//! A policy as it is written: every table and key, read by serde. What of it counts is decided in `force`.

use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};

use crate::policy::error::PolicyError;
use crate::policy::fault::explain;
use crate::policy::values;
use crate::policy::values::Written;
use crate::text::line_at;

/// The tables of a policy, before anybody asks whether it is trusted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Document {
    #[serde(deserialize_with = "values::table")]
    pub(crate) environment: EnvironmentTable,
    #[serde(deserialize_with = "values::table")]
    pub(crate) production: ProductionTable,
    #[serde(deserialize_with = "values::table")]
    pub(crate) allow: AllowTable,
    #[serde(deserialize_with = "values::table")]
    pub(crate) snapshots: SnapshotsTable,
    #[serde(deserialize_with = "values::table")]
    pub(crate) guard: GuardTable,
    #[serde(deserialize_with = "values::table")]
    pub(crate) run: RunTable,
    #[serde(deserialize_with = "values::table")]
    pub(crate) commands: CommandsTable,
    #[serde(skip)]
    source: String,
}

/// `[environment]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EnvironmentTable {
    #[serde(deserialize_with = "values::names")]
    pub(crate) files: Written<Vec<String>>,
}

/// `[production]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProductionTable {
    #[serde(deserialize_with = "values::names")]
    pub(crate) words: Written<Vec<String>>,
    #[serde(deserialize_with = "values::names")]
    pub(crate) hosts: Written<Vec<String>>,
    #[serde(deserialize_with = "values::names")]
    pub(crate) databases: Written<Vec<String>>,
}

/// `[allow]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AllowTable {
    #[serde(deserialize_with = "values::host_ports")]
    pub(crate) hosts: Written<Vec<String>>,
    #[serde(deserialize_with = "values::names")]
    pub(crate) databases: Written<Vec<String>>,
    #[serde(deserialize_with = "values::flag")]
    pub(crate) no_database: Written<bool>,
    #[serde(deserialize_with = "values::assignments")]
    pub(crate) environments: Written<Vec<String>>,
    #[serde(deserialize_with = "values::names")]
    pub(crate) platforms: Written<Vec<String>>,
}

/// `[snapshots]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SnapshotsTable {
    #[serde(deserialize_with = "values::text")]
    pub(crate) directory: Written<String>,
    #[serde(deserialize_with = "values::at_least_one")]
    pub(crate) keep_last: Written<usize>,
    #[serde(deserialize_with = "values::flag")]
    pub(crate) redis: Written<bool>,
    #[serde(deserialize_with = "values::names")]
    pub(crate) skip: Written<Vec<String>>,
    #[serde(deserialize_with = "values::tables")]
    pub(crate) external: Written<Vec<ExternalSnapshot>>,
    #[serde(deserialize_with = "values::tables")]
    pub(crate) command: Written<Vec<CommandSnapshot>>,
    #[serde(deserialize_with = "values::tables")]
    pub(crate) folders: Written<Vec<FolderSnapshot>>,
}

/// `[[snapshots.external]]`: a database that something else keeps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExternalSnapshot {
    /// The database's address, as `check` shows it.
    #[serde(deserialize_with = "values::required_text")]
    pub(crate) target: String,
    /// How it is kept, for people and the record.
    #[serde(deserialize_with = "values::required_text")]
    pub(crate) how: String,
}

/// `[[snapshots.folders]]`: a folder of files that is saved beside the databases.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FolderSnapshot {
    /// Its path from the project's root, in which it lies.
    #[serde(deserialize_with = "values::path_within")]
    pub(crate) path: String,
}

/// `[[snapshots.command]]`: a database that programs of the project's own save and put back, each an argument list in which
/// `{file}` stands for the snapshot's path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandSnapshot {
    /// The database's address, as `check` shows it.
    #[serde(deserialize_with = "values::required_text")]
    pub(crate) target: String,
    /// Writes the file.
    #[serde(deserialize_with = "values::file_command")]
    pub(crate) save: Vec<String>,
    /// Says by its exit status whether the file is whole.
    #[serde(deserialize_with = "values::file_command")]
    pub(crate) check: Vec<String>,
    /// Puts the database back to what the file holds.
    #[serde(deserialize_with = "values::file_command")]
    pub(crate) restore: Vec<String>,
}

/// `[guard]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct GuardTable {
    #[serde(deserialize_with = "guard_mode")]
    pub(crate) mode: Written<GuardMode>,
    #[serde(deserialize_with = "values::host_ports")]
    pub(crate) allow: Written<Vec<String>>,
    #[serde(deserialize_with = "values::ports")]
    pub(crate) ports: Written<Vec<u16>>,
}

/// What a running command is kept from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GuardMode {
    /// Database servers that were not saved.
    #[default]
    Databases,
    /// Those, and off this machine everything but name servers and what is allowed.
    Strict,
    /// Nothing: its connections are not watched.
    Off,
}

fn guard_mode<'de, D: Deserializer<'de>>(from: D) -> Result<Written<GuardMode>, D::Error> {
    let words = [("databases", GuardMode::Databases), ("strict", GuardMode::Strict), ("off", GuardMode::Off)];
    values::choice(from, "\"databases\", \"strict\" or \"off\"", &words)
}

/// `[run]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RunTable {
    #[serde(deserialize_with = "when")]
    pub(crate) restore: Written<RestoreWhen>,
    #[serde(deserialize_with = "values::flag")]
    pub(crate) fast_undo: Written<bool>,
    #[serde(deserialize_with = "values::flag")]
    pub(crate) anchor: Written<bool>,
}

/// `[commands]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CommandsTable {
    #[serde(deserialize_with = "values::names")]
    pub(crate) plain: Written<Vec<String>>,
    #[serde(deserialize_with = "values::names")]
    pub(crate) guard: Written<Vec<String>>,
}

/// When a database is put back after the command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RestoreWhen {
    /// Only by `safe-test restore`.
    #[default]
    Never,
    /// When the command did not succeed.
    Failure,
    /// After every run.
    Always,
}

fn when<'de, D: Deserializer<'de>>(from: D) -> Result<Written<RestoreWhen>, D::Error> {
    let words = [("never", RestoreWhen::Never), ("failure", RestoreWhen::Failure), ("always", RestoreWhen::Always)];
    values::choice(from, "\"never\", \"failure\" or \"always\"", &words)
}

impl Document {
    /// Reads a policy; `file` is how errors name it.
    ///
    /// # Errors
    ///
    /// The first thing in it that is not understood.
    pub(crate) fn parse(text: &str, file: &Path) -> Result<Self, PolicyError> {
        let document: Document = toml::from_str(text).map_err(|error| explain(&error, text, file))?;
        Ok(Document { source: text.to_owned(), ..document })
    }

    /// Quotes a part of the file.
    pub(crate) fn quote(&self, part: Range<usize>) -> &str {
        self.source.get(part).unwrap_or_default()
    }

    /// Finds the line that a part of the file begins in, counted from 1.
    pub(crate) fn line_of(&self, part: Range<usize>) -> u32 {
        line_at(self.source.as_bytes(), part.start)
    }
}
