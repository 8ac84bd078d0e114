//! Shell text taken apart into simple commands, as far as that goes without running anything.
//!
//! Quotes, operators, comments, redirections and heredocs are understood; `$(…)`, backquotes and subshells are looked
//! into but never executed, variables stay as written. It is no shell: what it cannot follow stays a literal word.
//!
//! `splitter` goes over the characters, `blocks` knows what stands around commands (`case`, `[[`, functions),
//! `heredocs` where their bodies end, `commands` makes commands out of words.

mod blocks;
mod commands;
mod heredocs;
mod splitter;

use std::collections::HashSet;

use crate::environment::follow::shell_text::splitter::Splitter;

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

/// Longer texts are cut.
const LONGEST_TEXT: usize = 256 * 1024;
/// How deep `$(…)` inside `$(…)` is followed.
const DEEPEST: usize = 8;
/// More simple commands than this in one text are not looked at.
const MOST_COMMANDS: usize = 1024;

/// The simple commands of `text`, those inside substitutions after the ones around them.
pub(crate) fn simple_commands(text: &str) -> Vec<SimpleCommand> {
    read(text).0
}

/// As [`simple_commands`], and whether there is more in the text than is read.
pub(crate) fn read(text: &str) -> (Vec<SimpleCommand>, bool) {
    let mut is_cut = text.len() > LONGEST_TEXT;
    let mut commands: Vec<SimpleCommand> = Vec::new();
    let mut functions = HashSet::new();
    let mut texts = vec![(text.as_bytes().get(..LONGEST_TEXT).unwrap_or(text.as_bytes()), 1, 0)];
    while let Some((text, line, depth)) = texts.pop() {
        let mut splitter = Splitter::new(text, line);
        splitter.run();
        is_cut |= splitter.commands.is_cut;
        commands.append(&mut splitter.commands.found);
        functions.extend(splitter.functions);
        if commands.len() > MOST_COMMANDS {
            commands.truncate(MOST_COMMANDS);
            is_cut = true;
            break;
        }
        is_cut |= depth == DEEPEST && !splitter.inner.is_empty();
        if depth < DEEPEST {
            texts.extend(splitter.inner.into_iter().map(|(text, line)| (text, line, depth + 1)));
        }
    }
    for command in &mut commands {
        command.calls_function = functions.contains(&command.words[0]);
    }
    (commands, is_cut)
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

#[cfg(test)]
mod tests;
