//! The further files that a compose file is made of, and what fills its values in.
//!
//! Source: the Compose specification, "include", "extends", "Interpolation".

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::environment::Unresolved;
use crate::environment::paths::normal;
use crate::environment::readers::expansion::compose::{Broken, substitute};
use crate::environment::readers::expansion::{Budget, Lookup, Scope, Unset};
use crate::environment::readers::formats::FlatEntry;

/// What `include` names at one place.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Include {
    /// The first file, and those over it.
    pub(crate) paths: Vec<PathBuf>,
    /// The files that its values are filled in from.
    pub(crate) variables: Vec<PathBuf>,
    /// The folder that its paths begin in, where it is told.
    pub(crate) home: Option<PathBuf>,
}

impl Include {
    /// Gives the folder that its paths begin in; `None` where it names no file.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.home.clone().or_else(|| Some(self.paths.first()?.parent()?.to_owned()))
    }
}

/// Lists what one compose file includes, its values filled in; paths begin in `folder`.
pub(crate) fn includes(entries: &[FlatEntry], folder: &Path, look: Lookup<'_>, budget: &mut Budget) -> Vec<Include> {
    let mut found: BTreeMap<&str, Include> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.value.is_empty()) {
        let path: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        let ["include", at, rest @ ..] = &path[..] else { continue };
        let there = normal(&folder.join(filled(&entry.value, look, budget).0));
        let include = found.entry(at).or_default();
        match rest {
            [] | ["path"] | ["path", _] => include.paths.push(there),
            ["env_file", ..] => include.variables.push(there),
            ["project_directory"] => include.home = Some(there),
            _ => {}
        }
    }
    found.into_values().collect()
}

/// Fills a value of a compose file in; what is not set stays as written, since it may be set where we do not look.
pub(crate) fn filled(text: &str, look: Lookup<'_>, budget: &mut Budget) -> (String, Option<Unresolved>) {
    match substitute(text, &Scope::new(look), budget, Unset::AsWritten) {
        Ok(Ok(value)) => (value, None),
        Ok(Err(obstacle)) => (text.to_owned(), Some(obstacle.into())),
        Err(Broken(_)) => (text.to_owned(), Some(Unresolved::Template)),
    }
}
