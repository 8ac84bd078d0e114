//! Commands out of their words: assignments, exports, what the shell's own words leave of a line.

use std::collections::HashMap;
use std::rc::Rc;

use crate::environment::follow::shell_text::blocks::opens_a_block;
use crate::environment::follow::shell_text::builtins;
use crate::environment::follow::shell_text::builtins::is_name;

/// How many more commands of one text are looked at, and how many variables they may be given in all: each gets those that
/// were exported before it.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    commands: usize,
    assignments: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { commands: 16_384, assignments: 100_000 }
    }
}

/// How long a default may be that later commands take over, in bytes: each of them may refer to it many times.
const LONGEST_DEFAULT: usize = 256;

/// A simple command: assignments, then words with their quotes removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SimpleCommand {
    /// `X=Y` in front of it, and those that were exported before it in the same text.
    pub(crate) assignments: Vec<(String, String)>,
    /// The variables that the text before it sets to what cannot be told, each with how many of the assignments come
    /// before that.
    pub(crate) unknown: Vec<(usize, Rc<str>)>,
    /// The program and its arguments; never empty.
    pub(crate) words: Vec<String>,
    /// The line of the text where it ends, counted from 1.
    pub(crate) line: u32,
    /// Its program is a function of the same text, whose commands stand there by themselves.
    pub(crate) calls_function: bool,
    /// It runs commands that it is fed, and what feeds it is no here-document.
    pub(crate) hides_commands: bool,
}

/// The commands of one text so far, with what was exported before the next one.
#[derive(Default)]
pub(crate) struct Commands {
    pub(crate) found: Vec<SimpleCommand>,
    /// The functions that the text defines.
    pub(crate) functions: Vec<String>,
    exported: Vec<(String, String)>,
    unknown: Vec<(usize, Rc<str>)>,
    aliases: HashMap<String, String>,
    /// What the variables are by now that took their own default: after `: ${A:=b}`, `$A` is `${A:-b}`.
    defaults: HashMap<String, String>,
    pub(crate) budget: Budget,
    /// The line of the first command that is not kept.
    pub(crate) cut_at: Option<u32>,
}

impl Commands {
    pub(crate) fn new(budget: Budget) -> Self {
        Commands { budget, ..Commands::default() }
    }

    /// Adds the command that the words of one line make, which ends on `line`.
    pub(crate) fn add(&mut self, words: Vec<String>, line: u32) {
        let mut words = self.without_heads(&words);
        match words.first().map(String::as_str) {
            Some("case") => return,
            Some("for" | "select") => return self.note_assigned(words),
            Some("export" | "declare" | "typeset" | "readonly" | "local") => return self.export(words, line),
            _ => {}
        }
        let mut assignments = Vec::new();
        while let Some(word) = words.first() {
            if let Some(pair) = assignment(word) {
                assignments.push(pair);
            } else if let Some(name) = builtins::assigned_in_part(word) {
                self.set_unknown(name);
            } else {
                break;
            }
            words = &words[1..];
        }
        let Some(program) = words.first() else {
            // A plain `X=Y` line reaches the commands after it where X was exported already: assume it was.
            self.exported.append(&mut assignments);
            return;
        };
        if program == "alias" {
            self.aliases.extend(words[1..].iter().filter_map(|word| assignment(word)));
        }
        // A script reads an alias as a command, but for a plain `sh`, which fills it in.
        let aliased = self.aliases.get(program).map(|text| [&["eval".to_owned(), text.clone()], &words[1..]].concat());
        let trapped = builtins::trapped(words).map(|text| vec!["eval".to_owned(), text.clone()]);
        for own in [Some(words.to_vec()), aliased, trapped].into_iter().flatten() {
            self.push(own, &assignments, line);
        }
        self.note_assigned(words);
    }

    /// Drops what stands in front of a command: `if`, `function NAME {`, `coproc NAME {`.
    fn without_heads<'w>(&mut self, mut words: &'w [String]) -> &'w [String] {
        loop {
            let text: Vec<&str> = words.iter().take(3).map(String::as_str).collect();
            let dropped = match text[..] {
                [first, ..] if opens_a_block(first) => 1,
                ["function", name, ..] => {
                    self.functions.push(name.to_owned());
                    2
                }
                ["coproc", _, "{"] => 2,
                ["coproc", ..] => 1,
                _ => return words,
            };
            words = &words[dropped..];
        }
    }

    fn export(&mut self, words: &[String], line: u32) {
        self.exported.extend(words.iter().filter_map(|word| assignment(word)));
        // `export $(cat .env | xargs)` exports what it prints: whoever follows the commands has to see it.
        if words.iter().any(|word| word.starts_with(['$', '`'])) {
            self.push(words.to_vec(), &[], line);
        }
        self.note_assigned(words);
    }

    /// Notes what a command assigns beside the assignments in front of it.
    fn note_assigned(&mut self, words: &[String]) {
        for (name, expression) in words.iter().flat_map(|word| builtins::assigned_by_default(word)) {
            if expression.len() > LONGEST_DEFAULT {
                self.set_unknown(name);
            } else {
                self.defaults.insert(name.to_owned(), expression.replacen('=', "-", 1));
            }
        }
        builtins::unknown_after(words).into_iter().for_each(|name| self.set_unknown(name));
    }

    fn set_unknown(&mut self, name: &str) {
        self.unknown.retain(|(_, known)| **known != *name);
        self.unknown.push((self.exported.len(), name.into()));
    }

    /// Keeps a command with its own assignments and all that was exported before it.
    fn push(&mut self, words: Vec<String>, assignments: &[(String, String)], line: u32) {
        if !self.affords(self.exported.len() + self.unknown.len(), line) {
            return;
        }
        let words: Vec<String> = words.iter().map(|word| self.with_defaults(word)).collect();
        self.found.push(SimpleCommand {
            assignments: self.exported.iter().chain(assignments).cloned().collect(),
            unknown: self.unknown.clone(),
            hides_commands: builtins::reads_commands(&words),
            words,
            line,
            calls_function: false,
        });
    }

    /// Writes the defaults into a word that its variables took before.
    fn with_defaults(&self, word: &str) -> String {
        let mut written = String::with_capacity(word.len());
        let mut rest = word;
        while let Some((before, behind)) = rest.split_once('$').filter(|_| !self.defaults.is_empty()) {
            written.push_str(before);
            let inside = behind.strip_prefix('{').unwrap_or(behind);
            let (name, after) = inside.split_at(builtins::leading_name(inside).len());
            let after = if inside.len() < behind.len() { after.strip_prefix('}') } else { Some(after) };
            rest = match (self.defaults.get(name), after) {
                (Some(default), Some(after)) => {
                    written.push_str(default);
                    after
                }
                _ => {
                    written.push('$');
                    behind
                }
            };
        }
        written + rest
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

/// `NAME=value` taken apart; `None` where the part before `=` is no name.
pub(crate) fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    is_name(name).then(|| (name.to_owned(), value.to_owned()))
}
