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

use std::fmt;

use crate::environment::not_followed::GivenUp;
use crate::text::line_number;

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 256;

/// The most nodes that are visited in one text, those reached by aliases included.
const MAX_STEPS: usize = 150_000;

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

impl FlatEntry {
    /// Copies the entry with another value.
    pub(crate) fn with_value(&self, value: String) -> FlatEntry {
        FlatEntry { path: self.path.clone(), value, line: self.line, document: self.document }
    }
}

/// What could be read of a text. Its entries are had only by telling what was given up on.
#[derive(Debug)]
#[must_use]
pub(crate) struct Flat {
    /// Paths may lack parents where YAML was resumed after a mistake.
    entries: Vec<FlatEntry>,
    stop: Option<Stop>,
}

/// Where a reader gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    /// The line of the first mistake, or where the first cap was met, counted from 1.
    pub(crate) line: u32,
    pub(crate) why: GivenUp,
}

/// A reader of one format.
pub(crate) type Flatten = fn(&str) -> Flat;

impl Flat {
    /// Gives what could be read; where that is not all of it, `tell` hears of it.
    pub(crate) fn entries(self, tell: impl FnOnce(Stop)) -> Vec<FlatEntry> {
        if let Some(stop) = self.stop {
            tell(stop);
        }
        self.entries
    }

    /// Gives the entries of a text that could be read to its end.
    pub(crate) fn whole(self) -> Option<Vec<FlatEntry>> {
        self.stop.is_none().then_some(self.entries)
    }
}

impl Stop {
    fn form(line: u32, message: impl fmt::Display) -> Self {
        Stop { line, why: GivenUp::Form(message.to_string().into()) }
    }

    fn too_much(line: u32, Capped(what): Capped) -> Self {
        Stop { line, why: GivenUp::too_much(what) }
    }
}

/// Reads a text without its byte order mark, unless it is too long to be a configuration file.
fn within_size(text: &str, read: impl FnOnce(&str) -> Flat) -> Flat {
    if text.len() > MAX_TEXT {
        return Flat { entries: Vec::new(), stop: Some(Stop::too_much(1, TOO_LONG)) };
    }
    read(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Gives what was read of `text`, lines within it.
fn finish(text: &str, mut entries: Vec<FlatEntry>, stop: Option<Stop>) -> Flat {
    // Some parsers count one line more at the end of a text.
    let last = line_number(text.lines().count().saturating_sub(1));
    entries.iter_mut().for_each(|entry| entry.line = entry.line.min(last));
    Flat { entries, stop: stop.map(|stop| Stop { line: stop.line.min(last), ..stop }) }
}

/// A cap was reached; the text says which.
#[derive(Debug, Clone, Copy)]
struct Capped(&'static str);

const TOO_LONG: Capped = Capped("it is longer than 16 MiB");
const TOO_DEEP: Capped = Capped("it is nested more than 256 deep");
const TOO_MANY: Capped = Capped("it has more than 150,000 values");
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
    use crate::environment::readers::formats::{Flat, FlatEntry, Flatten};

    impl Flat {
        /// Gives the entries of a text that must be read to its end.
        pub(crate) fn read(self) -> Vec<FlatEntry> {
            assert_eq!(self.stop, None);
            self.entries
        }

        /// Gives the line where the reader must have given up, and what it read.
        pub(crate) fn cut(self) -> (u32, Vec<FlatEntry>) {
            (self.stop.unwrap().line, self.entries)
        }
    }

    /// Shows entries as `line path.joined=value`, to be compared with a table.
    pub(crate) fn shown(entries: &[FlatEntry]) -> Vec<String> {
        entries.iter().map(|entry| format!("{} {}={}", entry.line, entry.path.join("."), entry.value)).collect()
    }

    /// Makes texts that have hurt parsers, each about `size` bytes long, made of what the format gives a meaning to.
    pub(crate) fn hostile(size: usize, pieces: &[&str]) -> Vec<String> {
        pieces.iter().map(|piece| piece.repeat(size / piece.len() + 1)).collect()
    }

    /// Reads hostile texts to their end on a small stack; overflow or panic fails the test.
    pub(crate) fn survive(texts: Vec<String>, flatten: Flatten) {
        let reader = std::thread::Builder::new().stack_size(2 << 20);
        let reader = reader.spawn(move || {
            for text in &texts {
                let lines = text.lines().count().max(1);
                let mut stop = None;
                let entries = flatten(text).entries(|found| stop = Some(found));
                assert!(entries.iter().all(|entry| entry.line >= 1 && entry.line as usize <= lines));
                assert!(stop.is_none_or(|stop| stop.line >= 1 && stop.line as usize <= lines));
            }
        });
        reader.unwrap().join().unwrap();
    }
}
