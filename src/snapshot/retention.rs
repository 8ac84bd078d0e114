//! Chooses which snapshots to keep, with a reason for each.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::snapshot::{Kind, Manifest, Stored};

/// What becomes of one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Decision {
    /// The snapshot.
    pub(crate) id: String,
    /// Whether it stays.
    pub(crate) keep: bool,
    /// Why, a phrase.
    pub(crate) reason: String,
}

/// Decides which of `snapshots` to keep: the last `keep_last` of each database, by the manifests' own time, never by
/// name or file time.
///
/// Safety snapshots are counted apart, so that a few restores do not push out what was saved before runs. A snapshot
/// from the future (a clock that was wrong) is kept and pushes nothing out; so is one that was not made here, which is
/// somebody's file. `is_known` is asked only where a database has more than enough. `keep_last` is at least 1; 0 is
/// taken as 1, so that the last good one always stays.
#[must_use]
pub(crate) fn decide(
    snapshots: &[&Stored],
    keep_last: usize,
    now: DateTime<Utc>,
    is_known: &dyn Fn(&Stored) -> bool,
) -> Vec<Decision> {
    let keep_last = keep_last.max(1);
    let mut newest_first: Vec<&Stored> = snapshots.to_vec();
    newest_first.sort_by(|a, b| (b.manifest.taken_at, &b.manifest.id).cmp(&(a.manifest.taken_at, &a.manifest.id)));
    let mut there: HashMap<Group<'_>, usize> = HashMap::new();
    newest_first.iter().for_each(|stored| *there.entry(group(&stored.manifest)).or_default() += 1);
    let mut counted: HashMap<Group<'_>, usize> = HashMap::new();
    newest_first
        .into_iter()
        .map(|stored| {
            let manifest = &stored.manifest;
            let decision = |keep, reason: String| Decision { id: manifest.id.clone(), keep, reason };
            if manifest.taken_at > now {
                return decision(true, "its time is in the future: the clock was or is wrong".to_owned());
            }
            let group = group(manifest);
            if there[&group] > keep_last && !is_known(stored) {
                return decision(true, NOT_KNOWN.to_owned());
            }
            let number = counted.entry(group).or_default();
            *number += 1;
            let what = if manifest.kind == Kind::Safety { "safety snapshot" } else { "snapshot" };
            if *number == 1 {
                decision(true, format!("the newest {what} of {}", manifest.database))
            } else if *number <= keep_last {
                decision(true, format!("number {number} of the last {keep_last} {what}s of {}", manifest.database))
            } else {
                decision(
                    false,
                    format!("number {number}: the last {keep_last} {what}s of {} are kept", manifest.database),
                )
            }
        })
        .collect()
}

/// Why a snapshot that was not made here stays.
pub(crate) const NOT_KNOWN: &str = "not known here: remove its two files yourself if you do not need it";

/// What is counted together: engine, target, whether they are safety snapshots.
type Group<'a> = (&'a str, &'a str, bool);

fn group(manifest: &Manifest) -> Group<'_> {
    (&manifest.engine, &manifest.target, manifest.kind == Kind::Safety)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::testing::stored;

    fn kept(snapshots: &[Stored], keep_last: usize) -> Vec<String> {
        kept_knowing(snapshots, keep_last, &|_| true)
    }

    fn kept_knowing(snapshots: &[Stored], keep_last: usize, is_known: &dyn Fn(&Stored) -> bool) -> Vec<String> {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let references: Vec<&Stored> = snapshots.iter().collect();
        decide(&references, keep_last, now, is_known)
            .into_iter()
            .filter(|decision| decision.keep)
            .map(|decision| decision.id)
            .collect()
    }

    #[test]
    fn the_last_of_each_database_stay_by_manifest_time() {
        let snapshots = [
            stored("z_oldest", "a", Kind::Run, "2026-11-21T09:00:00Z"),
            stored("a_newest", "a", Kind::Run, "2026-11-21T11:00:00Z"),
            stored("m_middle", "a", Kind::Manual, "2026-11-21T10:00:00Z"),
            stored("other", "b", Kind::Run, "2026-11-20T10:00:00Z"),
        ];
        assert_eq!(kept(&snapshots, 2), ["a_newest", "m_middle", "other"]);
        assert_eq!(kept(&snapshots, 0), ["a_newest", "other"]);
    }

    #[test]
    fn safety_snapshots_push_nothing_else_out() {
        let snapshots = [
            stored("run", "a", Kind::Run, "2026-11-21T09:00:00Z"),
            stored("safety1", "a", Kind::Safety, "2026-11-21T10:00:00Z"),
            stored("safety2", "a", Kind::Safety, "2026-11-21T11:00:00Z"),
        ];
        assert_eq!(kept(&snapshots, 1), ["safety2", "run"]);
    }

    #[test]
    fn a_snapshot_from_the_future_stays_and_pushes_nothing_out() {
        let snapshots = [
            stored("future", "a", Kind::Run, "2027-01-01T00:00:00Z"),
            stored("now", "a", Kind::Run, "2026-11-21T11:00:00Z"),
        ];
        assert_eq!(kept(&snapshots, 1), ["future", "now"]);
    }

    #[test]
    fn what_was_not_made_here_stays_and_pushes_nothing_out() {
        let snapshots = [
            stored("theirs2", "a", Kind::Run, "2026-11-21T11:00:00Z"),
            stored("theirs1", "a", Kind::Run, "2026-11-21T10:00:00Z"),
            stored("ours2", "a", Kind::Run, "2026-11-21T09:00:00Z"),
            stored("ours1", "a", Kind::Run, "2026-11-21T08:00:00Z"),
            stored("other", "b", Kind::Run, "2026-11-21T08:00:00Z"),
        ];
        let is_ours = |stored: &Stored| {
            assert_ne!(stored.manifest.id, "other", "asked for nothing");
            stored.manifest.id.starts_with("ours")
        };
        assert_eq!(kept_knowing(&snapshots, 1, &is_ours), ["theirs2", "theirs1", "ours2", "other"]);
    }
}
