//! Rust: Cargo.

use crate::environment::ecosystems::manifest::{Members, Scan, entries, items_of, toml_lock};
use crate::environment::readers::formats::toml;

pub(crate) const MEMBERS: &[(&str, Members)] = &[("Cargo.toml", cargo_members)];

/// Tells how to read the manifest of that name.
pub(crate) fn scan(file: &str) -> Option<Scan> {
    match file {
        "Cargo.toml" => Some(cargo_toml),
        "Cargo.lock" => Some(toml_lock),
        _ => None,
    }
}

/// Reads dependency tables of every kind; `package` tells the true name of a renamed one.
fn cargo_toml(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for entry in entries(text, toml::flatten, note) {
        let Some(table) = entry.path.iter().position(|key| key.ends_with("dependencies")) else { continue };
        if let Some(name) = entry.path.get(table + 1) {
            note(name, entry.line);
        }
        if entry.path.last().is_some_and(|key| key == "package") {
            note(&entry.value, entry.line);
        }
    }
}

pub(crate) fn cargo_members(text: &str) -> Option<Vec<String>> {
    // Reading it is slow, and most manifests have none.
    if !text.contains("members") {
        return Some(Vec::new());
    }
    items_of(toml::flatten(text), &[&["workspace", "members"]])
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::manifest::testing::drivers_of;
    use crate::environment::ecosystems::rust::RUST;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "Cargo.toml",
                "[package]\nname = \"sqlx\"\n[dependencies]\nserde = \"1\"\nsqlx = { version = \"0.8\" }\n",
                &["5 sqlx"],
            ),
            ("Cargo.toml", "[dev-dependencies.tokio-postgres]\nversion = \"0.7\"\n", &["2 tokio-postgres"]),
            (
                "Cargo.toml",
                "[target.'cfg(unix)'.dependencies]\ndb = { package = \"mysql_async\", version = \"1\" }\n",
                &["2 mysql_async"],
            ),
            (
                "Cargo.toml",
                "[workspace.dependencies]\ndiesel.workspace = true\n[features]\npostgres = []\n",
                &["2 diesel"],
            ),
            ("Cargo.lock", "[[package]]\nname = \"libsqlite3-sys\"\nversion = \"1\"\n", &["2 libsqlite3-sys"]),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers_of(&RUST, file, text), *expected, "{file}");
        }
    }
}
