//! Values that name a database at a provider by themselves: `BACKEND=….rds.amazonaws.com`,
//! `SNOWFLAKE_ACCOUNT=ab12345.eu-west-1`.

use crate::reach::grammars::host;
use crate::reach::grammars::placeholder::{has_gap, is_unexpanded, name_doubt};
use crate::reach::grammars::text::without_quotes;
use crate::reach::names::{Name, words_of};
use crate::reach::providers::serves_only_databases;
use crate::reach::{Draft, Engine, Place};

/// Finds the place at a provider that a value names by itself, under a variable of that name.
pub(crate) fn at_a_provider(variable: &str, name: &Name, value: &str) -> Option<Draft> {
    let (text, _) = without_quotes(value.trim());
    host(name, text).or_else(|| account(variable, text))
}

/// Reads a value that is a host, or an address by HTTP, which can only be a database's.
fn host(name: &Name, text: &str) -> Option<Draft> {
    let engine = name.engine.unwrap_or(Engine::Unknown);
    if !text.contains('.') || text.contains(char::is_whitespace) {
        return None;
    }
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    // DNS knows no longer name.
    if host.len() > 300 {
        return None;
    }
    let located = host::locate(host);
    let Some(Place::Host { name, port }) = located.place else { return None };
    if !serves_only_databases(&name) || has_gap(&name) || is_unexpanded(&name) {
        return None;
    }
    Some(Draft::at(engine, Place::Host { name, port }))
}

/// Reads an account or a deployment that the driver itself turns into a host.
///
/// Sources: Snowflake's "Account identifiers"; Elastic's clients, "Connecting with a Cloud ID".
fn account(variable: &str, text: &str) -> Option<Draft> {
    if !variable.to_ascii_uppercase().ends_with("ACCOUNT") && !variable.to_ascii_uppercase().ends_with("ID") {
        return None;
    }
    let words = words_of(variable);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
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
