//! The reading side: every line of a log in a stream, and the check of the whole.

use std::path::Path;

use crate::audit::log::anchors::{Anchors, LogPlace};
use crate::audit::log::file;
use crate::audit::log::file::LogFile;
use crate::audit::log::inspect::{begun, remember};
use crate::audit::log::{AuditError, Log};
use crate::audit::{Entry, Integrity, Known, Line, Lines, Link, verify};

/// A line of the log with what it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogLine {
    /// The line as it stands in the file.
    pub(crate) line: Line,
    /// The entry; `None` where the line holds none.
    pub(crate) entry: Option<Entry>,
}

impl Log {
    /// Reads the log's lines, oldest first, as they are when this is called; `None` where there is no log.
    ///
    /// Read in a stream, of any length; nothing is locked meanwhile.
    ///
    /// # Errors
    ///
    /// [`AuditError`] where the log cannot be opened or read.
    pub(crate) fn read(&self) -> Result<Option<impl Iterator<Item = Result<LogLine, AuditError>> + use<>>, AuditError> {
        let path = file::settled(&self.path);
        let Some(file) = LogFile::lock_shared(&path)? else { return Ok(None) };
        let length = file.length();
        let lines = Lines::new(file.into_reader(length)?);
        Ok(Some(lines.map(move |line| {
            let line = line.map_err(|source| AuditError::Read { path: path.clone(), source })?;
            let entry = serde_json::from_slice(&line.bytes).ok();
            Ok(LogLine { line, entry })
        })))
    }
}

/// Checks the log at `path` against itself and against the anchor below `state_directory`. Writes nothing.
///
/// A log that is not there is reported as gone where this machine remembers it, else as empty.
///
/// # Errors
///
/// [`AuditError`] where the log or its anchor cannot be read.
pub(crate) fn verify_file(path: &Path, state_directory: &Path) -> Result<Integrity, AuditError> {
    let path = file::settled(path);
    let anchors = Anchors::below(state_directory);
    let place = LogPlace::of(&path);
    let Some(file) = LogFile::lock_shared(&path)? else {
        let Some(log) = anchors.log_at(&place)? else { return Ok(verify(&[], &Known::Nothing)) };
        let anchor = anchors.load(&log, &place)?.and_then(|kept| kept.anchor);
        let report = verify(&[], &anchor.map_or(Known::Unreadable, |anchor| Known::End(anchor.ending())));
        return Ok(Integrity { log: Some(log), ..report });
    };
    let memory = remember(&anchors, &file, &place)?;
    let anchor = memory.kept.as_ref().and_then(|kept| kept.anchor.as_ref());
    let mut length = file.length();
    let mut interrupted = false;
    if let Some(anchor) = anchor
        && let (Some(next), Some(written)) = (&anchor.next, begun(anchor, &file)?)
    {
        interrupted = written > 0 && next.text.as_ref().is_some_and(|text| written < text.len());
        if interrupted {
            length = anchor.end.length;
        }
    }
    let known = match (&memory.kept, anchor) {
        (None, _) => Known::Nothing,
        (Some(_), None) => Known::Unreadable,
        (Some(_), Some(anchor)) => Known::End(anchor.ending()),
    };
    let links = Lines::new(file.into_reader(length)?)
        .map(|line| line.map(|line| Link::of(&line)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| AuditError::Read { path, source })?;
    let report = verify(&links, &known);
    Ok(Integrity { interrupted, log: report.log.clone().or(memory.log), ..report })
}
