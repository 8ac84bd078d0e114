//! Reading the packages that a manifest or lock file names, and telling those that reach a database.
//!
//! A package that brings an ORM along whether it is wanted or not (Rails, Django, Laravel) counts. What a language's
//! standard library brings (Python's `sqlite3`, Go's `database/sql`, PHP's PDO where composer does not ask for it)
//! stands in no manifest and is not found here.

use std::borrow::Cow;

use crate::environment::readers::formats::{Flat, FlatEntry, Flatten};
use crate::lists::List;
use crate::text::newlines;

/// Names the packages in a manifest's text, each with its line.
pub(crate) type Scan = fn(&str, &mut dyn FnMut(&str, u32));

/// Lists the files that a manifest of that name includes, as its text spells them, each with how to read it.
pub(crate) type Included = fn(&str, &str) -> Vec<(String, Scan)>;

/// Lists the folders of workspace members in a file's text, as it spells them; `None` where it cannot be read to its end.
pub(crate) type Members = fn(&str) -> Option<Vec<String>>;

/// How a driver reaches data, as far as a guard of connections is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DataPath {
    /// By a protocol with ports of its own, or in SQLite's files.
    Known,
    /// It keeps data in files that are not SQLite's.
    OtherFiles,
    /// It reaches, or can reach, data by HTTPS, which looks like any other traffic.
    Web,
}

impl DataPath {
    /// Reads what stands behind a name of `drivers.txt`.
    fn named(words: &str) -> Option<DataPath> {
        match words.split_whitespace().next().unwrap_or_default() {
            "" => Some(DataPath::Known),
            "file" => Some(DataPath::OtherFiles),
            "web" => Some(DataPath::Web),
            _ => None,
        }
    }
}

/// Finds how a package reaches data; `None` where it is not among the drivers of its ecosystem.
pub(crate) fn driver(drivers: &List, package: &str) -> Option<DataPath> {
    // `none` stands behind what only begins like a driver.
    drivers.find(&normal(package)).and_then(DataPath::named)
}

/// Finds the package whose own server uses a driver: a lock file holds the driver for its sake.
pub(crate) fn carrier(drivers: &List, package: &str) -> Option<&'static str> {
    drivers.find(&normal(package))?.split_whitespace().nth(1)
}

/// Tells whether a file lists what was installed, rather than what the project asks for.
pub(crate) fn is_lock_file(name: &str) -> bool {
    name.contains("lock") || name.contains("shrinkwrap")
}

/// Spells a package's name as the lists do.
fn normal(package: &str) -> Cow<'_, str> {
    if package.bytes().any(|byte| byte == b'_' || byte.is_ascii_uppercase()) {
        Cow::Owned(package.to_ascii_lowercase().replace('_', "-"))
    } else {
        Cow::Borrowed(package)
    }
}

/// Numbers the lines of a text, counted from 1, without surrounding blanks.
pub(crate) fn trimmed_lines(text: &str) -> impl Iterator<Item = (&str, u32)> {
    text.lines().zip(1..).map(|(line, number)| (line.trim(), number))
}

/// Cuts XML into its tags, each without `<`, with what is behind it and its line, counted from 1. However they are laid out:
/// several may stand on a line, and one on several.
pub(crate) fn tags(text: &str) -> impl Iterator<Item = (&str, u32)> {
    let mut next = 1;
    let numbered = text.split('<').map(move |tag| {
        let line = next;
        next += newlines(tag.as_bytes());
        (tag, line)
    });
    numbered.skip(1)
}

/// Reads manifests with at most one package a line: notes what `name_of` finds on each.
pub(crate) fn each_line(text: &str, note: &mut dyn FnMut(&str, u32), name_of: impl Fn(&str) -> Option<&str>) {
    for (line, number) in text.lines().zip(1..) {
        if let Some(name) = name_of(line) {
            note(name, number);
        }
    }
}

/// Finds the quoted strings of a line, either quote.
pub(crate) fn quoted(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let start = rest.find(['"', '\''])?;
        let quote = char::from(rest.as_bytes()[start]);
        let (inside, behind) = rest[start + 1..].split_once(quote)?;
        rest = behind;
        Some(inside)
    })
}

/// Finds what stands between two marks, at its first occurrence.
pub(crate) fn between<'t>(line: &'t str, open: &str, close: &str) -> Option<&'t str> {
    line.split_once(open)?.1.split_once(close).map(|(inside, _)| inside)
}

/// Reads the entries of a manifest. Where it cannot be read to its end, each of its words counts as a package.
pub(crate) fn entries(text: &str, flatten: Flatten, note: &mut dyn FnMut(&str, u32)) -> Vec<FlatEntry> {
    let is_part = |c: char| c.is_alphanumeric() || "-_./@".contains(c);
    flatten(text).entries(|_| {
        for (line, number) in trimmed_lines(text) {
            line.split(|c| !is_part(c)).filter(|word| !word.is_empty()).for_each(|word| note(word, number));
        }
    })
}

/// Lists the items of the lists that stand under one of `keys`; `None` where the text cannot be read to its end.
pub(crate) fn items_of(flat: Flat, keys: &[&[&str]]) -> Option<Vec<String>> {
    let is_item = |path: &[String]| {
        keys.iter().any(|keys| path.len() == keys.len() + 1 && path.iter().zip(*keys).all(|(one, other)| one == other))
    };
    Some(flat.whole()?.into_iter().filter(|entry| is_item(&entry.path)).map(|entry| entry.value).collect())
}

/// Reads lock files in TOML, one `name = "…"` a package.
pub(crate) fn toml_lock(text: &str, note: &mut dyn FnMut(&str, u32)) {
    each_line(text, note, |line| line.trim().strip_prefix("name = \"")?.strip_suffix('"'));
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::environment::ecosystems::manifest::driver;
    use crate::environment::ecosystems::row::Ecosystem;

    /// Lists the drivers that one manifest names, as `line name`.
    pub(crate) fn drivers_of(ecosystem: &Ecosystem, file: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let scan = (ecosystem.scan)(file).unwrap();
        scan(text, &mut |package, line| {
            let shown = format!("{line} {package}");
            if driver(&ecosystem.drivers, package).is_some() && !found.contains(&shown) {
                found.push(shown);
            }
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::ecosystems::ALL;

    #[test]
    fn each_word_behind_a_driver_can_be_read() {
        for ecosystem in ALL {
            for (name, word) in ecosystem.drivers.iter() {
                let is_word = word == "none" || DataPath::named(word).is_some();
                assert!(is_word, "{}: {name} {word}", ecosystem.name);
            }
        }
    }

    #[test]
    fn drivers_tell_how_they_reach_data() {
        let table = [
            ("node", "pg", Some(DataPath::Known)),
            ("node", "better-sqlite3", Some(DataPath::Known)),
            ("node", "@prisma/adapter-pg", Some(DataPath::Known)),
            ("node", "@prisma/adapter-neon", Some(DataPath::Web)),
            ("node", "@neondatabase/serverless", Some(DataPath::Web)),
            ("node", "left-pad", None),
            ("python", "Google_Cloud_BigQuery", Some(DataPath::Web)),
            ("python", "dbt-postgres", Some(DataPath::Known)),
            ("python", "django-upgrade", None),
            ("python", "django-extensions", Some(DataPath::Known)),
            ("python", "dbt-duckdb", Some(DataPath::OtherFiles)),
            ("jvm", "h2", Some(DataPath::OtherFiles)),
            ("jvm", "quarkus-jdbc-h2", Some(DataPath::OtherFiles)),
            ("jvm", "quarkus-jdbc-postgresql", Some(DataPath::Known)),
            ("go", "github.com/ClickHouse/clickhouse-go/v2", Some(DataPath::Web)),
            ("go", "github.com/ClickHouse/ch-go", Some(DataPath::Known)),
        ];
        for (name, package, expected) in table {
            let ecosystem = ALL.iter().find(|ecosystem| ecosystem.name == name).unwrap();
            assert_eq!(driver(&ecosystem.drivers, package), expected, "{package}");
        }
    }
}
