//! ERB in YAML: hidden while the YAML is read, evaluated afterwards.

use crate::environment::Unresolved;
use crate::environment::readers::code;
use crate::environment::readers::code::Value;
use crate::environment::readers::expansion::Lookup;

/// What could disturb YAML's reading of a value, and what stands for it meanwhile (of the private use area).
const DISTURBING: [(char, char); 4] = [(':', '\u{E001}'), ('#', '\u{E002}'), ('"', '\u{E003}'), ('\'', '\u{E004}')];

/// Makes ERB inert for YAML.
pub(crate) fn hidden(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("<%=") {
        let Some(end) = rest[at..].find("%>") else { break };
        hidden.push_str(&rest[..at]);
        let stand_in =
            |character| DISTURBING.iter().find(|(one, _)| *one == character).map_or(character, |(_, other)| *other);
        hidden.extend(rest[at..at + end + 2].chars().map(stand_in));
        rest = &rest[at + end + 2..];
    }
    hidden.push_str(rest);
    hidden
}

fn shown(text: &str) -> String {
    let original =
        |character| DISTURBING.iter().find(|(_, other)| *other == character).map_or(character, |(one, _)| *one);
    text.chars().map(original).collect()
}

/// Evaluates the `<%= … %>` of the value of `key`; `None` where that comes to nothing.
pub(crate) fn evaluated(key: &str, value: &str, lookup: Lookup<'_>) -> Option<(String, Option<Unresolved>)> {
    if !value.contains("<%=") {
        return Some((value.to_owned(), None));
    }
    let value = shown(value);
    let mut result = String::new();
    let mut rest = value.as_str();
    let mut is_unset = false;
    while let Some((before, after)) = rest.split_once("<%=") {
        let (expression, behind) = after.split_once("%>").unwrap_or((after, ""));
        result.push_str(before);
        match code::evaluate(expression.trim_end_matches('-'), lookup) {
            Value::Known(known) => result.push_str(&known),
            Value::Unset => is_unset = true,
            Value::Unknown => return Some((value.clone(), Some(code::unresolved(key)))),
        }
        rest = behind;
    }
    result.push_str(rest);
    (!(is_unset && result.trim().is_empty())).then_some((result, None))
}
