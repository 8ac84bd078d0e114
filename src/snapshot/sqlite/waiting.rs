//! Waiting for other programs, for a bounded time, and stopping when asked to.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::snapshot::Watch;
use crate::snapshot::sqlite::SqliteError;
use crate::text::shown;

/// How long another program's lock is waited for. A transaction that holds the database longer is a program that
/// hangs, or a migration that had better finish before a test run starts.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// Short enough to find the gaps between the commits of a program that writes all the time.
const LONGEST_PAUSE: Duration = Duration::from_millis(15);

/// A bounded wait: pauses that grow, a word after a while, an end.
pub(crate) struct Wait<'a> {
    watch: &'a dyn Watch,
    started: Instant,
    patience: Duration,
    pause: Duration,
    said: bool,
}

impl<'a> Wait<'a> {
    pub(crate) fn new(watch: &'a dyn Watch, patience: Duration) -> Self {
        Wait { watch, started: Instant::now(), patience, pause: FIRST_PAUSE, said: false }
    }

    /// Pauses once more; `false` once the time is up.
    ///
    /// # Errors
    ///
    /// [`SqliteError::Interrupted`] if the watch says so.
    pub(crate) fn again(&mut self, database: &Path) -> Result<bool, SqliteError> {
        check_interrupted(self.watch, database)?;
        let waited = self.started.elapsed();
        if waited >= self.patience {
            return Ok(false);
        }
        if !self.said && waited > Duration::from_millis(500) {
            self.said = true;
            self.watch.remark(&format!(
                "waiting up to {} s for another program that uses `{}`",
                self.patience.as_secs(),
                shown(database)
            ));
        }
        std::thread::sleep(self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(true)
    }

    /// Counts the whole seconds that were waited so far.
    pub(crate) fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}

/// Ends an operation between two of its steps if somebody asked for it.
pub(crate) fn check_interrupted(watch: &dyn Watch, path: &Path) -> Result<(), SqliteError> {
    if watch.interrupted() { Err(SqliteError::Interrupted { path: path.to_owned() }) } else { Ok(()) }
}
