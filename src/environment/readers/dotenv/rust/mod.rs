//! The Rust crate dotenvy 0.15: the crate itself gives the values, this file their lines.
//!
//! dotenvy fills in `$X` without a bound, and from the environment of its own process. So it gets one statement at a
//! time, in which every reference has another name, ahead of it what those names stand for, and none of it where that
//! would be too large.
//!
//! Source: `src/iter.rs` and `src/parse.rs` of dotenvy 0.15.7.

mod statement;

use std::borrow::Cow;
use std::collections::HashMap;

use crate::environment::readers::dotenv::document::{Document, Wins};
use crate::environment::readers::dotenv::rust::statement::Statement;
use crate::environment::readers::dotenv::salvage::salvage;
use crate::environment::readers::dotenv::text::without_bom;
use crate::environment::readers::expansion::{Budget, Lookup, Obstacle, Scope};
use crate::text::newlines;

/// Which of its functions the program calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Load,
    Iter,
}

pub(crate) fn read(text: &str, lookup: Lookup<'_>, call: Call) -> Document {
    let text = if call == Call::Load { without_bom(text) } else { text };
    let mut document = Document::default();
    let mut scope = Scope::new(lookup);
    let mut budget = Budget::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let statement = Statement::first_of(rest);
        let bound = Bound::new(&statement, &scope, &mut budget);
        for pair in dotenvy::from_read_iter(bound.text.as_bytes()).skip(bound.definitions) {
            let Ok((name, value)) = pair else {
                let (message, lost) = match call {
                    Call::Load => ("a line that this loader cannot read; it stops here", rest),
                    Call::Iter => ("a line that this loader cannot read", statement.text),
                };
                document.problem(line, message);
                salvage(&mut document, lost, line, lookup);
                if call == Call::Load {
                    return document.settle(Wins::First);
                }
                continue;
            };
            let value = bound.obstacle.map_or(Ok(value), Err);
            // While loading, a substitution sees the process environment, where the first value of a name stays.
            if call == Call::Iter || !scope.has(&name) {
                scope.set(&name, value.clone());
            }
            document.push_expanded(&name, line, statement.value().trim(), value);
            if call == Call::Load && lookup(&name).is_some() {
                document.shadow_last();
            }
        }
        line += newlines(statement.text.as_bytes());
        rest = &rest[statement.text.len()..];
    }
    document.settle(if call == Call::Load { Wins::First } else { Wins::Last })
}

/// Begin every name that dotenvy may look up, before a number or the name itself: no program sets such a variable for
/// ours.
const KNOWN: &str = "safetestknown";
const UNSET: &str = "safetestunset";

/// A statement that dotenvy can be given: what it refers to is defined ahead of it, and nothing else is found.
struct Bound<'t> {
    text: Cow<'t, str>,
    /// How many definitions come before the statement.
    definitions: usize,
    /// Why a reference was left out.
    obstacle: Option<Obstacle>,
}

impl<'t> Bound<'t> {
    fn new(statement: &Statement<'t>, scope: &Scope<'_>, budget: &mut Budget) -> Self {
        // dotenvy looks at the blanks ahead of a statement again for each of its lines.
        let text = statement.text;
        let skipped = text.len() - text.trim_start().len();
        let skipped = if skipped < text.len() { skipped } else { 0 };
        let references = statement.references();
        if references.is_empty() {
            return Bound { text: Cow::Borrowed(&text[skipped..]), definitions: 0, obstacle: None };
        }
        let mut definitions: HashMap<&str, usize> = HashMap::new();
        let mut values = String::new();
        let mut obstacle = None;
        let mut renamed = String::with_capacity(text.len() + references.len() * UNSET.len());
        let mut from = skipped;
        for name in references {
            renamed.push_str(&text[from..name.start]);
            from = name.end;
            let name = &text[name];
            let next = definitions.len();
            match value_of(name, scope, budget) {
                Ok(Some(_)) if definitions.contains_key(name) => {}
                Ok(Some(value)) => {
                    definitions.insert(name, next);
                    values.push_str(&format!("{KNOWN}{next}=\""));
                    for c in value.chars() {
                        if matches!(c, '\\' | '"' | '$') {
                            values.push('\\');
                        }
                        values.push(c);
                    }
                    values.push_str("\"\n");
                }
                Ok(None) => {}
                Err(found) => {
                    obstacle.get_or_insert(found);
                }
            }
            match definitions.get(name) {
                Some(number) => renamed.push_str(&format!("{KNOWN}{number}")),
                None => renamed.extend([UNSET, name]),
            }
        }
        renamed.push_str(&text[from..]);
        let text = Cow::Owned(values + &renamed);
        Bound { text, definitions: definitions.len(), obstacle }
    }
}

fn value_of<'s>(name: &str, scope: &'s Scope<'_>, budget: &mut Budget) -> Result<Option<Cow<'s, str>>, Obstacle> {
    let Some(value) = scope.process_then_file(name)? else { return Ok(None) };
    budget.add(value.len())?;
    // Another name in its place would change where the statement's quotes are.
    let is_plain = !name.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '#'));
    if is_plain { Ok(Some(value)) } else { Err(Obstacle::Syntax) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[expect(clippy::disallowed_methods, reason = "dotenvy reads it, too")]
    fn process(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    /// Compares with what dotenvy makes of the whole text when it is left alone.
    fn is_read_alike(text: &str) -> Result<(), TestCaseError> {
        let mut failures = 0;
        let mut expected = Vec::new();
        for pair in dotenvy::from_read_iter(text.as_bytes()) {
            match pair {
                Ok(pair) => expected.push(pair),
                Err(_) => failures += 1,
            }
        }
        let document = read(text, &process, Call::Iter);
        let given = document.entries.iter().filter(|entry| !entry.salvaged);
        let given: Vec<_> = given.map(|entry| (entry.name.clone(), entry.value.clone().unwrap())).collect();
        prop_assert_eq!(given, expected, "{:?}", text);
        prop_assert_eq!(document.problems.len(), failures, "{:?}", text);
        Ok(())
    }

    #[test]
    fn a_digit_behind_a_reference_is_read_as_dotenvy_reads_it() {
        is_read_alike("C=1\nB=\nA=$B$1$C").unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_as_dotenvy_reads_it(
            text in r#"([A-C_1]|export |[ \t\n\r=:#'"`\\$(){}.-]|\$\{|\$[AB]|\$\{[ABC]\}|\\n|\u{feff}|é|\u{2028}|\n[ABC]=|="?|"){0,60}"#,
        ) {
            is_read_alike(&text)?;
        }

        #[test]
        fn any_reference_is_filled_in_as_dotenvy_does(
            lines in proptest::collection::vec(r#"[ABC]=([x1]|["' \t#\\_é]|\$[ABC]|\$\{[ABC]\}|\$\{[ABC"' ]{0,3}\}|\$|\\\$){0,8}"#, 0..6),
        ) {
            is_read_alike(&lines.join("\n"))?;
            is_read_alike(&(lines.join("\n") + "\n"))?;
        }
    }

    #[test]
    fn the_environment_of_our_own_process_is_not_seen() {
        assert!(process("PATH").is_some());
        let look = |name: &str| (name == "HOME").then(|| "$PATH\"\\'\n".to_owned());
        let document = read("A=x$PATH\nB=\"${HOME}${HOME}y\"\nC=${P\"ATH\"}\nD=$B\n", &look, Call::Load);
        let given: Vec<_> = document.effective().map(|entry| entry.value.as_deref().unwrap()).collect();
        let twice = "$PATH\"\\'\n$PATH\"\\'\ny";
        assert_eq!(given, ["x", twice, "", twice]);
    }
}
