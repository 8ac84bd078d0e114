//! What restores leave on a server: which of it is ours, and who is at work on it.

use chrono::{DateTime, Utc};

use crate::hash::Hash;
use crate::snapshot::beside_names::Purpose;
use crate::snapshot::engine::Kept;
use crate::snapshot::mysql::Session;
use crate::snapshot::mysql::beside;
use crate::snapshot::mysql::exchange_back::exchange_back;
use crate::snapshot::mysql::leftovers::{drop_leftover, leftovers};
use crate::snapshot::mysql::restore::restore;
use crate::snapshot::mysql::testing::{Server, Snapshot, Waiting, assert_same, environment};
use crate::snapshot::testing::{AllKnown, Unledgered};
use crate::snapshot::{LeftoverKind, Making, Provenance, Standing};

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
    assert!(beside::try_lock(&mut at_work, "kept", &replaced).unwrap());
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

#[test]
fn what_was_dropped_before_a_restore_was_killed_is_kept_and_made_again() {
    let server = Server::shared();
    let target = server.rich("cut_off");
    let saved = server.content("cut_off");
    let snapshot = Snapshot::take(&target);
    let replaced = snapshot.restoring(&target, |one| restore(one, &Waiting::default()).unwrap()).replaced.unwrap();
    // As one leaves it that is killed between dropping the triggers and moving the tables, and more: its tables are in the
    // database, and of what is no table some is gone.
    let tables = server.run(
        "",
        &format!("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{replaced}' AND TABLE_NAME <> 'safe_test_kept'"),
    );
    let mut script =
        String::from("SET foreign_key_checks = 0; DROP VIEW totals; DROP PROCEDURE many; DROP EVENT nightly;");
    for table in tables.lines().map(|name| name.replace('`', "``")) {
        script.push_str(&format!("DROP TABLE `{table}`; RENAME TABLE {replaced}.`{table}` TO cut_off.`{table}`;"));
    }
    server.run("cut_off", &script);
    let found = leftovers(&target, &environment(), &AllKnown).unwrap();
    assert_eq!((found[0].kind, found[0].ours), (LeftoverKind::Replaced, true), "it has the only text of them");
    let making = Making {
        server: Session::open(&target, &environment()).unwrap().identity.fingerprint,
        target: "mysql://127.0.0.1/cut_off".to_owned(),
        database: "cut_off".to_owned(),
        making: vec![replaced.clone()],
    };
    let back = || {
        exchange_back(&Kept {
            name: &replaced,
            making: &making,
            target: &target,
            environment: &environment(),
            now: DateTime::from_timestamp(1_795_271_423, 0).unwrap(),
            ledger: &Unledgered,
        })
    };
    // What was made since under such a name stays, and so does the text.
    server.run("cut_off", "CREATE PROCEDURE many() SELECT 'another'");
    let restored = back().unwrap();
    assert_eq!(
        restored.notes,
        [
            "The tables had stayed in `cut_off`; made again: view `totals`, trigger `first_one`, trigger `second_one`, trigger \
             `third one` and 1 more."
                .to_owned(),
            format!("Not as it was kept in `{replaced}`, which stays: the procedure `many` is defined otherwise.")
        ]
    );
    server.run("cut_off", "DROP PROCEDURE many");
    let restored = back().unwrap();
    assert_eq!(restored.notes, ["The tables had stayed in `cut_off`; made again: procedure `many`."]);
    assert_same(&server.content("cut_off"), &saved);
    assert_eq!(server.run("", "SHOW DATABASES LIKE 'cut_off%'"), "cut_off");
}

#[test]
fn all_that_one_restore_makes_has_one_lock_whatever_its_name() {
    let server = Server::shared();
    for database in ["long_".repeat(12), "a_restoring_b".to_owned(), "a_replaced_20261121_143022".to_owned()] {
        let target = server.database(&database, "");
        let mut at_work = Session::open_server(&target, &environment()).unwrap();
        let now = DateTime::from_timestamp(1_795_271_422, 0).unwrap();
        let names = beside::announce(
            &mut at_work,
            ("mysql://127.0.0.1/x", &database),
            now,
            &Unledgered,
            [Purpose::Restoring, Purpose::Replaced],
        )
        .unwrap();
        names.iter().for_each(|name| drop(server.database(name, "")));
        let look = || leftovers(&target, &environment(), &AllKnown).unwrap();
        assert_eq!(look().iter().map(|one| one.at_work).collect::<Vec<_>>(), [true, true], "{database}");
        // Another one gets other names, and a turn of its own.
        let mut other = Session::open_server(&target, &environment()).unwrap();
        assert!(!beside::try_lock(&mut other, &database, &names[1]).unwrap());
        assert!(beside::try_lock(&mut other, &database, &database).unwrap());
        drop(at_work);
        crate::snapshot::testing::wait_for("the lock is given back", || look().iter().all(|one| !one.at_work));
    }
}

#[test]
fn names_that_the_server_folds_are_one_name() {
    let server = Server::start_with(&["--lower-case-table-names=1"]);
    let shop = "CREATE TABLE parts (a INT); INSERT INTO parts VALUES (1); CREATE VIEW v AS SELECT a FROM parts;
                CREATE TRIGGER r BEFORE INSERT ON parts FOR EACH ROW SET NEW.a = 7";
    server.database("mixedcase", shop);
    let saved = server.content("mixedcase");
    let target = server.target("MixedCase");
    let snapshot = Snapshot::take(&target);
    server.run("mixedcase", "DELETE FROM parts");
    let replaced = snapshot.restoring(&target, |one| restore(one, &Waiting::default()).unwrap()).replaced.unwrap();
    assert_same(&server.content("mixedcase"), &saved);
    let found = leftovers(&target, &environment(), &AllKnown).unwrap();
    assert_eq!(
        found.iter().map(|one| (&*one.name, one.kind)).collect::<Vec<_>>(),
        [(&*replaced, LeftoverKind::Replaced)]
    );
    assert!(drop_leftover(&target, &environment(), &replaced, &AllKnown).unwrap());
    assert_eq!(server.run("", "SHOW DATABASES LIKE 'mixed%'"), "mixedcase");
}
