//! Names that lead elsewhere than they did: a restore gives the name its database back, and touches nothing else.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use super::*;

const SETUP: &str = "CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3)";
const OTHER: &str = "CREATE TABLE others(a); INSERT INTO others VALUES ('not ours')";

/// A project with a saved `app.db`, and with `b.db`, a database that is nobody's business, in WAL mode with its content in
/// the WAL alone.
fn with_two() -> (Scratch, Taken) {
    let place = Scratch::with(SETUP);
    let mut other = Other::open(&place.path().join("b.db"));
    other.run("PRAGMA journal_mode=wal");
    OTHER.split("; ").for_each(|statement| drop(other.run(statement)));
    other.kill();
    let taken = place.take("one");
    (place, taken)
}

fn shell(place: &Scratch, script: &str) {
    let status = Command::new("sh").args(["-ec", script]).current_dir(place.path()).status().unwrap();
    assert!(status.success(), "{script}");
}

/// What a folder holds below it, with all bytes, but for what the databases of the tests are about.
fn others(place: &Scratch) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found: Vec<_> = ["b.db", "b.db-wal", "b.db-shm", "b.db-journal", "notes", "out/x.db"]
        .into_iter()
        .filter_map(|name| Some((PathBuf::from(name), fs::read(place.path().join(name)).ok()?)))
        .collect();
    found.sort();
    found
}

fn put_back(place: &Scratch, taken: &Taken, damaged: bool) -> Result<Restored, SqliteError> {
    let occasion = Occasion { damaged, ..Occasion::at(DateTime::UNIX_EPOCH) };
    let mut manifest = manifest(taken);
    manifest.project = Some(place.path().to_str().unwrap().to_owned());
    super::super::restore(&place.partial("one"), &manifest, &place.database, &occasion, &Ear::default())
}

const ROWS: &str = "SELECT count(*), sum(a) FROM t";
const BACK: &str = "[(3, 6)]";

#[test]
fn a_name_that_leads_elsewhere_gets_its_database_back_and_the_other_one_is_untouched() {
    let cases = [
        ("ln -sf b.db app.db", "it is a link to `b.db`"),
        (
            "echo 'my notes, longer than the header of any database is, so that it is read whole; and on and on and on it goes' > notes; ln -sf notes app.db",
            "it is a link to `notes`",
        ),
        ("ln -sf nowhere.db app.db", "it is a link to `nowhere.db`"),
        ("rm app.db; ln -s app.db app.db", "it is a link to `app.db`"),
        ("mkdir out; cp b.db out/x.db; ln -sf \"$PWD/out/x.db\" app.db", "it is a link to `"),
        ("ln -f b.db app.db", "its file has 1 other name"),
        ("ln app.db copy.db", "its file has 1 other name"),
        ("rm app.db; mkdir app.db; echo x > app.db/y", "no file"),
        ("rm app.db; mkfifo app.db", "no file"),
        ("rm app.db; ln -s . app.db", "it is a link to `.`"),
        ("rm app.db; ln -s /dev/null app.db", "it is a link to `/dev/null`"),
        ("echo stale > app.db-wal; echo stale > app.db-journal; ln -sf b.db app.db", "it is a link to `b.db`"),
    ];
    for (damage, said) in cases {
        for damaged in [false, true] {
            let (place, taken) = with_two();
            shell(&place, damage);
            let before = others(&place);
            let restored = put_back(&place, &taken, damaged).unwrap();
            assert!(restored.created, "{damage}");
            let [note] = &restored.notes[..] else { panic!("{damage}: {:?}", restored.notes) };
            assert!(note.contains(said) && note.contains("app.db.replaced_19700101_000000`"), "{damage}: {note}");
            assert_eq!(others(&place), before, "{damage}");
            assert!(fs::symlink_metadata(place.path().join("app.db.replaced_19700101_000000")).is_ok(), "{damage}");
            let found = fs::symlink_metadata(&place.database).unwrap();
            assert!(found.is_file() && found.nlink() == 1, "{damage}");
            assert!(place.side_files().is_empty(), "{damage}: {:?}", place.side_files());
            assert_eq!(place.other().run(ROWS), BACK, "{damage}");
            // What the other database holds is still there, its WAL included.
            assert_eq!(
                Other::open(&place.path().join("b.db")).run("SELECT a FROM others"),
                "[('not ours',)]",
                "{damage}"
            );
        }
    }
}

#[test]
fn a_socket_in_the_place_is_kept_under_another_name() {
    let (place, taken) = with_two();
    fs::remove_file(&place.database).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(&place.database).unwrap();
    assert!(put_back(&place, &taken, true).unwrap().notes[0].contains("no file"));
    assert_eq!(place.other().run(ROWS), BACK);
}

#[test]
fn a_file_that_was_made_anew_under_the_name_is_written_into() {
    for made_anew in ["rm app.db; cp b.db app.db", "mv app.db old.db; cp b.db new.db; mv new.db app.db", ": > app.db"] {
        let (place, taken) = with_two();
        shell(&place, made_anew);
        let inode = fs::metadata(&place.database).unwrap().ino();
        let restored = put_back(&place, &taken, false).unwrap();
        assert!(!restored.created && restored.notes.is_empty(), "{made_anew}: {restored:?}");
        assert_eq!(fs::metadata(&place.database).unwrap().ino(), inode, "{made_anew}");
        assert_eq!(place.other().run(ROWS), BACK, "{made_anew}");
    }
}

/// A project whose `app.db` was a link to `data/real.db` when it was saved.
fn with_link() -> (Scratch, Taken) {
    let (place, _) = with_two();
    shell(&place, "mkdir data; mv app.db data/real.db; ln -s data/real.db app.db; rm backups/*");
    let taken = place.take("one");
    (place, taken)
}

#[test]
fn a_link_that_was_there_is_followed_as_long_as_it_leads_where_it_led() {
    let cases = [
        ("sqlite3 data/real.db 'DELETE FROM t'", true, false, 0),
        ("rm data/real.db; cp b.db data/real.db", true, false, 0),
        ("rm data/real.db", true, true, 0),
        ("rm app.db; ln -s \"$PWD/data/real.db\" app.db", true, false, 0),
        ("ln data/real.db data/copy.db", true, true, 1),
        ("rm data/real.db; mkdir data/real.db", true, true, 1),
        ("ln -sf b.db app.db", false, true, 1),
        ("ln -sf nowhere.db app.db", false, true, 1),
        ("rm app.db", false, true, 1),
        ("rm app.db; cp data/real.db app.db", false, false, 1),
        ("mv data data2; ln -s data2/real.db data3; rm app.db; ln -s data3 app.db", true, false, 0),
    ];
    for (damage, is_link, created, notes) in cases {
        let (place, taken) = with_link();
        shell(&place, damage);
        let before = others(&place);
        let restored = put_back(&place, &taken, false).unwrap();
        assert_eq!(fs::symlink_metadata(&place.database).unwrap().is_symlink(), is_link, "{damage}");
        assert_eq!((restored.created, restored.notes.len()), (created, notes), "{damage}: {:?}", restored.notes);
        assert_eq!(others(&place), before, "{damage}");
        assert_eq!(place.other().run(ROWS), BACK, "{damage}");
    }
}

#[test]
fn a_folder_that_leads_elsewhere_is_refused_and_one_that_was_made_anew_is_not() {
    let with_folder = || {
        let (place, _) = with_two();
        shell(&place, "mkdir data out; mv app.db data/app.db; cp b.db out/app.db; rm backups/*");
        let database = place.path().join("data/app.db");
        let taken = take(&database, &place.partial("one"), &Ear::default()).unwrap();
        (place, database, taken)
    };
    for damage in ["mv data data2; ln -s out data", "mv data data2; ln -s \"$PWD/out\" data"] {
        for damaged in [false, true] {
            let (place, database, taken) = with_folder();
            shell(&place, damage);
            let before = fs::read(place.path().join("out/app.db")).unwrap();
            let occasion = Occasion { damaged, ..Occasion::at(DateTime::UNIX_EPOCH) };
            let manifest = manifest(&taken);
            let error = super::super::restore(&place.partial("one"), &manifest, &database, &occasion, &Ear::default());
            assert!(matches!(error, Err(SqliteError::FolderElsewhere { .. })), "{damage}: {error:?}");
            assert_eq!(fs::read(place.path().join("out/app.db")).unwrap(), before);
            assert_eq!(fs::read_dir(place.path().join("out")).unwrap().count(), 1);
        }
    }
    for harmless in ["rm -r data; mkdir data", "rm -r data; cp -r out data", "mv data data2; ln -s data2 data", "true"]
    {
        let (place, database, taken) = with_folder();
        shell(&place, harmless);
        restore(&place.partial("one"), &manifest(&taken), &database, &Ear::default()).unwrap();
        assert_eq!(Other::open(&database).run(ROWS), BACK, "{harmless}");
    }
}

#[test]
fn a_file_that_had_several_names_keeps_them() {
    let (place, _) = with_two();
    shell(&place, "ln app.db same.db; rm backups/*");
    let taken = place.take("one");
    place.sql("DELETE FROM t");
    assert!(!put_back(&place, &taken, false).unwrap().created);
    assert_eq!(Other::open(&place.path().join("same.db")).run(ROWS), BACK);
    shell(&place, "rm same.db; sqlite3 app.db 'DELETE FROM t'");
    assert!(!put_back(&place, &taken, false).unwrap().created);
    assert_eq!(place.other().run(ROWS), BACK);
    shell(&place, "ln app.db one.db; ln app.db two.db");
    assert!(put_back(&place, &taken, false).unwrap().created);
    assert_eq!(place.other().run(ROWS), BACK);
}

#[test]
fn a_snapshot_that_does_not_say_where_its_name_led_is_restored_and_follows_no_new_link() {
    let old = |taken: &Taken| Taken { whereabouts: None, ..taken.clone() };
    for (damage, created) in
        [("sqlite3 app.db 'DELETE FROM t'", false), ("rm app.db", true), ("ln -sf b.db app.db", true)]
    {
        let (place, taken) = with_two();
        shell(&place, damage);
        let before = others(&place);
        assert_eq!(put_back(&place, &old(&taken), false).unwrap().created, created, "{damage}");
        assert_eq!(others(&place), before, "{damage}");
        assert_eq!(place.other().run(ROWS), BACK, "{damage}");
    }
    let (place, taken) = with_link();
    place.sql("DELETE FROM t");
    assert!(!put_back(&place, &old(&taken), false).unwrap().created);
    assert!(fs::symlink_metadata(&place.database).unwrap().is_symlink());
    assert_eq!(place.other().run(ROWS), BACK);
}

#[test]
fn a_file_that_is_made_anew_has_the_owner_and_the_mode_it_had() {
    // Only root may give a file away: for others it is their own.
    let is_root = rustix::process::getuid().is_root();
    let owner =
        |file: &Path| fs::metadata(file).map(|found| (found.uid(), found.gid(), found.mode() & 0o7777)).unwrap();
    for damage in ["rm app.db", "ln -sf b.db app.db", "rm app.db; mkdir app.db", "ln -f b.db app.db"] {
        for mode in [0o640, 0o666, 0o400] {
            let (place, _) = with_two();
            fs::set_permissions(&place.database, fs::Permissions::from_mode(mode)).unwrap();
            if is_root {
                chown(&place.database, Some(65_534), Some(65_533)).unwrap();
            }
            let before = owner(&place.database);
            fs::remove_file(place.partial("one")).unwrap();
            // Without the proof, which a database that is being written does not have.
            let taken = Taken { state: None, ..place.take("one") };
            shell(&place, damage);
            put_back(&place, &taken, false).unwrap();
            assert_eq!(owner(&place.database), before, "{damage}");
        }
    }
}

/// Writes on, one row after the other, as soon as somebody lets it.
const GOES_ON_WRITING: &str = r"
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
print('ready', flush=True)
while True:
    try:
        connection.execute('INSERT INTO t VALUES (7)')
    except sqlite3.OperationalError:
        pass
";

#[test]
fn who_goes_on_writing_while_a_database_is_restored_is_no_failure_of_the_restore() {
    for mode in ["wal", "delete"] {
        let place = Scratch::with(&format!("PRAGMA journal_mode={mode}; {SETUP}"));
        let taken = place.take("one");
        let mut writer = Command::new("python3")
            .args(["-c", GOES_ON_WRITING])
            .arg(&place.database)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(writer.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let outcomes: Vec<_> = (0..20).map(|_| put_back(&place, &taken, false)).collect();
        writer.kill().unwrap();
        writer.wait().unwrap();
        for outcome in outcomes {
            let notes = outcome.unwrap().notes;
            assert!(notes.iter().all(|note| note.contains("another program wrote")), "{mode}: {notes:?}");
        }
        assert_eq!(place.other().run("PRAGMA integrity_check"), "[('ok',)]");
    }
}
