//! Shell text taken apart into simple commands, as far as that goes without running anything.
//!
//! Quotes, operators, comments, redirections and heredocs are understood; `$(…)`, backquotes and subshells are looked
//! into but never executed, variables stay as written. It is no shell: what it cannot follow stays a literal word.
//!
//! `splitter` goes over the characters, `blocks` knows what stands around commands (`case`, `[[`, functions),
//! `heredocs` where their bodies end, `brackets` where those do, `commands` makes commands out of words, `builtins`
//! knows what the shell's own do.

mod blocks;
mod brackets;
mod builtins;
mod commands;
mod heredocs;
mod splitter;

use std::collections::HashSet;

pub(crate) use crate::environment::follow::shell_text::builtins::is_name;
pub(crate) use crate::environment::follow::shell_text::commands::{SimpleCommand, assignment};

use crate::environment::follow::shell_text::commands::Budget;
use crate::environment::follow::shell_text::splitter::Splitter;

/// Longer texts are cut.
const LONGEST_TEXT: usize = 1024 * 1024;
/// How deep `$(…)` inside `$(…)` is followed.
const DEEPEST: usize = 32;

/// What a shell text comes to.
#[must_use]
pub(crate) struct ShellText {
    /// The simple commands, those inside substitutions after the ones around them.
    pub(crate) commands: Vec<SimpleCommand>,
    /// The line, and why not all of the text was read.
    pub(crate) cut: Option<(u32, &'static str)>,
}

/// Takes a text apart.
pub(crate) fn read(text: &str) -> ShellText {
    let mut cut = (text.len() > LONGEST_TEXT).then_some((1, "a script is longer than 1 MiB"));
    let mut budget = Budget::default();
    let mut commands: Vec<SimpleCommand> = Vec::new();
    let mut functions = HashSet::new();
    let mut texts = vec![(text.as_bytes().get(..LONGEST_TEXT).unwrap_or(text.as_bytes()), 1, 0)];
    while let Some((text, line, depth)) = texts.pop() {
        let mut splitter = Splitter::new(text, line, budget);
        splitter.run();
        budget = splitter.commands.budget;
        cut = cut.or(splitter
            .commands
            .cut_at
            .map(|line| (line, "a script has more than 16,384 commands, or too many variables for them")));
        commands.append(&mut splitter.commands.found);
        functions.extend(std::mem::take(&mut splitter.commands.functions));
        if depth < DEEPEST {
            texts.extend(splitter.inner.into_iter().map(|(text, line)| (text, line, depth + 1)));
        } else if !splitter.inner.is_empty() {
            cut = cut.or(Some((line, "substitutions are nested more than 32 deep")));
        }
    }
    for command in &mut commands {
        command.calls_function = functions.contains(&command.words[0]);
    }
    ShellText { commands, cut }
}

#[cfg(test)]
mod tests;
