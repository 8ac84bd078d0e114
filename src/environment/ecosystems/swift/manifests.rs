//! Swift: package manager.

use crate::environment::ecosystems::manifest::{Scan, quoted, trimmed_lines};

/// Tells how to read the manifest of that name.
pub(crate) fn scan(file: &str) -> Option<Scan> {
    match file {
        "Package.swift" | "Package.resolved" => Some(repositories),
        _ => None,
    }
}

/// Finds the repository at the end of a URL: `https://…/vapor/postgres-nio.git`.
fn repositories(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        for url in quoted(line).filter(|text| text.contains("://") || text.ends_with(".git")) {
            let url = url.trim_end_matches('/').trim_end_matches(".git");
            note(url.rsplit('/').next().unwrap_or(url), number);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::manifest::testing::drivers_of;
    use crate::environment::ecosystems::swift::SWIFT;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[(
            "Package.swift",
            "let package = Package(name: \"redis\", dependencies: [\n  .package(url: \"https://code.example/vapor/postgres-nio.git\", from: \"1.0.0\"),\n",
            &["2 postgres-nio"],
        )];
        for (file, text, expected) in cases {
            assert_eq!(drivers_of(&SWIFT, file, text), *expected, "{file}");
        }
    }
}
