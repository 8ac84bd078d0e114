//! What a Dockerfile puts into the environment of its image.

use std::collections::HashMap;
use std::path::Path;

use crate::environment::{Origin, Setting, Unresolved};

/// Reads the `ENV` lines of a Dockerfile, with the arguments that it is built with.
///
/// Source: Docker's "Dockerfile reference", ENV: `NAME=value …` or `NAME value`; ARG: `NAME=default`.
pub(crate) fn variables(text: &str, shown: &Path, given: &[(String, String)]) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut arguments: HashMap<&str, &str> = HashMap::new();
    for line in text.lines().map(str::trim) {
        let declared = line.get(..4).filter(|word| word.eq_ignore_ascii_case("ARG ")).map(|_| line[4..].trim());
        let Some(declared) = declared else { continue };
        let (name, default) = declared.split_once('=').unwrap_or((declared, ""));
        let given = given.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
        arguments.insert(name, given.unwrap_or(default.trim_matches(['"', '\''])));
    }
    let argument = |value: &str| {
        let name = value.strip_prefix('$')?;
        let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
        arguments.get(name).map(|value| (*value).to_owned())
    };
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let instruction = line.trim_start();
        if !instruction.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("ENV ")) {
            continue;
        }
        let mut rest = instruction[4..].trim().to_owned();
        while rest.ends_with('\\')
            && let Some((next, _)) = lines.next()
        {
            rest.pop();
            rest.push_str(next.trim());
        }
        let mut set = |name: &str, value: &str| {
            let value = value.trim_matches(['"', '\'']);
            let value = argument(value).unwrap_or_else(|| value.to_owned());
            let unresolved = value.contains('$').then_some(Unresolved::Template);
            let (name, origin) = (name.to_owned(), Origin::file(name, shown, number));
            settings.push(Setting { name, value, origin, unresolved });
        };
        match rest.split_once([' ', '=']) {
            Some((name, value)) if rest.as_bytes()[name.len()] == b' ' => set(name, value.trim()),
            _ => rest
                .split_ascii_whitespace()
                .filter_map(|pair| pair.split_once('='))
                .for_each(|(name, value)| set(name, value)),
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_filled_in_where_they_are_known() {
        let text = "FROM node\nARG NODE_ENV=production\nARG HOST\nENV NODE_ENV=${NODE_ENV} DB_HOST=$HOST\nENV A b c\nENV B=\"d\" \\\n  C=$X\n";
        for (given, expected) in [
            (&[][..], "NODE_ENV=production DB_HOST= A=b c B=d C=$X?"),
            (&[("NODE_ENV", "test"), ("HOST", "db")], "NODE_ENV=test DB_HOST=db A=b c B=d C=$X?"),
        ] {
            let given: Vec<(String, String)> =
                given.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let found = variables(text, Path::new("Dockerfile"), &given);
            let shown = |one: &Setting| {
                format!("{}={}{}", one.name, one.value, if one.unresolved.is_some() { "?" } else { "" })
            };
            assert_eq!(found.iter().map(shown).collect::<Vec<_>>().join(" "), expected);
        }
    }
}
