//! A script behind a name: shell text out of a file, with what that file adds to it.

use std::path::{Path, PathBuf};

use crate::environment::Files;
use crate::environment::follow::WrapperFile;
use crate::environment::paths::parent;

/// One script: shell text with its place, and what its file adds to the environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    /// The script's name as its file spells it.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) line: u32,
    pub(crate) assignments: Vec<(String, String)>,
    pub(crate) files: Vec<WrapperFile>,
}

/// A script with its file and the folder that it runs in, both absolute.
pub(crate) struct PlacedScript {
    pub(crate) file: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) script: Script,
}

impl PlacedScript {
    /// A script that runs in the folder of its file.
    pub(crate) fn beside(file: &Path, script: Script) -> Self {
        PlacedScript { file: file.to_owned(), folder: parent(file), script }
    }
}

/// Files that hold scripts are small; a larger one is not looked into.
pub(crate) const LARGEST: usize = 1024 * 1024;

/// The text of a file that holds scripts.
pub(crate) fn text(files: &dyn Files, path: &Path) -> Option<String> {
    let bytes = files.read(path).ok()??;
    (bytes.len() <= LARGEST).then(|| String::from_utf8_lossy(&bytes).into_owned())
}
