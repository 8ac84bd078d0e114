//! The arguments of scripts and functions: `"$@"`, `$1`.

use crate::environment::Invocation;
use crate::environment::follow::{Expansion, Step};
use crate::tools::clients::client_of;

/// Commands with more words than this are not made.
const MOST_WORDS: usize = 10_000;

impl Expansion<'_> {
    /// Adds, for each command of a text that takes arguments of the text, the command with them. For clients of databases
    /// so does each call of a function: which commands stand in it is not known.
    pub(crate) fn with_arguments(&self, mut steps: Vec<Step>, arguments: &[String]) -> Vec<Step> {
        let calls = steps.iter().filter(|step| step.calls_function).map(|step| step.invocation.words[1..].to_vec());
        let mut calls: Vec<Vec<String>> = calls.filter(|given| !given.is_empty()).collect();
        calls.sort();
        calls.dedup();
        let mut added = Vec::new();
        for step in &steps {
            let Invocation { words, assignments, .. } = &step.invocation;
            let takes_any = assignments.iter().any(|(name, value)| takes_argument(name, value));
            if !takes_any && !words.iter().any(|word| word.contains('$')) {
                continue;
            }
            let calls = if client_of(words).is_some() { calls.as_slice() } else { &[] };
            for arguments in std::iter::once(arguments).chain(calls.iter().map(Vec::as_slice)) {
                let filled = filled_in(words, arguments);
                let given = takes_any.then(|| {
                    let mut given = assignments.clone();
                    let taking = given.iter_mut().filter(|(name, value)| takes_argument(name, value));
                    taking.for_each(|(_, value)| *value = with_numbers(value, arguments));
                    given
                });
                let is_changed = filled != *words || given.as_ref().is_some_and(|given| given != assignments);
                if filled.len() > MOST_WORDS {
                    self.cut("its arguments make a command of more than 10,000 words");
                } else if is_changed && !filled.is_empty() && self.affords(step.cost() + filled.len()) {
                    let Invocation { unknown, origin, places, .. } = step.invocation.clone();
                    let assignments = given.unwrap_or_else(|| assignments.clone());
                    added.push(step.with_invocation(Invocation {
                        assignments,
                        unknown,
                        words: filled,
                        origin,
                        places,
                    }));
                }
            }
        }
        steps.extend(added);
        steps
    }
}

/// Whether a variable that programs may look at is made of an argument. What a script keeps for itself has small letters.
fn takes_argument(name: &str, value: &str) -> bool {
    let is_number = |at: usize| {
        let behind = value[at + 1..].trim_start_matches('{');
        behind.starts_with(|first: char| first.is_ascii_digit() && first != '0')
    };
    !name.bytes().any(|byte| byte.is_ascii_lowercase()) && value.match_indices('$').any(|(at, _)| is_number(at))
}

/// Fills the arguments into the words of a command.
fn filled_in(words: &[String], arguments: &[String]) -> Vec<String> {
    let mut filled = Vec::with_capacity(words.len());
    for word in words {
        match word.as_str() {
            "$@" | "${@}" | "$*" | "${*}" => filled.extend(arguments.iter().cloned()),
            word if word.contains('$') => filled.push(with_numbers(word, arguments)),
            word => filled.push(word.to_owned()),
        }
        if filled.len() > MOST_WORDS {
            break;
        }
    }
    filled
}

/// Fills `$1` to `$9`, `${1}` and `${1:-default}` in; one that is not given is empty.
fn with_numbers(word: &str, arguments: &[String]) -> String {
    let mut filled = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        rest = after;
        let braced = after.strip_prefix('{').unwrap_or(after);
        let Some(number) = braced.chars().next().and_then(|digit| digit.to_digit(10)).filter(|number| *number > 0)
        else {
            filled.push('$');
            continue;
        };
        let given = arguments.get(number as usize - 1).map_or("", String::as_str);
        let behind = &braced[1..];
        if braced.len() == after.len() {
            filled.push_str(given);
            rest = behind;
        } else if let Some((default, behind)) = behind.split_once('}')
            && (default.is_empty() || default.starts_with([':', '-']))
        {
            let default = default.trim_start_matches(':').trim_start_matches('-');
            filled.push_str(if given.is_empty() { default } else { given });
            rest = behind;
        } else {
            filled.push('$');
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_filled_in_where_they_are_asked_for() {
        let arguments = ["-h", "db.test"].map(str::to_owned);
        for (text, expected) in [
            ("psql $@", "psql -h db.test"),
            ("psql ${*} x", "psql -h db.test x"),
            ("psql -h $2 x", "psql -h db.test x"),
            ("psql pg://${2}/x", "psql pg://db.test/x"),
            ("psql -h ${3:-other} $3x", "psql -h other x"),
            ("psql -h ${2:-other}", "psql -h db.test"),
            ("psql $A ${B} $0 $ ${1#x} ${12", "psql $A ${B} $0 $ ${1#x} ${12"),
        ] {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            assert_eq!(filled_in(&words, &arguments).join(" "), expected, "{text}");
        }
    }
}
