//! The scripts of package.json and composer.json, by name.
//!
//! One level, by text: nothing of a file is executed, and what its language would compute stays as written.

use std::collections::{HashMap, HashSet};

use crate::environment::follow::script::Script;
use crate::environment::readers::formats::FlatEntry;
use crate::text::{fits, shell_word};

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
    let names: Vec<&str> =
        if name.contains('*') { keys.into_iter().filter(|key| fits(name, key)).collect() } else { vec![name] };
    let mut found = Vec::new();
    for name in names {
        if let Some(script) = find(name) {
            found.extend(find(&format!("pre{name}")));
            match script.text.split_ascii_whitespace().next() {
                Some("wireit") => found.extend(of_wireit(entries, name)),
                _ => found.push(script),
            }
            found.extend(find(&format!("post{name}")));
        }
    }
    found
}

/// A script that wireit runs: those that it depends on, then its own command.
///
/// Source: wireit's README, "Dependencies", "Environment variables": `./other:build` is the script of another package.
fn of_wireit(entries: &[FlatEntry], name: &str) -> Vec<Script> {
    let (mut found, mut own) = (Vec::new(), None::<Script>);
    let mut variables = Vec::new();
    for entry in entries {
        let keys: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        let ["wireit", script, rest @ ..] = &keys[..] else { continue };
        if *script != name {
            continue;
        }
        match rest {
            ["command"] => {
                let (name, text) = (name.to_owned(), entry.value.clone());
                own = Some(Script { name, text, line: entry.line, ..Script::default() });
            }
            ["env", variable] | ["env", variable, "default"] => {
                variables.push(((*variable).to_owned(), entry.value.clone()));
            }
            ["dependencies", _] | ["dependencies", _, "script"] => {
                let (folder, needed) = match entry.value.split_once(':').filter(|(folder, _)| folder.starts_with('.')) {
                    Some((folder, needed)) => (Some(folder), needed),
                    None => (None, entry.value.as_str()),
                };
                let folder = folder.map(|folder| format!("--prefix {} ", shell_word(folder))).unwrap_or_default();
                let text = format!("npm {folder}run {}", shell_word(needed));
                let name = format!("{name}: {}", entry.value);
                found.push(Script { name, text, line: entry.line, ..Script::default() });
            }
            _ => {}
        }
    }
    found.extend(own.map(|script| Script { assignments: variables, ..script }));
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
    fn a_script_of_wireit_runs_what_it_depends_on_and_its_command() {
        let text = "{\"scripts\": {\"test\": \"wireit\", \"b\": \"wireit\"}, \"wireit\": {\"test\": {\n\"command\": \"uvu\",\n\
                    \"dependencies\": [\"b\", {\"script\": \"../x:build:ts\"}], \"env\": {\"A\": \"1\", \"B\": {\"external\": true}}}}}";
        let scripts = of_package(&entries(text), "test");
        assert_eq!(texts(&scripts), ["npm run b", "npm --prefix ../x run build:ts", "uvu"]);
        assert_eq!((scripts[2].line, scripts[2].assignments.len()), (2, 1));
        assert!(of_package(&entries(text), "b").is_empty());
    }

    #[test]
    fn composer_script_is_spelled_out_as_commands() {
        let text = r#"{"scripts": {"test": ["@putenv APP_ENV=testing", "App\\X::y", "@php artisan test", "@lint"]}}"#;
        let scripts = of_composer(&entries(text), "test");
        assert_eq!(texts(&scripts), ["export APP_ENV=testing\nphp artisan test\ncomposer run-script lint"]);
    }
}
