//! Where paths and service names in values are looked up.

use std::path::PathBuf;

use crate::environment::{Files, Project};

#[derive(Clone, Copy)]
pub(crate) struct Lookup<'a> {
    /// The folders of the command.
    pub(crate) project: &'a Project,
    /// The files that may be read.
    pub(crate) files: &'a dyn Files,
    /// Folders that a relative SQLite path may be relative to, for the loader at hand; the current one first.
    pub(crate) base_folders: &'a [PathBuf],
}
