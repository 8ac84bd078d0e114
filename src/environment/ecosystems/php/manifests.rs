//! PHP: Composer.

use crate::environment::ecosystems::manifest::{Scan, each_line, entries};
use crate::environment::readers::formats::json;

/// Tells how to read the manifest of that name.
pub(crate) fn scan(file: &str) -> Option<Scan> {
    match file {
        "composer.json" => Some(composer_json),
        "composer.lock" => Some(composer_lock),
        _ => None,
    }
}

fn composer_json(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for entry in entries(text, json::flatten, note) {
        if let [table, name, ..] = entry.path.as_slice()
            && (table == "require" || table == "require-dev")
        {
            note(name, entry.line);
        }
    }
}

/// Reads `"name": "doctrine/dbal",`.
fn composer_lock(text: &str, note: &mut dyn FnMut(&str, u32)) {
    each_line(text, note, |line| line.trim().strip_prefix("\"name\": \"")?.split('"').next());
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::manifest::testing::drivers_of;
    use crate::environment::ecosystems::php::PHP;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "composer.json",
                "{\n\"name\": \"doctrine/orm\",\n\"require\": {\n\"php\": \"^8\",\n\"ext-pdo_pgsql\": \"*\"},\n\"require-dev\": {\"laravel/framework\": \"*\"}}",
                &["5 ext-pdo_pgsql", "6 laravel/framework"],
            ),
            (
                "composer.lock",
                "{\n \"packages\": [\n  {\n   \"name\": \"doctrine/dbal\",\n   \"require\": {\"ext-redis\": \"*\"}\n",
                &["4 doctrine/dbal"],
            ),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers_of(&PHP, file, text), *expected, "{file}");
        }
    }
}
