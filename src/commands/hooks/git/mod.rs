//! The hook that git runs before each push: how it gets into a repository, and out of it again.
//!
//! A git that keeps hooks in its settings gets it there, and nothing else is touched. For another one it becomes the file that
//! git looks for; a hook that is there is kept beside it, and run by it. Where a program keeps the hooks and writes that file
//! anew, the hook belongs into that program's own settings.

mod error;
mod managers;
mod repository;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::audit;
use crate::commands::hooks::adapter::{Adapter, Asked, Standing, Way};
use crate::commands::hooks::git::error::{GitError, how_to_set};
use crate::commands::hooks::git::managers::{Manager, names_us, with_block, without_block};
use crate::commands::hooks::git::repository::Repository;
use crate::commands::hooks::plan;
use crate::commands::hooks::plan::{Done, Plan, Step};
use crate::error::Failure;
use crate::regular;

const PRE_PUSH: &str = include_str!("../../../../hooks/pre-push");

/// The beginning of the hook's second line, in every version of it.
const MARK: &str = "# safe-test's pre-push hook";

/// The name that a hook which was there before gets; the hook itself knows it.
const BEFORE: &str = "pre-push.before-safe-test";

/// Where the hook may be in the folder of hooks, and whether it is run there: pre-commit and prek move a hook that they find
/// to a name by which they call it, lefthook to one by which nobody does.
///
/// Source: pre-commit `commands/install_uninstall.py`; lefthook `internal/command/install.go`.
const NAMES: [(&str, bool); 3] = [("pre-push", true), ("pre-push.legacy", true), ("pre-push.old", false)];

/// The section of git's settings that is ours, and where its script lies in git's own folder. The script's place is found when
/// it is run, so that a repository can be moved.
const SECTION: &str = "hook.safe-test";
const SCRIPT: &str = "safe-test/pre-push";
const CALL: &str = r#""$(git rev-parse --git-common-dir)/safe-test/pre-push""#;

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
        let found = Found::look(&git)?;
        match way {
            Way::Install => install(asked, &git, &found),
            Way::Remove => remove(&git, &found),
        }
    }

    fn standing(&self, asked: &Asked<'_>) -> Result<Standing, Failure> {
        let git = Repository::find(asked.context)?;
        standing(&git, &Found::look(&git)?)
    }

    fn text(&self) -> String {
        PRE_PUSH.to_owned()
    }
}

/// Where the hook is.
enum Found {
    Nowhere,
    /// In git's settings, with the script there.
    Settings {
        script: PathBuf,
    },
    /// A file in the folder of hooks, which is run there or not.
    File {
        path: PathBuf,
        is_run: bool,
    },
    /// In the settings of a program that keeps the hooks.
    Managed {
        manager: Manager,
        path: PathBuf,
    },
}

impl Found {
    fn look(git: &Repository<'_>) -> Result<Self, GitError> {
        let script = git.own_folder()?.join(SCRIPT);
        if script.exists() || !git.settings(&format!("{SECTION}.command"))?.is_empty() {
            return Ok(Found::Settings { script });
        }
        let folder = match git.hooks_folder(Way::Remove) {
            // It is somebody else's, so ours is not looked for in it.
            Err(GitError::Shared { .. }) => return Ok(Found::Nowhere),
            folder => folder?,
        };
        for (name, is_run) in NAMES {
            let path = folder.join(name);
            if text(&path)?.is_some_and(|text| is_ours(&text)) {
                return Ok(Found::File { path, is_run });
            }
        }
        let Some((manager, path)) = managed(git, &folder)? else { return Ok(Found::Nowhere) };
        let is_there = text(&path)?.is_some_and(|text| names_us(&text));
        Ok(if is_there { Found::Managed { manager, path } } else { Found::Nowhere })
    }

    /// Gives the file that matters most.
    fn path(&self) -> Option<&Path> {
        match self {
            Found::Nowhere => None,
            Found::Settings { script: path } | Found::File { path, .. } | Found::Managed { path, .. } => Some(path),
        }
    }
}

/// Finds the program that keeps the hooks in `folder`, and the file that it reads them from.
fn managed(git: &Repository<'_>, folder: &Path) -> Result<Option<(Manager, PathBuf)>, GitError> {
    let Some(tree) = git.tree()? else { return Ok(None) };
    let manager = Manager::of(folder, text(&folder.join("pre-push"))?.as_deref());
    Ok(manager.map(|manager| (manager, manager.file(folder, &tree))))
}

fn install(asked: &Asked<'_>, git: &Repository<'_>, found: &Found) -> Result<Plan, Failure> {
    let command = match git.command()? {
        None => ask_for_command(asked, git)?,
        known => known,
    };
    let told = command.as_deref().map(audit::redact_line);
    let can_be_in_settings = git.has_hooks_in_settings()?;
    let mut plan = match found {
        Found::Settings { .. } | Found::Nowhere | Found::File { is_run: false, .. } if can_be_in_settings => {
            in_settings(git)?
        }
        Found::File { path, is_run: true } => in_file(path)?,
        Found::Managed { manager, path } => in_manager(*manager, path, command.as_deref())?,
        Found::Settings { .. } | Found::Nowhere | Found::File { is_run: false, .. } => {
            let folder = git.hooks_folder(Way::Install)?;
            match managed(git, &folder)? {
                Some((manager, path)) => in_manager(manager, &path, command.as_deref())?,
                None => in_file(&folder.join("pre-push"))?,
            }
        }
    };
    // What another git put there would run as well, once that one is back.
    if !can_be_in_settings && matches!(found, Found::Settings { .. }) && plan.done != Done::ByHand {
        plan.steps.splice(0..0, remove(git, found)?.steps);
    }
    if command.is_none() && !matches!(found, Found::Managed { .. }) && plan.done != Done::ByHand {
        plan.notes.push(format!("every push is refused until the hook knows your tests: {}", how_to_set()));
    }
    plan.command = told;
    Ok(plan)
}

/// Plans a hook in git's settings.
fn in_settings(git: &Repository<'_>) -> Result<Plan, Failure> {
    let script = git.own_folder()?.join(SCRIPT);
    let before = content(&script)?;
    let mut steps = Vec::new();
    if before.as_deref() != Some(PRE_PUSH.as_bytes()) || !plan::is_program(&script) {
        steps.push(Step::File {
            path: script.clone(),
            before: before.clone(),
            after: Some(PRE_PUSH.into()),
            executable: true,
        });
    }
    for (key, value) in [("command", CALL), ("event", "pre-push")] {
        let name = format!("{SECTION}.{key}");
        if git.settings(&name)?.last().is_none_or(|set| set != value) {
            steps.push(Step::Git { words: vec!["config".to_owned(), name, value.to_owned()] });
        }
    }
    let done = match (steps.is_empty(), &before) {
        (true, _) => Done::Unchanged,
        (false, Some(_)) => Done::Updated,
        (false, None) => Done::Installed,
    };
    Ok(Plan { done, path: script, steps, command: None, notes: Vec::new() })
}

/// Plans the file that git looks for. What is there of somebody else's becomes the hook that is run before it.
fn in_file(path: &Path) -> Result<Plan, Failure> {
    let found = fs::symlink_metadata(path).ok();
    let before = match &found {
        Some(found) if found.is_file() => content(path)?,
        Some(found) if found.is_dir() => return Err(GitError::NoFile { path: path.to_owned() }.into()),
        _ => None,
    };
    let is_there = before.as_ref().is_some_and(|before| is_ours(&String::from_utf8_lossy(before)));
    let done = match &before {
        Some(before) if before == PRE_PUSH.as_bytes() && plan::is_program(path) => Done::Unchanged,
        _ if is_there => Done::Updated,
        _ => Done::Installed,
    };
    let mut plan = Plan { done, path: path.to_owned(), steps: Vec::new(), command: None, notes: Vec::new() };
    if done == Done::Unchanged {
        return Ok(plan);
    }
    let is_foreign = found.is_some() && !is_there;
    if is_foreign {
        let aside = path.with_file_name(BEFORE);
        if fs::symlink_metadata(&aside).is_ok() {
            return Err(GitError::InTheWay { path: aside }.into());
        }
        plan.steps.push(Step::Move { from: path.to_owned(), to: aside });
        plan.notes.push(format!("the hook that was there is run first; it is now {BEFORE}, beside this one"));
    }
    let before = before.filter(|_| !is_foreign);
    plan.steps.push(Step::File { path: path.to_owned(), before, after: Some(PRE_PUSH.into()), executable: true });
    Ok(plan)
}

/// Plans the entry in the settings of a program that keeps the hooks: husky's is a script, which gets some lines; the others'
/// settings have a structure of their own, which a person knows.
fn in_manager(manager: Manager, path: &Path, command: Option<&str>) -> Result<Plan, Failure> {
    let before = content(path)?;
    let text = before.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let plan = |done, steps, notes| Plan { done, path: path.to_owned(), steps, command: None, notes };
    if let Some(snippet) = manager.snippet(command.unwrap_or("npm test")) {
        if names_us(&text) {
            return Ok(plan(Done::Unchanged, Vec::new(), Vec::new()));
        }
        let first = format!("{} keeps the hooks of this repository; put this there:", manager.name());
        let notes = std::iter::once(first).chain(snippet.lines().map(str::to_owned)).collect();
        return Ok(plan(Done::ByHand, Vec::new(), notes));
    }
    let has_block = without_block(&text) != text;
    // Lines that a person wrote are as good as ours.
    if names_us(&text) && !has_block {
        return Ok(plan(Done::Unchanged, Vec::new(), Vec::new()));
    }
    let Some(command) = command else { return Err(GitError::NoCommand { path: path.to_owned() }.into()) };
    let after = with_block(&text, command);
    if after == text {
        return Ok(plan(Done::Unchanged, Vec::new(), Vec::new()));
    }
    let after = Some(after.into_bytes());
    let step = Step::File { path: path.to_owned(), before: before.clone(), after, executable: false };
    Ok(plan(if has_block { Done::Updated } else { Done::Installed }, vec![step], Vec::new()))
}

fn remove(git: &Repository<'_>, found: &Found) -> Result<Plan, Failure> {
    let mut steps = Vec::new();
    let mut done = Done::Removed;
    match found {
        Found::Nowhere => done = Done::Absent,
        Found::Settings { script } => {
            if !git.settings(&format!("{SECTION}.command"))?.is_empty() {
                steps.push(Step::Git { words: ["config", "--remove-section", SECTION].map(str::to_owned).into() });
            }
            if let Some(before) = content(script)? {
                steps.push(Step::File { path: script.clone(), before: Some(before), after: None, executable: true });
                steps.push(Step::EmptyFolder { path: script.parent().unwrap_or(script).to_owned() });
            }
        }
        Found::File { path, .. } => {
            steps.push(Step::File { path: path.clone(), before: content(path)?, after: None, executable: true });
            let aside = path.with_file_name(BEFORE);
            if fs::symlink_metadata(&aside).is_ok() {
                steps.push(Step::Move { from: aside, to: path.clone() });
            }
        }
        Found::Managed { path, .. } => {
            let before = content(path)?;
            let text = before.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            let after = without_block(&text);
            if after == text {
                done = Done::ByHand;
            } else {
                let after = Some(after.into_bytes()).filter(|after| !after.is_empty());
                steps.push(Step::File { path: path.clone(), before, after, executable: false });
            }
        }
    }
    let path = found.path().map_or_else(|| git.own_folder(), |path| Ok(path.to_owned()))?;
    let notes = match (done, git.command()?) {
        (Done::ByHand, _) => vec!["somebody has written it there; take it out by hand".to_owned()],
        (Done::Removed, Some(_)) => vec![format!("the command stays: git config --unset {}", error::SETTING)],
        _ => Vec::new(),
    };
    Ok(Plan { done, path, steps, command: None, notes })
}

fn standing(git: &Repository<'_>, found: &Found) -> Result<Standing, Failure> {
    let Some(path) = found.path() else { return Ok(Standing::absent()) };
    let command = git.command()?;
    const AGAIN: &str = "`safe-test hooks install`";
    let is_current = || -> Result<bool, GitError> { Ok(content(path)?.as_deref() == Some(PRE_PUSH.as_bytes())) };
    let problem = match found {
        Found::File { is_run: false, .. } => {
            Some(format!("the program that keeps the hooks has put it aside, and does not run it; {AGAIN}"))
        }
        Found::File { .. } if !is_current()? => Some(format!("it is of another version; {AGAIN}")),
        Found::File { .. } if !plan::is_program(path) => {
            Some(format!("it cannot be executed, so git does not run it; {AGAIN}"))
        }
        Found::Settings { .. } if !git.has_hooks_in_settings()? => {
            Some(format!("this git does not run hooks from its settings; {AGAIN}"))
        }
        Found::Settings { .. } if in_settings(git)?.done != Done::Unchanged => {
            Some(format!("it is not whole; {AGAIN}"))
        }
        Found::Settings { .. } if git.is_switched_off(SECTION)? => {
            Some(format!("it is switched off; git config --unset {SECTION}.enabled"))
        }
        Found::Settings { .. } | Found::File { .. } if command.is_none() => {
            Some(format!("every push is refused until it knows your tests: {}", how_to_set()))
        }
        _ => None,
    };
    let command = command.filter(|_| !matches!(found, Found::Managed { .. }));
    let command = command.as_deref().map(audit::redact_line);
    Ok(Standing { installed: true, paths: vec![path.to_owned()], command, problem, ..Standing::absent() })
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
    git.keep_command(&command)?;
    Ok(Some(command))
}

fn is_ours(text: &str) -> bool {
    text.lines().nth(1).is_some_and(|second| second.starts_with(MARK))
}

fn content(path: &Path) -> Result<Option<Vec<u8>>, GitError> {
    plan::content(path).map_err(|cause| GitError::File { path: path.to_owned(), cause })
}

/// Reads the text of a file; `None` for what is not there, or no file.
fn text(path: &Path) -> Result<Option<String>, GitError> {
    match plan::content(path) {
        Ok(content) => Ok(content.map(|content| String::from_utf8_lossy(&content).into_owned())),
        Err(cause) if regular::NotRegular::of(&cause).is_some() || cause.kind() == io::ErrorKind::NotADirectory => {
            Ok(None)
        }
        Err(cause) => Err(GitError::File { path: path.to_owned(), cause }),
    }
}
