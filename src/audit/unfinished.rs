//! Runs that started and of which no end is written down.

use super::{Entry, Event};

/// The `run-started` entries without a `run-finished` of the same run, oldest first.
///
/// Such a run was killed together with safe-test, or still lasts.
#[must_use]
pub fn unfinished_runs(entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    let mut open: Vec<Entry> = Vec::new();
    for entry in entries {
        match entry.event {
            Event::RunStarted(_) => open.push(entry),
            Event::RunFinished(_) => open.retain(|started| started.run != entry.run),
            Event::Opened
            | Event::Refused(_)
            | Event::Snapshot(_)
            | Event::Restore(_)
            | Event::Prune(_)
            | Event::Answer(_)
            | Event::Continued(_)
            | Event::Accepted(_)
            | Event::Unknown => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Finish, Outcome, Record, Start, What, Who};

    #[test]
    fn a_run_without_an_end_is_visible() {
        let started = || Event::RunStarted(Start::default());
        let finished = || Event::RunFinished(Finish { outcome: Outcome::Status(0), duration_ms: 1, notes: Vec::new() });
        let entries = [("a", started()), ("b", started()), ("c", started()), ("b", finished()), ("c", finished())].map(
            |(run, event)| {
                let at = chrono::DateTime::UNIX_EPOCH;
                let record = Record { at, run: run.to_owned(), who: Who::default(), what: What::default(), event };
                Entry::place(&record, 1, None, None)
            },
        );
        let open: Vec<String> = unfinished_runs(entries).into_iter().map(|entry| entry.run).collect();
        assert_eq!(open, ["a"]);
    }
}
