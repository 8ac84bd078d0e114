//! What was read from one file.

use crate::collections::HashMap;
use crate::environment::Unresolved;
use crate::environment::readers::expansion::Obstacle;

/// How many problems of one file are kept; a file that is no text at all would have one on every line.
const MOST_PROBLEMS: usize = 100;

/// One variable on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name as the loader sets it.
    pub(crate) name: String,
    /// The value after this loader's unquoting and expansion; the text as written, without its quotes, where
    /// `unresolved` is set. `None` where the loader knows the name but sets nothing (a bare `NAME`).
    pub(crate) value: Option<String>,
    /// The line that the name stands on, counted from 1.
    pub(crate) line: u32,
    /// Why `value` is not what the command would see.
    pub(crate) unresolved: Option<Unresolved>,
    /// The loader rejects this line or the file; this is what a person would read.
    pub(crate) salvaged: bool,
    /// Read, but not given: another line of the file wins, or the process environment where this loader lets it.
    pub(crate) shadowed: bool,
}

/// Something about the file that a person should know; never holds text from the file, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The line, counted from 1.
    pub(crate) line: u32,
    /// A lower-case phrase.
    pub(crate) message: String,
}

/// The reading of one file by one loader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// In the order of the file; salvaged ones after those that the loader gives.
    pub(crate) entries: Vec<Entry>,
    /// In the order in which they were met; at most about a hundred.
    pub(crate) problems: Vec<Problem>,
}

/// Which of two lines with the same name counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wins {
    First,
    Last,
}

impl Document {
    /// Lists what the loader gives: each name at most once.
    pub(crate) fn effective(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.shadowed && !entry.salvaged)
    }

    /// Finds the entry of that name among what the loader gives.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.effective().find(|entry| entry.name == name)
    }

    pub(crate) fn push(&mut self, name: &str, value: Option<String>, line: u32) {
        self.entries.push(Entry {
            name: name.to_owned(),
            value,
            line,
            unresolved: None,
            salvaged: false,
            shadowed: false,
        });
    }

    /// Adds an entry whose value was expanded; `written` is the text before that.
    pub(crate) fn push_expanded(&mut self, name: &str, line: u32, written: &str, value: Result<String, Obstacle>) {
        self.push(name, None, line);
        if let Some(index) = self.entries.len().checked_sub(1) {
            self.set_expanded(index, written, value);
        }
    }

    /// Gives an entry its expanded value, or the text as written with the reason why that is all there is.
    pub(crate) fn set_expanded(&mut self, index: usize, written: &str, value: Result<String, Obstacle>) {
        let line = self.entries[index].line;
        if value == Err(Obstacle::TooLarge) {
            self.problem(line, "the expanded value is too large and was left as written");
        }
        let (value, unresolved) = match value {
            Ok(value) => (value, None),
            Err(obstacle) => (written.to_owned(), Some(obstacle.into())),
        };
        self.entries[index].value = Some(value);
        self.entries[index].unresolved = unresolved;
    }

    pub(crate) fn problem(&mut self, line: u32, message: &str) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem { line, message: message.to_owned() });
        }
    }

    /// Marks the newest entry as beaten by the process environment.
    pub(crate) fn shadow_last(&mut self) {
        if let Some(entry) = self.entries.last_mut() {
            entry.shadowed = true;
        }
    }

    /// Marks the losers among the lines that the loader gives.
    pub(crate) fn settle(mut self, wins: Wins) -> Self {
        let mut winners: HashMap<&str, usize> = HashMap::default();
        let mut losers = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            if entry.salvaged || entry.shadowed {
                continue;
            }
            match (winners.get(entry.name.as_str()).copied(), wins) {
                (Some(_), Wins::First) => losers.push(index),
                (earlier, _) => {
                    losers.extend(earlier);
                    winners.insert(&entry.name, index);
                }
            }
        }
        drop(winners);
        for index in losers {
            self.entries[index].shadowed = true;
        }
        self
    }
}
