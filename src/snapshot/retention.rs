//! Chooses which snapshots to keep, with a reason for each.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::snapshot::{Kind, Manifest};

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

/// Decides which of `manifests` to keep: the last `keep_last` of each database, by the manifests' own time, never by
/// name or file time.
///
/// Safety snapshots are counted apart, so that a few restores do not push out what was saved before runs. A snapshot
/// from the future (a clock that was wrong) is kept and pushes nothing out. `keep_last` is at least 1; 0 is taken as 1, so that the last
/// good one always stays.
#[must_use]
pub(crate) fn decide(manifests: &[&Manifest], keep_last: usize, now: DateTime<Utc>) -> Vec<Decision> {
    let keep_last = keep_last.max(1);
    let mut newest_first: Vec<&Manifest> = manifests.to_vec();
    newest_first.sort_by(|a, b| (b.taken_at, &b.id).cmp(&(a.taken_at, &a.id)));
    let mut counted: Vec<(&str, &str, bool, usize)> = Vec::new();
    newest_first
        .into_iter()
        .map(|manifest| {
            let is_safety = manifest.kind == Kind::Safety;
            let decision = |keep, reason: String| Decision { id: manifest.id.clone(), keep, reason };
            if manifest.taken_at > now {
                return decision(true, "its time is in the future: the clock was or is wrong".to_owned());
            }
            let group = (manifest.engine.as_str(), manifest.target.as_str(), is_safety);
            let at = counted.iter().position(|(engine, target, safety, _)| (*engine, *target, *safety) == group);
            let at = at.unwrap_or_else(|| {
                counted.push((group.0, group.1, group.2, 0));
                counted.len() - 1
            });
            counted[at].3 += 1;
            let number = counted[at].3;
            let what = if is_safety { "safety snapshot" } else { "snapshot" };
            if number == 1 {
                decision(true, format!("the newest {what} of {}", manifest.database))
            } else if number <= keep_last {
                decision(true, format!("number {number} of the last {keep_last} of {}", manifest.database))
            } else {
                decision(false, format!("number {number}: the last {keep_last} of {} are kept", manifest.database))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::testing::manifest;

    fn kept(manifests: &[Manifest], keep_last: usize) -> Vec<String> {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let references: Vec<&Manifest> = manifests.iter().collect();
        decide(&references, keep_last, now)
            .into_iter()
            .filter(|decision| decision.keep)
            .map(|decision| decision.id)
            .collect()
    }

    #[test]
    fn the_last_of_each_database_stay_by_manifest_time() {
        let snapshots = [
            manifest("z_oldest", "a", Kind::Run, "2026-11-21T09:00:00Z"),
            manifest("a_newest", "a", Kind::Run, "2026-11-21T11:00:00Z"),
            manifest("m_middle", "a", Kind::Manual, "2026-11-21T10:00:00Z"),
            manifest("other", "b", Kind::Run, "2026-11-20T10:00:00Z"),
        ];
        assert_eq!(kept(&snapshots, 2), ["a_newest", "m_middle", "other"]);
        assert_eq!(kept(&snapshots, 0), ["a_newest", "other"]);
    }

    #[test]
    fn safety_snapshots_push_nothing_else_out() {
        let snapshots = [
            manifest("run", "a", Kind::Run, "2026-11-21T09:00:00Z"),
            manifest("safety1", "a", Kind::Safety, "2026-11-21T10:00:00Z"),
            manifest("safety2", "a", Kind::Safety, "2026-11-21T11:00:00Z"),
        ];
        assert_eq!(kept(&snapshots, 1), ["safety2", "run"]);
    }

    #[test]
    fn a_snapshot_from_the_future_stays_and_pushes_nothing_out() {
        let snapshots = [
            manifest("future", "a", Kind::Run, "2027-01-01T00:00:00Z"),
            manifest("now", "a", Kind::Run, "2026-11-21T11:00:00Z"),
        ];
        assert_eq!(kept(&snapshots, 1), ["future", "now"]);
    }
}
