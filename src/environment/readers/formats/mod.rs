//! Readers of configuration formats: each turns a text into a flat list of scalars with their lines.
//!
//! A format knows its syntax and nothing about databases. Values are text, as written after unquoting; nothing is
//! expanded, included or executed. Depth, number and size of what is read are capped, so that a hostile file costs
//! no more than a large honest one: no panic, no endless loop, no deep stack.

pub(crate) mod blocks;
pub(crate) mod ini;
pub(crate) mod json;
pub(crate) mod properties;
pub(crate) mod toml;
pub(crate) mod xml;
pub(crate) mod yaml;
mod yaml_tree;

use std::borrow::Cow;
use std::fmt;

use crate::environment::not_followed::GivenUp;
use crate::text::line_number;

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// The most nodes that are visited in one text, those reached by aliases included.
const MAX_STEPS: usize = 300_000;

/// The most bytes of paths and values that one text may become.
const MAX_BYTES: usize = 64 << 20;

/// The longest text that is read at all, in bytes.
const MAX_TEXT: usize = 16 << 20;

/// One scalar of a configuration file, in document order.
///
/// An empty mapping or sequence, a null and a key without a value count as a scalar with an empty value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlatEntry {
    /// The keys from the outermost to the scalar's own; an item of a sequence has its index, from 0, as key.
    pub(crate) path: Vec<String>,
    /// The value after unquoting.
    pub(crate) value: String,
    /// The line of the scalar's own key (of the item, in a sequence), counted from 1. For what an alias or a merge
    /// key brings in, that is the line where the key is spelled.
    pub(crate) line: u32,
    /// Which document of the text it belongs to, counted from 0: YAML's `---` and Spring's `#---` begin a new one.
    pub(crate) document: u32,
}

/// Reads the scalars of a text in one of the formats.
pub(crate) type Flatten = fn(&str) -> Result<Vec<FlatEntry>, FormatError>;

impl FlatEntry {
    /// Copies the entry with another value.
    pub(crate) fn with_value(&self, value: String) -> FlatEntry {
        FlatEntry { path: self.path.clone(), value, line: self.line, document: self.document }
    }
}

/// The text is not well-formed, or more than is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub(crate) struct FormatError {
    /// The line of the first mistake, counted from 1.
    pub(crate) line: u32,
    /// What is wrong there, or what there is too much of, as a lower-case phrase.
    pub(crate) why: GivenUp,
    /// What could be read all the same. Its paths may lack parents where YAML was resumed after a mistake.
    pub(crate) entries: Vec<FlatEntry>,
}

impl FormatError {
    fn form(line: u32, message: impl fmt::Display) -> Self {
        FormatError { line, why: GivenUp::Form(message.to_string().into()), entries: Vec::new() }
    }

    fn too_much(line: u32, Capped(what): Capped) -> Self {
        FormatError { line, why: GivenUp::TooMuch(Cow::Borrowed(what)), entries: Vec::new() }
    }
}

/// Takes a byte order mark off, and refuses what is too long to be a configuration file.
fn checked(text: &str) -> Result<&str, FormatError> {
    if text.len() > MAX_TEXT {
        return Err(FormatError::too_much(1, TOO_LONG));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Gives the entries, or the error with what was read before it.
fn finish(text: &str, mut entries: Vec<FlatEntry>, error: Option<FormatError>) -> Result<Vec<FlatEntry>, FormatError> {
    // Some parsers count one line more at the end of a text.
    let last = line_number(text.lines().count().saturating_sub(1));
    entries.iter_mut().for_each(|entry| entry.line = entry.line.min(last));
    match error {
        None => Ok(entries),
        Some(error) => Err(FormatError { line: error.line.min(last), entries, ..error }),
    }
}

/// A cap was reached; the text says which.
#[derive(Debug, Clone, Copy)]
struct Capped(&'static str);

const TOO_LONG: Capped = Capped("it is longer than 16 MiB");
const TOO_DEEP: Capped = Capped("it is nested more than 64 deep");
const TOO_MANY: Capped = Capped("it has more than 300,000 values");
const TOO_LARGE: Capped = Capped("it is larger than 64 MiB once each value is spelled out with its keys");

/// Collects entries under the current path, within the caps.
struct Collector {
    entries: Vec<FlatEntry>,
    path: Vec<String>,
    document: u32,
    steps_left: usize,
    bytes_left: usize,
}

impl Collector {
    fn new() -> Self {
        Collector { entries: Vec::new(), path: Vec::new(), document: 0, steps_left: MAX_STEPS, bytes_left: MAX_BYTES }
    }

    /// Goes one level down.
    fn enter(&mut self, segment: &str) -> Result<(), Capped> {
        if self.path.len() >= MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        self.take_bytes(segment.len())?;
        self.path.push(segment.to_owned());
        Ok(())
    }

    /// Goes back up one level.
    fn leave(&mut self) {
        self.path.pop();
    }

    /// Counts one visited node.
    fn step(&mut self) -> Result<(), Capped> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or(TOO_MANY)?;
        Ok(())
    }

    /// Notes a value at the current path; the caller has counted its step.
    fn push(&mut self, value: &str, line: u32) -> Result<(), Capped> {
        self.take_bytes(value.len() + self.path.iter().map(String::len).sum::<usize>())?;
        let (path, value) = (self.path.clone(), value.to_owned());
        self.entries.push(FlatEntry { path, value, line, document: self.document });
        Ok(())
    }

    fn take_bytes(&mut self, bytes: usize) -> Result<(), Capped> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(TOO_LARGE)?;
        Ok(())
    }
}

#[cfg(test)]
mod testing {
    use crate::environment::readers::formats::{FlatEntry, FormatError};

    /// Shows entries as `line path.joined=value`, to be compared with a table.
    pub(crate) fn shown(entries: &[FlatEntry]) -> Vec<String> {
        entries.iter().map(|entry| format!("{} {}={}", entry.line, entry.path.join("."), entry.value)).collect()
    }

    /// Makes texts that have hurt parsers, each about `size` bytes long, made of what the format gives a meaning to.
    pub(crate) fn hostile(size: usize, pieces: &[&str]) -> Vec<String> {
        pieces.iter().map(|piece| piece.repeat(size / piece.len() + 1)).collect()
    }

    /// Reads hostile texts to their end on a small stack; overflow or panic fails the test.
    pub(crate) fn survive(texts: Vec<String>, flatten: fn(&str) -> Result<Vec<FlatEntry>, FormatError>) {
        let reader = std::thread::Builder::new().stack_size(2 << 20);
        let reader = reader.spawn(move || {
            for text in &texts {
                let lines = text.lines().count().max(1);
                let (entries, error) = match flatten(text) {
                    Ok(entries) => (entries, None),
                    Err(error) => (error.entries.clone(), Some(error)),
                };
                assert!(entries.iter().all(|entry| entry.line >= 1 && entry.line as usize <= lines));
                assert!(error.is_none_or(|error| error.line >= 1 && error.line as usize <= lines));
            }
        });
        reader.unwrap().join().unwrap();
    }
}
