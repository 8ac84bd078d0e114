//! What the folder of a language exports: one row, with the rows of its load orders in it.

use std::path::{Path, PathBuf};

use crate::environment::derivation::Derivation;
use crate::environment::ecosystems::manifest::{Included, Members, Scan};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, Library, ReadingsBuilder};
use crate::lists::List;

/// Tells whether something is plausible in a scene.
pub(crate) type Applies = fn(&Scene<'_>) -> bool;

/// A language with its tools.
pub(crate) struct Ecosystem {
    /// The name by which the table of programs refers to it.
    pub(crate) name: &'static str,
    /// Whether the project shows signs of it.
    pub(crate) is_present: fn(&Scene<'_>) -> bool,
    /// The ways to come by an environment, in the order in which their readings are listed.
    pub(crate) load_orders: &'static [LoadOrder],
    /// How its tests derive databases from the configured ones, each with where they do.
    pub(crate) derivations: &'static [(Applies, Derivation)],
    /// Settings files that are told by their name, where one is named by itself (`--env-file`, the policy).
    pub(crate) named_files: &'static [NamedFile],
    /// Programs, and their options that name a settings file.
    pub(crate) settings_options: &'static [(&'static [&'static str], &'static [&'static str])],
    /// Tells how to read the manifest or lock file of that name; `None` where it is none.
    pub(crate) scan: fn(&str) -> Option<Scan>,
    /// Files that name the folders of a workspace's members, each with how it does.
    pub(crate) members: &'static [(&'static str, Members)],
    /// The folders that a command's manifests are read in, where it does not concern all of the project: its modules, and
    /// those that they depend on; `None` where it may concern all.
    pub(crate) confines: fn(&Scene<'_>) -> Option<Vec<PathBuf>>,
    /// The files that a manifest includes.
    pub(crate) included: Included,
    /// The packages that reach a database, each with the word of its [`DataPath`](super::manifest::DataPath); in lower
    /// case, `-` for `_`.
    pub(crate) drivers: List,
}

/// A way to come by an environment: which files are read, and what beats what.
pub(crate) struct LoadOrder {
    /// What it is called; where two rows of an ecosystem have one name, the first that applies counts.
    pub(crate) name: &'static str,
    /// Whether it is plausible in the scene.
    pub(crate) applies: fn(&Scene<'_>) -> bool,
    /// Adds what it would do in the scene.
    pub(crate) add: fn(&Scene<'_>, &mut ReadingsBuilder<'_>),
}

/// A kind of settings file with syntax or sections of its own.
pub(crate) struct NamedFile {
    /// Whether a file of that name, in lower case, is one.
    pub(crate) fits: fn(&str) -> bool,
    /// The file as layers, the strongest first.
    pub(crate) layers: fn(&Library<'_>, &Path) -> Vec<Layer>,
}

/// Confines no command.
pub(crate) fn nowhere(_: &Scene<'_>) -> Option<Vec<PathBuf>> {
    None
}

/// Includes nothing, as most manifests do.
pub(crate) fn nothing(_: &str, _: &str) -> Vec<(String, Scan)> {
    Vec::new()
}

/// Applies wherever the row's ecosystem does.
pub(crate) fn always(_: &Scene<'_>) -> bool {
    true
}
