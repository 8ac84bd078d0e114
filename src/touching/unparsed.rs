//! Lines that are not parsed: too long, nested too deep, or no Bash. They are looked through word by word.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crate::touching::line;
use crate::touching::line::Part;
use crate::touching::model::{Class, Corrections, Edit, Found};
use crate::touching::table::{self, Kind};

/// Longer lines are not parsed, in bytes.
const LONGEST: usize = 64 * 1024;
/// How deep brackets may be nested: the parser takes ever longer, and the stack ends.
const DEEPEST: usize = 32;
/// With more signs and words between commands than this, a line is parsed on a stack of its own: the parser calls itself for
/// each.
const MOST_BETWEEN: usize = 400;
/// Of how many words that open a block the same holds.
const MOST_BLOCKS: usize = 50;
/// Enough for the parser's own limit, and for all commands that fit into a line.
const STACK: usize = 256 * 1024 * 1024;

/// Takes a line apart; `None` where that is not to be, or fails.
pub(super) fn read(text: &str) -> Option<Vec<Part>> {
    if text.len() > LONGEST || is_too_deep(text) {
        return None;
    }
    let parsed = || catch_unwind(AssertUnwindSafe(|| line::read(text))).ok().flatten();
    if !needs_a_stack(text) {
        return parsed();
    }
    thread::scope(|scope| {
        let started = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, parsed);
        started.ok()?.join().ok().flatten()
    })
}

/// Counts open brackets, in quotes or not, and the levels of backquotes.
fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut backslashes) = (0usize, 0usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            // Each further level doubles the backslashes in front of them.
            b'`' if backslashes > 7 => return true,
            _ => {}
        }
        backslashes = if byte == b'\\' { backslashes + 1 } else { 0 };
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

fn needs_a_stack(text: &str) -> bool {
    let between = text.bytes().filter(|byte| matches!(byte, b';' | b'&' | b'|' | b'\n')).count();
    let opens =
        |word: &&str| matches!(*word, "if" | "then" | "while" | "until" | "for" | "case" | "select" | "do" | "else");
    between > MOST_BETWEEN || text.split_ascii_whitespace().filter(opens).count() > MOST_BLOCKS
}

/// Finds words in a row that are a command of the table.
pub(super) fn found(text: &str, corrections: &Corrections) -> Option<Found> {
    let separates = |letter: char| {
        letter.is_whitespace() || matches!(letter, '\'' | '"' | '`' | '\\' | '(' | ')' | '{' | '}' | '$')
    };
    for part in text.split(['\n', ';', '|', '&', '<', '>']) {
        let words: Vec<String> = part.split(separates).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        for at in 0..words.len() {
            let own = &words[at..(at + 12).min(words.len())];
            let guarded = corrections.guard.iter().any(|one| {
                let mut wanted = one.split_ascii_whitespace();
                let first = wanted.next();
                first == Some(own[0].as_str())
                    && wanted.enumerate().all(|(at, word)| own.get(at + 1).is_some_and(|own| own == word))
            });
            let class = match table::find(own) {
                _ if guarded => Class::Named,
                Some(entry) => match entry.kind {
                    Kind::Does(class) => class,
                    _ => continue,
                },
                None => continue,
            };
            if own[0] == "safe-test" || at > 0 && words[at - 1] == "safe-test" {
                continue;
            }
            return Some(Found { words: own[..own.len().min(3)].join(" "), class, edit: Edit::Never });
        }
    }
    None
}
