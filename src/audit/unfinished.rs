//! Runs and restores that started and of which no end is written down.

use crate::audit::{Entry, Event};

/// Finds the `run-started` entries without a `run-finished` of the same run, and the same for restores, oldest first.
///
/// Such a run was killed together with safe-test, or still lasts.
#[must_use]
pub(crate) fn unfinished_runs(entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    let mut open: Vec<Entry> = Vec::new();
    for entry in entries {
        match entry.event {
            Event::RunStarted(_) | Event::RestoreStarted(_) => open.push(entry),
            Event::RunFinished(_) => {
                open.retain(|started| started.run != entry.run || !matches!(started.event, Event::RunStarted(_)));
            }
            Event::Restore(_) => {
                open.retain(|started| started.run != entry.run || !matches!(started.event, Event::RestoreStarted(_)));
            }
            Event::Opened
            | Event::Refused(_)
            | Event::CommandDenied(_)
            | Event::CommandUnjudged(_)
            | Event::ConnectionRefused(_)
            | Event::Snapshot(_)
            | Event::Making(_)
            | Event::Restated(_)
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
    use crate::audit::report::JudgementRecord;
    use crate::audit::{Finish, ProcessEnd, Record, RestoreStart, Restored, Start, What, Who};
    use crate::verdict::Verdict;

    #[test]
    fn a_run_without_an_end_is_visible() {
        let started = || Event::RunStarted(Start::of(JudgementRecord::of(Verdict::Safe)));
        let finished = || Event::RunFinished(Finish::new(ProcessEnd::Status(0), std::time::Duration::ZERO));
        let restoring = || Event::RestoreStarted(RestoreStart::default());
        let restored = || Event::Restore(Restored::default());
        let entries = [
            ("a", started()),
            ("b", started()),
            ("c", started()),
            ("b", finished()),
            ("c", finished()),
            // Put back after the run, under its id.
            ("c", restoring()),
            ("c", restored()),
            ("d", restoring()),
            ("b", restored()),
        ]
        .map(|(run, event)| {
            let at = chrono::DateTime::UNIX_EPOCH;
            let record = Record { at, run: run.to_owned(), who: Who::default(), what: What::default(), event };
            Entry::place(&record, 1, None, None)
        });
        let open: Vec<String> = unfinished_runs(entries).into_iter().map(|entry| entry.run).collect();
        assert_eq!(open, ["a", "d"]);
    }
}
