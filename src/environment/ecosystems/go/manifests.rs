//! Go: modules.

use crate::environment::ecosystems::manifest::{Members, Scan, trimmed_lines};

pub(crate) const MEMBERS: &[(&str, Members)] = &[("go.work", work_members)];

/// Tells how to read the manifest of that name.
pub(crate) fn scan(file: &str) -> Option<Scan> {
    match file {
        "go.mod" => Some(go_mod),
        _ => None,
    }
}

/// Reads `require` lines, inside a block or alone; `// indirect` ones count too.
fn go_mod(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for (line, number) in trimmed_lines(text) {
        if line.starts_with("module ") {
            continue;
        }
        let line = line.strip_prefix("require ").unwrap_or(line);
        if let Some(module) = line.split_whitespace().next() {
            note(module, number);
        }
    }
}

/// Reads `use ./api`, inside a block or alone.
fn work_members(text: &str) -> Option<Vec<String>> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    Some(lines.flat_map(str::split_whitespace).filter(|word| word.starts_with('.')).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::go::GO;
    use crate::environment::ecosystems::manifest::testing::drivers_of;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "go.mod",
                "module gorm.io/gorm\n\nrequire github.com/jackc/pgx/v5 v5.5.0\nrequire (\n\tgolang.org/x/text v0.3.0\n\tgithub.com/mattn/go-sqlite3 v1 // indirect\n)\n",
                &["3 github.com/jackc/pgx/v5", "6 github.com/mattn/go-sqlite3"],
            ),
            ("go.mod", "module x\n\ngo 1.22\n\nrequire github.com/spf13/cobra v1.8.0\n", &[]),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers_of(&GO, file, text), *expected, "{file}");
        }
    }
}
