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
use crate::text::line_at;

/// The keys of a connection that say which database it is.
const KEYS: &[&str] = &["driver", "url", "host", "port", "database", "username", "password", "unix_socket"];

/// Reads Laravel's connections: the default one as far as variables leave it to the file, and any with a place of its
/// own.
pub(crate) fn layer(library: &Library<'_>, home: &Path) -> Option<Layer> {
    let path = home.join("config/database.php");
    let text = library.string(&path)?;
    let pairs = library.pairs(&path, &text, Comments::Slashes);
    let lists = lists_of_hosts(&text);
    let shown = library.shown(&path);
    Some(Layer::computed(move |lookup| {
        let mut settings = connections(&pairs, &shown, lookup);
        for (at, (list, line)) in lists.iter().enumerate() {
            settings.extend(hosts(list, *line, &format!("database.read_{at}"), &shown, lookup));
        }
        settings
    }))
}

/// Finds the lists of `'host' => [ … ]`, of which a connection takes one for reading or for writing, with their lines.
fn lists_of_hosts(text: &str) -> Vec<(String, u32)> {
    let places = text.match_indices("'host'").chain(text.match_indices("\"host\""));
    let lists = places.filter_map(|(at, key)| {
        let line = text[..at].rsplit('\n').next().unwrap_or("");
        let value = text[at + key.len()..].trim_start().strip_prefix("=>")?.trim_start();
        let inside = value.strip_prefix('[').or_else(|| value.strip_prefix("array("))?;
        let list = inside.split([']', ';']).next()?;
        let is_comment = line.trim_start().starts_with(['/', '*', '#']);
        (!is_comment).then(|| (list.to_owned(), line_at(text.as_bytes(), at)))
    });
    lists.take(MOST_LISTS).collect()
}

/// More lists of hosts are not read.
const MOST_LISTS: usize = 64;

fn connections(pairs: &[Pair], shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut default = None;
    let mut by_name: BTreeMap<&str, Vec<&Pair>> = BTreeMap::new();
    for pair in pairs {
        let path: Vec<&str> = pair.path.iter().map(String::as_str).collect();
        match &path[..] {
            [key] if *key == "default" && default.is_none() => {
                if let Value::Known(name) = code::evaluate(&pair.expression, lookup) {
                    settings.extend(left_to_the_file(pair, &name, shown, lookup));
                    default = Some(name);
                }
            }
            [connections, name, key] if *connections == "connections" && KEYS.contains(key) => {
                by_name.entry(name).or_default().push(pair);
            }
            // A host of its own for reading, and for writing.
            [connections, name, way @ ("read" | "write"), host] if *connections == "connections" && *host == "host" => {
                let name = format!("database.{name}_{way}");
                settings.extend(hosts(&pair.expression, pair.line, &name, shown, lookup));
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

/// Reads the hosts of `'10.0.0.1', env('DB_READ_HOST')`.
fn hosts(list: &str, line: u32, name: &str, shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    let known = list.split(',').enumerate().filter_map(|(at, one)| match code::evaluate(one.trim(), lookup) {
        Value::Known(value) if !value.is_empty() => {
            Some(Setting::known(format!("{name}_{at}.host"), value, Origin::file("host", shown, line)))
        }
        _ => None,
    });
    known.collect()
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
