//! Dart and Flutter: pub.

use crate::environment::ecosystems::manifest::{Ecosystem, Scan, each_line};
use crate::lists::List;

/// Manifests and drivers of Dart and Flutter.
pub(crate) static DART: Ecosystem = Ecosystem { scan, drivers: List::new(include_str!("drivers.txt")) };

fn scan(file: &str) -> Option<Scan> {
    match file {
        "pubspec.yaml" | "pubspec.lock" => Some(pubspec),
        _ => None,
    }
}

/// Indented keys: `  postgres: ^3.0.0`, `  postgres:`.
fn pubspec(text: &str, note: &mut dyn FnMut(&str, u32)) {
    each_line(text, note, |line| Some(line.strip_prefix("  ")?.split_once(':')?.0));
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::manifest::testing::drivers;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("pubspec.yaml", "name: postgres\ndependencies:\n  http: ^1.0.0\n  postgres: ^3.0.0\n", &["4 postgres"]),
            ("pubspec.lock", "packages:\n  sqlite3:\n    dependency: transitive\n", &["2 sqlite3"]),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers(file, text), *expected, "{file}");
        }
    }
}
