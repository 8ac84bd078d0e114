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

pub(crate) use crate::environment::follow::shell_text::commands::{SimpleCommand, assignment, is_name};

use crate::environment::follow::shell_text::commands::MOST_COMMANDS;
use crate::environment::follow::shell_text::splitter::Splitter;

/// Longer texts are cut.
const LONGEST_TEXT: usize = 256 * 1024;
/// How deep `$(…)` inside `$(…)` is followed.
const DEEPEST: usize = 8;
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

#[cfg(test)]
mod tests;
