//! The row of the project's own programs among the engines.

use std::fs::Permissions;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::own_tools::ToolEnvironment;
use crate::policy::{CommandSnapshot, FILE_WORD};
use crate::reach::{Place, Target};
use crate::regular;
use crate::snapshot::dump_reading::DumpFile;
use crate::snapshot::dump_stream::{Hashing, PIECE};
use crate::snapshot::engine::{
    ABSENT, Copying, Description, DumpCommand, Found, Identity, OpenDatabase, Restoration, RestorePlan, Restored,
    SnapshotEngine, SnapshotPlan,
};
use crate::snapshot::engine_error::EngineError;
use crate::snapshot::own_command::error::OwnCommandError;
use crate::snapshot::own_command::run::{LABEL, Program, find, run};
use crate::snapshot::tool_process::ToolError;
use crate::snapshot::{Manifest, Obstacle, Taken, Tool, VerificationLevel, Watch};
use crate::text::shell_line;

/// What manifests call it.
pub(crate) const NAME: &str = "command";

impl SnapshotEngine for CommandSnapshot {
    fn name(&self) -> &'static str {
        NAME
    }

    fn keeps_files(&self) -> bool {
        false
    }

    fn saves(&self, target: &Target) -> bool {
        target.address() == self.target
    }

    fn open(&self, target: &Target, environment: &ToolEnvironment) -> Result<Found, EngineError> {
        let is_gone = |path: &Path| path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if let [Place::File { path }] = &target.places[..]
            && is_gone(path)
        {
            return Ok(Found::NothingToLose(ABSENT));
        }
        // All three: what could not be put back is not saved.
        for words in [&self.save, &self.check, &self.restore] {
            find(words, Path::new(""), environment)?;
        }
        let (own, target, environment) = (self.clone(), target.clone(), environment.clone());
        let name = target.database.clone().unwrap_or_else(|| target.address());
        Ok(Found::Database(Box::new(Open { own, name, target, environment })))
    }

    fn verify(
        &self,
        restoration: &Restoration<'_>,
        level: VerificationLevel,
        watch: &dyn Watch,
    ) -> Result<(), EngineError> {
        verify(self, restoration, watch)?;
        match level {
            VerificationLevel::Read => Ok(()),
            VerificationLevel::Restore => Err(OwnCommandError::NotRehearsed.into()),
        }
    }

    fn plan_restore<'r>(
        &self,
        restoration: &Restoration<'r>,
        watch: &dyn Watch,
    ) -> Result<RestorePlan<'r>, EngineError> {
        verify(self, restoration, watch)?;
        let program = find(&self.restore, &restoration.stored.dump, restoration.environment)?;
        let Restoration { target, environment, .. } = *restoration;
        Ok(RestorePlan::new(false, Vec::new(), move |_, watch| {
            run(&program, target, environment, watch).map_err(|source| match source {
                ToolError::NotStarted { .. } => OwnCommandError::Tool(source),
                source => OwnCommandError::HalfRestored { program: program.name.clone(), source },
            })?;
            let notes =
                vec![format!("`{}` ended with 0; nothing else tells that the database is as it was.", program.name)];
            Ok(Restored { notes, ..Restored::default() })
        }))
    }
}

/// Proves that the file is the one that was written, and has the project's own program check it.
fn verify(own: &CommandSnapshot, restoration: &Restoration<'_>, watch: &dyn Watch) -> Result<(), OwnCommandError> {
    let Restoration { stored, target, environment, .. } = *restoration;
    DumpFile { path: &stored.dump, sha256: &stored.manifest.sha256 }.expect_file(watch)?;
    let program = find(&own.check, &stored.dump, environment)?;
    Ok(run(&program, target, environment, watch)?)
}

/// A database of which only the programs know more.
struct Open {
    own: CommandSnapshot,
    name: String,
    target: Target,
    environment: ToolEnvironment,
}

impl OpenDatabase for Open {
    fn name(&self) -> &str {
        &self.name
    }

    fn short_name(&self) -> String {
        let named = Path::new(&self.name).file_name().map(|name| name.to_string_lossy().into_owned());
        named.unwrap_or_else(|| self.target.engine.name().to_owned())
    }

    fn describe(&self) -> Description {
        let program = self.own.save.first().cloned().unwrap_or_default();
        Description {
            found: format!(
                "saved by `{program}`, as [[snapshots.command]] says; whether it can be reached, that knows"
            ),
            server: None,
            tool: (program.into(), "of the project's own".to_owned()),
        }
    }

    fn obstacles(&mut self) -> Result<Vec<Obstacle>, EngineError> {
        Ok(Vec::new())
    }

    fn identity(&self) -> Option<Identity> {
        None
    }

    fn is_unchanged_since(&mut self, _earlier: &Manifest) -> Result<bool, EngineError> {
        Ok(false)
    }

    fn plan(self: Box<Self>, output: &Path) -> Result<SnapshotPlan, EngineError> {
        let Open { own, target, environment, .. } = *self;
        let save = find(&own.save, output, &environment)?;
        let check = find(&own.check, output, &environment)?;
        let command = DumpCommand {
            label: LABEL,
            program: save.path.clone(),
            inside: None,
            arguments: save.arguments.iter().map(Into::into).collect(),
            environment: Vec::new(),
            output: output.to_owned(),
        };
        let run = move |command: &DumpCommand, _: Option<&Copying<'_>>, watch: &dyn Watch| {
            let saving = Saving { own, save, check, target, environment };
            Ok(saving.take(&command.output, watch)?)
        };
        Ok(SnapshotPlan::new(command, run))
    }
}

/// What a snapshot is taken with.
struct Saving {
    own: CommandSnapshot,
    save: Program,
    check: Program,
    target: Target,
    environment: ToolEnvironment,
}

impl Saving {
    /// Has the file written and checked; it is private, synced and hashed when this returns.
    fn take(&self, output: &Path, watch: &dyn Watch) -> Result<Taken, OwnCommandError> {
        run(&self.save, &self.target, &self.environment, watch)?;
        let (size, sha256) = self.settled(output, watch)?;
        run(&self.check, &self.target, &self.environment, watch)?;
        // What the check made of it is not what was hashed.
        DumpFile { path: output, sha256: &sha256 }.expect_file(watch)?;
        let by_hand = self.own.restore.iter().map(|word| word.replace(FILE_WORD, "FILE")).collect::<Vec<_>>();
        Ok(Taken {
            size,
            sha256,
            verified: VerificationLevel::Read,
            compression: None,
            tool: Tool {
                program: self.save.name.clone(),
                version: String::new(),
                arguments: self.save.arguments.clone(),
            },
            server: None,
            tables: Vec::new(),
            state: None,
            obstacles: Vec::new(),
            whereabouts: None,
            notes: vec![format!(
                "Saved and checked by programs of the project's own, `{}` and `{}`: what is in the file, they know.",
                self.save.name, self.check.name
            )],
            by_hand: vec![shell_line(&by_hand)],
            copy: None,
        })
    }

    /// Takes over the file that was written: private, on the disk, hashed, and not empty.
    fn settled(&self, path: &Path, watch: &dyn Watch) -> Result<(u64, String), OwnCommandError> {
        let nothing = |what| OwnCommandError::NoFile { program: self.save.name.clone(), path: path.to_owned(), what };
        let file = regular::open_own(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => nothing("not there"),
            _ if regular::NotRegular::of(&error).is_some() => nothing("no file of its own"),
            _ => OwnCommandError::file("read", path)(error),
        })?;
        file.set_permissions(Permissions::from_mode(0o600)).map_err(OwnCommandError::file("write", path))?;
        file.sync_all().map_err(OwnCommandError::file("sync", path))?;
        let (mut file, mut piece) = (Hashing::new(file), vec![0; PIECE]);
        while let read @ 1.. = file.read(&mut piece).map_err(OwnCommandError::file("read", path))? {
            watch.advance(read as u64);
            if watch.interrupted() {
                return Err(ToolError::Interrupted.into());
            }
        }
        match file.finish() {
            (0, _) => Err(nothing("empty")),
            settled => Ok(settled),
        }
    }
}
