//! What a survey looks at.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::environment::{Files, Project};

/// What a survey looks at: all of it values.
#[derive(Clone, Copy)]
pub(crate) struct SurveyInput<'a> {
    /// The process environment, as the command would inherit it.
    pub(crate) process: &'a [(OsString, OsString)],
    /// Where the command would run.
    pub(crate) project: &'a Project,
    /// The view of the file system.
    pub(crate) files: &'a dyn Files,
    /// The program and its arguments; `None` where no command is asked about.
    pub(crate) command: Option<&'a [OsString]>,
    /// `--env-file`: added to what is judged; relative paths start at the project's folder.
    pub(crate) extra_files: &'a [PathBuf],
    /// The policy's `[environment] files`, which replace discovery; relative paths start at the root.
    pub(crate) only_files: Option<&'a [PathBuf]>,
}
