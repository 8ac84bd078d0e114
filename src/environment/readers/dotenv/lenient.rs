//! The reading of a person: anything that looks like a name with a value counts, one line at a time.
//!
//! No loader reads like this. It is for lines that a loader rejects, and for telling people what a file seems to mean.

use std::borrow::Cow;

use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::text::{unify_line_breaks, without_bom};
use crate::environment::readers::expansion::shell_word::{Quotes, Word};
use crate::environment::readers::expansion::{Budget, Lookup, Scope, Unset};

/// What may stand before a name: shells, Windows batch files, PowerShell, Dockerfiles, lists in YAML.
const PREFIXES: [&str; 8] = ["export ", "export\t", "set ", "SET ", "setx ", "$env:", "ENV ", "- "];

pub(crate) fn read(text: &str, lookup: Lookup<'_>) -> Document {
    let text = unify_line_breaks(without_bom(text));
    let mut document = Document::default();
    let mut scope = Scope::new(lookup);
    let mut budget = Budget::new();
    for (line, number) in text.split('\n').zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) || line.starts_with("//") {
            continue;
        }
        let Some((name, written)) = split(line) else {
            document.problem(number, "not recognisable as a name with a value");
            continue;
        };
        let (written, literal) = unquote(written);
        let value = if literal {
            Ok(written.clone().into_owned())
        } else {
            Word::new(&written, Quotes::Literal, Unset::AsWritten).expand(&mut scope, &mut budget)
        };
        scope.set(name, value.clone());
        document.push_expanded(name, number, &written, value);
    }
    document.settle(Wins::Last)
}

fn split(line: &str) -> Option<(&str, &str)> {
    let mut line = line;
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| line.strip_prefix(prefix)) {
        line = rest.trim_start();
    }
    // `set "NAME=value"` quotes the whole; `"name": "value"` quotes the parts.
    if let Some(inside) = line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
        && !inside.contains('"')
    {
        line = inside;
    }
    let quote = line.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    let (name, rest) = match quote {
        Some(quote) => line[1..].split_once(quote)?,
        None => line.split_at(line.find(|c| !in_name(c)).unwrap_or(line.len())),
    };
    if name.is_empty() || !name.chars().all(in_name) || !name.contains(|c: char| c.is_alphabetic() || c == '_') {
        return None;
    }
    let rest = rest.trim_start();
    if let Some(value) = rest.strip_prefix('=').or_else(|| rest.strip_prefix(":=")) {
        return Some((name, value.trim_start()));
    }
    // `postgres://…` alone on a line is no variable called `postgres`.
    let value = rest.strip_prefix(':')?;
    (value.is_empty() || value.starts_with(char::is_whitespace)).then(|| (name, value.trim_start()))
}

/// Takes quotes and comment off; the flag says whether a `$` in the value means itself.
fn unquote(written: &str) -> (Cow<'_, str>, bool) {
    if written.starts_with('#') {
        return (Cow::Borrowed(""), true);
    }
    let Some(quote) = written.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else {
        let comment = written.match_indices('#').find(|(at, _)| written[..*at].ends_with(char::is_whitespace));
        return (Cow::Borrowed(written[..comment.map_or(written.len(), |(at, _)| at)].trim_end()), false);
    };
    let inside = &written[1..];
    let mut value = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => break,
            '\\' if quote == '"' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(next @ ('"' | '\\')) => value.push(next),
                next => {
                    value.push('\\');
                    value.extend(next);
                }
            },
            _ => value.push(c),
        }
    }
    (Cow::Owned(value), quote == '\'')
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_recognises_is_read() {
        let none = |_: &str| None;
        for (line, expected) in [
            ("A=b", Some(("A", "b"))),
            ("  A = b  ", Some(("A", "b"))),
            ("export A=b # c", Some(("A", "b"))),
            ("A=b#c", Some(("A", "b#c"))),
            ("A=host=x dbname=y", Some(("A", "host=x dbname=y"))),
            ("set X=Y", Some(("X", "Y"))),
            ("set \"X=Y Z\"", Some(("X", "Y Z"))),
            ("$env:X = \"Y\"", Some(("X", "Y"))),
            ("A: b", Some(("A", "b"))),
            ("- A=b", Some(("A", "b"))),
            ("\"A\": \"b\",", Some(("A", "b"))),
            ("A=\"b", Some(("A", "b"))),
            ("A=it's", Some(("A", "it's"))),
            ("A=${X:-y}", Some(("A", "y"))),
            ("A=${X}", Some(("A", "${X}"))),
            ("A='${X:-y}'", Some(("A", "${X:-y}"))),
            ("; A=b", None),
            ("# A=b", None),
            ("postgres://u@h/d", None),
            ("a sentence", None),
        ] {
            let document = read(line, &none);
            let got = document.entries.first().map(|entry| (entry.name.as_str(), entry.value.as_deref().unwrap()));
            assert_eq!(got, expected, "{line}");
        }
    }

    #[test]
    fn a_command_is_left_alone_and_so_is_what_is_made_of_it() {
        let document = read("A=$(id)\nB=x-$A\nC=`id`x\n", &|_| None);
        let unresolved: Vec<_> = document.entries.iter().map(|entry| entry.unresolved.is_some()).collect();
        assert_eq!(unresolved, [true, true, false]);
        assert_eq!(document.entries[0].value.as_deref(), Some("$(id)"));
    }
}
