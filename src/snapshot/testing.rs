//! Manifests made of a few words, waiting with an end, and programs, for tests.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::hash::Hash;
use crate::snapshot::{
    Kind, Ledger, Making, Manifest, Provenance, Restated, Standing, Stored, Tool, VerificationLevel, Watch,
};

pub(crate) fn manifest(id: &str, database: &str, kind: Kind, taken_at: &str) -> Manifest {
    Manifest {
        schema: 1,
        id: id.to_owned(),
        kind,
        engine: "postgres".to_owned(),
        database: database.to_owned(),
        target: format!("postgres://localhost:5432/{database}"),
        taken_at: taken_at.parse().unwrap(),
        project: None,
        run: None,
        used_by: Vec::new(),
        file: format!("{id}.dump"),
        size: 4,
        sha256: String::new(),
        verified: VerificationLevel::Read,
        compression: None,
        tool: Tool { program: "pg_dump".to_owned(), version: "17".to_owned(), arguments: Vec::new() },
        server: None,
        tables: Vec::new(),
        state: None,
        whereabouts: None,
        file_state: None,
        obstacles: Vec::new(),
        notes: Vec::new(),
        by_hand: Vec::new(),
    }
}

/// A snapshot in a store that is nowhere.
pub(crate) fn stored(id: &str, database: &str, kind: Kind, taken_at: &str) -> Stored {
    let manifest = manifest(id, database, kind, taken_at);
    Stored { dump: manifest.file.clone().into(), hash: Hash::of(id.as_bytes()), manifest }
}

/// Remembers every snapshot as one of its own, and no name as given or made.
pub(crate) struct AllKnown;

impl Provenance for AllKnown {
    fn standing_of(&self, _id: &str, _hash: &Hash) -> Standing {
        Standing::Known
    }

    fn was_given(&self, _id: &str, _taken_at: DateTime<Utc>) -> bool {
        false
    }

    fn was_made(&self, _server: &str, _database: &str, _at: DateTime<Utc>) -> bool {
        false
    }
}

/// Takes down nothing.
pub(crate) struct Unledgered;

impl Ledger for Unledgered {
    fn write_down(&self, _making: &Making) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }

    fn restate(&self, _restated: &Restated) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

/// Somebody who waits to the end, or asks to stop after some bytes.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) stop_after: Option<u64>,
    pub(crate) seen: AtomicU64,
}

impl Watch for Waiting {
    fn advance(&self, bytes: u64) {
        self.seen.fetch_add(bytes, Ordering::Relaxed);
    }

    fn interrupted(&self) -> bool {
        self.stop_after.is_some_and(|bytes| self.seen.load(Ordering::Relaxed) >= bytes)
    }
}

/// Far more time than anything here takes on a slow and busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Does something that must end. Where it never does, the test program ends, naming the test: nobody can end a thread.
pub(crate) fn ending<T>(work: impl FnOnce() -> T) -> T {
    let (over, is_over) = mpsc::channel::<()>();
    let test = thread::current().name().unwrap_or("a test").to_owned();
    thread::spawn(move || {
        if is_over.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Past what the test harness catches.
            let _ = writeln!(io::stderr(), "{test} hangs");
            std::process::abort();
        }
    });
    let done = work();
    drop(over);
    done
}

/// Waits until something is so; fails where it does not come.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what}: it never came");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Writes a program by a process of its own: had this one the file open, so would have, for a moment, what another test
/// starts just then, and it could not be executed (`ETXTBSY`).
pub(crate) fn write_program(path: &Path, text: &str) {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success(), "{}", path.display());
}
