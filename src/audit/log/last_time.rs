//! How a command ended the last time.

use crate::audit::log::file;
use crate::audit::log::file::LogFile;
use crate::audit::{AuditError, Entry, Event, Log};

/// How many lines from the end are looked at: beyond, a run is long ago.
const MOST_LINES: usize = 2000;

impl Log {
    /// Finds the newest entry that tells how this command, redacted as the log keeps it, ended in this folder. It is told
    /// to people and proves nothing: whoever may write the log may have written it.
    ///
    /// # Errors
    ///
    /// [`AuditError`] where the log cannot be opened or read.
    pub(crate) fn last_end_of(&self, command: &[String], folder: &str) -> Result<Option<Entry>, AuditError> {
        let path = file::settled(&self.path);
        let Some(file) = LogFile::lock_shared(&path)? else { return Ok(None) };
        let mut lines = file.into_backwards()?;
        for _ in 0..MOST_LINES {
            let line = lines.next_line().map_err(|source| AuditError::Read { path: path.clone(), source })?;
            let Some(line) = line else { break };
            // Most lines are of other events: their JSON need not be read.
            if memchr::memmem::find(&line, b"\"run-finished\"").is_none() {
                continue;
            }
            let Ok(entry) = serde_json::from_slice::<Entry>(&line) else { continue };
            let is_it = entry.what.command == command && entry.what.folder == folder;
            if is_it && matches!(entry.event, Event::RunFinished(_)) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::audit::log::test_support::{Sandbox, record};
    use crate::audit::{Finish, ProcessEnd, What};

    #[test]
    fn the_newest_end_of_the_same_command_in_the_same_folder_is_found() {
        let sandbox = Sandbox::new();
        let log = sandbox.log();
        assert_eq!(log.last_end_of(&["npm".to_owned()], "/p").unwrap(), None);
        for (status, command, folder) in [(1, "npm", "/p"), (2, "npm", "/p"), (3, "make", "/p"), (4, "npm", "/q")] {
            let event = Event::RunFinished(Finish::new(ProcessEnd::Status(status), Duration::ZERO));
            let what = What { command: vec![command.to_owned()], folder: folder.to_owned() };
            log.append(&crate::audit::Record { event, what, ..record("run") }).unwrap();
        }
        log.append(&record("another")).unwrap();
        let found = log.last_end_of(&["npm".to_owned()], "/p").unwrap().unwrap();
        let Event::RunFinished(finish) = found.event else { panic!("{found:?}") };
        assert_eq!(finish.outcome, ProcessEnd::Status(2));
        assert_eq!(log.last_end_of(&["npm".to_owned(), "test".to_owned()], "/p").unwrap(), None);
    }
}
