//! Putting a snapshot back, with others looking on.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use super::*;

const SETUP: &str = "CREATE TABLE t(id INTEGER PRIMARY KEY, a);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000) INSERT INTO t SELECT i, 'kept' FROM n;";

fn put_back(place: &Scratch, taken: &Taken) -> Result<Restored, SqliteError> {
    restore(&place.partial("one"), &manifest(taken), &place.database, &Ear::default())
}

fn impatiently(place: &Scratch, taken: &Taken) -> Result<Restored, SqliteError> {
    let occasion = Occasion { patience: Duration::from_millis(50), ..Occasion::at(DateTime::UNIX_EPOCH) };
    super::super::restore(&place.partial("one"), &manifest(taken), &place.database, &occasion, &Ear::default())
}

fn modes() -> [Scratch; 2] {
    ["delete", "wal"].map(|mode| Scratch::with(&format!("PRAGMA journal_mode={mode}; {SETUP}")))
}

const COUNT: &str = "SELECT count(*), min(a) FROM t";

#[test]
fn what_a_command_did_is_undone() {
    for place in modes() {
        let taken = place.take("one");
        place.sql("DELETE FROM t WHERE id > 10; UPDATE t SET a = 'spoilt'; CREATE TABLE extra(a); VACUUM");
        let restored = put_back(&place, &taken).unwrap();
        assert_eq!(restored.tables, [rows("t", 1000)]);
        assert!(!restored.created && restored.notes.is_empty(), "{restored:?}");
        assert_eq!(place.other().run(COUNT), "[(1000, 'kept')]");
        assert_eq!(place.take("two").tables, taken.tables);
    }
}

#[test]
fn open_connections_see_the_restored_database() {
    for place in modes() {
        let taken = place.take("one");
        let mut writer = place.other();
        let mut reader = place.other();
        writer.run("DELETE FROM t");
        assert_eq!(reader.run(COUNT), "[(0, None)]");
        put_back(&place, &taken).unwrap();
        assert_eq!(reader.run(COUNT), "[(1000, 'kept')]");
        assert_eq!(writer.run(COUNT), "[(1000, 'kept')]");
        writer.run("INSERT INTO t(a) VALUES ('more')");
        assert_eq!(reader.run(COUNT), "[(1001, 'kept')]");
        assert_eq!(reader.run("PRAGMA integrity_check"), "[('ok',)]");
    }
}

#[test]
fn a_reader_in_a_wal_transaction_keeps_its_view_until_it_ends() {
    let [_, place] = modes();
    let taken = place.take("one");
    let mut reader = place.other();
    place.sql("DELETE FROM t WHERE id > 5");
    reader.run("BEGIN");
    assert_eq!(reader.run(COUNT), "[(5, 'kept')]");
    // It stays longer than anybody waits for it.
    assert_eq!(place.take("two").tables, [rows("t", 5)]);
    impatiently(&place, &taken).unwrap();
    assert_eq!(place.take("three").tables, taken.tables);
    assert_eq!(reader.run(COUNT), "[(5, 'kept')]");
    reader.run("COMMIT");
    assert_eq!(reader.run(COUNT), "[(1000, 'kept')]");
}

#[test]
fn a_stale_wal_does_not_undo_the_restore() {
    for keep_index in [true, false] {
        let [_, place] = modes();
        let taken = place.take("one");
        let mut other = place.other();
        other.run("DELETE FROM t WHERE id > 3");
        other.run("CREATE TABLE made_by_the_test(a)");
        other.kill();
        assert!(fs::metadata(place.path().join("app.db-wal")).unwrap().len() > 0);
        if !keep_index {
            fs::remove_file(place.path().join("app.db-shm")).unwrap();
        }
        assert_eq!(put_back(&place, &taken).unwrap().tables, [rows("t", 1000)]);
        assert_eq!(place.other().run(COUNT), "[(1000, 'kept')]");
    }
}

#[test]
fn a_hot_journal_does_not_undo_the_restore() {
    let [place, _] = modes();
    let taken = place.take("one");
    let mut other = place.other();
    other.run("PRAGMA cache_size=1");
    other.run("BEGIN");
    other.run("UPDATE t SET a = hex(zeroblob(300))");
    other.kill();
    assert_eq!(place.side_files(), ["app.db-journal"]);
    put_back(&place, &taken).unwrap();
    assert_eq!(place.other().run(COUNT), "[(1000, 'kept')]");
    assert!(place.side_files().is_empty());
}

#[test]
fn a_lock_that_does_not_end_leaves_everything_as_it_was() {
    for (place, hold) in modes().iter().zip(["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE"]) {
        let taken = place.take("one");
        place.sql("DELETE FROM t WHERE id > 3");
        let mut other = place.other();
        other.run(hold);
        let error = impatiently(place, &taken).unwrap_err();
        assert!(matches!(error, SqliteError::RestoreLocked { .. }), "{error}");
        other.run("COMMIT");
        assert_eq!(other.run(COUNT), "[(3, 'kept')]");
    }
}

#[test]
fn a_rollback_reader_in_a_transaction_is_a_lock() {
    let [place, _] = modes();
    let taken = place.take("one");
    place.sql("DELETE FROM t WHERE id > 3");
    let mut reader = place.other();
    reader.run("BEGIN");
    reader.run(COUNT);
    assert!(matches!(impatiently(&place, &taken), Err(SqliteError::RestoreLocked { .. })));
    reader.run("COMMIT");
    put_back(&place, &taken).unwrap();
    assert_eq!(reader.run(COUNT), "[(1000, 'kept')]");
}

#[test]
fn an_interruption_takes_back_what_was_written() {
    for mode in ["delete", "wal"] {
        let place = Scratch::with(&format!(
            "PRAGMA journal_mode={mode}; {SETUP} INSERT INTO t VALUES (5000, zeroblob(30000000))"
        ));
        let taken = place.take("one");
        place.sql("DELETE FROM t WHERE id > 3");
        let ear = Ear { stop_after: Some(9_000_000), ..Ear::default() };
        let error = restore(&place.partial("one"), &manifest(&taken), &place.database, &ear).unwrap_err();
        assert!(matches!(error, SqliteError::RestoreInterrupted { .. }), "{error}");
        let mut other = place.other();
        assert_eq!(other.run(COUNT), "[(3, 'kept')]", "{mode}");
        assert_eq!(other.run("PRAGMA integrity_check"), "[('ok',)]");
    }
}

#[test]
fn a_missing_database_is_created_with_the_permissions_it_had() {
    for place in modes() {
        fs::set_permissions(&place.database, fs::Permissions::from_mode(0o640)).unwrap();
        let taken = place.take("one");
        assert!(taken.state.is_some());
        fs::remove_file(&place.database).unwrap();
        let kept = place.path().join("app.db.replaced_19700101_000000-wal");
        fs::write(place.path().join("app.db-wal"), vec![1; 5000]).unwrap();
        let restored = put_back(&place, &taken).unwrap();
        assert!(restored.created);
        assert_eq!(restored.notes.len(), 1, "{:?}", restored.notes);
        assert!(restored.notes[0].contains("without its database"), "{:?}", restored.notes);
        assert_eq!(fs::read(kept).unwrap(), vec![1; 5000]);
        assert_eq!(fs::metadata(&place.database).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(place.other().run(COUNT), "[(1000, 'kept')]");
        assert!(place.side_files().is_empty());
    }
}

#[test]
fn without_recorded_permissions_a_new_file_is_private() {
    let [place, _] = modes();
    let taken = Taken { state: None, whereabouts: None, ..place.take("one") };
    fs::remove_file(&place.database).unwrap();
    put_back(&place, &taken).unwrap();
    assert_eq!(fs::metadata(&place.database).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn symbolic_links_are_followed_and_kept() {
    let [place, _] = modes();
    let link = place.path().join("link.db");
    symlink("app.db", &link).unwrap();
    let taken = take(&link, &place.partial("one"), &Ear::default()).unwrap();
    for gone in [false, true] {
        if gone {
            fs::remove_file(&place.database).unwrap();
        } else {
            place.sql("DELETE FROM t");
        }
        let restored = restore(&place.partial("one"), &manifest(&taken), &link, &Ear::default()).unwrap();
        assert_eq!(restored.created, gone);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(place.other().run(COUNT), "[(1000, 'kept')]");
    }
}

#[test]
fn an_emptied_database_is_filled_again() {
    for place in modes() {
        let taken = place.take("one");
        fs::write(&place.database, "").unwrap();
        put_back(&place, &taken).unwrap();
        assert_eq!(place.other().run(COUNT), "[(1000, 'kept')]");
    }
}

#[test]
fn a_place_that_cannot_take_a_database_is_refused() {
    let [place, _] = modes();
    let taken = place.take("one");
    fs::write(&place.database, "this was a database, once upon a time").unwrap();
    assert!(matches!(put_back(&place, &taken), Err(SqliteError::NotReplaceable { .. })));
    let nowhere = place.path().join("gone").join("app.db");
    let error = restore(&place.partial("one"), &manifest(&taken), &nowhere, &Ear::default()).unwrap_err();
    assert!(matches!(error, SqliteError::FolderMissing { .. }), "{error}");
}

#[test]
fn a_snapshot_that_is_not_whole_restores_nothing() {
    let [place, _] = modes();
    let taken = place.take("one");
    place.sql("DELETE FROM t WHERE id > 3");
    let mut bytes = fs::read(place.partial("one")).unwrap();
    bytes[6000] ^= 1;
    fs::write(place.partial("one"), bytes).unwrap();
    assert!(matches!(put_back(&place, &taken), Err(SqliteError::Hash { .. })));
    assert_eq!(place.other().run(COUNT), "[(3, 'kept')]");
}

#[test]
fn a_database_whose_page_size_or_mode_changed_is_restored() {
    for before in ["delete", "wal"] {
        for after in ["delete", "wal"] {
            for size in [512, 1024, 65536] {
                let place = Scratch::with(&format!("PRAGMA page_size=4096; PRAGMA journal_mode={before}; {SETUP}"));
                let taken = place.take("one");
                place.sql(&format!(
                    "PRAGMA journal_mode=delete; PRAGMA page_size={size}; VACUUM; PRAGMA journal_mode={after}; DELETE FROM t"
                ));
                put_back(&place, &taken).unwrap();
                let mut other = place.other();
                assert_eq!(other.run(COUNT), "[(1000, 'kept')]", "{before} {after} {size}");
                assert_eq!(other.run("PRAGMA integrity_check"), "[('ok',)]", "{before} {after} {size}");
            }
        }
    }
}

#[test]
fn a_page_size_that_others_keep_in_place_is_an_error_that_changes_nothing() {
    let place = Scratch::with(&format!("PRAGMA page_size=4096; PRAGMA journal_mode=wal; {SETUP}"));
    let taken = place.take("one");
    place.sql("PRAGMA journal_mode=delete; PRAGMA page_size=1024; VACUUM; PRAGMA journal_mode=wal; DELETE FROM t WHERE id > 3");
    let mut other = place.other();
    assert_eq!(other.run(COUNT), "[(3, 'kept')]");
    let error = impatiently(&place, &taken).unwrap_err();
    assert!(matches!(error, SqliteError::PageSize { live: 1024, snapshot: 4096, .. }), "{error}");
    assert_eq!(other.run(COUNT), "[(3, 'kept')]");
    assert_eq!(other.run("PRAGMA journal_mode"), "[('wal',)]");
}

#[test]
fn the_command_for_restoring_by_hand_works() {
    let place = Scratch::new();
    let folder = place.path().join("it's a \"folder\" $HOME");
    fs::create_dir(&folder).unwrap();
    let database = folder.join("app `x`.db");
    rusqlite::Connection::open(&database).unwrap().execute_batch(SETUP).unwrap();
    let taken = take(&database, &place.partial("one"), &Ear::default()).unwrap();
    rusqlite::Connection::open(&database).unwrap().execute_batch("DELETE FROM t").unwrap();
    let command = taken.by_hand[0].replace("FILE", place.partial("one").to_str().unwrap());
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
    assert_eq!(Other::open(&database).run(COUNT), "[(1000, 'kept')]");
}

#[test]
fn a_second_name_that_a_killed_restore_left_is_no_reason_to_replace_the_file() {
    let [place, _] = modes();
    let taken = place.take("one");
    place.sql("DELETE FROM t");
    let left = place.path().join(".safe-test_abcdef.partial");
    fs::hard_link(&place.database, &left).unwrap();
    let restored = put_back(&place, &taken).unwrap();
    assert!(!restored.created && restored.notes.is_empty(), "{restored:?}");
    assert!(!left.exists());
    assert_eq!(place.other().run(COUNT), "[(1000, 'kept')]");
}
