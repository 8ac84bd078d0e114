//! What a loader loses behind a line that it cannot read; a person would still read it.

use crate::environment::readers::dotenv::document::Document;
use crate::environment::readers::dotenv::lenient;
use crate::environment::readers::expansion::Lookup;

/// Adds what a person would read in `text`, which starts on `line`; the loader loses these lines.
pub(crate) fn salvage(document: &mut Document, text: &str, line: u32, lookup: Lookup<'_>) {
    for mut entry in lenient::read(text, lookup).entries {
        entry.salvaged = true;
        entry.line += line - 1;
        document.entries.push(entry);
    }
}

/// Notes that the loader gives nothing of this file, not even what stands before its error on `line`, where `rest`
/// starts.
pub(crate) fn reject(document: &mut Document, line: u32, message: &str, rest: &str, lookup: Lookup<'_>) {
    document.problem(line, message);
    for entry in &mut document.entries {
        entry.salvaged = true;
    }
    salvage(document, rest, line, lookup);
}
