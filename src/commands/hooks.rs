//! `safe-test hooks`: brings the pre-push hook into a repository, and takes it out again.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde::Serialize;

use crate::audit;
use crate::cli::HooksAction;
use crate::commands::context::Context;
use crate::commands::{CommandError, Ending, report};
use crate::durable;
use crate::error::{Explain, Failure};
use crate::exec;
use crate::exec::{Inherited, Interrupt};
use crate::exit::Exit;
use crate::own_tools::Git;
use crate::regular;
use crate::secret::ForeignText;
use crate::text::{lossless, shown};

const PRE_PUSH: &str = include_str!("../../hooks/pre-push");

/// The beginning of the hook's second line, in every version of it.
const MARK: &str = "# safe-test's pre-push hook";

const SETTING: &str = "safe-test.command";

/// Why a hook was not installed or removed.
#[derive(Debug, thiserror::Error)]
enum HooksError {
    #[error("git was not found on PATH")]
    NoGit,
    #[error("{} is in no git repository: {said}", shown(folder))]
    NoRepository { folder: PathBuf, said: String },
    #[error(
        "the hooks of this repository are in {}, outside of it: other repositories may use them too",
        shown(folder)
    )]
    Shared { folder: PathBuf, action: HooksAction },
    #[error("{} is not safe-test's", shown(path))]
    Foreign { path: PathBuf, action: HooksAction },
    #[error("cannot change {}", shown(path))]
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

impl Explain for HooksError {
    fn hint(&self) -> Option<String> {
        match self {
            HooksError::NoGit => Some("is it installed, and its folder on PATH?".to_owned()),
            HooksError::NoRepository { .. } => {
                Some("`git init` makes one; `-C DIR` looks in another folder".to_owned())
            }
            HooksError::Shared { action: HooksAction::Uninstall, .. } => {
                Some("if that is meant, remove the hook there by hand".to_owned())
            }
            HooksError::Shared { .. } => {
                Some("if that is meant, put what `safe-test hooks show` prints there by hand".to_owned())
            }
            HooksError::Foreign { action: HooksAction::Uninstall, .. } => {
                Some("if it calls safe-test, take that out of it by hand".to_owned())
            }
            HooksError::Foreign { .. } => {
                Some("`safe-test hooks show` prints ours, to be joined with it by hand".to_owned())
            }
            HooksError::File { .. } => {
                Some("check the owner and the permissions of the file and its folder".to_owned())
            }
            HooksError::Git(_) => Some("does `git --version` work here?".to_owned()),
            HooksError::Setting { .. } => {
                Some(format!("the hook is installed; set it by hand: git config {SETTING} 'npm test'"))
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            HooksError::NoGit
            | HooksError::NoRepository { .. }
            | HooksError::Shared { .. }
            | HooksError::Foreign { .. }
            | HooksError::File { .. }
            | HooksError::Git(_)
            | HooksError::Setting { .. } => Exit::Failed,
        }
    }
}

pub(crate) fn hooks(context: &Context, action: HooksAction, inherited: &Inherited) -> Result<Ending, Failure> {
    match action {
        HooksAction::Show if context.ui.json => {
            let script = Script { schema: 1, hook: "pre-push", script: PRE_PUSH };
            context.ui.answer_json(&report::json(&script)?).map_err(CommandError::Output)?;
        }
        HooksAction::Show => context.ui.answer(PRE_PUSH.lines()).map_err(CommandError::Output)?,
        HooksAction::Install => return install(context, inherited),
        HooksAction::Uninstall => uninstall(context)?,
    }
    Ok(Ending::Own(Exit::Success))
}

fn install(context: &Context, inherited: &Inherited) -> Result<Ending, Failure> {
    let git = Repository::find(context)?;
    let action = HooksAction::Install;
    let path = git.hooks_folder(action)?.join("pre-push");
    let failed = |cause| HooksError::File { path: path.clone(), cause };
    let done = match present(&path)? {
        Present::Ours(text) if text == PRE_PUSH => "unchanged",
        Present::Foreign => return Err(HooksError::Foreign { path, action }.into()),
        found => {
            fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(failed)?;
            durable::write_executable(&path, PRE_PUSH.as_bytes()).map_err(failed)?;
            if matches!(found, Present::Ours(_)) { "updated" } else { "installed" }
        }
    };
    let interrupt = Interrupt::listen(inherited).map_err(exec::ExecError::Signals)?;
    let command = match git.setting()? {
        None => ask_for_command(context, &git, &interrupt)?,
        known => known,
    };
    answer(context, done, &path, command.as_deref())?;
    if command.is_none() && !context.ui.json {
        let how = format!("git config {SETTING} 'npm test'");
        context.ui.say(format!("safe-test: every push is refused until the hook knows your tests: {how}"));
    }
    Ok(interrupt.requested().map_or(Ending::Own(Exit::Success), Ending::Signal))
}

fn uninstall(context: &Context) -> Result<(), Failure> {
    let git = Repository::find(context)?;
    let action = HooksAction::Uninstall;
    let path = git.hooks_folder(action)?.join("pre-push");
    let done = match present(&path)? {
        Present::Nothing => "absent",
        Present::Foreign => return Err(HooksError::Foreign { path, action }.into()),
        Present::Ours(_) => {
            fs::remove_file(&path).map_err(|cause| HooksError::File { path: path.clone(), cause })?;
            "removed"
        }
    };
    answer(context, done, &path, git.setting()?.as_deref())
}

/// Asks a person at the terminal how the project is tested, and keeps the answer as git's setting.
fn ask_for_command(context: &Context, git: &Repository<'_>, interrupt: &Interrupt) -> Result<Option<String>, Failure> {
    if !context.caller.can_be_asked() || context.ui.json {
        return Ok(None);
    }
    let answer = context.ui.ask("The command that runs this project's tests, a line for sh", interrupt);
    let Some(command) = answer.map(|answer| answer.trim().to_owned()).filter(|answer| !answer.is_empty()) else {
        return Ok(None);
    };
    let (succeeded, _, said) = git.ask(&["config", SETTING, &command])?;
    if succeeded { Ok(Some(command)) } else { Err(HooksError::Setting { said }.into()) }
}

/// The hook itself, for programs.
#[derive(Serialize)]
struct Script {
    schema: u32,
    hook: &'static str,
    script: &'static str,
}

/// The answer for programs.
#[derive(Serialize)]
struct Told<'a> {
    schema: u32,
    hook: &'static str,
    done: &'a str,
    path: Cow<'a, str>,
    command: Option<String>,
}

fn answer(context: &Context, done: &str, path: &Path, command: Option<&str>) -> Result<(), Failure> {
    let command = command.map(audit::redact_line);
    let answered = if context.ui.json {
        context.ui.answer_json(&report::json(&Told { schema: 1, hook: "pre-push", done, path: shown(path), command })?)
    } else {
        let runs = command.map(|command| format!("; it runs `{command}`")).unwrap_or_default();
        let runs = if matches!(done, "removed" | "absent") { String::new() } else { runs };
        context.ui.answer([format!("pre-push hook {done}: {}{runs}", shown(path))])
    };
    Ok(answered.map_err(CommandError::Output)?)
}

/// What stands in a hook's place.
enum Present {
    Nothing,
    Ours(String),
    Foreign,
}

fn present(path: &Path) -> Result<Present, HooksError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Present::Nothing),
        Err(cause) => Err(HooksError::File { path: path.to_owned(), cause }),
        Ok(found) if !found.is_file() => Ok(Present::Foreign),
        Ok(_) => {
            let bytes = regular::read_own(path, regular::SMALL)
                .map_err(|cause| HooksError::File { path: path.to_owned(), cause })?;
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
    fn find(context: &'a Context) -> Result<Self, HooksError> {
        let git = Git::find(&context.tools, &context.project.folder).ok_or(HooksError::NoGit)?;
        Ok(Repository { git, context })
    }

    /// Tells whether git succeeded, what it answered, and what it complained of.
    fn ask(&self, arguments: &[&str]) -> Result<(bool, Vec<u8>, String), HooksError> {
        Ok(taken_apart(self.git.ask(arguments).map_err(HooksError::Git)?))
    }

    /// A path that git answered with; those that it gives relative are relative to the folder that it was asked in.
    fn path(&self, answer: io::Result<Output>) -> Result<Result<PathBuf, String>, HooksError> {
        let (succeeded, mut answer, said) = taken_apart(answer.map_err(HooksError::Git)?);
        if answer.ends_with(b"\n") {
            answer.pop();
        }
        let path = self.context.project.folder.join(OsString::from_vec(answer));
        Ok(if succeeded { Ok(path) } else { Err(said) })
    }

    /// Returns the folder of this repository's hooks, wherever `core.hooksPath` puts it, unless other repositories
    /// share it.
    fn hooks_folder(&self, action: HooksAction) -> Result<PathBuf, HooksError> {
        let no_repository = |said| HooksError::NoRepository { folder: self.context.project.folder.clone(), said };
        let folder = self.path(self.git.hooks_folder())?.map_err(no_repository)?;
        let own = self.path(self.git.ask(&["rev-parse", "--git-common-dir"]))?.map_err(no_repository)?;
        // A bare repository has no work tree.
        let tree = self.path(self.git.ask(&["rev-parse", "--show-toplevel"]))?.ok();
        let is_inside = |outer: &PathBuf| resolved(&folder).starts_with(resolved(outer));
        if is_inside(&own) || tree.as_ref().is_some_and(is_inside) {
            return Ok(folder);
        }
        Err(HooksError::Shared { folder, action })
    }

    fn setting(&self) -> Result<Option<String>, HooksError> {
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
