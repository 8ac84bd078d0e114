//! The row of folders among the engines.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::own_tools::ToolEnvironment;
use crate::reach::{Engine, Place, Target};
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_stream::open_private;
use crate::snapshot::engine::{
    ABSENT, Description, DumpCommand, Found, Identity, OpenDatabase, Restoration, RestorePlan, Restored,
    SnapshotEngine, SnapshotPlan,
};
use crate::snapshot::engine_error::EngineError;
use crate::snapshot::folder::archive;
use crate::snapshot::folder::error::FolderError;
use crate::snapshot::folder::listing::{Entry, Listing};
use crate::snapshot::folder::restore::restore;
use crate::snapshot::{Effect, Manifest, Obstacle, PlanError, Taken, Tool, Unwatched, VerificationLevel, Watch};
use crate::text::{and_more, shown};

/// Folders of files that the policy names.
pub(crate) struct Folder;

const LABEL: &str = "built-in tar";

/// What a manifest keeps of the listing.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    /// Files and links.
    files: u64,
    /// Its hash.
    listing: String,
    /// Whether an equal listing proves an equal folder.
    settled: bool,
}

impl State {
    fn of(manifest: &Manifest) -> Option<State> {
        State::deserialize(manifest.state.as_ref()?).ok()
    }
}

impl SnapshotEngine for Folder {
    fn name(&self) -> &'static str {
        "folder"
    }

    fn keeps_files(&self) -> bool {
        true
    }

    fn saves(&self, target: &Target) -> bool {
        target.engine == Engine::Folder && path_of(target).is_some()
    }

    fn open(&self, target: &Target, environment: &ToolEnvironment) -> Result<Found, EngineError> {
        let path = path_of(target).ok_or(PlanError::NoTool { engine: target.engine })?;
        expect_no_link(path, environment.project())?;
        if matches!(path.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound) {
            return Ok(Found::NothingToLose(ABSENT));
        }
        let listing = Listing::of(path, &Unwatched)?;
        Ok(Found::Database(Box::new(Open {
            path: path.to_owned(),
            name: path.to_string_lossy().into_owned(),
            listing,
        })))
    }

    fn contents(&self, manifest: &Manifest) -> Option<String> {
        let State { files, .. } = State::of(manifest)?;
        Some(format!("{files} file{}", if files == 1 { "" } else { "s" }))
    }

    fn verify(
        &self,
        restoration: &Restoration<'_>,
        level: VerificationLevel,
        watch: &dyn Watch,
    ) -> Result<(), EngineError> {
        let entries = verified(restoration, watch)?;
        if level == VerificationLevel::Restore {
            let folder = restoration.stored.dump.parent().unwrap_or(Path::new("."));
            crate::snapshot::folder::restore::rehearse(&restoration.stored.dump, folder, &entries, watch)?;
        }
        Ok(())
    }

    fn plan_restore<'r>(
        &self,
        restoration: &Restoration<'r>,
        watch: &dyn Watch,
    ) -> Result<RestorePlan<'r>, EngineError> {
        let (dump, manifest) = (&restoration.stored.dump, &restoration.stored.manifest);
        let folder = Path::new(&manifest.database);
        // What was judged is the target: the manifest may not lead anywhere else.
        if path_of(restoration.target) != Some(folder) {
            let (snapshot, target) = (manifest.database.clone(), manifest.target.clone());
            return Err(FolderError::OtherFolder { snapshot, target }.into());
        }
        expect_no_link(folder, restoration.environment.project())?;
        let entries = verified(restoration, watch)?;
        Ok(RestorePlan::new(false, Vec::new(), move |_, watch| {
            let notes = restore(dump, manifest, &entries, folder, watch)?;
            Ok(Restored { notes, ..Restored::default() })
        }))
    }
}

fn path_of(target: &Target) -> Option<&Path> {
    match target.places.first() {
        Some(Place::File { path }) => Some(path),
        _ => None,
    }
}

/// Refuses a folder that a link in the project leads to: it may be anywhere.
fn expect_no_link(folder: &Path, project: &Path) -> Result<(), FolderError> {
    let within = |at: &&Path| at.starts_with(project) && *at != project;
    for at in folder.ancestors().take_while(within) {
        if at.is_symlink() {
            return Err(FolderError::NotSavable { path: at.to_owned(), what: "a symbolic link" });
        }
    }
    Ok(())
}

/// Reads a snapshot back whole: what it holds.
fn verified(restoration: &Restoration<'_>, watch: &dyn Watch) -> Result<Vec<Entry>, FolderError> {
    let (dump, manifest) = (&restoration.stored.dump, &restoration.stored.manifest);
    // By its hash first: no byte of another archive is understood.
    crate::snapshot::dump_reading::DumpFile { path: dump, sha256: &manifest.sha256 }.expect_file(watch)?;
    let (entries, found) = archive::read(dump, watch)?;
    DumpError::expect_hash(dump, &manifest.sha256, &found)?;
    Ok(entries)
}

/// A folder that is there.
struct Open {
    path: PathBuf,
    name: String,
    listing: Listing,
}

impl OpenDatabase for Open {
    fn name(&self) -> &str {
        &self.name
    }

    fn short_name(&self) -> String {
        self.path.file_name().map_or_else(|| self.name.clone(), |name| name.to_string_lossy().into_owned())
    }

    fn describe(&self) -> Description {
        Description {
            found: format!("{} files; saved with the {LABEL}", self.listing.files()),
            server: None,
            tool: (PathBuf::from("safe-test"), "tar".to_owned()),
        }
    }

    fn obstacles(&mut self) -> Result<Vec<Obstacle>, EngineError> {
        let names: Vec<String> =
            self.listing.left_out.iter().take(3).map(|path| format!("`{}`", shown(path))).collect();
        let obstacle = (!names.is_empty()).then(|| Obstacle {
            effect: Effect::LeftOut,
            what: format!("sockets, pipes and devices: {}", and_more(&names, self.listing.left_out.len())),
            remedy: "whoever made them makes them anew".to_owned(),
        });
        Ok(obstacle.into_iter().collect())
    }

    fn identity(&self) -> Option<Identity> {
        let found = self.path.symlink_metadata().ok()?;
        Some(Identity { database: format!("folder {}:{}", found.dev(), found.ino()), undone_by: self.name.clone() })
    }

    fn is_unchanged_since(&mut self, earlier: &Manifest) -> Result<bool, EngineError> {
        Ok(State::of(earlier).is_some_and(|state| state.settled && state.listing == self.listing.hash()))
    }

    fn plan(mut self: Box<Self>, output: &Path) -> Result<SnapshotPlan, EngineError> {
        // By where both truly are: a restore would take the snapshots away with the folder.
        let store = output.parent().unwrap_or(output);
        // Where there is no store yet, nothing is written either.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if real(store).starts_with(real(&self.path)) || store.starts_with(&self.path) {
            return Err(FolderError::NotSavable { path: store.to_owned(), what: "where the snapshots are" }.into());
        }
        let obstacles = self.obstacles()?;
        let command = DumpCommand {
            label: LABEL,
            program: PathBuf::from("safe-test"),
            inside: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            output: output.to_owned(),
        };
        Ok(SnapshotPlan::new(command, move |command, _, watch| Ok(self.take(&command.output, obstacles, watch)?)))
    }
}

impl Open {
    /// Writes the archive, reads it back, and compares what is in it with the listing.
    fn take(&self, output: &Path, obstacles: Vec<Obstacle>, watch: &dyn Watch) -> Result<Taken, FolderError> {
        let file = open_private(output).map_err(FolderError::file("write", output))?;
        // The file system's own clock.
        let now = file.metadata().map_err(FolderError::file("look at", output))?;
        // Anew: between the look and this somebody may have written.
        let listing = Listing::of(&self.path, watch)?;
        let is_settled = listing.is_settled((now.ctime(), now.ctime_nsec()));
        let (size, sha256) = archive::write(&self.path, &listing, &file, output, watch)?;
        let (entries, found) = archive::read(output, watch)?;
        DumpError::expect_hash(output, &sha256, &found)?;
        let differs = entries.len() != listing.entries.len()
            || entries.iter().zip(&listing.entries).any(|(found, expected)| !found.is_like(expected));
        if differs {
            let differences = format!("{} things in place of {}", entries.len(), listing.entries.len());
            return Err(DumpError::NotWhole { what: shown(output).into_owned(), differences }.into());
        }
        let state = State { files: listing.files(), listing: listing.hash(), settled: is_settled };
        Ok(Taken {
            size,
            sha256,
            verified: VerificationLevel::Read,
            compression: Some("zstd".to_owned()),
            tool: Tool {
                program: "safe-test".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                arguments: Vec::new(),
            },
            server: None,
            tables: Vec::new(),
            state: serde_json::to_value(state).ok(),
            obstacles,
            whereabouts: None,
            notes: vec![
                "Files that were written meanwhile may be in it in part; times are kept to the second.".to_owned(),
            ],
            by_hand: vec!["mkdir restored && zstd -dc FILE | tar -xp -C restored".to_owned()],
            copy: None,
        })
    }
}
