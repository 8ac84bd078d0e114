//! How much was written to the databases of one server, by the server's own counters: what changed beside the one that was
//! saved.

use std::collections::BTreeMap;

/// What a server counts of its databases, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Neighbours {
    /// One life of one server: counters of another are not compared.
    pub(crate) life: String,
    /// The database that the question was asked for.
    pub(crate) own: String,
    /// Each database with what was counted.
    pub(crate) counted: BTreeMap<String, Counted>,
}

/// What a server counts of one database, since some moment that does not change while it lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Rows that were written or removed.
    pub(crate) rows: u64,
    /// Sessions of clients that were begun; `None` where the server does not count them.
    pub(crate) sessions: Option<u64>,
}

/// What became of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Written,
    Dropped,
}

impl Neighbours {
    /// Gives the names of the databases, sorted.
    #[must_use]
    pub(crate) fn into_names(self) -> Vec<String> {
        self.counted.into_keys().collect()
    }

    /// Finds what changed since `before`, by name. Where the two are not of one life of one server, nothing is known.
    ///
    /// A database to which nobody connected meanwhile was written by the server's own tidying, or by others that were
    /// there before.
    #[must_use]
    pub(crate) fn changed_since(&self, before: &Neighbours) -> Vec<(String, Change)> {
        if self.life != before.life {
            return Vec::new();
        }
        let change = |(name, then): (&String, &Counted)| {
            let change = match self.counted.get(name) {
                None => Change::Dropped,
                Some(now) if now.is_written_since(*then) => Change::Written,
                Some(_) => return None,
            };
            Some((name.clone(), change))
        };
        before.counted.iter().filter_map(change).collect()
    }
}

impl Counted {
    fn is_written_since(self, then: Counted) -> bool {
        let was_connected_to = match (self.sessions, then.sessions) {
            (Some(now), Some(then)) => now > then,
            _ => true,
        };
        self.rows > then.rows && was_connected_to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(life: &str, counted: &[(&str, u64, Option<u64>)]) -> Neighbours {
        let counted = counted.iter().map(|&(name, rows, sessions)| (name.to_owned(), Counted { rows, sessions }));
        Neighbours { life: life.to_owned(), own: "shop".to_owned(), counted: counted.collect() }
    }

    #[test]
    fn what_was_written_by_somebody_who_came_meanwhile_has_changed() {
        let before =
            at("1", &[("a", 5, Some(1)), ("b", 5, Some(1)), ("c", 5, Some(1)), ("d", 5, None), ("e", 5, None)]);
        let after =
            at("1", &[("a", 6, Some(2)), ("b", 6, Some(1)), ("c", 5, Some(9)), ("d", 6, None), ("new", 9, Some(1))]);
        let changed = after.changed_since(&before);
        let expected = [("a", Change::Written), ("d", Change::Written), ("e", Change::Dropped)];
        assert_eq!(changed, expected.map(|(name, change)| (name.to_owned(), change)));
        assert_eq!(at("2", &[]).changed_since(&before), []);
        // Counters that were set back say nothing.
        assert_eq!(before.changed_since(&after).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["new"]);
    }
}
