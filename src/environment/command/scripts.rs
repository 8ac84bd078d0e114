//! The texts behind a name: scripts of package.json and composer.json, targets of a Makefile, recipes of a justfile.
//!
//! One level, by text: nothing of a file is executed, and what its language would compute stays as written.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::environment::shell::{assignment, is_name};
use crate::environment::{Files, formats};

use super::{FileReader, WrapperFile};

/// One script: shell text with its place, and what its file adds to the environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    /// The script's name as its file spells it.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) line: u32,
    pub(super) assignments: Vec<(String, String)>,
    pub(super) files: Vec<WrapperFile>,
}

/// Files that hold scripts are small; a larger one is not looked into.
const LARGEST: usize = 1024 * 1024;

/// The text of a file that holds scripts.
pub(super) fn text(files: &dyn Files, path: &Path) -> Option<String> {
    let bytes = files.read(path).ok()??;
    (bytes.len() <= LARGEST).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// The nearest `name` in `folder` or above it, not above `root`.
pub(crate) fn nearest(files: &dyn Files, folder: &Path, root: &Path, names: &[&str]) -> Option<PathBuf> {
    for folder in folder.ancestors() {
        if let Some(found) = names.iter().map(|name| folder.join(name)).find(|path| files.exists(path)) {
            return Some(found);
        }
        if folder == root {
            break;
        }
    }
    None
}

/// The script `name` of a package.json with what runs before and after it, in the order they run.
pub(super) fn of_package(text: &str, name: &str) -> Vec<Script> {
    let entries = formats::json::flatten(text).unwrap_or_default();
    let wanted = [format!("pre{name}"), name.to_owned(), format!("post{name}")];
    let find = |wanted: &String| {
        let entry = entries
            .iter()
            .find(|entry| matches!(&entry.path[..], [scripts, key] if scripts == "scripts" && key == wanted))?;
        Some(Script { name: wanted.clone(), text: entry.value.clone(), line: entry.line, ..Script::default() })
    };
    if find(&wanted[1]).is_none() {
        return Vec::new();
    }
    wanted.iter().filter_map(find).collect()
}

/// The script `name` of a composer.json: a text, or a list of them.
///
/// `@php`, `@composer` and `@other` are spelled out as commands, `@putenv X=Y` becomes an export; callbacks
/// (`Vendor\Class::method`) are left out.
pub(super) fn of_composer(text: &str, name: &str) -> Vec<Script> {
    let entries = formats::json::flatten(text).unwrap_or_default();
    let mut lines = Vec::new();
    let mut first_line = 0;
    for entry in &entries {
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

/// How many targets one call of make is followed into.
const MOST_TARGETS: usize = 16;

/// The recipes that `make target` runs, prerequisites first; the first target of the file where `target` is `None`.
pub(super) fn of_makefile(text: &str, target: Option<&str>, given: &[(String, String)]) -> Vec<Script> {
    let makefile = Makefile::read(text, given);
    let Some(first) = target.map(str::to_owned).or_else(|| makefile.rules.first().map(|rule| rule.target.clone()))
    else {
        return Vec::new();
    };
    let mut wanted = vec![first];
    let mut at = 0;
    while at < wanted.len() && wanted.len() < MOST_TARGETS {
        let needed: Vec<String> = makefile.of(&wanted[at]).flat_map(|rule| rule.needs.clone()).collect();
        for name in needed {
            if !wanted.contains(&name) && makefile.of(&name).next().is_some() {
                wanted.push(name);
            }
        }
        at += 1;
    }
    let mut scripts = Vec::new();
    for name in wanted.iter().rev() {
        let own: Vec<(String, String)> = makefile.of(name).flat_map(|rule| rule.exports.clone()).collect();
        for rule in makefile.of(name).filter(|rule| !rule.recipe.is_empty()) {
            scripts.push(Script {
                name: rule.target.clone(),
                text: rule.recipe.clone(),
                line: rule.line,
                assignments: makefile.exports.iter().chain(&own).cloned().collect(),
                files: makefile.files.clone(),
            });
        }
    }
    scripts
}

#[derive(Default)]
struct Makefile {
    rules: Vec<Rule>,
    variables: HashMap<String, String>,
    exports: Vec<(String, String)>,
    files: Vec<WrapperFile>,
    /// Bytes that variables have added so far: doubling ones must not fill the memory.
    expanded_bytes: Cell<usize>,
}

#[derive(Default)]
struct Rule {
    target: String,
    needs: Vec<String>,
    recipe: String,
    exports: Vec<(String, String)>,
    line: u32,
}

impl Makefile {
    fn of(&self, target: &str) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.target == target)
    }

    fn read(text: &str, given: &[(String, String)]) -> Makefile {
        let mut makefile = Makefile { variables: given.iter().cloned().collect(), ..Makefile::default() };
        let mut open = 0..0;
        for (index, line) in text.lines().enumerate() {
            let number = u32::try_from(index).unwrap_or(u32::MAX - 1) + 1;
            if let Some(recipe) = line.strip_prefix('\t') {
                let command = makefile.expanded(recipe.trim_start_matches(['@', '-', '+', ' ']));
                for rule in &mut makefile.rules[open.clone()] {
                    rule.recipe.push_str(&command);
                    rule.recipe.push('\n');
                }
                continue;
            }
            let line = line.split('#').next().unwrap_or("").trim_end();
            if !line.trim().is_empty() {
                makefile.note(line, number, given, &mut open);
            }
        }
        makefile
    }

    fn note(&mut self, line: &str, number: u32, given: &[(String, String)], open: &mut std::ops::Range<usize>) {
        let words = line.trim_start();
        if let Some(names) = ["include ", "-include ", "sinclude "].iter().find_map(|word| words.strip_prefix(word)) {
            let readable = names.split_ascii_whitespace().filter(|name| name.contains(".env"));
            let paths: Vec<String> = readable.map(|name| self.expanded(name)).collect();
            self.files.extend(paths.into_iter().map(|path| WrapperFile {
                path: path.into(),
                reader: FileReader::Make,
                overrides: true,
            }));
        } else if let Some((name, value)) = definition(words.strip_prefix("export ").unwrap_or(words)) {
            if !given.iter().any(|(other, _)| *other == name) {
                let pair = (name, self.expanded(&value));
                if words.starts_with("export ") {
                    self.exports.push(pair.clone());
                }
                self.variables.insert(pair.0, pair.1);
            }
        } else if let Some((targets, rest)) = line.split_once(':').filter(|_| !line.starts_with(' ')) {
            let rest = rest.trim_start_matches(':').trim();
            let exported = definition(rest.strip_prefix("export ").unwrap_or(rest));
            let (needs, recipe) = rest.split_once(';').unwrap_or((rest, ""));
            let start = self.rules.len();
            for target in targets.split_ascii_whitespace().filter(|target| !target.starts_with('.')) {
                let mut rule = Rule { target: target.to_owned(), line: number, ..Rule::default() };
                match &exported {
                    Some((name, value)) => rule.exports.push((name.clone(), self.expanded(value))),
                    None => {
                        let needs = needs.split_ascii_whitespace().filter(|need| *need != "|");
                        rule.needs = needs.take(MOST_TARGETS).map(str::to_owned).collect();
                        rule.recipe = self.expanded(recipe.trim());
                    }
                }
                self.rules.push(rule);
            }
            *open = start..self.rules.len();
        }
    }

    /// `$(X)` and `${X}` of the variables known so far filled in, `$$` made one; the rest stays as written.
    fn expanded(&self, text: &str) -> String {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            expanded.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let close = match rest.bytes().next() {
                Some(b'(') => ')',
                Some(b'{') => '}',
                Some(b'$') => {
                    expanded.push('$');
                    rest = &rest[1..];
                    continue;
                }
                _ => {
                    expanded.push('$');
                    continue;
                }
            };
            let known = rest[1..].find(close).and_then(|end| {
                let name = &rest[1..=end];
                Some((self.variables.get(name)?.as_str(), end + 2))
            });
            match known {
                Some((value, length)) if self.expanded_bytes.get() < LARGEST => {
                    self.expanded_bytes.set(self.expanded_bytes.get() + value.len());
                    expanded.push_str(value);
                    rest = &rest[length..];
                }
                _ => expanded.push('$'),
            }
        }
        expanded.push_str(rest);
        expanded
    }
}

/// `X = y`, `X := y`, `X ?= y` taken apart.
fn definition(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end_matches([':', '?', '+', '!', ' ', '\t']);
    is_name(name).then(|| (name.to_owned(), value.trim().to_owned()))
}

/// The recipe `name` of a justfile (the first one where it is `None`), prerequisites of one level first.
pub(super) fn of_justfile(text: &str, name: Option<&str>) -> Vec<Script> {
    let mut scripts: Vec<(Script, Vec<String>)> = Vec::new();
    let mut files = Vec::new();
    let mut exports = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let number = u32::try_from(index).unwrap_or(u32::MAX - 1) + 1;
        let trimmed = line.trim();
        if line.starts_with([' ', '\t']) {
            if let (true, Some((script, _))) = (open, scripts.last_mut()) {
                script.text.push_str(trimmed.trim_start_matches(['@', '-']));
                script.text.push('\n');
            }
        } else if let Some(setting) = trimmed.strip_prefix("set ") {
            let (key, value) = setting.split_once(":=").map_or((setting, "true"), |(key, value)| (key, value.trim()));
            let path = match (key.trim(), value.trim_matches(['"', '\''])) {
                ("dotenv-load", "true") => ".env",
                ("dotenv-filename" | "dotenv-path", path) => path,
                _ => continue,
            };
            files.push(WrapperFile { path: path.into(), reader: FileReader::Dotenvy, overrides: false });
        } else if let Some(export) = trimmed.strip_prefix("export ") {
            let pair = export
                .split_once(":=")
                .map(|(name, value)| format!("{}={}", name.trim(), value.trim().trim_matches(['"', '\''])));
            exports.extend(pair.and_then(|pair| assignment(&pair)));
        } else if let Some((head, needs)) = trimmed.split_once(':').filter(|(_, rest)| !rest.starts_with('=')) {
            let recipe = head.trim_start_matches('@').split_ascii_whitespace().next().unwrap_or_default();
            open = !recipe.is_empty() && !trimmed.starts_with(['#', '[']);
            if open {
                let script = Script { name: recipe.to_owned(), line: number, ..Script::default() };
                scripts.push((script, needs.split_ascii_whitespace().map(str::to_owned).collect()));
            }
        }
    }
    let wanted = name.map(str::to_owned).or_else(|| scripts.first().map(|(script, _)| script.name.clone()));
    let needs =
        scripts.iter().find(|(script, _)| Some(&script.name) == wanted.as_ref()).map(|(_, needs)| needs.clone());
    let Some(needs) = needs else { return Vec::new() };
    let (mut before, own): (Vec<_>, Vec<_>) = scripts
        .into_iter()
        .map(|(script, _)| Script { assignments: exports.clone(), files: files.clone(), ..script })
        .filter(|script| Some(&script.name) == wanted.as_ref() || needs.contains(&script.name))
        .partition(|script| Some(&script.name) != wanted.as_ref());
    before.extend(own);
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scripts: &[Script]) -> Vec<&str> {
        scripts.iter().map(|script| script.text.trim()).collect()
    }

    #[test]
    fn package_script_runs_between_its_pre_and_post_scripts() {
        let text = "{\n\"scripts\": {\n \"test\": \"jest\",\n \"posttest\": \"b\",\n \"pretest\": \"a\"\n}}";
        let scripts = of_package(text, "test");
        assert_eq!(texts(&scripts), ["a", "jest", "b"]);
        assert_eq!(scripts[1].line, 3);
        assert!(of_package(text, "other").is_empty());
        assert!(of_package("{", "test").is_empty());
    }

    #[test]
    fn composer_script_is_spelled_out_as_commands() {
        let text = r#"{"scripts": {"test": ["@putenv APP_ENV=testing", "App\\X::y", "@php artisan test", "@lint"]}}"#;
        let scripts = of_composer(text, "test");
        assert_eq!(texts(&scripts), ["export APP_ENV=testing\nphp artisan test\ncomposer run-script lint"]);
    }

    #[test]
    fn make_target_is_read_with_its_prerequisites_and_variables() {
        let text = "include .env\nENV ?= test\nexport A = $(ENV)\n\ntest: migrate | db\n\t@APP_ENV=$(ENV) jest $$X\n\nmigrate:\n\tgoose up\n";
        let scripts = of_makefile(text, Some("test"), &[]);
        assert_eq!(texts(&scripts), ["goose up", "APP_ENV=test jest $X"]);
        assert_eq!(scripts[0].assignments, [("A".to_owned(), "test".to_owned())]);
        assert_eq!(scripts[0].files[0].path, Path::new(".env"));
        let given = [("ENV".to_owned(), "ci".to_owned())];
        assert_eq!(texts(&of_makefile(text, None, &given)), ["goose up", "APP_ENV=ci jest $X"]);
        assert!(of_makefile(text, Some("deploy"), &[]).is_empty());
    }

    #[test]
    fn just_recipe_is_read_with_its_prerequisites_and_dotenv() {
        let text =
            "set dotenv-load\nexport A := 'b'\n\nmigrate:\n  sqlx migrate run\n\ntest *args: migrate\n  cargo test\n";
        let scripts = of_justfile(text, Some("test"));
        assert_eq!(texts(&scripts), ["sqlx migrate run", "cargo test"]);
        assert_eq!(scripts[1].assignments, [("A".to_owned(), "b".to_owned())]);
        assert_eq!(scripts[1].files.len(), 1);
    }
}
