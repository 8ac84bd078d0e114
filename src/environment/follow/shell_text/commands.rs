//! Commands out of their words: assignments, exports, what the shell's own words leave of a line.

use crate::environment::follow::shell_text::blocks::opens_a_block;

/// More simple commands than this in one text are not looked at.
pub(crate) const MOST_COMMANDS: usize = 1024;

/// A simple command: assignments, then words with their quotes removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SimpleCommand {
    /// `X=Y` in front of it, and those that were exported before it in the same text.
    pub(crate) assignments: Vec<(String, String)>,
    /// The program and its arguments; never empty.
    pub(crate) words: Vec<String>,
    /// The line of the text where it ends, counted from 1.
    pub(crate) line: u32,
    /// Its program is a function of the same text, whose commands stand there by themselves.
    pub(crate) calls_function: bool,
}

/// The commands of one text so far, with what was exported before the next one.
#[derive(Default)]
pub(crate) struct Commands {
    pub(crate) found: Vec<SimpleCommand>,
    exported: Vec<(String, String)>,
    /// There are more, or more is exported, than is kept.
    pub(crate) is_cut: bool,
}

impl Commands {
    /// Adds the command that the words of one line make, which ends on `line`.
    pub(crate) fn add(&mut self, words: Vec<String>, line: u32) {
        let mut words = words.into_iter().skip_while(|word| opens_a_block(word)).peekable();
        if words.peek().is_some_and(|word| matches!(word.as_str(), "for" | "case" | "select" | "function")) {
            return;
        }
        if words.peek().is_some_and(|word| matches!(word.as_str(), "export" | "declare" | "typeset" | "readonly")) {
            return self.export(words.collect(), line);
        }
        let mut assignments = Vec::new();
        while let Some(pair) = words.peek().and_then(|word| assignment(word)) {
            assignments.push(pair);
            words.next();
        }
        let words: Vec<String> = words.collect();
        if words.is_empty() {
            // A plain `X=Y` line reaches the commands after it where X was exported already: assume it was.
            self.exported.append(&mut assignments);
            return;
        }
        self.is_cut |= self.exported.len() > MOST_COMMANDS;
        let exported = self.exported.iter().take(MOST_COMMANDS).cloned();
        self.push(SimpleCommand {
            assignments: exported.chain(assignments).collect(),
            words,
            line,
            calls_function: false,
        });
    }

    fn export(&mut self, words: Vec<String>, line: u32) {
        self.exported.extend(words.iter().filter_map(|word| assignment(word)));
        // `export $(cat .env | xargs)` exports what it prints: whoever follows the commands has to see it.
        if words.iter().any(|word| word.starts_with(['$', '`'])) {
            self.push(SimpleCommand { assignments: Vec::new(), words, line, calls_function: false });
        }
    }

    fn push(&mut self, command: SimpleCommand) {
        if self.found.len() < MOST_COMMANDS {
            self.found.push(command);
        } else {
            self.is_cut = true;
        }
    }
}

/// Whether `text` has the form of a shell variable's name.
pub(crate) fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        && text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// `NAME=value` taken apart; `None` where the part before `=` is no name.
pub(crate) fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    is_name(name).then(|| (name.to_owned(), value.to_owned()))
}
