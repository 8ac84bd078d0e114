//! Databases that are unusual, and systems that do not play along.

use rusqlite::functions::FunctionFlags;

use super::*;

/// Takes, verifies at the highest level, spoils and restores; gives the tables.
fn round_trip(place: &Scratch) -> Vec<TableRows> {
    let taken = place.take("one");
    let manifest = manifest(&taken);
    verify(&place.partial("one"), &manifest, VerificationLevel::Restore, &Ear::default()).unwrap();
    place.sql("CREATE TABLE spoilt(a); INSERT INTO spoilt VALUES (1)");
    restore(&place.partial("one"), &manifest, &place.database, &Ear::default()).unwrap();
    assert_eq!(place.take("two").tables, taken.tables);
    taken.tables
}

#[test]
fn every_page_size_encoding_and_kind_of_table_makes_the_round_trip() {
    let settings = [
        "PRAGMA page_size=512",
        "PRAGMA page_size=1024",
        "PRAGMA page_size=65536",
        "PRAGMA encoding='UTF-16le'",
        "PRAGMA encoding='UTF-16be'",
        "PRAGMA auto_vacuum=full",
        "PRAGMA auto_vacuum=incremental",
    ];
    for setting in settings {
        for mode in ["delete", "wal"] {
            let place = Scratch::with(&format!(
                "{setting}; PRAGMA journal_mode={mode}; CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT, c AS (b || 'x') VIRTUAL, d AS (b || 'y') STORED);
                 INSERT INTO a(b) VALUES ('\u{e4}'), ('\u{20ac}'), ('\u{1f600}');
                 CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO w VALUES ('a', 1), ('b', 2);
                 CREATE TABLE s(n INTEGER) STRICT; INSERT INTO s VALUES (1);
                 CREATE INDEX i ON a(b); CREATE VIEW v AS SELECT * FROM a; CREATE VIEW broken AS SELECT * FROM nowhere;
                 CREATE TRIGGER tr AFTER INSERT ON a BEGIN INSERT INTO s VALUES (1); END; ANALYZE;"
            ));
            assert_eq!(round_trip(&place), [rows("a", 3), rows("s", 1), rows("w", 2)], "{setting}, {mode}");
        }
    }
}

#[test]
fn virtual_tables_are_saved_and_not_counted() {
    let place = Scratch::with(
        "CREATE VIRTUAL TABLE docs USING fts5(body); INSERT INTO docs VALUES ('one two'), ('three');
         CREATE VIRTUAL TABLE box USING rtree(id, x0, x1); INSERT INTO box VALUES (1, 0, 1)",
    );
    let tables = round_trip(&place);
    let named = |name: &str| tables.iter().find(|table| table.name == name).unwrap().rows;
    assert_eq!(named("docs"), None);
    assert_eq!(named("box"), None);
    assert_eq!(named("docs_content"), Some(2));
    assert_eq!(place.other().run("SELECT count(*) FROM docs WHERE docs MATCH 'three'"), "[(1,)]");
}

#[test]
fn a_table_of_an_unknown_module_does_not_stand_in_the_way() {
    let place = Scratch::with(
        "CREATE TABLE t(a); INSERT INTO t VALUES (1); PRAGMA writable_schema=ON;
         INSERT INTO sqlite_schema VALUES ('table', 'places', 'places', 0, 'CREATE VIRTUAL TABLE places USING spatialite_thing(a)');",
    );
    assert_eq!(round_trip(&place), [TableRows { name: "places".to_owned(), rows: None }, rows("t", 1)]);
}

#[test]
fn collations_and_functions_that_only_the_application_has_do_not_stand_in_the_way() {
    let place = Scratch::new();
    let application = Connection::open(&place.database).unwrap();
    application.create_collation("LOCALIZED", |a: &str, b: &str| b.cmp(a)).unwrap();
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    application.create_scalar_function("shout", 1, flags, |ctx| Ok(ctx.get::<String>(0)?.to_uppercase())).unwrap();
    application
        .execute_batch(
            "CREATE TABLE t(a TEXT COLLATE LOCALIZED, b AS (shout(a)) VIRTUAL NOT NULL, CHECK (shout(a) <> ''));
             CREATE INDEX i ON t(a); CREATE INDEX j ON t(shout(a)); INSERT INTO t(a) VALUES ('x'), ('y'), ('z');
             CREATE TABLE k(a TEXT COLLATE LOCALIZED PRIMARY KEY) WITHOUT ROWID; INSERT INTO k VALUES ('p'), ('q')",
        )
        .unwrap();
    drop(application);
    let taken = place.take("one");
    assert_eq!(taken.tables, [rows("k", 2), rows("t", 3)]);
    assert!(taken.notes.is_empty(), "{:?}", taken.notes);
    verify(&place.partial("one"), &manifest(&taken), VerificationLevel::Read, &Ear::default()).unwrap();
    place.sql("CREATE TABLE spoilt(a)");
    let restored = restore(&place.partial("one"), &manifest(&taken), &place.database, &Ear::default()).unwrap();
    assert_eq!(restored.tables, taken.tables);
}

#[test]
fn rows_that_break_their_own_table_are_noted_and_saved() {
    let place = Scratch::with(
        "CREATE TABLE t(a); INSERT INTO t VALUES (NULL); PRAGMA writable_schema=ON;
         UPDATE sqlite_schema SET sql = 'CREATE TABLE t(a TEXT NOT NULL)' WHERE name = 't';",
    );
    let taken = place.take("one");
    assert_eq!(taken.tables, [rows("t", 1)]);
    assert!(taken.notes.len() == 1 && taken.notes[0].contains("NULL value in t.a"), "{:?}", taken.notes);
}

#[test]
fn a_database_with_no_tables_at_all_is_a_database() {
    let place = Scratch::with("PRAGMA user_version=3");
    assert_eq!(round_trip(&place), []);
}

#[test]
fn a_missing_or_empty_database_cannot_be_taken() {
    let place = Scratch::new();
    let error = take(&place.database, &place.partial("one"), &Ear::default()).unwrap_err();
    assert!(matches!(error, SqliteError::NothingThere { .. }), "{error}");
    assert!(!place.database.exists() && !place.partial("one").exists());
    fs::write(&place.database, "").unwrap();
    let error = take(&place.database, &place.partial("one"), &Ear::default()).unwrap_err();
    assert!(matches!(error, SqliteError::NothingThere { .. }), "{error}");
}

#[test]
fn odd_names_are_names() {
    for name in ["with space.db", "percent%41?x=1#y.db", "quote'\".db", "-dash.db"] {
        let place = Scratch::new();
        let database = place.path().join(name);
        Connection::open(&database).unwrap().execute_batch("CREATE TABLE t(a)").unwrap();
        let partial = place.path().join(format!("{name}.partial"));
        let taken = take(&database, &partial, &Ear::default()).unwrap();
        verify(&partial, &manifest(&taken), VerificationLevel::Restore, &Ear::default()).unwrap();
        restore(&partial, &manifest(&taken), &database, &Ear::default()).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_not_utf_8_is_a_path() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let place = Scratch::with("PRAGMA journal_mode=wal; CREATE TABLE t(a)");
    let database = place.path().join(OsStr::from_bytes(b"caf\xe9.db"));
    fs::rename(&place.database, &database).unwrap();
    let partial = place.path().join(OsStr::from_bytes(b"\xff.partial"));
    let taken = take(&database, &partial, &Ear::default()).unwrap();
    verify(&partial, &manifest(&taken), VerificationLevel::Restore, &Ear::default()).unwrap();
    restore(&partial, &manifest(&taken), &database, &Ear::default()).unwrap();
}

/// Runs one ignored test of this program in a child, after `shell` prepared it.
fn in_child(shell: &str, test: &str, folder: &Path) {
    let program = std::env::current_exe().unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("{shell}; exec \"$0\" --exact \"$1\" --ignored --nocapture")])
        .arg(program)
        .arg(format!("snapshot::sqlite::tests::traps::{test}"))
        .env("SAFE_TEST_FOLDER", folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[expect(clippy::disallowed_methods, reason = "the child learns its folder from the test that started it")]
fn childs_folder() -> PathBuf {
    PathBuf::from(std::env::var_os("SAFE_TEST_FOLDER").unwrap())
}

#[test]
fn a_disk_that_is_full_is_an_error_that_names_the_file() {
    let place = Scratch::with("CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(3000000))");
    // Without the signal, a write past the limit fails as one to a full disk does.
    in_child("trap '' XFSZ; ulimit -f 2000", "child_that_may_write_little", place.path());
    assert_eq!(place.other().run("SELECT length(a) FROM t"), "[(3000000,)]");
    assert!(place.side_files().is_empty());
}

#[test]
#[ignore = "run by a_disk_that_is_full_is_an_error_that_names_the_file"]
fn child_that_may_write_little() {
    let folder = childs_folder();
    let partial = folder.join("backups").join("one.partial");
    let error = take(&folder.join("app.db"), &partial, &Ear::default()).unwrap_err();
    assert!(matches!(&error, SqliteError::Write { path, .. } if *path == partial), "{error:?}");
}

#[test]
fn a_place_that_cannot_be_written_can_be_saved() {
    for (mode, wal) in [("delete", false), ("wal", false), ("wal", true)] {
        let place = Scratch::with(&format!("PRAGMA journal_mode={mode}; CREATE TABLE t(a); INSERT INTO t VALUES (1)"));
        if wal {
            let mut other = place.other();
            other.run("INSERT INTO t VALUES (2)");
            other.kill();
        }
        let before = place.side_files();
        // An account that owns nothing here; everything but the place for snapshots is closed to it.
        let shell = format!(
            "cd '{0}' && chmod 0555 . && chmod 0444 app.db* && chmod 0777 backups && \
             if [ \"$(id -u)\" = 0 ]; then exec setpriv --reuid=65534 --regid=65534 --clear-groups \
             \"$0\" --exact \"$1\" --ignored --nocapture; fi",
            place.path().display()
        );
        in_child(&shell, "child_that_may_only_read", place.path());
        assert_eq!(place.side_files(), before, "{mode}, wal: {wal}");
        fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
}

#[test]
#[ignore = "run by a_place_that_cannot_be_written_can_be_saved"]
fn child_that_may_only_read() {
    let folder = childs_folder();
    assert!(fs::write(folder.join("probe"), "x").is_err(), "this account may write");
    let partial = folder.join("backups").join("one.partial");
    let taken = take(&folder.join("app.db"), &partial, &Ear::default()).unwrap();
    assert!(taken.tables[0].rows.unwrap() >= 1);
    assert!(taken.state.is_some());
    let error = restore(&partial, &manifest(&taken), &folder.join("app.db"), &Ear::default()).unwrap_err();
    assert!(matches!(error, SqliteError::RestoreFailed { .. }), "{error:?}");
}
