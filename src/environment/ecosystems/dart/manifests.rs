//! Dart and Flutter: pub.

use crate::environment::ecosystems::manifest::{Scan, each_line};

/// Tells how to read the manifest of that name.
pub(crate) fn scan(file: &str) -> Option<Scan> {
    match file {
        "pubspec.yaml" | "pubspec.lock" => Some(pubspec),
        _ => None,
    }
}

/// Reads indented keys: `  postgres: ^3.0.0`, `  postgres:`.
fn pubspec(text: &str, note: &mut dyn FnMut(&str, u32)) {
    each_line(text, note, |line| Some(line.strip_prefix("  ")?.split_once(':')?.0));
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::dart::DART;
    use crate::environment::ecosystems::manifest::testing::drivers_of;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("pubspec.yaml", "name: postgres\ndependencies:\n  http: ^1.0.0\n  postgres: ^3.0.0\n", &["4 postgres"]),
            ("pubspec.lock", "packages:\n  sqlite3:\n    dependency: transitive\n", &["2 sqlite3"]),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers_of(&DART, file, text), *expected, "{file}");
        }
    }
}
