//! Which snapshots `latest` means.

use super::{Kind, Stored};

/// The snapshots of the newest run, or of the newest `safe-test snapshot`: all its databases, also those whose earlier
/// snapshot it took as its own. Never safety snapshots.
///
/// Run ids begin with the time of the run, so the greatest is the newest.
#[must_use]
pub fn latest(stored: Vec<Stored>) -> Vec<Stored> {
    let runs = |snapshot: &Stored| -> Vec<String> {
        let manifest = &snapshot.manifest;
        manifest.run.iter().chain(&manifest.used_by).cloned().collect()
    };
    let candidates: Vec<Stored> =
        stored.into_iter().filter(|snapshot| snapshot.manifest.kind != Kind::Safety).collect();
    let Some(newest) = candidates.iter().flat_map(runs).max() else { return candidates.into_iter().take(1).collect() };
    candidates.into_iter().filter(|snapshot| runs(snapshot).contains(&newest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::testing::manifest;

    fn stored(id: &str, kind: Kind, run: &str, used_by: &[&str]) -> Stored {
        let mut manifest = manifest(id, id, kind, "2026-11-21T10:00:00Z");
        manifest.run = Some(run.to_owned());
        manifest.used_by = used_by.iter().map(|run| (*run).to_owned()).collect();
        Stored { dump: manifest.file.clone().into(), manifest }
    }

    #[test]
    fn latest_is_the_newest_run_with_what_it_reused_and_no_safety_snapshot() {
        let snapshots = vec![
            stored("safety", Kind::Safety, "3", &[]),
            stored("changed", Kind::Run, "2", &[]),
            stored("unchanged", Kind::Run, "1", &["2"]),
            stored("gone", Kind::Run, "1", &[]),
        ];
        let ids: Vec<String> = latest(snapshots).into_iter().map(|snapshot| snapshot.manifest.id).collect();
        assert_eq!(ids, ["changed", "unchanged"]);
        assert!(latest(vec![stored("safety", Kind::Safety, "1", &[])]).is_empty());
    }
}
