//! What a command knows of its surroundings, read once at the top: folders, environment, clock, terminal.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use chrono::{DateTime, Utc};

use crate::caller::Caller;
use crate::cli::{ColorChoice, CommandLine, Format, RestoreChoice};
use crate::commands::CommandError;
use crate::commands::disk::Disk;
use crate::environment::Project;
use crate::error::Failure;
use crate::own_tools::ToolEnvironment;
use crate::policy;
use crate::policy::RestoreWhen;
use crate::state_directory::state_directory;
use crate::ui::Ui;

/// The surroundings of one call.
pub(crate) struct Context {
    /// The folders that are judged.
    pub(crate) project: Project,
    /// The process environment, byte for byte.
    pub(crate) process: Vec<(OsString, OsString)>,
    /// What of it programs of ours are given.
    pub(crate) tools: ToolEnvironment,
    /// The part of it that is text, for deciding.
    pub(crate) process_text: Vec<(String, String)>,
    /// Who called.
    pub(crate) caller: Caller,
    /// When the call began.
    pub(crate) now: DateTime<Utc>,
    /// Where approvals and anchors of logs are kept.
    pub(crate) state_directory: PathBuf,
    /// The file system.
    pub(crate) disk: Rc<Disk>,
    /// Files that are judged besides those that would be found, absolute.
    pub(crate) env_files: Vec<PathBuf>,
    /// `--restore`, where it was given.
    pub(crate) restore: Option<RestoreWhen>,
    /// `--dry-run`.
    pub(crate) dry_run: bool,
    /// How to talk.
    pub(crate) ui: Ui,
}

impl Context {
    /// Reads the surroundings.
    #[expect(clippy::disallowed_methods, reason = "the one place where environment, folder and clock are read")]
    pub(crate) fn new(asked: &CommandLine) -> Result<Self, Failure> {
        let here = env::current_dir().map_err(|cause| CommandError::Folder { path: ".".into(), cause })?;
        let folder = match &asked.before.folder {
            None => here.clone(),
            Some(wanted) => {
                let path = here.join(wanted);
                path.canonicalize()
                    .and_then(|path| path.read_dir().map(|_| path))
                    .map_err(|cause| CommandError::Folder { path, cause })?
            }
        };
        let process: Vec<(OsString, OsString)> = env::vars_os().collect();
        let process_text: Vec<(String, String)> = process
            .iter()
            .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value.to_string_lossy().into_owned())))
            .collect();
        let home = set(&process, "HOME").map(PathBuf::from);
        let root = root_of(&folder);
        #[expect(clippy::disallowed_methods, reason = "nothing is printed")]
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let color = match asked.shared.color.unwrap_or_default() {
            ColorChoice::Auto => None,
            ColorChoice::Always => Some(true),
            ColorChoice::Never => Some(false),
        };
        let env_files: Vec<PathBuf> = asked.before.env_files.iter().map(|file| folder.join(file)).collect();
        let mut disk = Disk::default();
        for path in &env_files {
            disk.read_pipe(path).map_err(|cause| CommandError::Pipe { path: path.clone(), cause })?;
        }
        let caller = Caller::recognise(&process_text, terminal, &|path| Path::new(path).exists());
        let json = asked.shared.format.unwrap_or_default() == Format::Json;
        Ok(Context {
            tools: ToolEnvironment::new(&process, &root, &folder),
            project: Project { root, folder: folder.clone(), home: home.clone() },
            ui: Ui::new(asked.shared.quiet, asked.shared.verbose, json, color).for_person(caller.can_be_asked()),
            caller,
            state_directory: state_directory(|name| set(&process, name)),
            disk: Rc::new(disk),
            env_files,
            restore: asked.before.restore.map(|choice| match choice {
                RestoreChoice::Never => RestoreWhen::Never,
                RestoreChoice::Failure => RestoreWhen::Failure,
                RestoreChoice::Always => RestoreWhen::Always,
            }),
            dry_run: asked.before.dry_run,
            now: Utc::now(),
            process,
            process_text,
        })
    }

    /// Reads the clock, for what happens later in the call.
    #[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
    pub(crate) fn clock() -> DateTime<Utc> {
        Utc::now()
    }

    /// Looks up a variable of the process environment; one that is empty counts as not set.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        set(&self.process, name)
    }
}

fn set<'p>(process: &'p [(OsString, OsString)], name: &str) -> Option<&'p OsStr> {
    process.iter().find(|(set, value)| set == name && !value.is_empty()).map(|(_, value)| value.as_os_str())
}

/// Finds the nearest folder upwards with a policy, else the git top level, else the folder itself.
pub(crate) fn root_of(folder: &Path) -> PathBuf {
    let above = |mark: &str| folder.ancestors().find(|above| above.join(mark).exists());
    above(policy::FILE_NAME).or_else(|| above(".git")).unwrap_or(folder).to_owned()
}
