//! What each ecosystem's manifests and lock files look like, and which of the packages they name are database
//! drivers, ORMs, migration tools or clients: one file an ecosystem.
//!
//! A package that brings an ORM along whether it is wanted or not (Rails, Django, Laravel) counts. What a language's
//! standard library brings (Python's `sqlite3`, Go's `database/sql`, PHP's PDO where composer does not ask for it)
//! stands in no manifest and is not found here.

use std::borrow::Cow;

use crate::lists::List;

/// Names the packages in a manifest's text, each with its line.
pub(crate) type Scan = fn(&str, &mut dyn FnMut(&str, u32));

/// One ecosystem's manifests and drivers.
pub(crate) struct Ecosystem {
    /// How to read the manifest of that file name; `None` where it is none.
    pub(crate) scan: fn(&str) -> Option<Scan>,
    /// Packages by name; in lower case, `-` for `_`.
    pub(crate) drivers: List,
}

/// All ecosystems that are known.
pub(crate) static ECOSYSTEMS: [&Ecosystem; 11] = [
    &crate::environment::ecosystems::dart::drivers::DART,
    &crate::environment::ecosystems::dotnet::drivers::DOTNET,
    &crate::environment::ecosystems::elixir::drivers::ELIXIR,
    &crate::environment::ecosystems::go::drivers::GO,
    &crate::environment::ecosystems::jvm::drivers::JVM,
    &crate::environment::ecosystems::node::drivers::NODE,
    &crate::environment::ecosystems::php::drivers::PHP,
    &crate::environment::ecosystems::python::drivers::PYTHON,
    &crate::environment::ecosystems::ruby::drivers::RUBY,
    &crate::environment::ecosystems::rust::drivers::RUST,
    &crate::environment::ecosystems::swift::drivers::SWIFT,
];

impl Ecosystem {
    /// Whether a package of that name reaches a database.
    pub(crate) fn is_driver(&self, package: &str) -> bool {
        self.drivers.contains(&normal(package))
    }
}

/// A package's name in the spelling of the lists.
pub(crate) fn normal(package: &str) -> Cow<'_, str> {
    if package.bytes().any(|byte| byte == b'_' || byte.is_ascii_uppercase()) {
        Cow::Owned(package.to_ascii_lowercase().replace('_', "-"))
    } else {
        Cow::Borrowed(package)
    }
}

/// The lines of a text with their numbers, counted from 1, without surrounding blanks.
pub(crate) fn trimmed_lines(text: &str) -> impl Iterator<Item = (&str, u32)> {
    text.lines().zip(1..).map(|(line, number)| (line.trim(), number))
}

/// Manifests with at most one package a line: notes what `name_of` finds on each.
pub(crate) fn each_line(text: &str, note: &mut dyn FnMut(&str, u32), name_of: impl Fn(&str) -> Option<&str>) {
    for (line, number) in text.lines().zip(1..) {
        if let Some(name) = name_of(line) {
            note(name, number);
        }
    }
}

/// The quoted strings of a line, either quote.
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

/// What stands between two marks, at its first occurrence.
pub(crate) fn between<'t>(line: &'t str, open: &str, close: &str) -> Option<&'t str> {
    line.split_once(open)?.1.split_once(close).map(|(inside, _)| inside)
}

/// Lock files in TOML, one `name = "…"` a package.
pub(crate) fn toml_lock(text: &str, note: &mut dyn FnMut(&str, u32)) {
    each_line(text, note, |line| line.trim().strip_prefix("name = \"")?.strip_suffix('"'));
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::environment::ecosystems::manifest::ECOSYSTEMS;

    /// The drivers that one manifest names, as `line name`.
    pub(crate) fn drivers(file: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for ecosystem in &ECOSYSTEMS {
            if let Some(scan) = (ecosystem.scan)(file) {
                scan(text, &mut |package, line| {
                    let driver = format!("{line} {package}");
                    if ecosystem.is_driver(package) && !found.contains(&driver) {
                        found.push(driver);
                    }
                });
            }
        }
        found
    }
}
