//! Commands out of their words: assignments, exports, what the shell's own words leave of a line.

use crate::environment::follow::shell_text::blocks::opens_a_block;

/// How many more commands of one text are looked at, and how many variables they may be given in all: each gets those that
/// were exported before it.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    commands: usize,
    assignments: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { commands: 16_384, assignments: 500_000 }
    }
}

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
pub(crate) struct Commands {
    pub(crate) found: Vec<SimpleCommand>,
    exported: Vec<(String, String)>,
    pub(crate) budget: Budget,
    /// The line of the first command that is not kept.
    pub(crate) cut_at: Option<u32>,
}

impl Commands {
    pub(crate) fn new(budget: Budget) -> Self {
        Commands { found: Vec::new(), exported: Vec::new(), budget, cut_at: None }
    }

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
        if self.affords(self.exported.len(), line) {
            let assignments = self.exported.iter().cloned().chain(assignments).collect();
            self.found.push(SimpleCommand { assignments, words, line, calls_function: false });
        }
    }

    fn export(&mut self, words: Vec<String>, line: u32) {
        self.exported.extend(words.iter().filter_map(|word| assignment(word)));
        // `export $(cat .env | xargs)` exports what it prints: whoever follows the commands has to see it.
        if words.iter().any(|word| word.starts_with(['$', '`'])) {
            if self.affords(0, line) {
                self.found.push(SimpleCommand { assignments: Vec::new(), words, line, calls_function: false });
            }
        }
    }

    /// Takes a command with so many exported variables from the budget, or notes that it is too much.
    fn affords(&mut self, exported: usize, line: u32) -> bool {
        let Budget { commands, assignments } = self.budget;
        match (commands.checked_sub(1), assignments.checked_sub(exported)) {
            (Some(commands), Some(assignments)) => {
                self.budget = Budget { commands, assignments };
                true
            }
            _ => {
                self.cut_at.get_or_insert(line);
                false
            }
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
