//! Databases at a provider that nothing but a value or an account names: `BACKEND=….rds.amazonaws.com`,
//! `SNOWFLAKE_ACCOUNT=ab12345.eu-west-1`.

use crate::reach::assemble::{Found, Variable, Variables};
use crate::reach::grammars::host;
use crate::reach::grammars::placeholder::{has_gap, is_unexpanded, name_doubt};
use crate::reach::grammars::text::without_quotes;
use crate::reach::names::{Role, words_of};
use crate::reach::providers::serves_only_databases;
use crate::reach::{Draft, Engine, Place};

/// How many of them are added for one environment.
const MOST: usize = 64;

/// Adds the hosts and accounts at providers of databases that no connection found so far has.
pub(crate) fn add(variables: &Variables<'_>, found: &mut Vec<Found>) {
    let mut added = 0;
    for variable in &variables.all {
        if variable.is_empty() || variable.name.role == Some(Role::Password) || added >= MOST {
            continue;
        }
        let Some(draft) = variable.at_a_provider() else { continue };
        if found.iter().any(|one| draft.places.iter().all(|place| has_place(&one.draft, place))) {
            continue;
        }
        added += 1;
        found.push(Found::new(draft.clone(), variable.origin().clone(), &variable.name.group));
    }
}

/// Finds the place at a provider that the variable's value names by itself.
pub(crate) fn at_a_provider(variable: &Variable<'_>) -> Option<Draft> {
    host(variable).or_else(|| account(variable))
}

fn has_place(draft: &Draft, wanted: &Place) -> bool {
    draft.places.iter().any(|place| match (place, wanted) {
        (Place::Host { name, .. }, Place::Host { name: wanted, .. }) => name == wanted,
        _ => place == wanted,
    })
}

/// Reads a value that is a host, or an address by HTTP, which can only be a database's.
fn host(variable: &Variable<'_>) -> Option<Draft> {
    let (text, _) = without_quotes(variable.value());
    if text.len() > 300 || !text.contains('.') || text.contains(char::is_whitespace) {
        return None;
    }
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let located = host::locate(authority.rsplit('@').next().unwrap_or(authority));
    let Some(Place::Host { name, port }) = located.place else { return None };
    if !serves_only_databases(&name) || has_gap(&name) || is_unexpanded(&name) {
        return None;
    }
    Some(Draft::at(variable.name.engine.unwrap_or(Engine::Unknown), Place::Host { name, port }))
}

/// Reads an account or a deployment that the driver itself turns into a host.
///
/// Sources: Snowflake's "Account identifiers"; Elastic's clients, "Connecting with a Cloud ID".
fn account(variable: &Variable<'_>) -> Option<Draft> {
    let name = &variable.setting.name;
    if !name.to_ascii_uppercase().ends_with("ACCOUNT") && !name.to_ascii_uppercase().ends_with("ID") {
        return None;
    }
    let words = words_of(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (text, _) = without_quotes(variable.value());
    let engine = match words[..] {
        // LocalStack's account is called `test`.
        [.., "SNOWFLAKE", "ACCOUNT"] if text != "test" => Engine::Unknown,
        [.., "ELASTIC" | "ELASTICSEARCH" | "ES", "CLOUD", "ID"] if text.contains(':') => Engine::Search,
        _ => return None,
    };
    // What follows the colon of a Cloud ID is encoded text.
    let shown = if engine == Engine::Search { text.split(':').next().unwrap_or(text) } else { text };
    let mut draft = Draft::at(engine, Place::Instance { name: shown.to_owned() });
    name_doubt(shown).into_iter().for_each(|doubt| draft.doubt(doubt));
    Some(draft)
}
