//! Finds the snapshots that `latest` means.

use chrono::{DateTime, Utc};

use crate::snapshot::id::time_in;
use crate::snapshot::{Kind, StoreError, Stored};

/// Picks the snapshots of the newest run, or of the newest `safe-test snapshot`: all its databases, also those whose
/// earlier snapshot it took as its own. Never safety snapshots.
///
/// Run ids begin with the time of the run, so the greatest is the newest. One from the future of `now` (a clock that was
/// wrong) is only meant where there is no other.
#[must_use]
pub(crate) fn latest(stored: Vec<Stored>, now: DateTime<Utc>) -> Vec<Stored> {
    let end_of_now = now.format("%Y%m%dT%H%M%S%3fZ~").to_string();
    let runs = |snapshot: &Stored| -> Vec<String> {
        let manifest = &snapshot.manifest;
        manifest.run.iter().chain(&manifest.used_by).cloned().collect()
    };
    let candidates: Vec<Stored> =
        stored.into_iter().filter(|snapshot| snapshot.manifest.kind != Kind::Safety).collect();
    let newest = candidates.iter().flat_map(runs).max_by_key(|run| (*run <= end_of_now, run.clone()));
    let Some(newest) = newest else { return candidates.into_iter().take(1).collect() };
    candidates.into_iter().filter(|snapshot| runs(snapshot).contains(&newest)).collect()
}

/// Finds a manifest that cannot be read, or was changed, and may be one of the latest, or of a later run: without it, `latest`
/// would lead to an older state, or to a part of the databases only. Its time is taken from its name, which is all that is
/// left of it.
#[must_use]
pub(crate) fn unread_since(latest: &[Stored], broken: Vec<StoreError>) -> Option<StoreError> {
    let oldest = latest.iter().map(|snapshot| snapshot.manifest.taken_at).min()?;
    let oldest = oldest.format("%Y%m%d_%H%M%S").to_string();
    broken.into_iter().find(|error| match error {
        StoreError::Manifest { path, .. } | StoreError::Changed { path } => {
            path.file_stem().and_then(|stem| time_in(stem.to_str()?)).is_some_and(|time| *time >= *oldest)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;
    use crate::snapshot::testing::manifest;

    fn stored(id: &str, kind: Kind, run: &str, used_by: &[&str]) -> Stored {
        let mut manifest = manifest(id, id, kind, "2026-11-21T10:00:00Z");
        manifest.run = Some(run.to_owned());
        manifest.used_by = used_by.iter().map(|run| (*run).to_owned()).collect();
        Stored { dump: manifest.file.clone().into(), hash: Hash::of(id.as_bytes()), manifest }
    }

    #[test]
    fn latest_is_the_newest_run_with_what_it_reused_and_no_safety_snapshot() {
        let snapshots = vec![
            stored("safety", Kind::Safety, "20261121T120000000Z-3", &[]),
            stored("changed", Kind::Run, "20261121T110000000Z-2", &[]),
            stored("unchanged", Kind::Run, "20261121T100000000Z-1", &["20261121T110000000Z-2"]),
            stored("gone", Kind::Run, "20261121T100000000Z-1", &[]),
        ];
        assert_eq!(ids(snapshots, "2026-11-21T12:00:00Z"), ["changed", "unchanged"]);
        let safety = vec![stored("safety", Kind::Safety, "20261121T100000000Z-1", &[])];
        assert!(ids(safety, "2026-11-21T12:00:00Z").is_empty());
    }

    #[test]
    fn a_run_from_the_future_is_not_the_latest_unless_it_is_the_only_one() {
        let future = || stored("future", Kind::Run, "20271121T100000000Z-1", &[]);
        let now = || stored("now", Kind::Run, "20261121T100000000Z-fff", &[]);
        assert_eq!(ids(vec![future(), now()], "2026-11-21T10:00:00Z"), ["now"]);
        assert_eq!(ids(vec![future()], "2026-11-21T10:00:00Z"), ["future"]);
    }

    #[test]
    fn a_manifest_that_cannot_be_read_counts_where_its_name_is_not_older() {
        let latest = [stored("now", Kind::Run, "20261121T100000000Z-fff", &[])];
        for (name, counts) in [
            ("app_test_20261121_100000", true),
            ("app_test_20261121_100000_12", true),
            ("x_20261121_235959", true),
            ("app_test_20261121_095959", false),
            ("app_test_20261121_095959_2", false),
            ("package", false),
            ("ünïcödé_nämés_häve_no_time", false),
        ] {
            let broken = StoreError::Manifest { path: format!("/backups/{name}.json").into(), reason: String::new() };
            assert_eq!(unread_since(&latest, vec![broken]).is_some(), counts, "{name}");
        }
    }

    fn ids(stored: Vec<Stored>, now: &str) -> Vec<String> {
        latest(stored, now.parse().unwrap()).into_iter().map(|snapshot| snapshot.manifest.id).collect()
    }
}
