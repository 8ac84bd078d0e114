//! Saving SQLite databases, against what the `sqlite3` program does.

use std::fs;
use std::process::Stdio;

use crate::compare::{Contest, Runner};
use crate::project::Project;

/// When the database was written last, before a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    LongAgo,
    JustNow,
}

/// A guarded command, against the same command behind a checklist in bash.
pub(crate) fn run_against_checklist(name: &str, written: Written) -> Contest {
    let project = with_database(&format!("run-sqlite-1mb-{name}"), 1);
    let (other, before, ours) = (project.clone(), project.clone(), project.clone());
    let write = move |project: &Project| {
        if written == Written::JustNow {
            let connection = rusqlite::Connection::open(project.folder().join("shop_test.db")).unwrap();
            connection.execute_batch("UPDATE users SET name = hex(randomblob(8)) WHERE id = 1").unwrap();
        }
    };
    Contest::new(
        Runner::new(move || {
            let mut command = other.command(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/bench/seed-checklist.sh"));
            command.envs([("APP_ENV", "testing"), ("DB_CONNECTION", "sqlite"), ("DB_HOST", "localhost")]);
            command.env("DB_PORT", "0").env("DB_DATABASE", "shop_test.db").arg("true");
            command
        })
        .after(move || {
            empty_backups(&before);
            write(&before);
        }),
        Runner::new(move || ours.safe_test(&["-q", "true"])).after(move || {
            project.forget_snapshots();
            write(&project);
        }),
    )
}

/// A snapshot (copied, hashed, checked, counted, synced), against what of that the `sqlite3` program does: a copy, its
/// quick check, the rows.
pub(crate) fn snapshot_against_backup(megabytes: usize) -> Contest {
    const BY_HAND: &str = "sqlite3 shop_test.db '.backup copy.db' && \
        sqlite3 copy.db 'PRAGMA quick_check; SELECT count(*) FROM users; SELECT count(*) FROM events;'";
    let project = with_database(&format!("snapshot-sqlite-{megabytes}mb"), megabytes);
    let (other, before, ours) = (project.clone(), project.clone(), project.clone());
    Contest::new(
        Runner::new(move || {
            let mut command = other.command("sh");
            command.args(["-c", BY_HAND]);
            command
        })
        .after(move || drop(fs::remove_file(before.folder().join("copy.db")))),
        Runner::new(move || ours.safe_test(&["snapshot"])).after(move || project.forget_snapshots()),
    )
}

/// The second of two runs between which nothing was written, against the first.
pub(crate) fn second_run(megabytes: usize) -> Contest {
    let project = with_database(&format!("second-run-sqlite-{megabytes}mb"), megabytes);
    super::project::second_run(project)
}

/// A project with one database of about that size, and the file that names it.
pub(crate) fn with_database(name: &str, megabytes: usize) -> Project {
    let project = Project::new(name);
    project.write(".env", "APP_ENV=testing\nDATABASE_URL=sqlite:shop_test.db\n");
    // Two tables and an index; random text, as real rows hardly compress either.
    let rows = megabytes * 1600;
    let sql = format!(
        "PRAGMA journal_mode = off; PRAGMA synchronous = off;
         CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT);
         CREATE TABLE events (id INTEGER PRIMARY KEY, user_id INTEGER, kind TEXT, body TEXT, amount REAL, at TEXT);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {users})
         INSERT INTO users SELECT i, hex(randomblob(8)), hex(randomblob(8)) || '@shop.test' FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO events SELECT i, i % {users}, 'kind ' || (i % 7), hex(randomblob(250)), random() / 1e15,
             datetime('2026-01-01', i || ' seconds') FROM n;
         CREATE INDEX events_by_user ON events (user_id);
         PRAGMA journal_mode = delete;",
        users = rows / 10 + 1
    );
    let status = project.command("sqlite3").args(["shop_test.db", &sql]).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "sqlite3 made no database");
    project
}

fn empty_backups(project: &Project) {
    for entry in fs::read_dir(project.folder().join("backups")).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "db") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}
