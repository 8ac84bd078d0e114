//! The scripts of package.json and composer.json, by name.
//!
//! One level, by text: nothing of a file is executed, and what its language would compute stays as written.

use std::collections::{HashMap, HashSet};

use crate::environment::follow::script::Script;
use crate::environment::readers::formats::FlatEntry;

/// The script `name` in the entries of a package.json with what runs before and after it, in the order they run. `*` in
/// it is any part of a name: `npm-run-all "db:*"`.
pub(crate) fn of_package(entries: &[FlatEntry], name: &str) -> Vec<Script> {
    let mut keys: Vec<&str> = Vec::new();
    let mut scripts: HashMap<&str, &FlatEntry> = HashMap::new();
    for entry in entries {
        if let [section, key] = &entry.path[..]
            && section == "scripts"
            && !scripts.contains_key(key.as_str())
        {
            keys.push(key);
            scripts.insert(key, entry);
        }
    }
    let find = |wanted: &str| {
        let entry = scripts.get(wanted)?;
        Some(Script { name: wanted.to_owned(), text: entry.value.clone(), line: entry.line, ..Script::default() })
    };
    let names: Vec<&str> = match name.split_once('*') {
        Some((before, behind)) => {
            let behind = behind.trim_start_matches('*');
            let fits = |key: &str| key.strip_prefix(before).is_some_and(|rest| rest.ends_with(behind));
            keys.into_iter().filter(|key| fits(key)).collect()
        }
        None => vec![name],
    };
    let mut found = Vec::new();
    for name in names {
        if let Some(script) = find(name) {
            found.extend(find(&format!("pre{name}")));
            found.push(script);
            found.extend(find(&format!("post{name}")));
        }
    }
    found
}

/// The scripts of a package.json that run when its packages are installed.
///
/// Source: npm's manual, "Life Cycle Operation Order".
pub(crate) fn of_install(entries: &[FlatEntry]) -> Vec<Script> {
    let names = ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"];
    let mut found: Vec<Script> = names.iter().flat_map(|name| of_package(entries, name)).collect();
    let mut seen = HashSet::new();
    found.retain(|script| seen.insert(script.name.clone()));
    found
}

/// The script `name` in the entries of a composer.json: a text, or a list of them.
///
/// `@php`, `@composer` and `@other` are spelled out as commands, `@putenv X=Y` becomes an export; callbacks
/// (`Vendor\Class::method`) are left out.
pub(crate) fn of_composer(entries: &[FlatEntry], name: &str) -> Vec<Script> {
    let mut lines = Vec::new();
    let mut first_line = 0;
    for entry in entries {
        let (Some("scripts"), Some(key)) = (entry.path.first().map(String::as_str), entry.path.get(1)) else {
            continue;
        };
        if key != name {
            continue;
        }
        first_line = if first_line == 0 { entry.line } else { first_line };
        let value = entry.value.trim();
        let line = match value.strip_prefix('@') {
            Some(rest) if rest.starts_with("php ") || rest.starts_with("composer ") => rest.to_owned(),
            Some(rest) if rest.starts_with("putenv ") => format!("export {}", &rest["putenv ".len()..]),
            Some(rest) => format!("composer run-script {rest}"),
            None if value.contains("::") && !value.contains(' ') => continue,
            None => value.to_owned(),
        };
        lines.push(line);
    }
    if lines.is_empty() {
        return Vec::new();
    }
    vec![Script { name: name.to_owned(), text: lines.join("\n"), line: first_line, ..Script::default() }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::readers::formats::json;

    fn entries(text: &str) -> Vec<FlatEntry> {
        json::flatten(text).whole().unwrap()
    }

    fn texts(scripts: &[Script]) -> Vec<&str> {
        scripts.iter().map(|script| script.text.trim()).collect()
    }

    #[test]
    fn package_script_runs_between_its_pre_and_post_scripts() {
        let text = "{\n\"scripts\": {\n \"test\": \"jest\",\n \"posttest\": \"b\",\n \"pretest\": \"a\"\n}}";
        let scripts = of_package(&entries(text), "test");
        assert_eq!(texts(&scripts), ["a", "jest", "b"]);
        assert_eq!(scripts[1].line, 3);
        assert!(of_package(&entries(text), "other").is_empty());
        assert_eq!(texts(&of_package(&entries(text), "te*")), ["a", "jest", "b"]);
        assert_eq!(texts(&of_package(&entries(text), "p*t")), ["b", "a"]);
    }

    #[test]
    fn composer_script_is_spelled_out_as_commands() {
        let text = r#"{"scripts": {"test": ["@putenv APP_ENV=testing", "App\\X::y", "@php artisan test", "@lint"]}}"#;
        let scripts = of_composer(&entries(text), "test");
        assert_eq!(texts(&scripts), ["export APP_ENV=testing\nphp artisan test\ncomposer run-script lint"]);
    }
}
