//! What of a database is other than it was, less what was said.

use std::collections::BTreeSet;

use super::look::Look;
use super::scheme::Roles;

/// Lists what differs without having been named in what was said.
pub(crate) fn unsaid(before: &Look, after: &Look, said: &str, roles: &Roles) -> Vec<String> {
    let names: BTreeSet<&String> = before.things.keys().chain(after.things.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        let none = Vec::new();
        let [was, is] = [before, after].map(|look| look.things.get(name).unwrap_or(&none));
        if was == is {
            continue;
        }
        let gone: Vec<&String> = was.iter().filter(|line| !is.contains(line)).collect();
        let new: Vec<&String> = is.iter().filter(|line| !was.contains(line)).collect();
        let shown = |lines: &[&String]| lines.iter().take(4).map(|line| format!("\n    {line}")).collect::<String>();
        if !words(name, &gone, &new, roles).iter().any(|word| said.contains(word)) {
            found.push(format!("{name}: was{}\n  is{}", shown(&gone), shown(&new)));
        }
    }
    found
}

/// The words of which one names the difference: the mark in the names of things, a role, a setting, an extension.
fn words(name: &str, gone: &[&String], new: &[&String], roles: &Roles) -> Vec<String> {
    let mut words = marks(name);
    if words.is_empty() {
        words.extend(
            name.split([' ', '(', ')'])
                .filter(|word| word.len() > 4 && word.chars().all(|c| !c.is_uppercase()))
                .map(str::to_owned),
        );
    }
    for line in gone.iter().chain(new) {
        let named =
            [&roles.app, &roles.alice, &roles.bob, &roles.group].into_iter().filter(|role| line.contains(*role));
        words.extend(named.cloned());
        if let Some((_, setting)) = line.split_once(" SET ") {
            words.extend(setting.split(' ').next().map(|setting| setting.replace('"', "")));
        }
    }
    words
}

/// What makes each name of a schema its own: `q` and three digits.
fn marks(text: &str) -> Vec<String> {
    let starts = text.match_indices('q').map(|(at, _)| &text[at..]);
    let marks = starts.filter_map(|rest| rest.get(..4));
    marks.filter(|mark| mark[1..].chars().all(|c| c.is_ascii_digit())).map(str::to_owned).collect()
}
