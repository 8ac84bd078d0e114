//! The pre-push hook: how it gets into a repository, and out of it again.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::audit;
use crate::commands::context::Context;
use crate::commands::hooks::adapter::{Adapter, Asked, Standing, Way};
use crate::commands::hooks::plan::{Done, Plan, Step};
use crate::error::{Explain, Failure};
use crate::exit::Exit;
use crate::own_tools::Git;
use crate::regular;
use crate::secret::ForeignText;
use crate::text::{lossless, shown};

const PRE_PUSH: &str = include_str!("../../../hooks/pre-push");

/// The beginning of the hook's second line, in every version of it.
const MARK: &str = "# safe-test's pre-push hook";

const SETTING: &str = "safe-test.command";

/// Why a hook was not installed or removed.
#[derive(Debug, thiserror::Error)]
enum GitError {
    #[error("git was not found on PATH")]
    NoGit,
    #[error("{} is in no git repository: {said}", shown(folder))]
    NoRepository { folder: PathBuf, said: String },
    #[error(
        "the hooks of this repository are in {}, outside of it: other repositories may use them too",
        shown(folder)
    )]
    Shared { folder: PathBuf, way: Way },
    #[error("{} is not safe-test's", shown(path))]
    Foreign { path: PathBuf, way: Way },
    #[error("cannot read {}", shown(path))]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("cannot run git")]
    Git(#[source] io::Error),
    #[error("git did not take the setting {SETTING}: {said}")]
    Setting { said: String },
}

impl Explain for GitError {
    fn hint(&self) -> Option<String> {
        match self {
            GitError::NoGit => Some("is it installed, and its folder on PATH?".to_owned()),
            GitError::NoRepository { .. } => Some("`git init` makes one; `-C DIR` looks in another folder".to_owned()),
            GitError::Shared { way: Way::Remove, .. } => {
                Some("if that is meant, remove the hook there by hand".to_owned())
            }
            GitError::Shared { .. } => {
                Some("if that is meant, put what `safe-test hooks show` prints there by hand".to_owned())
            }
            GitError::Foreign { way: Way::Remove, .. } => {
                Some("if it calls safe-test, take that out of it by hand".to_owned())
            }
            GitError::Foreign { .. } => {
                Some("`safe-test hooks show` prints ours, to be joined with it by hand".to_owned())
            }
            GitError::File { .. } => Some("check the owner and the permissions of the file and its folder".to_owned()),
            GitError::Git(_) => Some("does `git --version` work here?".to_owned()),
            GitError::Setting { .. } => Some(format!("set it by hand: {}", how_to_set())),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            GitError::NoGit
            | GitError::NoRepository { .. }
            | GitError::Shared { .. }
            | GitError::Foreign { .. }
            | GitError::File { .. }
            | GitError::Git(_)
            | GitError::Setting { .. } => Exit::Failed,
        }
    }
}

/// The pre-push hook of the repository that the project is in.
pub(super) struct GitHook;

impl Adapter for GitHook {
    fn name(&self) -> &'static str {
        "git"
    }

    fn has_user_settings(&self) -> bool {
        false
    }

    fn is_in_use(&self, asked: &Asked<'_>) -> bool {
        !asked.user && Repository::find(asked.context).is_ok_and(|git| git.is_there())
    }

    fn plan(&self, asked: &Asked<'_>, way: Way) -> Result<Plan, Failure> {
        let git = Repository::find(asked.context)?;
        match way {
            Way::Install => install(asked, &git),
            Way::Remove => remove(&git),
        }
    }

    fn standing(&self, asked: &Asked<'_>) -> Result<Standing, Failure> {
        let git = Repository::find(asked.context)?;
        let path = git.hooks_folder(Way::Remove)?.join("pre-push");
        let Present::Ours(text) = present(&path)? else { return Ok(Standing::absent()) };
        let command = git.setting()?;
        let problem = match command {
            None => Some(format!("every push is refused until it knows your tests: {}", how_to_set())),
            Some(_) => (text != PRE_PUSH).then(|| "it is of another version: `safe-test hooks install`".to_owned()),
        };
        let command = command.as_deref().map(audit::redact_line);
        Ok(Standing { installed: true, paths: vec![path], command, problem })
    }

    fn text(&self) -> String {
        PRE_PUSH.to_owned()
    }
}

fn install(asked: &Asked<'_>, git: &Repository<'_>) -> Result<Plan, Failure> {
    let path = git.hooks_folder(Way::Install)?.join("pre-push");
    let (done, before) = match present(&path)? {
        Present::Ours(text) if text == PRE_PUSH => (Done::Unchanged, None),
        Present::Ours(text) => (Done::Updated, Some(text.into_bytes())),
        Present::Nothing => (Done::Installed, None),
        Present::Foreign => return Err(GitError::Foreign { path, way: Way::Install }.into()),
    };
    let step = Step::File { path: path.clone(), before, after: Some(PRE_PUSH.into()), executable: true };
    let steps = if done == Done::Unchanged { Vec::new() } else { vec![step] };
    let command = match git.setting()? {
        None => ask_for_command(asked, git)?,
        known => known,
    };
    let unknown = || format!("every push is refused until the hook knows your tests: {}", how_to_set());
    let notes = if command.is_none() { vec![unknown()] } else { Vec::new() };
    let command = command.as_deref().map(audit::redact_line);
    Ok(Plan { done, path, steps, command, notes })
}

fn remove(git: &Repository<'_>) -> Result<Plan, Failure> {
    let path = git.hooks_folder(Way::Remove)?.join("pre-push");
    let plan = |done, steps| Plan { done, path: path.clone(), steps, command: None, notes: Vec::new() };
    match present(&path)? {
        Present::Nothing => Ok(plan(Done::Absent, Vec::new())),
        Present::Foreign => Err(GitError::Foreign { path, way: Way::Remove }.into()),
        Present::Ours(text) => {
            let before = Some(text.into_bytes());
            let step = Step::File { path: path.clone(), before, after: None, executable: true };
            Ok(plan(Done::Removed, vec![step]))
        }
    }
}

fn how_to_set() -> String {
    format!("git config {SETTING} 'npm test'")
}

/// Asks a person at the terminal how the project is tested, and keeps the answer as git's setting.
fn ask_for_command(asked: &Asked<'_>, git: &Repository<'_>) -> Result<Option<String>, Failure> {
    let context = asked.context;
    if asked.dry_run || !context.caller.can_be_asked() || context.ui.json {
        return Ok(None);
    }
    let answer = context.ui.ask("The command that runs this project's tests, a line for sh", asked.interrupt);
    let Some(command) = answer.map(|answer| answer.trim().to_owned()).filter(|answer| !answer.is_empty()) else {
        return Ok(None);
    };
    let (succeeded, _, said) = git.ask(&["config", SETTING, &command])?;
    if succeeded { Ok(Some(command)) } else { Err(GitError::Setting { said }.into()) }
}

/// What stands in a hook's place.
enum Present {
    Nothing,
    Ours(String),
    Foreign,
}

fn present(path: &Path) -> Result<Present, GitError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Present::Nothing),
        Err(cause) => Err(GitError::File { path: path.to_owned(), cause }),
        Ok(found) if !found.is_file() => Ok(Present::Foreign),
        Ok(_) => {
            let bytes = regular::read_own(path, regular::SMALL)
                .map_err(|cause| GitError::File { path: path.to_owned(), cause })?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let is_ours = text.lines().nth(1).is_some_and(|second| second.starts_with(MARK));
            Ok(if is_ours { Present::Ours(text) } else { Present::Foreign })
        }
    }
}

/// The repository as git knows it.
struct Repository<'a> {
    git: Git,
    context: &'a Context,
}

impl<'a> Repository<'a> {
    fn find(context: &'a Context) -> Result<Self, GitError> {
        let git = Git::find(&context.tools, &context.project.folder).ok_or(GitError::NoGit)?;
        Ok(Repository { git, context })
    }

    fn is_there(&self) -> bool {
        self.ask(&["rev-parse", "--git-dir"]).is_ok_and(|(succeeded, _, _)| succeeded)
    }

    /// Tells whether git succeeded, what it answered, and what it complained of.
    fn ask(&self, arguments: &[&str]) -> Result<(bool, Vec<u8>, String), GitError> {
        Ok(taken_apart(self.git.ask(arguments).map_err(GitError::Git)?))
    }

    /// A path that git answered with; those that it gives relative are relative to the folder that it was asked in.
    fn path(&self, answer: io::Result<Output>) -> Result<Result<PathBuf, String>, GitError> {
        let (succeeded, mut answer, said) = taken_apart(answer.map_err(GitError::Git)?);
        if answer.ends_with(b"\n") {
            answer.pop();
        }
        let path = self.context.project.folder.join(OsString::from_vec(answer));
        Ok(if succeeded { Ok(path) } else { Err(said) })
    }

    /// Returns the folder of this repository's hooks, wherever `core.hooksPath` puts it, unless other repositories
    /// share it.
    fn hooks_folder(&self, way: Way) -> Result<PathBuf, GitError> {
        let no_repository = |said| GitError::NoRepository { folder: self.context.project.folder.clone(), said };
        let folder = self.path(self.git.hooks_folder())?.map_err(no_repository)?;
        let own = self.path(self.git.ask(&["rev-parse", "--git-common-dir"]))?.map_err(no_repository)?;
        // A bare repository has no work tree.
        let tree = self.path(self.git.ask(&["rev-parse", "--show-toplevel"]))?.ok();
        let is_inside = |outer: &PathBuf| resolved(&folder).starts_with(resolved(outer));
        if is_inside(&own) || tree.as_ref().is_some_and(is_inside) {
            return Ok(folder);
        }
        Err(GitError::Shared { folder, way })
    }

    fn setting(&self) -> Result<Option<String>, GitError> {
        let (succeeded, answer, _) = self.ask(&["config", "--get", SETTING])?;
        let text = String::from_utf8_lossy(&answer).trim().to_owned();
        Ok(Some(text).filter(|text| succeeded && !text.is_empty()))
    }
}

fn taken_apart(output: Output) -> (bool, Vec<u8>, String) {
    let said = ForeignText::of(lossless(&output.stderr).lines().next().unwrap_or("no reason was given")).to_string();
    (output.status.success(), output.stdout, said)
}

/// Returns the path without links, as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    match there {
        Some((above, real)) => real.join(path.strip_prefix(above).unwrap_or(Path::new(""))),
        None => path.to_owned(),
    }
}
