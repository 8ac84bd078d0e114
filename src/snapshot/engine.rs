//! What an engine must do so that its databases can be saved and put back.
//!
//! An engine is a folder beside this file and a row in [`engines::ALL`](crate::snapshot::engines::ALL). Nothing outside
//! of the folder and the row knows its name, its types or its tools:
//!
//! | asked for by | the engine's part |
//! |---|---|
//! | `plan.rs`, before anything is looked at | [`SnapshotEngine::saves`] |
//! | a run whose server is not up yet | [`SnapshotEngine::socket`]: where it would be |
//! | a run, `snapshot`, `doctor`, `--dry-run` | [`SnapshotEngine::open`]: is it reachable, is it the one that was judged, which tools fit it |
//! | a run that may reuse a snapshot | [`OpenDatabase::is_unchanged_since`], [`OpenDatabase::has_copy_for`] |
//! | `doctor`, `--dry-run` | [`OpenDatabase::obstacles`]: what could not come back |
//! | a run, `snapshot`, `--dry-run` | [`OpenDatabase::plan`]: the very program, arguments and paths; then [`SnapshotPlan::carry_out`] |
//! | the manifest | [`Taken`]: contents, versions, what could not come back, the proof for later, the commands that restore it by hand |
//! | `verify`, and a restore before it touches anything | [`SnapshotEngine::verify`] |
//! | `restore` | [`SnapshotEngine::plan_restore`], for all databases before the first is touched; then [`RestorePlan::carry_out`] |
//! | `restore` of what an earlier one replaced | [`SnapshotEngine::exchange_back`] |
//! | `list`, `doctor`, `prune` | [`SnapshotEngine::leftovers`] |
//! | a run | [`OpenDatabase::identity`], [`OpenDatabase::leftovers`], [`OpenDatabase::neighbours`], [`SnapshotEngine::names_beside`] |
//! | a run that is over | [`SnapshotEngine::neighbours`] |
//! | a run, `restore`, `prune` | [`SnapshotEngine::drop_leftover`] |
//!
//! What every engine keeps to: nothing in the environment or in a user's option files changes what is dumped; a password
//! reaches a tool by a private file, never by its arguments; of several hosts the one that answered is stayed with; a
//! tool that runs for long ends within seconds of [`Watch::interrupted`]; a dump's SHA-256 is of the bytes as they are
//! written. Which tool it is (one on `PATH`, one inside the database's container) is the engine's to find out when it
//! opens a database, and stands in the plan.
//!
//! What engines with tools share: `own_tools` finds and asks them, `tool_process.rs` runs those that take long,
//! `dump_stream.rs` writes, compresses and hashes what they say.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::own_tools::containers::container::Container;
use crate::own_tools::{ToolCommand, ToolEnvironment};
use crate::reach::{Engine, Target};
use crate::snapshot::engine_error::EngineError;
use crate::snapshot::{
    Copied, Ledger, Leftover, Making, Manifest, Neighbours, Obstacle, PlanError, Provenance, Stored, Taken,
    VerificationLevel, Watch,
};

/// How a database file is told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileMark {
    pub(crate) engine: Engine,
    /// Its first bytes.
    pub(crate) beginning: &'static [u8],
    /// Its length is a multiple of as many bytes, unless writing it was cut off.
    pub(crate) unit: u64,
}

/// An engine whose databases can be saved.
pub(crate) trait SnapshotEngine: Sync {
    /// Names the engine as manifests do. The name is never changed: old snapshots have it.
    fn name(&self) -> &'static str;

    /// Says whether its databases are files, whose paths change when their project is moved.
    fn keeps_files(&self) -> bool;

    /// Says how its database files are told from others; `None` where it keeps none, or they cannot be told.
    fn file_mark(&self) -> Option<FileMark> {
        None
    }

    /// Says whether it saves this target, by what the target says of itself. Looks at nothing.
    fn saves(&self, target: &Target) -> bool;

    /// Says in words what a snapshot holds, where it is no tables.
    fn contents(&self, _manifest: &Manifest) -> Option<String> {
        None
    }

    /// Gives the Unix socket that a place means, which may be the folder that holds it; `None` for an engine without.
    fn socket(&self, _path: &Path, _port: Option<u16>) -> Option<PathBuf> {
        None
    }

    /// Looks at a target that it [saves](SnapshotEngine::saves): connects to it, finds the tools that fit it.
    ///
    /// `environment` is for its tools. Writes nothing. What is not there yet is no error.
    ///
    /// # Errors
    ///
    /// It cannot be reached, is another database than the one that was judged, or no tool fits. Nothing is left open.
    fn open(&self, target: &Target, environment: &ToolEnvironment) -> Result<Found, EngineError>;

    /// Checks a snapshot again. [`VerificationLevel::Read`]: hash and size, then the whole dump through the engine's own
    /// reader, compared with the manifest. [`VerificationLevel::Restore`]: besides, restored into a scratch database next
    /// to the target, compared by content, and removed.
    ///
    /// # Errors
    ///
    /// What is wrong with it ([`Exit::NoSnapshot`](crate::exit::Exit::NoSnapshot)), or what kept it from being checked. The snapshot and the target are
    /// as they were; what of the scratch database could not be removed is told from the user's own by a mark.
    fn verify(
        &self,
        restoration: &Restoration<'_>,
        level: VerificationLevel,
        watch: &dyn Watch,
    ) -> Result<(), EngineError>;

    /// Prepares to put a database back: finds the snapshot to be the file that was written, and verified to
    /// [`VerificationLevel::Read`] unless that is [done while it is restored](RestorePlan::reading_as_it_restores); finds the
    /// target to be the snapshot's own, and tells whether what is replaced will be kept whole.
    ///
    /// # Errors
    ///
    /// Why it cannot be put back. Nothing was changed.
    fn plan_restore<'r>(
        &self,
        restoration: &Restoration<'r>,
        watch: &dyn Watch,
    ) -> Result<RestorePlan<'r>, EngineError>;

    /// Exchanges a database for one that a restore has replaced and kept, and keeps the former in turn. An engine that keeps
    /// nothing beside has nothing to exchange.
    ///
    /// # Errors
    ///
    /// Both are as they were, unless the error says [`Consequence::MayHaveChanged`](crate::snapshot::engine_error::Consequence::MayHaveChanged).
    fn exchange_back(&self, kept: &Kept<'_>) -> Result<Restored, EngineError> {
        Err(PlanError::NoTool { engine: kept.target.engine }.into())
    }

    /// Lists what restores and rehearsals of this target have left on its server, oldest first. `past` knows what was made
    /// here. An engine that makes nothing on servers leaves nothing there.
    ///
    /// # Errors
    ///
    /// The server cannot be asked.
    fn leftovers(
        &self,
        _target: &Target,
        _environment: &ToolEnvironment,
        _past: &dyn Provenance,
    ) -> Result<Vec<Leftover>, EngineError> {
        Ok(Vec::new())
    }

    /// Asks the target's server, after a run that reached it, what it counts of its databases, to be compared with
    /// [`OpenDatabase::neighbours`]. Files have no neighbours.
    ///
    /// # Errors
    ///
    /// The server cannot be asked.
    fn neighbours(&self, _target: &Target, _environment: &ToolEnvironment) -> Result<Option<Neighbours>, EngineError> {
        Ok(None)
    }

    /// Lists the databases beside the target whose names `is_wanted` takes: on its server, or in its file's folder. The target
    /// itself need not be there.
    ///
    /// # Errors
    ///
    /// The server cannot be asked, or the folder not be read.
    fn names_beside(
        &self,
        target: &Target,
        environment: &ToolEnvironment,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<String>, EngineError> {
        let names = self.neighbours(target, environment)?.map(Neighbours::into_names).unwrap_or_default();
        Ok(names.into_iter().filter(|name| is_wanted(name)).collect())
    }

    /// Drops one of them, or finds it gone; `false` if another call of safe-test is at work on it.
    ///
    /// # Errors
    ///
    /// It is not one of them, somebody uses it, or the server cannot be asked. It stays.
    fn drop_leftover(
        &self,
        target: &Target,
        _environment: &ToolEnvironment,
        _name: &str,
        _past: &dyn Provenance,
    ) -> Result<bool, EngineError> {
        Err(PlanError::NoTool { engine: target.engine }.into())
    }
}

/// Which database is open, whatever it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// It is the same where it is the same database.
    pub(crate) database: String,
    /// It is the same where a snapshot of one brings back what a snapshot of the other does: what one role cannot bring
    /// back another may, and each name of a file is put back by itself.
    pub(crate) undone_by: String,
}

/// Why there is nothing to lose where a database is not there.
pub(crate) const ABSENT: &str = "it does not exist";

/// What an engine found at a target.
pub(crate) enum Found {
    /// Nothing that could be lost, and why, a phrase.
    NothingToLose(&'static str),
    /// A database, open or connected to for as long as this is kept.
    Database(Box<dyn OpenDatabase>),
}

/// A database that was found.
pub(crate) trait OpenDatabase {
    /// Gives the true name, for the manifest; for a database in a file its absolute path.
    fn name(&self) -> &str;

    /// Gives the name that a snapshot's files are named after.
    fn short_name(&self) -> String;

    /// Tells what was found and what it would be saved with.
    fn describe(&self) -> Description;

    /// Finds what will keep the database from coming back whole, as far as that shows beforehand. A snapshot's own are
    /// those in its [`Taken`].
    ///
    /// # Errors
    ///
    /// The server is gone.
    fn obstacles(&mut self) -> Result<Vec<Obstacle>, EngineError>;

    /// Tells this database from all others for as long as it is open, by whichever name it was reached; `None` where that
    /// cannot be learned.
    fn identity(&self) -> Option<Identity>;

    /// Lists what restores and rehearsals of the database have left on its server, for a line that tells of them: nothing
    /// where that cannot be learned.
    fn leftovers(&mut self, _past: &dyn Provenance) -> Vec<Leftover> {
        Vec::new()
    }

    /// Tells what its server counts of its other databases, so that it can be told later which of them changed: nothing
    /// where that cannot be learned.
    fn neighbours(&mut self) -> Option<Neighbours> {
        None
    }

    /// Proves that nothing was written since that snapshot; `false` where that cannot be proved.
    ///
    /// # Errors
    ///
    /// The database is gone or cannot be read.
    fn is_unchanged_since(&mut self, earlier: &Manifest) -> Result<bool, EngineError>;

    /// Tells whether copies are kept in its server beside dumps, where that is asked for and can be.
    fn keeps_copies(&self) -> bool {
        false
    }

    /// Tells whether a copy is kept in the server for that snapshot, and is good. An engine that keeps none misses none.
    ///
    /// # Errors
    ///
    /// The database is gone.
    fn has_copy_for(&mut self, _earlier: &Manifest) -> Result<bool, EngineError> {
        Ok(true)
    }

    /// Keeps a copy in the server for that snapshot, if that can be: it was [proved](OpenDatabase::is_unchanged_since) that
    /// nothing was written since, and there is [none](OpenDatabase::has_copy_for). What holds of the snapshot from now on is
    /// written down.
    ///
    /// `None` where it cannot be proved any more that nothing was written since: the database is to be saved anew.
    ///
    /// # Errors
    ///
    /// Somebody asks to stop, or the database is gone; the next copy of the database takes the place of one that was made.
    fn copy_for(
        &mut self,
        _earlier: &Manifest,
        _copying: &Copying<'_>,
        _watch: &dyn Watch,
    ) -> Result<Option<Copied>, EngineError> {
        Ok(Some(Copied::NotKept { why: "its engine keeps none".to_owned() }))
    }

    /// Prepares to save the database: what of it is to be dumped is fixed from now on, as long as the plan is kept.
    ///
    /// `output` is the file that the dump is to be written to; it is not there yet, and is not made here.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    fn plan(self: Box<Self>, output: &Path) -> Result<SnapshotPlan, EngineError>;
}

/// What was found at a target, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    /// All of it in words.
    pub(crate) found: String,
    /// The server's version as it says it.
    pub(crate) server: Option<String>,
    /// The program that would save it and its version.
    pub(crate) tool: (PathBuf, String),
}

/// The program that writes a dump, as it is run. `--dry-run` shows this value; [`SnapshotPlan::carry_out`] runs it.
///
/// Nothing in it is a secret: a password reaches the program by a private file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DumpCommand {
    /// What a person calls it: `pg_dump`, `built-in SQLite`.
    pub(crate) label: &'static str,
    /// The program; `safe-test` where no other is run.
    pub(crate) program: PathBuf,
    /// The container that it is run in; `None` on this machine.
    pub(crate) inside: Option<Box<Container>>,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Its environment, the whole of it.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The file that is written.
    pub(crate) output: PathBuf,
}

/// A copy that is to be kept in the server beside a dump, where the engine can do so without harm: an extra, by which the
/// snapshot is put back sooner.
#[derive(Clone, Copy)]
pub(crate) struct Copying<'a> {
    /// The snapshot that it is for.
    pub(crate) snapshot: &'a str,
    /// Where the database is, in words without secrets.
    pub(crate) target: &'a str,
    /// When the call began, for its name.
    pub(crate) now: DateTime<Utc>,
    /// Where its name is written down before it is made.
    pub(crate) ledger: &'a dyn Ledger,
}

/// A dump that is ready to be taken.
pub(crate) struct SnapshotPlan {
    command: DumpCommand,
    #[expect(clippy::type_complexity, reason = "named once")]
    run: Box<dyn FnOnce(&DumpCommand, Option<&Copying<'_>>, &dyn Watch) -> Result<Taken, EngineError>>,
}

impl DumpCommand {
    /// Makes the process that is run.
    pub(crate) fn process(&self) -> ToolCommand {
        let mut command = ToolCommand::of(&self.program, self.inside.as_deref(), &self.environment);
        command.args(&self.arguments);
        command
    }
}

impl SnapshotPlan {
    /// `run` is given the command, executes it as it stands, reads back what that wrote, and keeps the copy that is asked for.
    pub(crate) fn new(
        command: DumpCommand,
        run: impl FnOnce(&DumpCommand, Option<&Copying<'_>>, &dyn Watch) -> Result<Taken, EngineError> + 'static,
    ) -> Self {
        SnapshotPlan { command, run: Box::new(run) }
    }

    pub(crate) fn command(&self) -> &DumpCommand {
        &self.command
    }

    /// Writes the dump, synced, readable by its owner only, and reads it back whole: its tables and rows are those of the
    /// database at the moment that was fixed. With `copying`, a copy of that very state is kept in the server, if that can
    /// be: what became of it is told in [`Taken::copy`], and is no error.
    ///
    /// # Errors
    ///
    /// Nothing was written to the database, and nothing of ours runs any more, here or on the server. The output is left
    /// as far as it was written: the caller removes it.
    pub(crate) fn carry_out(self, copying: Option<&Copying<'_>>, watch: &dyn Watch) -> Result<Taken, EngineError> {
        (self.run)(&self.command, copying, watch)
    }
}

/// A snapshot, and the target that it is put back to, or checked at.
#[derive(Clone, Copy)]
pub(crate) struct Restoration<'a> {
    /// The snapshot.
    pub(crate) stored: &'a Stored,
    /// The target.
    pub(crate) target: &'a Target,
    /// The environment for the tools.
    pub(crate) environment: &'a ToolEnvironment,
    /// When the call began, for the names of what is made.
    pub(crate) now: DateTime<Utc>,
    /// Where the databases that are made on the way are written down before.
    pub(crate) ledger: &'a dyn Ledger,
    /// What remembers those that were made.
    pub(crate) past: &'a dyn Provenance,
}

impl Restoration<'_> {
    /// Names the snapshot's server and the one at hand, where the latter is another.
    pub(crate) fn other_server(&self, fingerprint: &str, version: &str) -> Option<(String, String)> {
        let saved = self.stored.manifest.server.as_ref();
        if saved.is_some_and(|saved| saved.fingerprint == fingerprint) {
            return None;
        }
        let named = |fingerprint: &str, version: &str| format!("{fingerprint} (version {version})");
        let snapshot = saved.map_or("an unknown one".to_owned(), |saved| named(&saved.fingerprint, &saved.version));
        Some((snapshot, named(fingerprint, version)))
    }
}

/// A restore that is ready to be carried out.
pub(crate) struct RestorePlan<'r> {
    /// Whether what is replaced will be kept whole beside. If not, the caller takes a safety snapshot of it first.
    pub(crate) keeps_the_replaced: bool,
    /// What earlier restores have left on the server.
    pub(crate) leftovers: Vec<Leftover>,
    /// Whether the snapshot was verified. If not, carrying it out does so before anything is replaced.
    pub(crate) is_verified: bool,
    #[expect(clippy::type_complexity, reason = "named once")]
    run: Box<dyn FnOnce(bool, &dyn Watch) -> Result<Restored, EngineError> + 'r>,
}

impl<'r> RestorePlan<'r> {
    /// `run` is told whether what is in the target's place is damaged.
    pub(crate) fn new(
        keeps_the_replaced: bool,
        leftovers: Vec<Leftover>,
        run: impl FnOnce(bool, &dyn Watch) -> Result<Restored, EngineError> + 'r,
    ) -> Self {
        RestorePlan { keeps_the_replaced, leftovers, is_verified: true, run: Box::new(run) }
    }

    /// Says that the snapshot is read whole, and checked, by the restore itself before that replaces anything.
    pub(crate) fn reading_as_it_restores(self) -> Self {
        RestorePlan { is_verified: false, ..self }
    }

    /// Puts the database back. What is replaced stays whole until the replacement stands and was compared; where it is not
    /// kept beside, the safety snapshot that the caller took is what is fallen back to. With `damaged`, what is in the
    /// target's place could not be saved: it is kept as it is, under another name.
    ///
    /// # Errors
    ///
    /// The database is as it was, unless the error says [`Consequence::MayHaveChanged`](crate::snapshot::engine_error::Consequence::MayHaveChanged).
    pub(crate) fn carry_out(self, damaged: bool, watch: &dyn Watch) -> Result<Restored, EngineError> {
        (self.run)(damaged, watch)
    }
}

/// A database that a restore has replaced and kept, and the one whose name it is to have again.
#[derive(Clone, Copy)]
pub(crate) struct Kept<'a> {
    /// Its name now.
    pub(crate) name: &'a str,
    /// What was written down before it got that name.
    pub(crate) making: &'a Making,
    /// The database in use.
    pub(crate) target: &'a Target,
    /// The environment for the tools.
    pub(crate) environment: &'a ToolEnvironment,
    /// When the call began, for the names of what is made.
    pub(crate) now: DateTime<Utc>,
    /// Where the databases that are made on the way are written down before.
    pub(crate) ledger: &'a dyn Ledger,
}

/// A database that was put back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Restored {
    /// The name under which what was there before is kept whole; `None` if nothing is kept beside.
    pub(crate) replaced: Option<String>,
    /// What was computed anew.
    pub(crate) computed: Computed,
    /// What a person should know besides, a sentence each.
    pub(crate) notes: Vec<String>,
    /// What the copy was good for that was kept in the server; `None` where none was kept.
    pub(crate) copy: Option<CopyUse>,
}

/// What a copy in the server was good for when its snapshot was put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CopyUse {
    /// It is what was put back; its name until then.
    Used(String),
    /// The dump was loaded instead: why, a phrase.
    NotUsed(String),
}

/// What a restore computes anew, since no dump holds its values: they may be others than those that were saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Computed {
    /// Materialised views, with how many rows they had and have where that differs.
    pub(crate) refreshed: Vec<String>,
    /// Stored generated columns that are made with something else than the engine's own functions.
    pub(crate) recomputed: Vec<String>,
}
