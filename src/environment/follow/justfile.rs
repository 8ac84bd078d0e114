//! `just RECIPE`: the recipes of a justfile, with the variables and files that it gives them.

use std::collections::{HashMap, HashSet};

use crate::environment::follow::script::Script;
use crate::environment::follow::shell_text::is_name;
use crate::environment::follow::{Expansion, FileReader, Step, WrapperFile, non_empty};
use crate::environment::invocation::option_of;
use crate::environment::paths::nearest;

impl Expansion<'_> {
    pub(crate) fn just(&self, words: &[String]) -> (Vec<Step>, bool) {
        let names = ["justfile", ".justfile", "Justfile"];
        let Some(file) = nearest(self.files, &self.step.folder, &self.project.root, &names) else {
            return (Vec::new(), false);
        };
        let Some(text) = self.text_of(&file) else { return (Vec::new(), false) };
        let (mut recipe, mut named, mut rest) = (None, None, words[1..].iter());
        while let Some(word) = rest.next() {
            let (option, attached) = option_of(word);
            match option {
                "--dotenv-path" | "--dotenv-filename" | "-E" => {
                    named = attached.or_else(|| rest.next().map(String::as_str));
                }
                "--set" => drop(rest.nth(1)),
                _ if word.starts_with('-') || attached.is_some() => {}
                _ => recipe = recipe.or(Some(word.as_str())),
            }
        }
        let folder = file.parent().unwrap_or(&self.step.folder);
        let mut scripts = of_justfile(&text, recipe);
        if let Some(path) = named {
            let file = WrapperFile { path: path.into(), reader: FileReader::Dotenvy, overrides: false };
            scripts.iter_mut().for_each(|script| script.files = vec![file.clone()]);
        }
        non_empty(scripts.into_iter().flat_map(|script| self.script(&file, folder, script)).collect())
    }
}

/// The recipe `name` of a justfile (the first one where it is `None`), what it needs first.
fn of_justfile(text: &str, name: Option<&str>) -> Vec<Script> {
    let Justfile { recipes, exports, files, .. } = Justfile::read(text);
    let wanted = match name {
        Some(name) => recipes.iter().find(|recipe| recipe.name == name),
        None => recipes.first(),
    };
    let Some(wanted) = wanted else { return Vec::new() };
    let by_name: HashMap<&str, &Recipe> = recipes.iter().map(|recipe| (recipe.name.as_str(), recipe)).collect();
    let mut all = vec![wanted];
    let mut seen = HashSet::from([wanted.name.as_str()]);
    let mut at = 0;
    while at < all.len() {
        let needed = all[at].needs.iter().filter_map(|name| by_name.get(name.as_str()).copied());
        all.extend(needed.filter(|recipe| seen.insert(&recipe.name)).collect::<Vec<_>>());
        at += 1;
    }
    let scripts = all.into_iter().rev().map(|recipe| Script {
        name: recipe.name.clone(),
        text: recipe.text.clone(),
        line: recipe.line,
        assignments: exports.clone(),
        files: files.clone(),
    });
    scripts.collect()
}

#[derive(Default)]
struct Justfile {
    recipes: Vec<Recipe>,
    exports: Vec<(String, String)>,
    /// Variables that are exported where `set export` says so.
    others: Vec<(String, String)>,
    exports_all: bool,
    files: Vec<WrapperFile>,
}

#[derive(Default)]
struct Recipe {
    name: String,
    needs: Vec<String>,
    text: String,
    line: u32,
}

impl Justfile {
    fn read(text: &str) -> Justfile {
        let mut justfile = Justfile::default();
        let mut is_open = false;
        for (line, number) in text.lines().zip(1..) {
            if line.starts_with([' ', '\t']) {
                if let (true, Some(recipe)) = (is_open, justfile.recipes.last_mut()) {
                    recipe.text.push_str(line.trim().trim_start_matches(['@', '-']));
                    recipe.text.push('\n');
                }
            } else {
                justfile.note(line.trim(), number, &mut is_open);
            }
        }
        if justfile.exports_all {
            justfile.exports.append(&mut justfile.others);
        }
        justfile
    }

    /// A line that belongs to no recipe, or is the head of one, which is open then.
    fn note(&mut self, line: &str, number: u32, is_open: &mut bool) {
        if let Some(setting) = line.strip_prefix("set ") {
            let (key, value) = setting.split_once(":=").map_or((setting, "true"), |(key, value)| (key, value.trim()));
            let path = match (key.trim(), value.trim_matches(['"', '\''])) {
                ("export", "true") => {
                    self.exports_all = true;
                    return;
                }
                ("dotenv-load", "true") => ".env",
                ("dotenv-filename" | "dotenv-path", path) => path,
                _ => return,
            };
            self.files.push(WrapperFile { path: path.into(), reader: FileReader::Dotenvy, overrides: false });
        } else if let Some(export) = line.strip_prefix("export ") {
            self.exports.extend(variable(export));
        } else if let Some(pair) = variable(line) {
            self.others.push(pair);
        } else if let Some((head, needs)) = line.split_once(':').filter(|(_, rest)| !rest.starts_with('=')) {
            let name = head.trim_start_matches('@').split_ascii_whitespace().next().unwrap_or_default();
            *is_open = !name.is_empty() && !line.starts_with(['#', '[']);
            if *is_open {
                let needs = needs.split_ascii_whitespace().map(str::to_owned).collect();
                self.recipes.push(Recipe { name: name.to_owned(), needs, text: String::new(), line: number });
            }
        }
    }
}

/// Reads `NAME := 'value'`; an expression stands for what cannot be told.
fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(":=")?;
    let (name, value) = (name.trim(), value.trim());
    let literal = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let value = match literal.filter(|text| !text.contains(['"', '\''])) {
        Some(text) => text.to_owned(),
        None => format!("$({value})"),
    };
    is_name(name).then(|| (name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scripts: &[Script]) -> Vec<&str> {
        scripts.iter().map(|script| script.text.trim()).collect()
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
    #[test]
    fn what_a_justfile_exports_is_told() {
        let exports = |text: &str| {
            let scripts = of_justfile(&format!("{text}\nt:\n  x\n"), None);
            scripts[0].assignments.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(exports("A := 'b'"), [""; 0]);
        assert_eq!(exports("A := 'b'\nset export"), ["A=b"]);
        assert_eq!(exports("set export := true\nA := \"b\"\nexport B := 'c'"), ["B=c", "A=b"]);
        assert_eq!(
            exports("export A := env_var('B')\nexport C := 'a' + 'b'\nexport D := C"),
            ["A=$(env_var('B'))", "C=$('a' + 'b')", "D=$(C)"]
        );
    }
}
