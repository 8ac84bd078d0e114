//! A file that a POSIX shell sources, and direnv's `.envrc`: the assignments in it.
//!
//! Nothing is executed: commands are named as problems, and so a file that another one pulls in is not read here.

use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::salvage::salvage;
use crate::environment::readers::dotenv::text::{byte_at, find_or_end, skip, unify_line_breaks, without_bom};
use crate::environment::readers::expansion::shell_word::{Quotes, Word};
use crate::environment::readers::expansion::{Budget, Lookup, Scope, Unset};
use crate::text::LineIndex;

/// Commands whose arguments are assignments.
const DECLARING: [&str; 5] = ["export", "declare", "typeset", "readonly", "local"];

pub(crate) fn read(text: &str, lookup: Lookup<'_>) -> Document {
    let text = unify_line_breaks(without_bom(text));
    let lines = LineIndex::new(&text);
    let mut document = Document::default();
    let mut scope = Scope::new(lookup);
    let mut budget = Budget::new();
    let mut at = 0;
    while at < text.len() {
        at = skip(&text, at, |c| c.is_ascii_whitespace() || matches!(c, ';' | '&'));
        if byte_at(&text, at) == b'#' {
            at = find_or_end(&text, at, b'\n');
            continue;
        }
        let start = at;
        let Some((words, end)) = command(&text, start) else {
            let line = lines.line(start);
            document.problem(line, "a quote or parenthesis that is not closed; a shell stops here");
            salvage(&mut document, &text[start..], line, lookup);
            break;
        };
        at = end;
        let declaring = words.first().is_some_and(|(_, word)| DECLARING.contains(word));
        let assignments: Vec<_> = words.iter().filter_map(|(at, word)| Some((*at, assignment(word)?))).collect();
        if words.is_empty() || (!declaring && assignments.len() < words.len()) {
            if !words.is_empty() {
                let line = lines.line(start);
                document.problem(line, "a command; it is not executed here");
                salvage(&mut document, assigning_part(&text[start..end]), line, lookup);
            }
            continue;
        }
        for (at, (name, written)) in assignments {
            let value = Word::new(written, Quotes::Shell, Unset::Empty).expand(&mut scope, &mut budget);
            scope.set(name, value.clone());
            document.push_expanded(name, lines.line(at), written, value);
        }
    }
    document.settle(Wins::Last)
}

/// Gives a command that begins like an assignment: `A=b c` runs `c` and sets nothing, but its author may have meant a
/// value with a space.
fn assigning_part(command: &str) -> &str {
    let word = command.split_ascii_whitespace().next().unwrap_or("");
    if assignment(word).is_some() { command } else { "" }
}

fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let valid = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    valid.then_some((name, value))
}

type Words<'t> = Vec<(usize, &'t str)>;

/// Cuts one simple command into words with their places, and finds its end; `None` where a quote stays open.
fn command(text: &str, start: usize) -> Option<(Words<'_>, usize)> {
    let mut words = Vec::new();
    let mut at = start;
    loop {
        at = skip(text, at, |c| c == ' ' || c == '\t');
        match byte_at(text, at) {
            b'#' => return Some((words, find_or_end(text, at, b'\n'))),
            b'\n' | b';' | b'&' | b'|' => return Some((words, at + 1)),
            _ if at >= text.len() => return Some((words, at)),
            // A subshell, a group of commands or a redirection: not a simple command.
            b'(' | b')' | b'<' | b'>' => {
                words.push((at, &text[at..=at]));
                return Some((words, at + 1));
            }
            b'\\' if byte_at(text, at + 1) == b'\n' => at += 2,
            _ => {
                let end = word_end(text, at)?;
                words.push((at, &text[at..end]));
                at = end;
            }
        }
    }
}

/// Finds the end of the word that begins at `start`.
fn word_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    // What closes each bracket or quote that is open.
    let mut open: Vec<u8> = Vec::new();
    let mut at = start;
    while let Some(byte) = bytes.get(at).copied() {
        let inner = open.last().copied();
        match (inner, byte) {
            (Some(b'\''), b'\'') => {
                open.pop();
            }
            (Some(b'\''), _) => {}
            (_, b'\\') => at += 1,
            (Some(close), byte) if close == byte => {
                open.pop();
            }
            (_, b'$') if matches!(bytes.get(at + 1), Some(b'(' | b'{')) => {
                open.push(if bytes[at + 1] == b'(' { b')' } else { b'}' });
                at += 1;
            }
            (Some(b'"'), b'\'') => {}
            (_, b'\'' | b'"' | b'`') => open.push(byte),
            (Some(b')'), b'(') => open.push(b')'),
            (None, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>') => return Some(at),
            _ => {}
        }
        at += 1;
    }
    open.is_empty().then_some(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Unresolved;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let env = |name: &str| (name == "HOME").then(|| "/home/u".to_owned());
        read(text, &env).effective().map(|entry| (entry.name.clone(), entry.value.clone().unwrap())).collect()
    }

    #[test]
    fn assignments_are_read_as_a_shell_reads_them() {
        for (text, expected) in [
            ("A=b", &[("A", "b")][..]),
            ("export A=b C='d e'", &[("A", "b"), ("C", "d e")]),
            ("A=b; B=$A-x # c", &[("A", "b"), ("B", "b-x")]),
            ("A=\"x\"'y'z\\ w", &[("A", "xyz w")]),
            ("A=\"a\\nb\\\"c\\$d\"", &[("A", "a\\nb\"c$d")]),
            ("A='$B'", &[("A", "$B")]),
            ("A=\"l1\nl2\"\nB=c", &[("A", "l1\nl2"), ("B", "c")]),
            ("A=${X:-d}${HOME}", &[("A", "d/home/u")]),
            ("A=${X:=d}\nB=$X", &[("A", "d"), ("B", "d")]),
            ("A=${X:-${Y:-\"z w\"}}", &[("A", "z w")]),
            ("A=p#w", &[("A", "p#w")]),
            ("set -a\nA=b\nset +a", &[("A", "b")]),
            ("A = b\nB=c", &[("B", "c")]),
            ("declare -x A=b", &[("A", "b")]),
            ("[ -f x ] && A=b", &[("A", "b")]),
            ("A=$'a\\tb'", &[("A", "a\tb")]),
            ("A=b\\\nc", &[("A", "bc")]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(pairs(text), expected, "{text}");
        }
    }

    #[test]
    fn commands_in_values_are_not_executed() {
        let document = read("A=\"$(cat /etc/hostname)\"\nB=`id`\nC=x$A\nD=$((1+1))\nE=e\n", &|_| None);
        let unresolved: Vec<_> = document.entries.iter().map(|entry| entry.unresolved.clone()).collect();
        let command = Some(Unresolved::CommandSubstitution);
        assert_eq!(unresolved, [command.clone(), command.clone(), command, Some(Unresolved::Template), None]);
    }

    #[test]
    fn a_line_that_runs_a_command_is_salvaged() {
        let document = read("URL=postgres://h/d options\nB=c\n", &|_| None);
        let salvaged = document.entries.iter().find(|entry| entry.salvaged).unwrap();
        assert_eq!((salvaged.name.as_str(), salvaged.line), ("URL", 1));
        assert_eq!(document.get("B").unwrap().value.as_deref(), Some("c"));
    }
}
