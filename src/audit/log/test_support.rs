//! A log of its own for each test, and other processes that append to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::DateTime;
use tempfile::TempDir;

use crate::audit::log::{Log, verify_file};
use crate::audit::report::JudgementRecord;
use crate::audit::{AuditError, Event, Integrity, Record, Start, What, Who};
use crate::verdict::Verdict;

pub(crate) const LOG: &str = "SAFE_TEST_CHILD_LOG";
pub(crate) const STATE: &str = "SAFE_TEST_CHILD_STATE";
pub(crate) const APPENDS: &str = "SAFE_TEST_CHILD_APPENDS";
pub(crate) const RUN: &str = "SAFE_TEST_CHILD_RUN";

/// A project folder and a state directory, removed at the end.
pub(crate) struct Sandbox {
    pub(crate) folder: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("shop")).unwrap();
        Sandbox { folder }
    }

    pub(crate) fn with_entries(entries: usize) -> Self {
        let sandbox = Self::new();
        for entry in 0..entries {
            sandbox.log().append(&record(&format!("run{entry}"))).unwrap();
        }
        sandbox
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.log_in("shop")
    }

    pub(crate) fn log_in(&self, project: &str) -> PathBuf {
        self.folder.path().join(project).join("backups/audit.log")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn log(&self) -> Log {
        Log::open(&self.path(), &self.state())
    }

    pub(crate) fn report(&self) -> Integrity {
        verify_file(&self.path(), &self.state()).unwrap()
    }

    /// The test program itself, about to append `appends` entries to this log in a process of its own.
    pub(crate) fn child(&self, run: &str, appends: usize) -> Command {
        child(&std::env::current_exe().unwrap(), &self.path(), &self.state(), run, appends)
    }
}

pub(crate) fn child(program: &Path, log: &Path, state: &Path, run: &str, appends: usize) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--exact", "--ignored", "--nocapture", "audit::log::test_support::appends_in_a_process_of_its_own"])
        .env(LOG, log)
        .env(STATE, state)
        .env(RUN, run)
        .env(APPENDS, appends.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The run whose entries are not written where they cannot be anchored.
pub(crate) const NEEDS_ANCHOR: &str = "anchored";

pub(crate) fn record(run: &str) -> Record {
    Record {
        at: DateTime::from_timestamp(1_795_271_422, 0).unwrap(),
        run: run.to_owned(),
        who: Who::default(),
        what: What { command: vec!["true".to_owned(), "x".repeat(700)], folder: "/srv/shop".to_owned() },
        event: Event::RunStarted(Start::of(JudgementRecord::of(Verdict::Safe))),
    }
}

pub(crate) fn runs(log: &Log) -> Vec<String> {
    let lines = log.read().unwrap().unwrap();
    lines.filter_map(|line| line.unwrap().entry).map(|entry| entry.run).collect()
}

#[test]
#[ignore = "run by other tests, as a process of its own"]
#[expect(clippy::disallowed_methods, reason = "the test that starts this process hands it values by the environment")]
fn appends_in_a_process_of_its_own() {
    let value = |name| std::env::var(name).unwrap();
    let log = Log::open(Path::new(&value(LOG)), Path::new(&value(STATE))).anchored(value(RUN) == NEEDS_ANCHOR);
    for _ in 0..value(APPENDS).parse::<usize>().unwrap() {
        if let Err(error) = log.append(&record(&value(RUN))) {
            let kind = match &error {
                AuditError::Write { source, .. } => format!("Write {:?}", source.kind()),
                AuditError::Open { source, .. } => format!("Open {:?}", source.kind()),
                AuditError::Folder { source, .. } => format!("Folder {:?}", source.kind()),
                AuditError::Anchor { source, .. } => format!("Anchor {:?}", source.kind()),
                other => format!("{other:?}"),
            };
            panic!("failed with <{kind}>: {error}");
        }
    }
}
