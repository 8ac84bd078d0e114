//! Laravel's `config/database.php`: the connections that stand in it. By text, never executed.
//!
//! Source: laravel/framework `config/database.php`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::environment::layering::{Layer, Library};
use crate::environment::readers::code;
use crate::environment::readers::code::{Comments, Pair, Value};
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting};

/// The keys of a connection that say which database it is.
const KEYS: &[&str] = &["driver", "url", "host", "port", "database", "username", "password", "unix_socket"];

/// Reads Laravel's connections: the default one as far as variables leave it to the file, and any with a place of its
/// own.
pub(crate) fn layer(library: &Library<'_>, home: &Path) -> Option<Layer> {
    let path = home.join("config/database.php");
    let pairs = library.pairs(&path, &library.string(&path)?, Comments::Slashes);
    let shown = library.shown(&path);
    Some(Layer::computed(move |lookup| connections(&pairs, &shown, lookup)))
}

fn connections(pairs: &[Pair], shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut default = None;
    let mut by_name: BTreeMap<&str, Vec<&Pair>> = BTreeMap::new();
    for pair in pairs {
        match &pair.path[..] {
            [key] if key == "default" && default.is_none() => {
                if let Value::Known(name) = code::evaluate(&pair.expression, lookup) {
                    settings.extend(left_to_the_file(pair, &name, shown, lookup));
                    default = Some(name);
                }
            }
            [connections, name, key] if connections == "connections" && KEYS.contains(&key.as_str()) => {
                by_name.entry(name).or_default().push(pair);
            }
            _ => {}
        }
    }
    for (name, pairs) in by_name {
        let is_default = default.as_deref() == Some(name);
        if has_own_place(&pairs, is_default) {
            settings.extend(pairs.into_iter().filter_map(|pair| {
                let Value::Known(value) = code::evaluate(&pair.expression, lookup) else { return None };
                let key = pair.path.last()?;
                Some(Setting::known(format!("database.{name}.{key}"), value, Origin::file(key, shown, pair.line)))
            }));
        } else if is_default {
            settings.extend(pairs.into_iter().filter_map(|pair| {
                let Value::Known(value) = code::evaluate(&pair.expression, lookup) else { return None };
                left_to_the_file(pair, &value, shown, lookup)
            }));
        }
    }
    settings
}

/// Tells whether the connection says by a literal where its database is, so that no variable can say otherwise.
fn has_own_place(pairs: &[&Pair], is_default: bool) -> bool {
    let is_sqlite = pairs.iter().any(|pair| is_key(pair, "driver") && pair.expression.contains("sqlite"));
    let is_place = |pair: &&&Pair| {
        ["url", "host", "unix_socket"].iter().any(|key| is_key(pair, key))
            || is_default && is_sqlite && is_key(pair, "database")
    };
    pairs.iter().filter(is_place).any(|pair| {
        let is_literal = pair.expression.starts_with(['"', '\'']) && pair.expression.len() > 2;
        is_literal && matches!(code::evaluate(&pair.expression, &|_| None), Value::Known(_))
    })
}

fn is_key(pair: &Pair, key: &str) -> bool {
    pair.path.last().is_some_and(|last| last == key)
}

/// Reads `env('DB_HOST', '127.0.0.1')` where DB_HOST is not set: the variable with the file's own value.
fn left_to_the_file(pair: &Pair, value: &str, shown: &Path, lookup: Lookup<'_>) -> Option<Setting> {
    let (_, rest) = pair.expression.split_once("env(")?;
    let name = rest.split(['"', '\'']).nth(1)?.to_owned();
    if lookup(&name).is_some() || value.is_empty() {
        return None;
    }
    let origin = Origin::file(pair.path.last()?.clone(), shown, pair.line);
    Some(Setting::known(name, value, origin))
}
