//! Presence, and consistent copies while others write.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::*;
use crate::snapshot::sqlite::presence::examine;
use crate::snapshot::sqlite::settle::remove_leftovers;
use crate::text::hex;

#[test]
fn what_lies_at_a_path_is_told_without_creating_anything() {
    let place = Scratch::with("CREATE TABLE t(a)");
    let at = |name: &str| place.path().join(name);
    fs::write(at("empty.db"), "").unwrap();
    fs::write(at("notes.txt"), "only some words, and more of them").unwrap();
    fs::write(at("short.db"), "SQLite").unwrap();
    symlink("app.db", at("link.db")).unwrap();
    symlink("gone.db", at("dangling.db")).unwrap();
    assert_eq!(examine(&at("missing.db")).unwrap(), Presence::Missing);
    assert_eq!(examine(&at("no/such/folder.db")).unwrap(), Presence::Missing);
    assert_eq!(examine(&at("dangling.db")).unwrap(), Presence::Missing);
    assert_eq!(examine(&at("empty.db")).unwrap(), Presence::Empty);
    assert_eq!(examine(&at("app.db")).unwrap(), Presence::Database);
    assert_eq!(examine(&at("link.db")).unwrap(), Presence::Database);
    assert!(matches!(examine(place.path()), Err(SqliteError::Folder { .. })));
    assert!(matches!(examine(Path::new("/dev/null")), Err(SqliteError::NotAFile { .. })));
    assert!(matches!(examine(&at("notes.txt")), Err(SqliteError::NotDatabase { .. })));
    assert!(matches!(examine(&at("short.db")), Err(SqliteError::NotDatabase { .. })));
    assert_eq!(examine(&at("notes.txt/app.db")).unwrap(), Presence::Missing);
    symlink("circle.db", at("circle.db")).unwrap();
    assert!(matches!(examine(&at("circle.db")), Err(SqliteError::LinksInCircle { .. })));
    assert!(!at("missing.db").exists() && !at("gone.db").exists());
}

#[test]
fn a_snapshot_is_the_database_byte_for_byte() {
    for mode in ["delete", "truncate", "persist", "wal"] {
        let place = Scratch::with(&format!(
            "PRAGMA journal_mode={mode}; CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT);
             INSERT INTO users(name) VALUES ('ann'), ('bob'); CREATE TABLE \"odd \"\" name\"(a);"
        ));
        let before = fs::read(&place.database).unwrap();
        let side_files = place.side_files();
        let taken = place.take("one");
        let partial = place.partial("one");
        let saved = fs::read(&partial).unwrap();
        assert!(saved == before && fs::read(&place.database).unwrap() == before, "{mode}");
        assert_eq!(taken.size, saved.len() as u64);
        assert_eq!(taken.sha256, hex(Sha256::digest(&saved)));
        assert_eq!(taken.tables, [rows("odd \" name", 0), rows("users", 2)]);
        assert_eq!(taken.verified, VerificationLevel::Read);
        assert!(taken.state.is_some(), "{mode}");
        assert_eq!(fs::metadata(&partial).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(place.side_files(), side_files, "{mode}");
        assert_eq!(fs::read_dir(place.path().join("backups")).unwrap().count(), 1, "{mode}");
    }
}

#[test]
fn the_sqlite3_program_opens_a_snapshot() {
    let place = Scratch::with("CREATE TABLE t(a); INSERT INTO t VALUES (41), (1)");
    place.take("one");
    let output = Command::new("sqlite3").arg(place.partial("one")).arg("SELECT sum(a) FROM t").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "42\n");
}

#[test]
fn a_wal_that_others_have_open_is_part_of_the_snapshot() {
    let place = Scratch::with("PRAGMA journal_mode=wal; CREATE TABLE t(a)");
    let mut other = place.other();
    other.run("PRAGMA wal_autocheckpoint=0");
    for i in 0..50 {
        other.run(&format!("INSERT INTO t VALUES ({i})"));
    }
    let file = fs::read(&place.database).unwrap();
    let wal = fs::read(place.path().join("app.db-wal")).unwrap();
    let taken = place.take("one");
    assert_eq!(taken.tables, [rows("t", 50)]);
    assert!(taken.state.is_some());
    assert!(fs::read(&place.database).unwrap() == file, "the database was checkpointed");
    assert!(fs::read(place.path().join("app.db-wal")).unwrap() == wal);
    assert_eq!(other.run("SELECT count(*) FROM t"), "[(50,)]");
}

#[test]
fn a_wal_left_by_a_crash_is_part_of_the_snapshot_and_stays_as_it_is() {
    for keep_index in [true, false] {
        let place = Scratch::with("PRAGMA journal_mode=wal; CREATE TABLE t(a)");
        let mut other = place.other();
        other.run("INSERT INTO t VALUES (1)");
        other.kill();
        if !keep_index {
            fs::remove_file(place.path().join("app.db-shm")).unwrap();
        }
        let file = fs::read(&place.database).unwrap();
        let wal = fs::read(place.path().join("app.db-wal")).unwrap();
        let side_files = place.side_files();
        assert_eq!(place.take("one").tables, [rows("t", 1)]);
        assert!(
            fs::read(&place.database).unwrap() == file && fs::read(place.path().join("app.db-wal")).unwrap() == wal
        );
        assert_eq!(place.side_files(), side_files, "index kept: {keep_index}");
    }
}

#[test]
fn a_transaction_under_way_is_not_part_of_the_snapshot() {
    for mode in ["delete", "wal"] {
        let place = Scratch::with(&format!("PRAGMA journal_mode={mode}; CREATE TABLE t(a); INSERT INTO t VALUES (1)"));
        let mut other = place.other();
        other.run("BEGIN IMMEDIATE");
        other.run("INSERT INTO t VALUES (2)");
        assert_eq!(place.take("one").tables, [rows("t", 1)], "{mode}");
        other.run("COMMIT");
        assert_eq!(place.take("two").tables, [rows("t", 2)], "{mode}");
    }
}

#[test]
fn a_transaction_that_a_crash_cut_short_is_rolled_back_in_the_copy_alone() {
    let place = Scratch::with(
        "CREATE TABLE t(a, b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000)
         INSERT INTO t SELECT 1, hex(zeroblob(200)) FROM n",
    );
    let mut other = place.other();
    // A cache of one page writes uncommitted pages to the file.
    other.run("PRAGMA cache_size=1");
    other.run("BEGIN");
    other.run("UPDATE t SET a = 2, b = hex(zeroblob(150))");
    other.kill();
    let file = fs::read(&place.database).unwrap();
    let journal = fs::read(place.path().join("app.db-journal")).unwrap();
    assert_eq!(state(&place.database).unwrap(), None);
    let taken = place.take("one");
    assert_eq!(ask(&place.partial("one"), "SELECT sum(a) FROM t"), "Integer(2000)");
    assert_eq!(taken.state, None);
    assert_eq!(taken.notes.len(), 1, "{:?}", taken.notes);
    assert!(
        fs::read(&place.database).unwrap() == file && fs::read(place.path().join("app.db-journal")).unwrap() == journal
    );
    assert_eq!(fs::read_dir(place.path().join("backups")).unwrap().count(), 1);
}

/// Moves money between accounts, in two statements a transaction, and tidies its WAL in every way there is.
const MOVES_MONEY: &str = r"
import random, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute('PRAGMA synchronous=OFF')
print('ready', flush=True)
checkpoints = ['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']
i = 0
while True:
    i += 1
    a, b = random.sample(range(1, 401), 2)
    connection.execute('BEGIN IMMEDIATE')
    connection.execute('UPDATE account SET balance = balance - ? WHERE id = ?', (i % 97, a))
    connection.execute('UPDATE account SET balance = balance + ? WHERE id = ?', (i % 97, b))
    connection.execute('INSERT INTO moved VALUES (?, zeroblob(3000))', (i,))
    connection.execute('UPDATE total SET moves = moves + 1')
    connection.execute('COMMIT')
    if i % 7 == 0:
        connection.execute('PRAGMA busy_timeout=0')
        connection.execute('PRAGMA wal_checkpoint(' + random.choice(checkpoints) + ')').fetchall()
        connection.execute('PRAGMA busy_timeout=30000')
    if i % 50 == 0:
        connection.execute('BEGIN IMMEDIATE')
        connection.execute('DELETE FROM moved WHERE i < ?', (i - 20,))
        connection.execute('UPDATE total SET moves = (SELECT count(*) FROM moved)')
        connection.execute('COMMIT')
";

#[test]
fn every_snapshot_is_consistent_while_another_process_writes() {
    for mode in ["delete", "persist", "wal"] {
        let place = Scratch::with(&format!(
            "PRAGMA journal_mode={mode}; CREATE TABLE account(id INTEGER PRIMARY KEY, balance, padding);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<400)
             INSERT INTO account SELECT i, 1000, zeroblob(6000) FROM n;
             CREATE TABLE moved(i, padding); CREATE TABLE total(moves); INSERT INTO total VALUES (0);"
        ));
        let mut writer = Command::new("python3")
            .args(["-c", MOVES_MONEY])
            .arg(&place.database)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(writer.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let mut different = std::collections::BTreeSet::new();
        for i in 0..15 {
            let name = format!("{mode}{i}");
            let taken = place.take(&name);
            let partial = place.partial(&name);
            assert_eq!(ask(&partial, "SELECT sum(balance) FROM account"), "Integer(400000)", "{name}");
            assert_eq!(ask(&partial, "SELECT moves - (SELECT count(*) FROM moved) FROM total"), "Integer(0)", "{name}");
            different.insert(taken.sha256);
            fs::remove_file(partial).unwrap();
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        assert!(different.len() > 3, "{mode}: the writer did not write");
    }
}

#[test]
fn a_writer_that_holds_the_file_is_waited_for() {
    let place = Scratch::with("CREATE TABLE t(a)");
    let mut other = place.other();
    other.run("BEGIN EXCLUSIVE");
    other.run("INSERT INTO t VALUES (1)");
    let ear = Ear::default();
    let taken = std::thread::scope(|scope| {
        let taking = scope.spawn(|| take(&place.database, &place.partial("one"), &ear));
        while ear.remarks.lock().unwrap().is_empty() {
            assert!(!taking.is_finished());
            std::thread::sleep(Duration::from_millis(10));
        }
        other.run("COMMIT");
        taking.join().unwrap().unwrap()
    });
    assert_eq!(taken.tables, [rows("t", 1)]);
    assert!(ear.remarks.lock().unwrap()[0].contains("waiting"));
}

#[test]
fn a_lock_that_does_not_end_is_an_error() {
    let place = Scratch::with("CREATE TABLE t(a)");
    let mut other = place.other();
    other.run("BEGIN EXCLUSIVE");
    let error = take::take_within(Duration::from_millis(50), &place.database, &place.partial("one"), &Ear::default())
        .unwrap_err();
    assert!(matches!(error, SqliteError::Locked { .. }), "{error}");
}

#[test]
fn an_interruption_stops_the_copy_and_leaves_the_database_alone() {
    let place = Scratch::with("CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(20000000))");
    let before = fs::read(&place.database).unwrap();
    let ear = Ear { stop_after: Some(5_000_000), ..Ear::default() };
    let error = take(&place.database, &place.partial("one"), &ear).unwrap_err();
    assert!(matches!(error, SqliteError::Interrupted { .. }), "{error}");
    assert!(fs::read(&place.database).unwrap() == before && place.side_files().is_empty());
    assert!(place.partial("one").exists(), "who called removes the partial file");
    let waiting = Ear { stop: AtomicBool::new(true), ..Ear::default() };
    let mut other = place.other();
    other.run("BEGIN EXCLUSIVE");
    let error = take(&place.database, &place.partial("two"), &waiting).unwrap_err();
    assert!(matches!(error, SqliteError::Interrupted { .. }), "{error}");
}

#[test]
fn a_partial_file_that_is_there_is_not_overwritten() {
    let place = Scratch::with("CREATE TABLE t(a)");
    fs::write(place.partial("one"), "somebody else's").unwrap();
    let error = take(&place.database, &place.partial("one"), &Ear::default()).unwrap_err();
    assert!(matches!(error, SqliteError::Write { .. }), "{error}");
    assert_eq!(fs::read_to_string(place.partial("one")).unwrap(), "somebody else's");
}

#[test]
fn side_files_of_a_partial_are_removed_and_nothing_else() {
    let place = Scratch::new();
    let partial = place.partial("one");
    for ending in ["", "-wal", "-shm", "-journal", "-other"] {
        fs::write(files::beside(&partial, ending), "x").unwrap();
    }
    remove_leftovers(&partial).unwrap();
    remove_leftovers(&partial).unwrap();
    assert!(partial.exists() && files::beside(&partial, "-other").exists());
    assert_eq!(fs::read_dir(place.path().join("backups")).unwrap().count(), 2);
}
