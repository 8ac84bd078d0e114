//! Which database was met before under another name: `localhost` and a socket may lead to one.

use std::cell::RefCell;

use crate::snapshot::engine::Identity;

/// The databases that a call has met, with the indices of their targets.
#[derive(Debug, Default)]
pub(crate) struct Met(RefCell<Vec<(Identity, usize)>>);

/// A database that was met before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MetBefore {
    /// The target that led to it.
    pub(crate) target: usize,
    /// What undoes a command there undoes it here as well.
    pub(crate) undone_alike: bool,
}

impl Met {
    /// Finds the target that led to this database before the one with the index `at`, at best one that is undone alike; notes
    /// this one. What cannot be told from others was never met.
    pub(crate) fn before(&self, identity: Option<Identity>, at: usize) -> Option<MetBefore> {
        let identity = identity?;
        let mut met = self.0.borrow_mut();
        // It is looked at again where its server was not ready.
        met.retain(|(_, known)| *known != at);
        let same = met.iter().filter(|(known, _)| known.database == identity.database);
        let found = same
            .map(|(known, target)| MetBefore { target: *target, undone_alike: known.undone_by == identity.undone_by });
        // The first of several: its snapshot counts for all.
        let found = found.min_by_key(|found| !found.undone_alike);
        met.push((identity, at));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_met_once() {
        let met = Met::default();
        let identity =
            |database: &str, by: &str| Some(Identity { database: database.to_owned(), undone_by: by.to_owned() });
        let before = |target, undone_alike| Some(MetBefore { target, undone_alike });
        for (found, at, expected) in [
            (identity("one", "app"), 3, None),
            (identity("one", "app"), 3, None),
            (identity("one", "app"), 4, before(3, true)),
            (identity("other", "app"), 5, None),
            (identity("other", "owner"), 6, before(5, false)),
            (identity("other", "owner"), 7, before(6, true)),
            (identity("one", "app"), 8, before(3, true)),
            (None, 8, None),
            (None, 9, None),
        ] {
            assert_eq!(met.before(found, at), expected, "{at}");
        }
    }
}
