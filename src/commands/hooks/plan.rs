//! What would be changed, as a value: `--dry-run` prints what is otherwise done.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::commands::context::Context;
use crate::commands::hooks::diff::unified;
use crate::durable;
use crate::error::{Explain, Failure};
use crate::exit::Exit;
use crate::own_tools::Git;
use crate::regular;
use crate::secret::ForeignText;
use crate::text::{lossless, printable, shell_line, shown};

/// What comes of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Done {
    Installed,
    Updated,
    Unchanged,
    Removed,
    Absent,
    /// Only a person can do it.
    ByHand,
}

impl Done {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Done::Installed => ("installed", "would be installed"),
            Done::Updated => ("updated", "would be updated"),
            Done::Unchanged => ("unchanged", "would stay as it is"),
            Done::Removed => ("removed", "would be removed"),
            Done::Absent => ("was not installed", "is not installed"),
            Done::ByHand => ("is left to you", "would be left to you"),
        }
    }
}

/// What is to be changed for one that runs safe-test.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) done: Done,
    /// The file, or the settings, that matters most.
    pub(super) path: PathBuf,
    /// What is done, in order.
    pub(super) steps: Vec<Step>,
    /// What will run there, redacted.
    pub(super) command: Option<String>,
    /// What a person has to know or to do besides.
    pub(super) notes: Vec<String>,
}

/// One change.
#[derive(Debug)]
pub(super) enum Step {
    /// A file gets a content, or goes. One that is there keeps its permissions, but for what `executable` adds.
    File {
        path: PathBuf,
        before: Option<Vec<u8>>,
        after: Option<Vec<u8>>,
        /// It can be executed by those who can read it.
        executable: bool,
    },
    /// What is at one place goes to another one, where nothing is.
    Move { from: PathBuf, to: PathBuf },
    /// A folder of ours goes, unless there is something in it.
    EmptyFolder { path: PathBuf },
    /// git changes its settings.
    Git { words: Vec<String> },
}

/// What was done for one of them, for programs.
#[derive(Serialize)]
pub(super) struct Told<'a> {
    name: &'a str,
    done: Done,
    path: Cow<'a, str>,
    command: Option<&'a str>,
    changes: Vec<String>,
    notes: &'a [String],
}

/// Why a plan was not carried out.
#[derive(Debug, thiserror::Error)]
enum ChangeError {
    #[error("cannot change {}", shown(path))]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{} was changed meanwhile", shown(path))]
    Meanwhile { path: PathBuf },
    #[error("git did not change its settings: {said}")]
    Git { said: String },
}

impl Explain for ChangeError {
    fn hint(&self) -> Option<String> {
        match self {
            ChangeError::File { .. } => {
                Some("check the owner and the permissions of the file and its folder".to_owned())
            }
            ChangeError::Meanwhile { .. } => Some("try again".to_owned()),
            ChangeError::Git { .. } => Some("does `git config --list` work here?".to_owned()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            ChangeError::File { .. } | ChangeError::Meanwhile { .. } | ChangeError::Git { .. } => Exit::Failed,
        }
    }
}

impl Plan {
    /// Does it.
    ///
    /// # Errors
    ///
    /// Where a file cannot be changed, or is not what it was when this was planned, or git refuses; the steps before it were done.
    pub(super) fn carry_out(&self, context: &Context) -> Result<(), Failure> {
        self.steps.iter().try_for_each(|step| Ok(step.carry_out(context)?))
    }

    /// Lists it for a person; of a dry run also each change.
    pub(super) fn lines(&self, name: &str, dry_run: bool) -> Vec<String> {
        let (done, would) = self.done.words();
        let is_there = matches!(self.done, Done::Installed | Done::Updated | Done::Unchanged);
        let runs = self.command.as_ref().filter(|_| is_there).map(|command| format!("; it runs `{command}`"));
        let place = shown(&self.path);
        let first = format!("{name}: {}: {place}{}", if dry_run { would } else { done }, runs.unwrap_or_default());
        let changes = if dry_run { self.change_lines() } else { Vec::new() };
        std::iter::once(first).chain(changes).collect()
    }

    /// Lists each change for a person.
    pub(super) fn change_lines(&self) -> Vec<String> {
        self.changes().into_iter().map(|line| format!("  {line}")).collect()
    }

    /// Tells whether somebody has to do something before it is done.
    pub(super) fn is_left(&self) -> bool {
        self.done == Done::ByHand
    }

    /// Tells it to programs.
    pub(super) fn told<'a>(&'a self, name: &'a str) -> Told<'a> {
        Told {
            name,
            done: self.done,
            path: shown(&self.path),
            command: self.command.as_deref(),
            changes: self.changes(),
            notes: &self.notes,
        }
    }

    /// Lists the files whose content it changes.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.steps.iter().filter_map(|step| match step {
            Step::File { path, .. } => Some(path.as_path()),
            Step::Move { .. } | Step::EmptyFolder { .. } | Step::Git { .. } => None,
        })
    }

    fn changes(&self) -> Vec<String> {
        self.steps.iter().flat_map(Step::lines).collect()
    }
}

impl Step {
    fn carry_out(&self, context: &Context) -> Result<(), ChangeError> {
        match self {
            Step::File { path, before, after, executable } => {
                let failed = |cause| ChangeError::File { path: path.clone(), cause };
                if content(path).map_err(failed)? != *before {
                    return Err(ChangeError::Meanwhile { path: path.clone() });
                }
                match after {
                    Some(after) => {
                        fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
                        durable::write_public(path, after, *executable).map_err(failed)
                    }
                    None => fs::remove_file(path).map_err(failed),
                }
            }
            Step::Move { from, to } => {
                if fs::symlink_metadata(to).is_ok() {
                    return Err(ChangeError::Meanwhile { path: to.clone() });
                }
                durable::rename(from, to).map_err(|cause| ChangeError::File { path: from.clone(), cause })
            }
            Step::EmptyFolder { path } => {
                // Whatever else is in it is somebody's.
                let _ = fs::remove_dir(path);
                Ok(())
            }
            Step::Git { words } => {
                let git = Git::find(&context.tools, &context.project.folder);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                match git.map(|git| git.ask(&words)) {
                    Some(Ok(output)) if output.status.success() => Ok(()),
                    Some(Ok(output)) => {
                        let said = lossless(&output.stderr);
                        let said = ForeignText::of(said.lines().next().unwrap_or("no reason was given")).to_string();
                        Err(ChangeError::Git { said })
                    }
                    Some(Err(cause)) => Err(ChangeError::Git { said: cause.to_string() }),
                    None => Err(ChangeError::Git { said: "it was not found".to_owned() }),
                }
            }
        }
    }

    /// Shows the change, that of a file as a unified diff.
    fn lines(&self) -> Vec<String> {
        let (path, before, after) = match self {
            Step::File { path, before, after, .. } => (path, before, after),
            Step::Move { from, to } => return vec![format!("{} becomes {}", shown(from), shown(to))],
            Step::EmptyFolder { path } => return vec![format!("{} (removed)", shown(path))],
            Step::Git { words } => return vec![format!("git {}", shell_line(words))],
        };
        if before == after {
            return vec![format!("{} (can be executed again)", shown(path))];
        }
        // What stands around ours may hold passwords.
        let [before, after] = [before, after].map(|content| content.as_deref().map(lossless));
        let lines = unified(&shown(path), before.as_deref(), after.as_deref());
        lines.iter().map(|line| printable(&ForeignText::of(line))).collect()
    }
}

/// Returns the path without links, as far as it is there.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    match there {
        Some((above, real)) => real.join(path.strip_prefix(above).unwrap_or(Path::new(""))),
        None => path.to_owned(),
    }
}

/// Tells whether a file can be executed by somebody.
pub(super) fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

/// Reads a file; `None` where there is none.
///
/// # Errors
///
/// What the system says; a link is refused, since what it leads to may be anybody's.
pub(super) fn content(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match regular::read_own(path, regular::LARGE) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
