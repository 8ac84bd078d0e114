//! What git and each coding agent have to answer, so that safe-test can be brought to them.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

use crate::commands::context::Context;
use crate::commands::hooks::plan::Plan;
use crate::error::Failure;
use crate::exec::Interrupt;
use crate::text::shown;

/// Whether hooks are brought in or taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Install,
    Remove,
}

/// What was asked for, and where.
pub(super) struct Asked<'a> {
    pub(super) context: &'a Context,
    /// For questions to a person.
    pub(super) interrupt: &'a Interrupt,
    /// The settings of the user are meant, and not those of the project.
    pub(super) user: bool,
    /// Nothing is to be changed, so nobody is asked anything.
    pub(super) dry_run: bool,
    /// It is only looked at, wherever it is.
    pub(super) is_status: bool,
}

/// Something that runs safe-test once it has been told to: git, or a coding agent.
pub(super) trait Adapter: Sync {
    /// Gives the word for it on the command line.
    fn name(&self) -> &'static str;

    /// Tells whether it keeps settings of one user, for all projects (`--user`).
    fn has_user_settings(&self) -> bool;

    /// Tells whether it is in use here, so that `all` means it, too.
    fn is_in_use(&self, asked: &Asked<'_>) -> bool;

    /// Tells whether a person is shown each change also when it is made: in files that others write, too.
    fn shows_changes(&self) -> bool {
        false
    }

    /// Plans what has to be changed. Changes nothing.
    ///
    /// # Errors
    ///
    /// Where its settings cannot be read, or cannot be changed without harming what others have put there.
    fn plan(&self, asked: &Asked<'_>, way: Way) -> Result<Plan, Failure>;

    /// Finds whether safe-test is there, and whether it works. Changes nothing.
    ///
    /// # Errors
    ///
    /// Where its settings cannot be read.
    fn standing(&self, asked: &Asked<'_>) -> Result<Standing, Failure>;

    /// Gives the text that is put there, for those who keep their settings by other means.
    fn text(&self) -> String;
}

/// How safe-test stands with one of them.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    /// Whether it is there.
    pub(super) installed: bool,
    /// In which files, or in whose settings.
    #[serde(serialize_with = "as_texts")]
    pub(super) paths: Vec<PathBuf>,
    /// What runs there, redacted.
    pub(super) command: Option<String>,
    /// Whether it stops a command that reaches a database, where that was tried.
    pub(super) stops: Option<bool>,
    /// Why it does nothing, or not what it should, though it is there.
    pub(super) problem: Option<String>,
    /// What weakens it.
    pub(super) notes: Vec<String>,
}

impl Standing {
    /// Tells of one that is not there.
    pub(super) fn absent() -> Self {
        Standing { installed: false, paths: Vec::new(), command: None, stops: None, problem: None, notes: Vec::new() }
    }

    /// Tells whether it is there and does not work.
    pub(super) fn is_bad(&self) -> bool {
        self.problem.is_some()
    }

    /// Lists it for a person.
    pub(super) fn lines(&self, name: &str) -> Vec<String> {
        let paths: Vec<Cow<'_, str>> = self.paths.iter().map(shown).collect();
        let place = if paths.is_empty() { String::new() } else { format!(": {}", paths.join(", ")) };
        let runs = self.command.as_ref().map(|command| format!("; it runs `{command}`")).unwrap_or_default();
        let tried = if self.stops == Some(true) { "; it stops a command that reaches a database" } else { "" };
        let first = match self.installed {
            true => format!("{name}: installed{place}{runs}{tried}"),
            false => format!("{name}: not installed"),
        };
        let problem = self.problem.iter().map(|problem| format!("  bad: {problem}"));
        std::iter::once(first).chain(problem).chain(self.notes.iter().map(|note| format!("  note: {note}"))).collect()
    }
}

fn as_texts<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(shown))
}
