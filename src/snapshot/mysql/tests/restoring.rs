//! Databases that come back.

use crate::snapshot::mysql::restore::{prepare_restore, restore};
use crate::snapshot::mysql::testing::{Server, Snapshot, WRECK, Waiting, assert_same, bring_back, environment};
use crate::snapshot::mysql::{MysqlError, Session};
use crate::snapshot::testing::wait_for;
use crate::snapshot::tool_process::ToolError;

#[test]
fn all_of_it_comes_back_and_what_was_there_is_kept_and_comes_back_in_turn() {
    let server = Server::shared();
    let target = server.rich("shop");
    let saved = server.content("shop");
    let snapshot = Snapshot::take(&target);
    server.run("shop", WRECK);
    let wrecked = server.content("shop");
    let restored = snapshot.restoring(&target, |restoration| {
        let prepared = prepare_restore(restoration, &Waiting::default()).unwrap();
        assert!(prepared.keeps_the_replaced());
        prepared.carry_out(&Waiting::default()).unwrap()
    });
    assert_eq!(restored.notes, [""; 0]);
    assert_same(&server.content("shop"), &saved);
    let replaced = restored.replaced.unwrap();
    assert_eq!(replaced, "shop_replaced_20261121_143022");
    let left = server.run("", "SHOW DATABASES LIKE 'shop%'");
    assert_eq!(left, format!("shop\n{replaced}"));

    // And back to what the command had made of it.
    let back = bring_back(&target, &replaced).unwrap();
    assert_eq!(back.notes, [""; 0]);
    assert_same(&server.content("shop"), &wrecked);
    let again = bring_back(&target, &back.replaced.unwrap()).unwrap();
    assert_same(&server.content("shop"), &saved);
    assert!(matches!(bring_back(&target, &replaced), Err(MysqlError::NotKept { .. })));
    assert_eq!(server.run("", "SHOW DATABASES LIKE 'shop%'"), format!("shop\n{}", again.replaced.unwrap()));
}

#[test]
fn a_database_that_is_gone_or_was_made_anew_comes_back_with_its_character_set_and_grants() {
    let server = Server::shared();
    let target = server.rich("gone");
    server.run("gone", "DROP TABLE numbered");
    server.run("", "CREATE USER guest@'%'; GRANT SELECT ON gone.* TO guest@'%'");
    let (saved, grants) = (server.content("gone"), server.run("", "SHOW GRANTS FOR guest@'%'"));
    let snapshot = Snapshot::take(&target);
    for (at, wreck) in
        ["DROP DATABASE gone", "DROP DATABASE gone; CREATE DATABASE gone CHARACTER SET latin1"].iter().enumerate()
    {
        server.run("", wreck);
        let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap());
        assert_eq!(restored.replaced.is_some(), at == 1, "{wreck}");
        assert_same(&server.content("gone"), &saved);
        assert_eq!(server.run("", "SHOW GRANTS FOR guest@'%'"), grants);
    }
}

#[test]
fn a_table_in_use_is_not_waited_for_without_end_and_all_stays_as_it_is() {
    let server = Server::shared();
    let target = server.rich("in_use");
    let saved = server.content("in_use");
    let snapshot = Snapshot::take(&target);
    server.run("in_use", WRECK);
    // It cannot be made again.
    server.run("in_use", "CREATE TABLE x (a INT); CREATE VIEW does_not_work AS SELECT * FROM x; DROP TABLE x");
    let wrecked = server.content("in_use");
    let mut user = Session::open(&target, &environment()).unwrap();
    user.client.ask("BEGIN").unwrap();
    user.client.ask("SELECT COUNT(*) FROM counted").unwrap();
    let error = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap_err());
    let MysqlError::NotRestored { remains, source, .. } = &error else { panic!("{error}") };
    assert_eq!(remains, "`in_use` is as it was");
    assert!(matches!(&**source, MysqlError::InUse { users, .. } if users.contains("(tester)")), "{source}");
    assert_same(&server.content("in_use"), &wrecked);
    assert_eq!(server.run("", "SHOW DATABASES LIKE 'in_use%'"), "in_use", "nothing is left");
    drop(user);
    let restored = snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap());
    let note = "What was there had views that did not work, which are not kept: does_not_work.";
    assert_eq!(restored.notes, [note]);
    assert_same(&server.content("in_use"), &saved);
}

/// Restores while somebody has a table in use, as a user who may do no more than that takes: nothing is dropped before all
/// tables are free.
pub(super) fn waits_before_it_drops(server: &Server, everywhere: &[&str]) {
    server.database(
        "awaited",
        "CREATE TABLE held (a INT); CREATE TABLE t (a INT); INSERT INTO t VALUES (1); INSERT INTO held VALUES (1)",
    );
    let rights = ["SELECT, INSERT, UPDATE, CREATE, DROP, ALTER, INDEX, TRIGGER, EVENT ON `awaited%`.*"];
    let target = server.target_as("awaited", "waiter", &[&rights, everywhere].concat());
    let mut own = Session::open(&target, &environment()).unwrap();
    own.client.ask("CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 5").unwrap();
    let saved = server.content("awaited");
    let snapshot = Snapshot::try_take(&target, &environment()).unwrap();
    own.client.ask("UPDATE t SET a = 2").unwrap();
    let mut user = Session::open(&server.target("awaited"), &environment()).unwrap();
    user.client.ask("BEGIN").unwrap();
    user.client.ask("SELECT COUNT(*) FROM held").unwrap();
    let restored = std::thread::scope(|scope| {
        let restoring = scope
            .spawn(|| snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default()).unwrap()));
        wait_for("it waits for the table", || {
            assert!(!restoring.is_finished());
            let waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table%'";
            server.run("", waiting) == "1"
        });
        let triggers = "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'awaited'";
        let there = server.run("", triggers);
        drop(user);
        let restored = restoring.join().unwrap();
        assert_eq!(there, "1", "it has not dropped the trigger while it waited");
        restored
    });
    assert!(restored.replaced.is_some());
    assert_same(&server.content("awaited"), &saved);
}

#[test]
fn nothing_is_dropped_before_all_tables_are_free_whatever_the_user_may_do() {
    waits_before_it_drops(&Server::shared(), &[]);
}

#[test]
fn a_restore_that_is_stopped_leaves_the_database_as_it_was() {
    let server = Server::shared();
    let target = server.rich("halted");
    let snapshot = Snapshot::take(&target);
    server.run("halted", WRECK);
    let wrecked = server.content("halted");
    for stop_after in [1, snapshot.manifest.size + 1, snapshot.manifest.size + 5_000, snapshot.manifest.size + 20_000] {
        let watch = Waiting { stop_after: Some(stop_after), ..Waiting::default() };
        let error = snapshot.restoring(&target, |restoration| restore(restoration, &watch).unwrap_err());
        let is_interrupted = match &error {
            MysqlError::NotRestored { source, .. } => matches!(**source, MysqlError::Tool(ToolError::Interrupted)),
            error => matches!(error, MysqlError::Tool(ToolError::Interrupted)),
        };
        assert!(is_interrupted, "{stop_after}: {error}");
        assert_same(&server.content("halted"), &wrecked);
        assert_eq!(server.run("", "SHOW DATABASES LIKE 'halted%'"), "halted", "{stop_after}");
    }
}

#[test]
fn a_snapshot_goes_to_no_other_server_and_no_other_database() {
    let server = Server::shared();
    let target = server.database("mine", "CREATE TABLE t (a INT)");
    server.database("theirs", "");
    let mut snapshot = Snapshot::take(&target);
    let error = snapshot.restoring(&server.target("theirs"), |one| restore(one, &Waiting::default()).unwrap_err());
    assert!(matches!(error, MysqlError::SnapshotOfOtherDatabase { .. }), "{error}");
    snapshot.manifest.server.as_mut().unwrap().fingerprint = "mariadb:0".to_owned();
    let error = snapshot.restoring(&target, |one| restore(one, &Waiting::default()).unwrap_err());
    assert!(matches!(error, MysqlError::OtherServer { .. }), "{error}");
}
