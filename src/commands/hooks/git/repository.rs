//! The repository that the project is in, as git knows it.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::Output;

use crate::commands::context::Context;
use crate::commands::hooks::adapter::Way;
use crate::commands::hooks::git::error::{GitError, SETTING};
use crate::commands::hooks::plan::resolved;
use crate::own_tools::Git;
use crate::secret::ForeignText;
use crate::text::lossless;

/// The first version of git whose settings can hold hooks.
///
/// Source: git's release notes, 2.54.0, and "git-hook", "CONFIGURATION".
const HOOKS_IN_SETTINGS: [u32; 2] = [2, 54];

/// git, asked about one repository.
pub(super) struct Repository<'a> {
    git: Git,
    context: &'a Context,
}

impl<'a> Repository<'a> {
    /// Finds git. Whether there is a repository is found out by the first question about it.
    ///
    /// # Errors
    ///
    /// [`GitError::NoGit`].
    pub(super) fn find(context: &'a Context) -> Result<Self, GitError> {
        let git = Git::find(&context.tools, &context.project.folder).ok_or(GitError::NoGit)?;
        Ok(Repository { git, context })
    }

    /// Tells whether there is a repository.
    pub(super) fn is_there(&self) -> bool {
        self.own_folder().is_ok()
    }

    /// Tells whether hooks can stand in git's settings. A version that cannot be read counts as an old one.
    ///
    /// # Errors
    ///
    /// [`GitError::Git`].
    pub(super) fn has_hooks_in_settings(&self) -> Result<bool, GitError> {
        let (_, answer, _) = self.ask(&["--version"])?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let version = text.split_whitespace().nth(2).unwrap_or_default();
        let numbers: Vec<u32> = version.split('.').map_while(|number| number.parse().ok()).collect();
        Ok(numbers.get(..2).is_some_and(|numbers| numbers >= &HOOKS_IN_SETTINGS[..]))
    }

    /// Asks git; tells whether it succeeded, what it answered, and what it complained of.
    ///
    /// # Errors
    ///
    /// [`GitError::Git`].
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<(bool, Vec<u8>, String), GitError> {
        Ok(taken_apart(self.git.ask(arguments).map_err(GitError::Git)?))
    }

    /// Finds the folder that all work trees of this repository share.
    ///
    /// # Errors
    ///
    /// [`GitError::NoRepository`], [`GitError::Git`].
    pub(super) fn own_folder(&self) -> Result<PathBuf, GitError> {
        self.path(self.git.ask(&["rev-parse", "--git-common-dir"]))?.map_err(|said| self.no_repository(said))
    }

    /// Finds the top folder of the work tree; a bare repository has none.
    ///
    /// # Errors
    ///
    /// [`GitError::Git`].
    pub(super) fn tree(&self) -> Result<Option<PathBuf>, GitError> {
        Ok(self.path(self.git.ask(&["rev-parse", "--show-toplevel"]))?.ok())
    }

    /// Finds the folder of this repository's hooks, wherever `core.hooksPath` puts it.
    ///
    /// # Errors
    ///
    /// [`GitError::Shared`] for one that other repositories may use too, [`GitError::NoRepository`], [`GitError::Git`].
    pub(super) fn hooks_folder(&self, way: Way) -> Result<PathBuf, GitError> {
        let folder = self.path(self.git.hooks_folder())?.map_err(|said| self.no_repository(said))?;
        let (own, tree) = (self.own_folder()?, self.tree()?);
        let is_inside = |outer: &PathBuf| resolved(&folder).starts_with(resolved(outer));
        if is_inside(&own) || tree.as_ref().is_some_and(is_inside) {
            return Ok(folder);
        }
        Err(GitError::Shared { folder, way })
    }

    /// Looks up the command that runs the project's tests.
    ///
    /// # Errors
    ///
    /// [`GitError::Git`].
    pub(super) fn command(&self) -> Result<Option<String>, GitError> {
        Ok(self.settings(SETTING)?.pop())
    }

    /// Keeps the command that runs the project's tests.
    ///
    /// # Errors
    ///
    /// [`GitError::Setting`], [`GitError::Git`].
    pub(super) fn keep_command(&self, command: &str) -> Result<(), GitError> {
        let (succeeded, _, said) = self.ask(&["config", SETTING, command])?;
        if succeeded { Ok(()) } else { Err(GitError::Setting { said }) }
    }

    /// Lists the values of a setting that are not empty, those that count more behind those that count less.
    ///
    /// # Errors
    ///
    /// [`GitError::Git`].
    pub(super) fn settings(&self, name: &str) -> Result<Vec<String>, GitError> {
        let (succeeded, answer, _) = self.ask(&["config", "--null", "--get-all", name])?;
        let values = answer.split(|byte| *byte == 0).map(|value| String::from_utf8_lossy(value).trim().to_owned());
        Ok(if succeeded { values.filter(|value| !value.is_empty()).collect() } else { Vec::new() })
    }

    /// Tells whether the hook in that section of the settings is not run.
    ///
    /// # Errors
    ///
    /// [`GitError::Git`].
    pub(super) fn is_switched_off(&self, section: &str) -> Result<bool, GitError> {
        let (_, answer, _) = self.ask(&["config", "--type=bool", "--get", &format!("{section}.enabled")])?;
        Ok(answer.trim_ascii() == b"false")
    }

    /// Reads a path that git answered with; a relative one is relative to the folder that it was asked in.
    fn path(&self, answer: io::Result<Output>) -> Result<Result<PathBuf, String>, GitError> {
        let (succeeded, mut answer, said) = taken_apart(answer.map_err(GitError::Git)?);
        if answer.ends_with(b"\n") {
            answer.pop();
        }
        let path = self.context.project.folder.join(OsString::from_vec(answer));
        Ok(if succeeded { Ok(path) } else { Err(said) })
    }

    fn no_repository(&self, said: String) -> GitError {
        GitError::NoRepository { folder: self.context.project.folder.clone(), said }
    }
}

fn taken_apart(output: Output) -> (bool, Vec<u8>, String) {
    let said = ForeignText::of(lossless(&output.stderr).lines().next().unwrap_or("no reason was given")).to_string();
    (output.status.success(), output.stdout, said)
}
