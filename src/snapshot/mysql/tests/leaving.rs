//! What restores leave on a server: which of it is ours, and who is at work on it.

use chrono::{DateTime, Utc};

use crate::hash::Hash;
use crate::reach::Target;
use crate::snapshot::beside_names::Purpose;
use crate::snapshot::mysql::beside;
use crate::snapshot::mysql::leftovers::{drop_leftover, leftovers};
use crate::snapshot::mysql::restore::restore;
use crate::snapshot::mysql::testing::{Server, Snapshot, Waiting, assert_same, bring_back, environment};
use crate::snapshot::mysql::{MysqlError, Session};
use crate::snapshot::testing::{AllKnown, Unledgered};
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

fn put_back(snapshot: &Snapshot, target: &Target) -> String {
    snapshot.restoring(target, |one| restore(one, &Waiting::default()).unwrap()).replaced.unwrap()
}

/// Leaves what a restore leaves that is killed between dropping the triggers and moving the tables, and more: its tables are
/// in the database, and of what is no table some is gone. Gives the name of what it has kept.
fn cut_off(server: &Server, snapshot: &Snapshot, target: &Target) -> String {
    let (replaced, database) = (put_back(snapshot, target), target.database.as_deref().unwrap());
    let tables = server.run(
        "",
        &format!("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{replaced}' AND TABLE_NAME <> 'safe_test_kept'"),
    );
    let mut script =
        String::from("SET foreign_key_checks = 0; DROP VIEW totals; DROP PROCEDURE many; DROP EVENT nightly;");
    for table in tables.lines().map(|name| name.replace('`', "``")) {
        script.push_str(&format!("DROP TABLE `{table}`; RENAME TABLE {replaced}.`{table}` TO {database}.`{table}`;"));
    }
    server.run(database, &script);
    replaced
}

#[test]
fn what_was_dropped_before_a_restore_was_killed_is_kept_and_made_again() {
    let server = Server::shared();
    let target = server.rich("cut_off");
    let saved = server.content("cut_off");
    let replaced = cut_off(&server, &Snapshot::take(&target), &target);
    let found = leftovers(&target, &environment(), &AllKnown).unwrap();
    assert_eq!((found[0].kind, found[0].ours), (LeftoverKind::Replaced, true), "it has the only text of them");
    // What was made since under such a name stays, and so does the text.
    server.run("cut_off", "CREATE PROCEDURE many() SELECT 'another'");
    let restored = bring_back(&target, &replaced).unwrap();
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
    let restored = bring_back(&target, &replaced).unwrap();
    assert_eq!(restored.notes, ["The tables had stayed in `cut_off`; made again: procedure `many`."]);
    assert_same(&server.content("cut_off"), &saved);
    assert_eq!(server.run("", "SHOW DATABASES LIKE 'cut_off%'"), "cut_off");
}

#[test]
fn what_was_dropped_is_not_made_in_what_a_later_restore_has_put_in_the_tables_place() {
    let server = Server::shared();
    let target = server.rich("overtaken");
    let snapshot = Snapshot::take(&target);
    server.run("overtaken", "CREATE PROCEDURE made_since() SELECT 3");
    let saved = server.content("overtaken");
    let dropped = cut_off(&server, &snapshot, &target);
    let (first, second) = (put_back(&snapshot, &target), put_back(&snapshot, &target));
    let now = server.content("overtaken");
    let error = bring_back(&target, &dropped).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`{dropped}` cannot be put back: a later restore has replaced what it belongs to: bring back `{first}` first"
        )
    );
    assert_same(&server.content("overtaken"), &now);
    bring_back(&target, &first).unwrap();
    assert_eq!(bring_back(&target, &dropped).unwrap().notes.len(), 1);
    assert_same(&server.content("overtaken"), &saved);
    let left = server.run("", "SHOW DATABASES LIKE 'overtaken\\_%'");
    assert!(left.contains(&second) && !left.contains(&first) && !left.lines().any(|one| one == dropped), "{left}");
}

#[test]
fn what_was_dropped_is_made_where_its_own_tables_are_however_often_they_were_exchanged() {
    let server = Server::shared();
    for (name, seconds) in [("to_and_fro", 2), ("overtaken_twice", 1)] {
        let target = server.rich(name);
        let snapshot = Snapshot::take(&target);
        server.run(name, "CREATE PROCEDURE made_since() SELECT 3");
        let saved = server.content(name);
        let dropped = cut_off(&server, &snapshot, &target);
        let first = put_back(&snapshot, &target);
        // Its own tables are in `own` from now on.
        let own = match seconds {
            // Brought back, and that undone.
            2 => {
                let theirs = bring_back(&target, &first).unwrap().replaced.unwrap();
                bring_back(&target, &theirs).unwrap().replaced.unwrap()
            }
            // Another restore, of which alone is brought back.
            _ => {
                let second = put_back(&snapshot, &target);
                bring_back(&target, &second).unwrap();
                first
            }
        };
        let error = bring_back(&target, &dropped).unwrap_err().to_string();
        assert!(error.ends_with(&format!("bring back `{own}` first")), "{name}: {error}");
        bring_back(&target, &own).unwrap();
        assert_eq!(bring_back(&target, &dropped).unwrap().notes.len(), 1, "{name}");
        assert_same(&server.content(name), &saved);
    }
}

#[test]
fn whom_things_worked_for_stays_written_where_the_user_may_not_set_it() {
    let server = Server::shared();
    let target = server.rich("disowned");
    let saved = server.content("disowned");
    let replaced = cut_off(&server, &Snapshot::take(&target), &target);
    let weak = server.target_as("disowned", "disowner", &[r"ALL ON `disowned%`.*", "SELECT ON mysql.proc"]);
    let listed = "the view `totals` works for another account, the trigger `first_one` works for another account, the trigger \
                  `second_one` works for another account, the trigger `third one` works for another account and 2 more";
    for made in [
        "made again: view `totals`, trigger `first_one`, trigger `second_one`, trigger `third one` and 2 more",
        "nothing was missing",
    ] {
        assert_eq!(
            bring_back(&weak, &replaced).unwrap().notes,
            [
                format!("The tables had stayed in `disowned`; {made}."),
                format!("Not as it was kept in `{replaced}`, which stays: {listed}.")
            ]
        );
    }
    // Whoever may do so has them made as they were.
    server.run(
        "disowned",
        "DROP VIEW totals; DROP TRIGGER first_one; DROP TRIGGER second_one; DROP TRIGGER `third one`; DROP PROCEDURE many;
         DROP EVENT nightly",
    );
    bring_back(&target, &replaced).unwrap();
    assert_same(&server.content("disowned"), &saved);
    assert_eq!(server.run("", "SHOW DATABASES LIKE 'disowned%'"), "disowned");
}

#[test]
fn whom_things_worked_for_stays_written_where_all_is_brought_back() {
    let server = Server::shared();
    server
        .database("returned", "CREATE TABLE t (a INT); CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 5");
    let before = server.content("returned");
    let weak = server.target_as("returned", "returner", &[r"ALL ON `returned%`.*"]);
    let replaced = put_back(&Snapshot::try_take(&weak, &environment()).unwrap(), &weak);
    let back = bring_back(&weak, &replaced).unwrap();
    assert_eq!(
        back.notes,
        [
            "These work for `returner@%` now, who may not set another: trigger `r`.".to_owned(),
            format!("Whom they worked for stands in `{replaced}`, which stays for that.")
        ]
    );
    // Whoever may do so has it made as it was.
    server.run("returned", "DROP TRIGGER r");
    bring_back(&server.target("returned"), &replaced).unwrap();
    assert_same(&server.content("returned"), &before);
    assert!(!server.run("", "SHOW DATABASES").lines().any(|name| name == replaced));
}

#[test]
fn a_restore_that_fails_says_whom_what_it_made_again_works_for() {
    let server = Server::shared();
    server.database("lent", "CREATE TABLE t (a INT)");
    server.database(
        "borrowing",
        "CREATE TABLE t (a INT); CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 5; CREATE VIEW v AS SELECT a FROM lent.t",
    );
    let weak = server.target_as("borrowing", "borrower", &[r"ALL ON `borrowing%`.*", "SELECT ON lent.*"]);
    let snapshot = Snapshot::try_take(&weak, &environment()).unwrap();
    // The view cannot be made again.
    server.run("borrowing", "DROP VIEW v; DROP TABLE lent.t; INSERT INTO t VALUES (1)");
    let before = server.content("borrowing");
    let error = snapshot.restoring(&weak, |one| restore(one, &Waiting::default()).unwrap_err());
    let MysqlError::HalfRestored { remains, .. } = &error else { panic!("{error}") };
    let replaced = leftovers(&weak, &environment(), &AllKnown).unwrap().pop().unwrap().name;
    assert_eq!(
        *remains,
        format!(
            "all is as it was, but not what was made again, of which the text stays in `{replaced}`: the trigger `r` works for \
             another account"
        )
    );
    let after = server.content("borrowing").replace("`borrower`@`%`", "`root`@`localhost`");
    assert_same(&after, &before);
    // Where all was made as it was, nothing is left.
    server.run("", &format!("DROP DATABASE {replaced}"));
    let error = snapshot.restoring(&weak, |one| restore(one, &Waiting::default()).unwrap_err());
    assert!(matches!(error, MysqlError::NotRestored { .. }), "{error}");
    assert_eq!(server.run("", "SHOW DATABASES LIKE 'borrowing%'"), "borrowing");
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
