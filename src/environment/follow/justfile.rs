//! `just RECIPE`: the recipes of a justfile, with the variables and files that it gives them.

use std::collections::{HashMap, HashSet};

use crate::environment::follow::script::Script;
use crate::environment::follow::shell_text::is_name;
use crate::environment::follow::{Expansion, FileReader, Step, WrapperFile, non_empty};
use crate::environment::invocation::option_of;
use crate::environment::paths::nearest;

impl Expansion<'_> {
    pub(crate) fn just(&self, words: &[String]) -> (Vec<Step>, bool) {
        let (mut asked, mut dotenv, mut named, mut rest) = (Vec::new(), None, None, words[1..].iter());
        while let Some(word) = rest.next() {
            let (option, attached) = option_of(word);
            let mut value = || attached.or_else(|| rest.next().map(String::as_str));
            match option {
                "--dotenv-path" | "--dotenv-filename" | "-E" => dotenv = value(),
                "-f" | "--justfile" => named = value(),
                "-d" | "--working-directory" => drop(value()),
                "--set" => drop(rest.nth(1)),
                _ if word.starts_with('-') || attached.is_some() => {}
                _ => asked.push(word.as_str()),
            }
        }
        let names = ["justfile", ".justfile", "Justfile"];
        let file = match named {
            Some(name) => Some(self.step.folder.join(name)),
            None => nearest(self.files, &self.step.folder, &self.project.root, &names),
        };
        let Some((file, text)) = file.and_then(|file| self.text_of(&file).map(|text| (file, text))) else {
            return (Vec::new(), false);
        };
        let folder = file.parent().unwrap_or(&self.step.folder);
        let (mut scripts, is_unknown) = of_justfile(&text, &asked);
        if is_unknown {
            self.cut("its justfile holds no such recipe, or takes it from another file");
        }
        if let Some(path) = dotenv {
            let path = self.step.folder.join(path);
            let file = WrapperFile { path, reader: FileReader::Dotenvy, overrides: false };
            scripts.iter_mut().for_each(|script| script.files = vec![file.clone()]);
        }
        non_empty(scripts.into_iter().flat_map(|script| self.script(&file, folder, script)).collect())
    }
}

/// Finds the recipes that the words `asked` name (the first one where there are none), what they need first; and tells
/// whether one is needed that is not there. Words behind the first that name none are arguments.
fn of_justfile(text: &str, asked: &[&str]) -> (Vec<Script>, bool) {
    let Justfile { recipes, aliases, exports, files, .. } = Justfile::read(text);
    let mut by_name: HashMap<&str, &Recipe> = recipes.iter().map(|recipe| (recipe.name.as_str(), recipe)).collect();
    for (alias, name) in &aliases {
        let recipe = by_name.get(name.as_str()).copied();
        by_name.extend(recipe.map(|recipe| (alias.as_str(), recipe)));
    }
    let mut all: Vec<&Recipe> = match asked {
        [] => recipes.iter().take(1).collect(),
        names => names.iter().filter_map(|name| by_name.get(name).copied()).collect(),
    };
    let mut is_unknown = asked.first().is_some_and(|name| !by_name.contains_key(name)) || all.is_empty();
    let mut seen = HashSet::new();
    all.retain(|recipe| seen.insert(recipe.name.as_str()));
    let mut at = 0;
    while at < all.len() {
        for name in &all[at].needs {
            match by_name.get(name.as_str()).copied() {
                Some(recipe) if seen.insert(&recipe.name) => all.push(recipe),
                Some(_) => {}
                None => is_unknown = true,
            }
        }
        at += 1;
    }
    let scripts = all.into_iter().rev().map(|recipe| Script {
        name: recipe.name.clone(),
        text: recipe.text.clone(),
        line: recipe.line,
        assignments: exports.clone(),
        files: files.clone(),
    });
    (scripts.collect(), is_unknown)
}

/// Reads the names of the recipes that one needs: `a (b "argument") && c`.
fn needed(text: &str) -> Vec<String> {
    let text = text.split(" #").next().unwrap_or_default();
    let mut names = Vec::new();
    let mut depth = 0_u32;
    let mut begins = true;
    for word in text.split_inclusive(['(', ')', ' ', '\t']) {
        let name = word.trim_matches(['(', ')', ' ', '\t']);
        if !name.is_empty() {
            if depth == 0 && name != "&&" || depth == 1 && begins {
                names.push(name.to_owned());
            }
            begins = false;
        }
        match word.chars().last() {
            Some('(') => {
                depth += 1;
                begins = true;
            }
            Some(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    names
}

#[derive(Default)]
struct Justfile {
    recipes: Vec<Recipe>,
    aliases: Vec<(String, String)>,
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
        } else if let Some((alias, name)) = line.strip_prefix("alias ").and_then(|alias| alias.split_once(":=")) {
            self.aliases.push((alias.trim().to_owned(), name.trim().to_owned()));
        } else if let Some(pair) = variable(line) {
            self.others.push(pair);
        } else if let Some((head, needs)) = head_and_needs(line) {
            let name = head.trim_start_matches('@').split_ascii_whitespace().next().unwrap_or_default();
            *is_open = !name.is_empty() && !line.starts_with(['#', '[']);
            if *is_open {
                let needs = needed(needs);
                self.recipes.push(Recipe { name: name.to_owned(), needs, text: String::new(), line: number });
            }
        }
    }
}

/// Takes the head of a recipe apart at the colon that stands in no quotes: `name parameter='a:b': needed`.
fn head_and_needs(line: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let colon = line.char_indices().find(|(_, c)| match (quote, c) {
        (None, '"' | '\'' | '`') => {
            quote = Some(*c);
            false
        }
        (Some(open), c) if open == *c => {
            quote = None;
            false
        }
        (quote, c) => quote.is_none() && *c == ':',
    })?;
    let rest = &line[colon.0 + 1..];
    (!rest.starts_with('=')).then_some((&line[..colon.0], rest))
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
        let scripts = of_justfile(text, &["test"]).0;
        assert_eq!(texts(&scripts), ["sqlx migrate run", "cargo test"]);
        assert_eq!(scripts[1].assignments, [("A".to_owned(), "b".to_owned())]);
        assert_eq!(scripts[1].files.len(), 1);
    }
    #[test]
    fn what_a_justfile_exports_is_told() {
        let exports = |text: &str| {
            let scripts = of_justfile(&format!("{text}\nt:\n  x\n"), &[]).0;
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

    #[test]
    fn recipes_are_found_by_all_ways_to_name_them_or_told() {
        let text = "alias r := reset\nimport 'a.just'\nmod db\ntest: (reset 'x y') lint && last\n  jest\nreset u=\"pg://h/x\":\n  y\nlint:\n  z\nlast:\n  w\nodd: absent\n  v\n";
        for (asked, expected, is_told) in [
            (&["r"][..], "y", false),
            (&["reset", "db.test"], "y", false),
            (&["lint", "reset"], "y|z", false),
            (&["test"], "w|z|y|jest", false),
            (&[], "w|z|y|jest", false),
            (&["odd"], "v", true),
            (&["elsewhere"], "", true),
            (&["db::reset"], "", true),
            (&["db", "reset"], "y", true),
        ] {
            let (scripts, told) = of_justfile(text, asked);
            assert_eq!((texts(&scripts).join("|").as_str(), told), (expected, is_told), "{asked:?}");
        }
    }
}
