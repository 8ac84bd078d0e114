//! SQLite's row among the engines.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::own_tools::ToolEnvironment;
use crate::reach::{Engine, Place, Target};
use crate::snapshot::engine::{
    ABSENT, Description, DumpCommand, FileMark, Found, Identity, OpenDatabase, Restoration, RestorePlan, Restored,
    SnapshotEngine, SnapshotPlan,
};
use crate::snapshot::engine_error::{Consequence, EngineError, EngineFailure};
use crate::snapshot::sqlite;
use crate::snapshot::sqlite::{Occasion, Presence, SqliteError};
use crate::snapshot::{Effect, Manifest, Obstacle, PlanError, StoreError, Taken, VerificationLevel, Watch};

/// SQLite, and libSQL's databases in files, which are the same.
pub(crate) struct Sqlite;

impl SnapshotEngine for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn keeps_files(&self) -> bool {
        true
    }

    fn file_mark(&self) -> Option<FileMark> {
        Some(FileMark { engine: Engine::Sqlite, beginning: sqlite::MAGIC, unit: sqlite::LEAST_PAGE })
    }

    fn saves(&self, target: &Target) -> bool {
        matches!(target.engine, Engine::Sqlite | Engine::Libsql) && file_of(target).is_some()
    }

    fn open(&self, target: &Target, _environment: &ToolEnvironment) -> Result<Found, EngineError> {
        let Some(path) = file_of(target) else {
            return Err(PlanError::NoTool { engine: target.engine }.into());
        };
        Ok(match sqlite::examine_quiet(path)? {
            Presence::Missing => Found::NothingToLose(ABSENT),
            Presence::Empty => Found::NothingToLose("it is empty"),
            Presence::Database => Found::Database(Box::new(DatabaseFile {
                path: path.to_owned(),
                name: path.to_string_lossy().into_owned(),
            })),
        })
    }

    fn names_beside(
        &self,
        target: &Target,
        _environment: &ToolEnvironment,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<String>, EngineError> {
        Ok(file_of(target).map_or_else(|| Ok(Vec::new()), |path| sqlite::names_beside(path, is_wanted))?)
    }

    fn verify(
        &self,
        restoration: &Restoration<'_>,
        level: VerificationLevel,
        watch: &dyn Watch,
    ) -> Result<(), EngineError> {
        let stored = restoration.stored;
        Ok(sqlite::verify(&stored.dump, &stored.manifest, level, watch).map(drop)?)
    }

    fn plan_restore<'r>(
        &self,
        restoration: &Restoration<'r>,
        watch: &dyn Watch,
    ) -> Result<RestorePlan<'r>, EngineError> {
        let (dump, manifest) = (&restoration.stored.dump, &restoration.stored.manifest);
        let database = Path::new(&manifest.database);
        // What was judged is the target: the manifest may not lead anywhere else.
        if !matches!(restoration.target.places.as_slice(), [Place::File { path }] if path == database) {
            let reason = format!("its database `{}` is not its target `{}`", manifest.database, manifest.target);
            return Err(StoreError::Manifest { path: dump.with_extension("json"), reason }.into());
        }
        self.verify(restoration, VerificationLevel::Read, watch)?;
        let now = restoration.now;
        Ok(RestorePlan::new(false, Vec::new(), move |damaged, watch| {
            let occasion = Occasion { damaged, ..Occasion::at(now) };
            let restored = sqlite::restore(dump, manifest, database, &occasion, watch)?;
            Ok(Restored { notes: restored.notes, ..Restored::default() })
        }))
    }
}

fn file_of(target: &Target) -> Option<&Path> {
    match target.places.first() {
        Some(Place::File { path }) => Some(path),
        _ => None,
    }
}

/// A database file that is there.
struct DatabaseFile {
    path: PathBuf,
    name: String,
}

impl OpenDatabase for DatabaseFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn short_name(&self) -> String {
        self.path.file_stem().map_or_else(|| self.name.clone(), |stem| stem.to_string_lossy().into_owned())
    }

    fn describe(&self) -> Description {
        Description {
            found: format!("readable; saved with the built-in SQLite {}", rusqlite::version()),
            server: None,
            tool: (PathBuf::from("safe-test"), format!("SQLite {}", rusqlite::version())),
        }
    }

    fn identity(&self) -> Option<Identity> {
        let found = fs::metadata(&self.path).ok()?;
        Some(Identity { database: format!("file {}:{}", found.dev(), found.ino()), undone_by: self.name.clone() })
    }

    fn obstacles(&mut self) -> Result<Vec<Obstacle>, EngineError> {
        let is_read_only = rustix::fs::access(&self.path, rustix::fs::Access::WRITE_OK).is_err();
        let obstacle = Obstacle {
            effect: Effect::NothingComesBack,
            what: "the database's file cannot be written".to_owned(),
            remedy: "check the owner and the permissions of the file".to_owned(),
        };
        Ok(is_read_only.then_some(obstacle).into_iter().collect())
    }

    fn is_unchanged_since(&mut self, earlier: &Manifest) -> Result<bool, EngineError> {
        Ok(earlier.state.is_some() && earlier.state == sqlite::state(&self.path)?)
    }

    fn plan(mut self: Box<Self>, output: &Path) -> Result<SnapshotPlan, EngineError> {
        let obstacles = self.obstacles()?;
        let command = DumpCommand {
            inside: None,
            label: "built-in SQLite",
            program: PathBuf::from("safe-test"),
            arguments: Vec::new(),
            environment: Vec::new(),
            output: output.to_owned(),
        };
        Ok(SnapshotPlan::new(command, move |command, _, watch| {
            Ok(Taken { obstacles, ..sqlite::take(&self.path, &command.output, watch)? })
        }))
    }
}

impl EngineFailure for SqliteError {
    fn consequence(&self) -> Consequence {
        match self {
            SqliteError::RestoredDiffers { .. } => Consequence::MayHaveChanged,
            SqliteError::Damaged { .. }
            | SqliteError::NotDatabase { .. }
            | SqliteError::Folder { .. }
            | SqliteError::NotAFile { .. }
            | SqliteError::LinksInCircle { .. } => Consequence::DamagedBefore,
            SqliteError::Unreadable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Consequence::DamagedBefore
            }
            SqliteError::Unreadable { .. }
            | SqliteError::NothingThere { .. }
            | SqliteError::Locked { .. }
            | SqliteError::KeepsChanging { .. }
            | SqliteError::Interrupted { .. }
            | SqliteError::Write { .. }
            | SqliteError::Engine { .. }
            | SqliteError::Size { .. }
            | SqliteError::Hash { .. }
            | SqliteError::Contents { .. }
            | SqliteError::FolderMissing { .. }
            | SqliteError::FolderElsewhere { .. }
            | SqliteError::Mounted { .. }
            | SqliteError::NotReplaceable { .. }
            | SqliteError::RestoreLocked { .. }
            | SqliteError::PageSize { .. }
            | SqliteError::RestoreFailed { .. }
            | SqliteError::Create { .. }
            | SqliteError::RestoreInterrupted { .. } => Consequence::Untouched,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_is_an_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("app.db"), "").unwrap();
        // Root may write to every file that is there: one that is not stands for one that it may not write to.
        for (file, is_obstacle) in [("app.db", false), ("gone.db", true)] {
            let mut database = DatabaseFile { path: folder.path().join(file), name: file.to_owned() };
            assert_eq!(!database.obstacles().unwrap().is_empty(), is_obstacle, "{file}");
        }
    }
}
