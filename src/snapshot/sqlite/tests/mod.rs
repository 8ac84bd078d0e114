//! Real databases, real other processes.

mod names;
mod restoring;
mod taking;
mod traps;
mod unchanged;
mod unlocked;
mod verifying;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::DateTime;
use rusqlite::Connection;

use super::*;
use crate::snapshot::sqlite::restore::Restored;
use crate::snapshot::{Kind, Manifest, TableRows, Taken, VerificationLevel, Watch};

/// A watch that stops when told to, and keeps what it was told.
#[derive(Default)]
pub(crate) struct Ear {
    pub(crate) stop: AtomicBool,
    pub(crate) stop_after: Option<u64>,
    pub(crate) bytes: AtomicU64,
    pub(crate) remarks: Mutex<Vec<String>>,
}

impl Watch for Ear {
    fn advance(&self, bytes: u64) {
        let sum = self.bytes.fetch_add(bytes, Ordering::SeqCst) + bytes;
        if self.stop_after.is_some_and(|limit| sum >= limit) {
            self.stop.store(true, Ordering::SeqCst);
        }
    }
    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
    fn remark(&self, what: &str) {
        self.remarks.lock().unwrap().push(what.to_owned());
    }
}

/// A folder with a database path in it and a place for snapshots.
pub(crate) struct Scratch {
    folder: tempfile::TempDir,
    pub(crate) database: PathBuf,
}

impl Scratch {
    pub(crate) fn new() -> Scratch {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("app.db");
        fs::create_dir(folder.path().join("backups")).unwrap();
        Scratch { folder, database }
    }

    /// A place with a database made by `sql`.
    pub(crate) fn with(sql: &str) -> Scratch {
        let place = Scratch::new();
        place.sql(sql);
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn partial(&self, name: &str) -> PathBuf {
        self.folder.path().join("backups").join(format!("{name}.partial"))
    }

    /// Runs statements on a connection that is closed again.
    pub(crate) fn sql(&self, sql: &str) {
        Connection::open(&self.database).unwrap().execute_batch(sql).unwrap();
    }

    /// Another process with an open connection.
    pub(crate) fn other(&self) -> Other {
        Other::open(&self.database)
    }

    pub(crate) fn take(&self, name: &str) -> Taken {
        take(&self.database, &self.partial(name), &Ear::default()).unwrap()
    }

    pub(crate) fn side_files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("app.db-"))
            .collect();
        names.sort();
        names
    }
}

/// Another process that has a database open and runs one statement after the other on one connection.
pub(crate) struct Other {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

const OTHER: &str = r"
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
for line in sys.stdin:
    try:
        print(repr(connection.execute(line).fetchall()), flush=True)
    except Exception as error:
        print('error', error, flush=True)
";

impl Other {
    pub(crate) fn open(database: &Path) -> Other {
        let mut child = Command::new("python3")
            .args(["-c", OTHER])
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("these tests need python3 with its sqlite3 module");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Other { child, input, output }
    }

    pub(crate) fn run(&mut self, statement: &str) -> String {
        writeln!(self.input.as_ref().unwrap(), "{}", statement.replace('\n', " ")).unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let line = line.trim_end().to_owned();
        assert!(!line.starts_with("error"), "{statement}: {line}");
        line
    }

    /// Ends as a crash does: nothing is closed.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Closes the connection and ends.
    pub(crate) fn close(self) {}
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

pub(crate) fn manifest(taken: &Taken) -> Manifest {
    Manifest {
        schema: 1,
        id: "app_20260102_030405".to_owned(),
        kind: Kind::Manual,
        engine: "sqlite".to_owned(),
        database: "app.db".to_owned(),
        target: "app.db".to_owned(),
        taken_at: DateTime::UNIX_EPOCH,
        project: None,
        run: None,
        used_by: Vec::new(),
        file: "app_20260102_030405.dump".to_owned(),
        size: taken.size,
        sha256: taken.sha256.clone(),
        verified: taken.verified,
        compression: None,
        tool: taken.tool.clone(),
        server: None,
        tables: taken.tables.clone(),
        state: taken.state.clone(),
        whereabouts: taken.whereabouts.clone(),
        file_state: None,
        obstacles: Vec::new(),
        notes: Vec::new(),
        by_hand: taken.by_hand.clone(),
    }
}

pub(crate) fn restore(
    file: &Path,
    manifest: &Manifest,
    database: &Path,
    watch: &dyn Watch,
) -> Result<Restored, SqliteError> {
    super::restore(file, manifest, database, &Occasion::at(DateTime::UNIX_EPOCH), watch)
}

pub(crate) fn rows(name: &str, rows: u64) -> TableRows {
    TableRows { name: name.to_owned(), rows: Some(rows) }
}

/// What a query gives on the saved copy, read by a connection that leaves nothing beside it.
pub(crate) fn ask(file: &Path, query: &str) -> String {
    let connection = read_back::open_copy(file).unwrap();
    connection
        .query_row(query, [], |row| row.get::<_, rusqlite::types::Value>(0))
        .map(|value| format!("{value:?}"))
        .unwrap()
}
