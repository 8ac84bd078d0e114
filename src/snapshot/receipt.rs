//! What shows that one target has been taken care of before the command.

use crate::hash::Hash;
use crate::snapshot::{Copied, Leftover, Neighbours, Obstacle};

/// One target's receipt. Only this stage makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    target: usize,
    care: Care,
    beside: Beside,
}

/// What else is on a target's server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Beside {
    /// What restores have left there.
    pub(crate) leftovers: Vec<Leftover>,
    /// What the server counted of its other databases; `None` where that is not known.
    pub(crate) neighbours: Option<Neighbours>,
    /// The index of a target that led to the same database before, by another name.
    pub(crate) one_with: Option<usize>,
}

/// How a target was taken care of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Care {
    /// A verified snapshot was taken.
    Saved {
        /// The snapshot.
        id: String,
        /// Its manifest's hash.
        manifest: Hash,
        /// Bytes on disk.
        size: u64,
        /// What keeps it from being put back whole.
        obstacles: Vec<Obstacle>,
        /// What became of the copy that was asked for.
        copy: Option<Copied>,
    },
    /// The engine proved that nothing was written since an earlier verified snapshot.
    Unchanged {
        /// That snapshot.
        id: String,
        /// Its manifest's hash.
        manifest: Hash,
        /// Bytes on disk.
        size: u64,
        /// What keeps it from being put back whole.
        obstacles: Vec<Obstacle>,
        /// What became of a copy that was asked for and made now.
        copy: Option<Copied>,
    },
    /// There is nothing to lose, and why.
    NothingToLose {
        /// Why, a phrase.
        reason: String,
    },
    /// A trusted policy says not to save it, or how it is kept.
    LeftToPolicy {
        /// What the policy says, a phrase.
        reason: String,
    },
    /// It is the same database as another target, by another name: what was done about that one counts for both.
    OneWith {
        /// The index of that target.
        target: usize,
    },
    /// Nobody listens at any of its places, all on this machine: it is to be saved at its first connection, which the
    /// guard holds until then.
    NotUpYet,
}

impl Receipt {
    pub(crate) fn new(target: usize, care: Care, beside: Beside) -> Self {
        Receipt { target, care, beside }
    }

    /// Lists what restores have left on the target's server.
    #[must_use]
    pub(crate) fn leftovers(&self) -> &[Leftover] {
        &self.beside.leftovers
    }

    /// Tells what the target's server counted of its other databases before the command.
    #[must_use]
    pub(crate) fn neighbours(&self) -> Option<&Neighbours> {
        self.beside.neighbours.as_ref()
    }

    /// Returns the index of a target that led to the same database before, by another name.
    #[must_use]
    pub(crate) fn one_with(&self) -> Option<usize> {
        self.beside.one_with
    }

    /// Returns the index of the target in the judgement.
    #[must_use]
    pub(crate) fn target(&self) -> usize {
        self.target
    }

    /// Tells how it was taken care of.
    #[must_use]
    pub(crate) fn care(&self) -> &Care {
        &self.care
    }

    /// Finds the snapshot that undoes what the command does to this target, where there is one.
    #[must_use]
    pub(crate) fn snapshot(&self) -> Option<&str> {
        self.manifest().map(|(id, _)| id)
    }

    /// Tells what became of the copy that was to be kept in the server with that snapshot.
    #[must_use]
    pub(crate) fn copy(&self) -> Option<&Copied> {
        match &self.care {
            Care::Saved { copy, .. } | Care::Unchanged { copy, .. } => copy.as_ref(),
            Care::NothingToLose { .. } | Care::LeftToPolicy { .. } | Care::OneWith { .. } | Care::NotUpYet => None,
        }
    }

    /// Lists what keeps that snapshot from being put back whole.
    #[must_use]
    pub(crate) fn obstacles(&self) -> &[Obstacle] {
        match &self.care {
            Care::Saved { obstacles, .. } | Care::Unchanged { obstacles, .. } => obstacles,
            Care::NothingToLose { .. } | Care::LeftToPolicy { .. } | Care::OneWith { .. } | Care::NotUpYet => &[],
        }
    }

    /// Gives the id and the manifest's hash of that snapshot.
    #[must_use]
    pub(crate) fn manifest(&self) -> Option<(&str, Hash)> {
        match &self.care {
            Care::Saved { id, manifest, .. } | Care::Unchanged { id, manifest, .. } => Some((id, *manifest)),
            Care::NothingToLose { .. } | Care::LeftToPolicy { .. } | Care::OneWith { .. } | Care::NotUpYet => None,
        }
    }
}
