//! Users who may make no other database, and databases that others refer to.

use crate::snapshot::Effect;
use crate::snapshot::mysql::MysqlError;
use crate::snapshot::mysql::restore::{prepare_restore, restore};
use crate::snapshot::mysql::testing::{Server, Snapshot, WRECK, Waiting, assert_same, bring_back, environment};

#[test]
fn a_user_of_one_database_replaces_what_it_holds() {
    let server = Server::shared();
    server.rich("alone");
    let target = server.target_as("alone", "lonely", &["ALL ON alone.*", "SELECT ON mysql.proc"]);
    let saved = server.content("alone");
    let snapshot = Snapshot::try_take(&target, &environment()).unwrap();
    assert_eq!(
        snapshot.manifest.obstacles.iter().map(|one| one.effect).collect::<Vec<_>>(),
        [Effect::InPlace, Effect::LeftOut]
    );
    server.run("alone", WRECK);
    let restored = snapshot.restoring(&target, |restoration| {
        let prepared = prepare_restore(restoration, &Waiting::default()).unwrap();
        assert!(!prepared.keeps_the_replaced());
        prepared.carry_out(&Waiting::default()).unwrap()
    });
    assert_eq!(restored.replaced, None);
    // Whom objects work for is what was said to be left out.
    let own = |content: String| {
        content.replace("`root`@`localhost`", "`lonely`@`%`").replace("\"root\"@\"localhost\"", "\"lonely\"@\"%\"")
    };
    assert_same(&own(server.content("alone")), &own(saved));
}

#[test]
fn what_other_databases_refer_to_stays_referred_to() {
    let server = Server::shared();
    let target = server.rich("referred");
    server.database(
        "referring",
        "CREATE TABLE t (a INT, FOREIGN KEY (a) REFERENCES referred.customers (id)); INSERT INTO t VALUES (2)",
    );
    let (saved, other) = (server.content("referred"), server.content("referring"));
    let snapshot = Snapshot::take(&target);
    assert_eq!(snapshot.manifest.obstacles.iter().map(|one| one.effect).collect::<Vec<_>>(), [Effect::InPlace]);
    server.run("referred", "SET foreign_key_checks = 0; DELETE FROM customers; DROP VIEW totals");
    let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap());
    assert_eq!(restored.replaced, None);
    assert_same(&server.content("referred"), &saved);
    assert_same(&server.content("referring"), &other);
}

#[test]
fn a_table_whose_numbers_come_from_a_sequence_that_is_gone_comes_back_with_it() {
    let server = Server::shared();
    let target = server.rich("unnumbered");
    let saved = server.content("unnumbered");
    let snapshot = Snapshot::take(&target);
    for wreck in ["DROP SEQUENCE numbers", "DROP DATABASE unnumbered"] {
        server.run("unnumbered", wreck);
        let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap());
        assert_eq!(restored.replaced, None);
        assert_same(&server.content("unnumbered"), &saved);
    }
}

#[test]
fn foreign_keys_that_lead_nowhere_lead_there_again() {
    let server = Server::shared();
    let shop = "SET foreign_key_checks = 0; CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (a INT, FOREIGN KEY (a) REFERENCES p (id));
                INSERT INTO p VALUES (1); INSERT INTO c VALUES (1), (2);";
    let lost = "SET foreign_key_checks = 0; DROP TABLE p;";
    for (before, after) in [(shop, lost), (&*format!("{shop}{lost}"), "CREATE TABLE p (id INT PRIMARY KEY)")] {
        let target = server.database("nowhere", before);
        let saved = server.content("nowhere");
        let snapshot = Snapshot::take(&target);
        server.run("nowhere", after);
        let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap());
        assert_eq!(restored.replaced, None);
        assert_same(&server.content("nowhere"), &saved);
    }
}

#[test]
fn routines_that_the_user_may_not_read_stay_as_they_are() {
    let server = Server::shared();
    for (database, rights) in
        [("unread", &["ALL ON unread.*"][..]), ("unread_beside", &[r"ALL ON `unread\_beside%`.*"])]
    {
        server.rich(database);
        let saved = server.content(database);
        let target = server.target_as(database, &format!("{database}_user"), rights);
        let snapshot = Snapshot::try_take(&target, &environment()).unwrap();
        // Made since: it stays as well, since nobody could bring it back.
        server.run(database, "DELETE FROM parts; CREATE PROCEDURE made_since() SELECT 3");
        let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap());
        assert_eq!(restored.replaced.is_some(), database == "unread_beside");
        let user = format!("{database}_user@%");
        assert_eq!(
            restored.notes[0],
            format!(
                "These stay as they are, since `{user}` may not read the text of all routines: function `plus_one`, \
                 procedure `made_since`, procedure `many`, procedure `slashes`."
            )
        );
        server.run(database, "DROP PROCEDURE made_since");
        let now = server.content(database).replace(&format!("`{database}_user`@`%`"), "`root`@`localhost`");
        assert_same(&now.replace(&format!("\"{database}_user\"@\"%\""), "\"root\"@\"localhost\""), &saved);
    }
}

#[test]
fn functions_that_the_user_may_not_make_stay_as_they_are() {
    let server = Server::start_with(&["--log-bin=log", "--server-id=1"]);
    server.rich("logged");
    let target = server.target_as("logged", "plain", &[r"ALL ON `logged%`.*", "SELECT ON mysql.proc"]);
    let snapshot = Snapshot::try_take(&target, &environment()).unwrap();
    let said = |snapshot: &Snapshot| -> Vec<(Effect, String)> {
        snapshot.manifest.obstacles.iter().map(|one| (one.effect, one.what.clone())).collect()
    };
    let triggers = "`plain@%` may neither drop nor make 3 triggers while the server logs changes".to_owned();
    let functions = "1 functions, which `plain@%` may not make while the server logs changes".to_owned();
    assert!(said(&snapshot).contains(&(Effect::NothingComesBack, triggers)), "{:?}", said(&snapshot));
    let before = server.content("logged");
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    assert!(matches!(&error, MysqlError::NotPermitted { what, .. } if what.contains("`first_one`")), "{error}");
    assert_same(&server.content("logged"), &before);
    server.run("logged", "DROP TRIGGER first_one; DROP TRIGGER second_one; DROP TRIGGER `third one`");
    let snapshot = Snapshot::try_take(&target, &environment()).unwrap();
    assert!(said(&snapshot).contains(&(Effect::LeftOut, functions)), "{:?}", said(&snapshot));
    server.run("logged", "DELETE FROM parts; DROP PROCEDURE many");
    let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap());
    assert_eq!(
        restored.notes[0],
        "These stay as they are, since `plain@%` may not make functions while the server logs changes: function `plus_one`."
    );
    let counts = "SELECT COUNT(*) FROM parts; SELECT COUNT(*) FROM totals; SELECT plus_one(1); SHOW PROCEDURE STATUS LIKE 'many'";
    assert!(server.run("logged", counts).starts_with("2\n3\n2\nlogged\tmany"), "{}", server.run("logged", counts));
    // What was there comes back by the same user.
    let replaced = restored.replaced.unwrap();
    let back = bring_back(&target, &replaced).unwrap();
    assert!(!back.notes.iter().any(|note| note.contains("missing")), "{:?}", back.notes);
    assert_eq!(server.run("logged", "SELECT COUNT(*) FROM parts; SELECT COUNT(*) FROM totals"), "0\n3");
}
