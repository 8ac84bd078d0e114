//! Databases that restores, rehearsals and snapshots leave on servers: which of them go, which stay, and why.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;

/// A database on a server that bears a name as restores, rehearsals and snapshots give them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Leftover {
    /// Its name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: LeftoverKind,
    /// The database that it was, or was to become.
    pub(crate) of: String,
    /// When it was replaced or begun, UTC.
    pub(crate) at: DateTime<Utc>,
    /// Bytes on the server's disk; `None` where the role is not told.
    pub(crate) size: Option<u64>,
    /// Whether safe-test made it, as its mark or the log says: its name alone says nothing.
    pub(crate) ours: bool,
    /// Whether another call of safe-test is at work on it.
    pub(crate) at_work: bool,
    /// The snapshot that it is kept for, where it is a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) snapshot: Option<String>,
    /// Whether it is a copy that this project's log has announced: then that snapshot is one of this project.
    #[serde(skip)]
    pub(crate) made_here: bool,
}

/// What a database is that was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LeftoverKind {
    /// What stood in a restored database's place.
    Replaced,
    /// A restore, rehearsal or copy that was not finished.
    Unfinished,
    /// What a snapshot is put back by at once.
    Copy,
}

/// Why a database stays that is ours and not finished, a phrase.
pub(crate) const AT_WORK: &str = "another safe-test is at work on it";

/// How long what a restore replaced is kept at least.
const KEPT_FOR: Duration = Duration::hours(24);

/// Decides of the leftovers of one database which are to be dropped, with a reason for each: `(leftover, is dropped, reason)`.
///
/// What was not finished goes at once, unless somebody is at work on it. What was replaced stays for a day, and the newest
/// `keep_last` stay on. Of copies, the newest stays as long as its snapshot is the newest of its database, which `is_newest`
/// says of one of this project. What is not known to be ours stays.
#[must_use]
pub(crate) fn decide_leftovers<'l>(
    leftovers: &'l [Leftover],
    keep_last: usize,
    is_newest: &dyn Fn(&str) -> bool,
    now: DateTime<Utc>,
) -> Vec<(&'l Leftover, bool, String)> {
    let mut newest_first: Vec<&Leftover> = leftovers.iter().collect();
    newest_first.sort_by(|one, other| (other.at, &other.name).cmp(&(one.at, &one.name)));
    let (mut number, mut copies) = (0, 0);
    let decide = |one: &Leftover, number: usize, copies: usize| match one.kind {
        _ if !one.ours => (false, "neither its mark nor the log says that safe-test made it".to_owned()),
        _ if one.at_work => (false, AT_WORK.to_owned()),
        LeftoverKind::Unfinished => (true, "left by a restore, rehearsal or snapshot that was killed".to_owned()),
        LeftoverKind::Copy if copies > 1 => (true, "a copy for a fast undo; a newer one is there".to_owned()),
        LeftoverKind::Copy => match one.snapshot.as_deref() {
            Some(snapshot) if one.made_here && !is_newest(snapshot) => {
                (true, format!("a copy for a fast undo of {snapshot}, which is gone or not the newest any more"))
            }
            Some(snapshot) => (false, format!("a copy for a fast undo of {snapshot}")),
            None => (false, "a copy for a fast undo".to_owned()),
        },
        LeftoverKind::Replaced if now - one.at < KEPT_FOR => {
            (false, "a restore replaced it; kept for 24 hours at least".to_owned())
        }
        LeftoverKind::Replaced if number <= keep_last => {
            (false, format!("a restore replaced it; number {number} of the last {keep_last} of {}", one.of))
        }
        LeftoverKind::Replaced => {
            (true, format!("a restore replaced it; number {number}: the last {keep_last} of {} are kept", one.of))
        }
    };
    let decided = newest_first.into_iter().map(|one| {
        if one.ours && one.kind == LeftoverKind::Replaced {
            number += 1;
        }
        if one.ours && one.kind == LeftoverKind::Copy {
            copies += 1;
        }
        let (goes, reason) = decide(one, number, copies);
        (one, goes, reason)
    });
    decided.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-21T12:00:00Z";

    fn leftover(name: &str, kind: LeftoverKind, at: &str) -> Leftover {
        let at = at.parse().unwrap();
        let snapshot = (kind == LeftoverKind::Copy).then(|| format!("for_{name}"));
        let (name, of) = (name.to_owned(), "shop".to_owned());
        Leftover { name, kind, of, at, size: None, ours: true, at_work: false, snapshot, made_here: true }
    }

    fn dropped(leftovers: &[Leftover], keep_last: usize) -> Vec<&str> {
        let decided = decide_leftovers(leftovers, keep_last, &|id| id.ends_with("newest"), NOW.parse().unwrap());
        assert_eq!(decided.len(), leftovers.len());
        assert!(decided.iter().all(|(_, _, reason)| !reason.is_empty()));
        decided.into_iter().filter(|(_, goes, _)| *goes).map(|(one, _, _)| one.name.as_str()).collect()
    }

    #[test]
    fn what_was_replaced_stays_for_a_day_and_the_last_few_stay_on() {
        let replaced = |name, at| leftover(name, LeftoverKind::Replaced, at);
        let all = [
            replaced("a_week_old", "2026-11-14T12:00:00Z"),
            replaced("two_days_old", "2026-11-19T12:00:00Z"),
            replaced("from_the_future", "2027-11-19T12:00:00Z"),
            replaced("just_not_a_day_old", "2026-11-20T12:00:01Z"),
            replaced("a_day_old", "2026-11-20T12:00:00Z"),
        ];
        assert_eq!(dropped(&all, 4), ["a_week_old"]);
        assert_eq!(dropped(&all, 1), ["a_day_old", "two_days_old", "a_week_old"]);
        assert_eq!(dropped(&all, 9), [""; 0]);
    }

    #[test]
    fn of_copies_the_one_for_the_newest_snapshot_stays() {
        let copy = |name, at| leftover(name, LeftoverKind::Copy, at);
        let (older, newer) = ("2026-11-20T12:00:00Z", "2026-11-21T11:00:00Z");
        assert_eq!(dropped(&[copy("old", older), copy("newest", newer)], 1), ["old"]);
        assert_eq!(dropped(&[copy("newest", older)], 1), [""; 0]);
        assert_eq!(dropped(&[copy("superseded", newer)], 1), ["superseded"]);
        // Another project's, of which nothing is known here but that it is newer.
        let elsewhere = |name, at| Leftover { made_here: false, ..copy(name, at) };
        assert_eq!(dropped(&[copy("newest", older), elsewhere("theirs", newer)], 1), ["newest"]);
        assert_eq!(dropped(&[elsewhere("theirs", newer)], 1), [""; 0]);
        // What somebody made whose name looks so does not count.
        assert_eq!(dropped(&[copy("newest", older), Leftover { ours: false, ..copy("x", newer) }], 1), [""; 0]);
        assert_eq!(dropped(&[Leftover { at_work: true, ..copy("superseded", newer) }], 1), [""; 0]);
    }

    #[test]
    fn what_was_not_finished_goes_unless_it_is_at_work_or_not_ours() {
        let begun = |name| leftover(name, LeftoverKind::Unfinished, "2026-11-21T11:59:59Z");
        let all = [
            begun("dead"),
            Leftover { at_work: true, ..begun("alive") },
            Leftover { ours: false, ..begun("theirs") },
            Leftover { ours: false, ..leftover("old_theirs", LeftoverKind::Replaced, "2020-11-21T11:59:59Z") },
        ];
        assert_eq!(dropped(&all, 1), ["dead"]);
    }
}
