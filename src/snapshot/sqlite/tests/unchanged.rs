//! The proof of unchanged, both ways.

use std::time::Duration;

use serde_json::Value;

use super::*;

/// The proof once the clock has gone on by its grain.
fn proof(place: &Scratch) -> Value {
    std::thread::sleep(Duration::from_millis(50));
    state(&place.database).unwrap().expect("nothing is under way")
}

const MODES: [&str; 4] = ["delete", "truncate", "persist", "wal"];

fn place_in(mode: &str) -> Scratch {
    Scratch::with(&format!(
        "PRAGMA journal_mode={mode}; CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<500)
         INSERT INTO t SELECT i, 'aaaa' FROM n"
    ))
}

#[test]
fn the_state_of_a_snapshot_is_that_of_the_database_it_was_taken_from() {
    for mode in MODES {
        let place = place_in(mode);
        let mut other = place.other();
        other.run("UPDATE t SET a = 'bbbb' WHERE id = 1");
        let taken = place.take("one");
        assert!(taken.state.is_some(), "{mode}");
        assert_eq!(taken.state, state(&place.database).unwrap(), "{mode}");
    }
}

#[test]
fn readers_keep_the_proof() {
    for mode in MODES {
        for somebody_stays in [false, true] {
            let place = place_in(mode);
            let mut stays = somebody_stays.then(|| {
                let mut other = place.other();
                other.run(&format!("PRAGMA journal_mode={mode}"));
                other.run("UPDATE t SET a = 'cccc' WHERE id = 2");
                other
            });
            let before = proof(&place);
            for reading in [
                "SELECT count(*) FROM t",
                "PRAGMA integrity_check",
                "PRAGMA user_version",
                "SELECT * FROM t ORDER BY a",
                "BEGIN",
                "EXPLAIN QUERY PLAN SELECT * FROM t",
            ] {
                let mut other = place.other();
                other.run(reading);
                assert_eq!(state(&place.database).unwrap().as_ref(), Some(&before), "{mode}, open: {reading}");
                other.close();
                assert_eq!(state(&place.database).unwrap().as_ref(), Some(&before), "{mode}, closed: {reading}");
            }
            if let Some(other) = &mut stays {
                other.run("SELECT count(*) FROM t");
                // Rolled back: nothing was written.
                other.run("BEGIN");
                other.run("UPDATE t SET a = 'dddd'");
                other.run("ROLLBACK");
                assert_eq!(proof(&place), before, "{mode}: rolled back");
            }
            place.take("one");
            assert_eq!(proof(&place), before, "{mode}: a snapshot");
        }
    }
}

#[test]
fn every_write_breaks_the_proof() {
    let writes = [
        "UPDATE t SET a = 'bbbb' WHERE id = 1",
        "UPDATE t SET a = 'cccc' WHERE id = 1",
        "INSERT INTO t(a) VALUES ('x')",
        "DELETE FROM t WHERE id = 3",
        "CREATE TABLE u(a)",
        "PRAGMA user_version = 7",
        "VACUUM",
        "UPDATE t SET a = 'dddd'",
    ];
    for mode in MODES {
        for closes in [false, true] {
            let place = place_in(mode);
            let mut other = place.other();
            other.run(&format!("PRAGMA journal_mode={mode}"));
            for write in writes {
                let before = proof(&place);
                other.run(write);
                if closes {
                    other.close();
                    other = place.other();
                    other.run(&format!("PRAGMA journal_mode={mode}"));
                }
                assert_ne!(state(&place.database).unwrap(), Some(before.clone()), "{mode}, at once: {write}");
                assert_ne!(proof(&place), before, "{mode}, later: {write}");
            }
        }
    }
}

#[test]
fn a_write_after_any_checkpoint_breaks_the_proof() {
    for checkpoint in ["PASSIVE", "FULL", "RESTART", "TRUNCATE"] {
        let place = place_in("wal");
        let mut other = place.other();
        other.run("UPDATE t SET a = 'bbbb'");
        other.run("UPDATE t SET a = 'cccc'");
        other.run(&format!("PRAGMA wal_checkpoint({checkpoint})"));
        let wal = place.path().join("app.db-wal");
        for write in 0..4 {
            let before = proof(&place);
            let size = fs::metadata(&wal).unwrap().len();
            other.run(&format!("UPDATE t SET a = 'd{write}' WHERE id = 5"));
            if checkpoint == "RESTART" {
                assert_eq!(fs::metadata(&wal).unwrap().len(), size, "the WAL is written again from its start");
            }
            assert_ne!(proof(&place), before, "{checkpoint}, write {write}");
        }
    }
}

#[test]
fn a_change_of_journal_mode_breaks_the_proof() {
    let place = place_in("delete");
    let mut other = place.other();
    let before = proof(&place);
    other.run("PRAGMA journal_mode=wal");
    let between = proof(&place);
    assert_ne!(between, before);
    other.run("PRAGMA journal_mode=delete");
    let after = proof(&place);
    assert!(after != before && after != between);
}

#[test]
fn a_replaced_file_breaks_the_proof() {
    let place = place_in("delete");
    let before = proof(&place);
    let copy = place.path().join("copy.db");
    fs::copy(&place.database, &copy).unwrap();
    fs::rename(&copy, &place.database).unwrap();
    assert_ne!(proof(&place), before);
    let before = proof(&place);
    let bytes = fs::read(&place.database).unwrap();
    fs::write(&place.database, bytes).unwrap();
    assert_ne!(proof(&place), before, "the same bytes written again are a harmless false alarm");
}

#[test]
fn a_restore_by_the_backup_api_breaks_the_proof() {
    let place = place_in("delete");
    let taken = place.take("one");
    restore(&place.partial("one"), &manifest(&taken), &place.database, &Ear::default()).unwrap();
    assert_ne!(Some(proof(&place)), taken.state);
}

#[test]
fn a_change_behind_set_back_times_breaks_the_proof() {
    let place = place_in("delete");
    let before = proof(&place);
    let modified = fs::metadata(&place.database).unwrap().modified().unwrap();
    let mut other = place.other();
    other.run("UPDATE t SET a = 'zzzz' WHERE id = 9");
    fs::File::options().write(true).open(&place.database).unwrap().set_modified(modified).unwrap();
    assert_eq!(fs::metadata(&place.database).unwrap().modified().unwrap(), modified);
    assert_ne!(proof(&place), before);
}

#[test]
fn a_transaction_that_wrote_nothing_yet_keeps_the_proof() {
    let place = place_in("delete");
    let mut other = place.other();
    let before = proof(&place);
    other.run("BEGIN");
    other.run("UPDATE t SET a = 'eeee'");
    assert_eq!(proof(&place), before);
    assert_eq!(place.take("one").state.as_ref(), Some(&before));
    other.run("COMMIT");
    assert_ne!(proof(&place), before);
}

#[test]
fn nothing_is_proved_while_a_transaction_writes() {
    let place = place_in("delete");
    let mut other = place.other();
    // A cache of one page writes uncommitted pages to the file.
    other.run("PRAGMA cache_size=1");
    other.run("BEGIN");
    other.run("UPDATE t SET a = 'eeee' || hex(zeroblob(100))");
    assert_eq!(state(&place.database).unwrap(), None);
    other.run("ROLLBACK");
}

#[test]
fn nothing_is_proved_of_a_file_that_changed_this_very_moment() {
    let place = place_in("delete");
    place.sql("UPDATE t SET a = 'ffff' WHERE id = 1");
    let handles = crate::snapshot::sqlite::tests::state::Handles::open(&place.database).unwrap();
    let look = handles.look().unwrap().unwrap();
    let early = look.too_early_by().unwrap();
    assert_eq!(look.proof().is_some(), early.is_zero());
    // Whichever it was here, a snapshot waits for the grain of the clock to pass and has its proof.
    assert!(place.take("one").state.is_some());
}

#[test]
fn nothing_is_proved_of_what_is_not_there() {
    let place = Scratch::new();
    assert_eq!(state(&place.database).unwrap(), None);
    fs::write(&place.database, "").unwrap();
    assert_eq!(state(&place.database).unwrap(), None);
    fs::write(&place.database, "some text that is no database at all").unwrap();
    assert!(matches!(state(&place.database), Err(SqliteError::NotDatabase { .. })));
}

/// Has a page of the file mapped and written, and writes it again when told to.
const WRITES_INTO_A_MAP: &str = r"
import mmap, sys
file = open(sys.argv[1], 'r+b')
mapped = mmap.mmap(file.fileno(), 0)
at = mapped.find(b'aaaa')
for letter in (b'b', b'c'):
    mapped[at:at + 4] = letter * 4
    print('written', flush=True)
    sys.stdin.readline()
";

#[test]
fn a_write_into_a_map_whose_times_had_moved_before_breaks_the_proof() {
    for mode in ["delete", "wal"] {
        let place = place_in(mode);
        // In WAL mode somebody has it open.
        let reader = (mode == "wal").then(|| {
            let mut reader = place.other();
            reader.run("UPDATE t SET a = 'bbbb' WHERE id = 1");
            reader.run("PRAGMA wal_checkpoint");
            reader
        });
        let mut writer = Command::new("python3")
            .args(["-c", WRITES_INTO_A_MAP])
            .arg(&place.database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(writer.stdout.take().unwrap());
        said.read_line(&mut String::new()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let taken = place.take("one");
        let is_lasting = disk::of(&fs::File::open(&place.database).unwrap()) == Some(disk::Disk::Lasting);
        writer.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        said.read_line(&mut String::new()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        // In memory a map that is written already moves no times any more.
        assert!(!is_lasting || state(&place.database).unwrap() != taken.state, "{mode}");
        drop(writer.stdin.take());
        writer.wait().unwrap();
        drop(reader);
    }
}
