//! What restores leave on a server: which of it is ours, and who is at work on it.

use chrono::{DateTime, Utc};

use crate::hash::Hash;
use crate::snapshot::mysql::Session;
use crate::snapshot::mysql::beside;
use crate::snapshot::mysql::leftovers::{drop_leftover, leftovers};
use crate::snapshot::mysql::restore::restore;
use crate::snapshot::mysql::testing::{Server, Snapshot, Waiting, environment};
use crate::snapshot::testing::AllKnown;
use crate::snapshot::{LeftoverKind, Provenance, Standing};

/// Remembers one database as made on any server.
struct Made(&'static str);

impl Provenance for Made {
    fn standing_of(&self, _: &str, _: &Hash) -> Standing {
        Standing::Unknown
    }

    fn was_given(&self, _: &str, _: DateTime<Utc>) -> bool {
        false
    }

    fn was_made(&self, server: &str, database: &str, _: DateTime<Utc>) -> bool {
        assert!(server.starts_with("mariadb:"), "{server}");
        database == self.0
    }
}

#[test]
fn what_a_killed_restore_left_is_ours_by_the_log_and_by_nothing_else() {
    let server = Server::shared();
    let target = server.database("half", "CREATE TABLE t (a INT); INSERT INTO t VALUES (1)");
    let past = Made("half_restoring_19700101_000001");
    for name in ["half_restoring_19700101_000001", "half_restoring_19700101_000002", "half_replaced_19700101_000003"] {
        server.database(name, "CREATE TABLE t (a INT)");
    }
    server.database("other_half_restoring_19700101_000000", "");
    let found = leftovers(&target, &environment(), &past).unwrap();
    let told: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.ours, one.kind)).collect();
    assert_eq!(
        told,
        [
            ("half_restoring_19700101_000001", true, LeftoverKind::Unfinished),
            ("half_restoring_19700101_000002", false, LeftoverKind::Unfinished),
            ("half_replaced_19700101_000003", false, LeftoverKind::Replaced),
        ]
    );
    for one in &found {
        assert_eq!(drop_leftover(&target, &environment(), &one.name, &past).is_ok(), one.ours, "{}", one.name);
    }
    assert_eq!(leftovers(&target, &environment(), &past).unwrap().len(), 2);
    assert!(drop_leftover(&target, &environment(), "half", &past).is_err());
}

#[test]
fn what_was_replaced_is_ours_by_its_table_and_stays_while_somebody_is_at_work_on_it() {
    let server = Server::shared();
    let target = server.rich("kept");
    let snapshot = Snapshot::take(&target);
    let replaced = snapshot.restoring(&target, |one| restore(one, &Waiting::default()).unwrap()).replaced.unwrap();
    let look = || leftovers(&target, &environment(), &AllKnown).unwrap().pop().unwrap();
    let found = look();
    assert_eq!((found.name.as_str(), found.kind, found.ours), (replaced.as_str(), LeftoverKind::Replaced, true));
    assert!(found.size.is_some_and(|size| size > 10_000) && !found.at_work, "{found:?}");
    let mut at_work = Session::open_server(&target, &environment()).unwrap();
    assert!(beside::try_lock(&mut at_work, &replaced).unwrap());
    assert!(look().at_work);
    assert!(!drop_leftover(&target, &environment(), &replaced, &AllKnown).unwrap());
    drop(at_work);
    let user = Session::open(&server.target(&replaced), &environment()).unwrap();
    let error = drop_leftover(&target, &environment(), &replaced, &AllKnown).unwrap_err();
    assert!(error.to_string().contains("in use by connection"), "{error}");
    drop(user);
    crate::snapshot::testing::wait_for("it is dropped", || {
        drop_leftover(&target, &environment(), &replaced, &AllKnown).unwrap_or(false)
    });
    assert!(leftovers(&target, &environment(), &AllKnown).unwrap().is_empty());
}
