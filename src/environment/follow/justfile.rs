//! `just RECIPE`: the recipes of a justfile, with the variables and files that it gives them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::environment::Origin;
use crate::environment::follow::script::{PlacedScript, Script};
use crate::environment::follow::shell_text::is_name;
use crate::environment::follow::{Expansion, FileReader, Step, WrapperFile, non_empty};
use crate::environment::invocation::{AssignedAt, option_of};
use crate::environment::paths::{nearest, normal, parent};

/// The most files of recipes that one call reads.
const MOST_FILES: usize = 256;
/// Texts longer than this many bytes take no more in.
const MOST_FILLED: usize = 64 << 10;

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
        let Some(file) = file.filter(|file| self.files.exists(file)) else { return (Vec::new(), false) };
        let mut justfile =
            Justfile { unread: vec![Unread { places: vec![file], ..Unread::default() }], ..Justfile::default() };
        let mut read = HashSet::new();
        while let Some(Unread { places, module, folder }) = justfile.unread.pop() {
            let place = places.into_iter().map(|place| normal(&place)).find(|place| self.files.exists(place));
            let Some(file) = place.filter(|file| read.insert((file.clone(), module.clone()))) else { continue };
            if read.len() > MOST_FILES {
                self.cut("its justfile takes recipes from more than 256 others");
                break;
            }
            if let Some(text) = self.text_of(&file) {
                let folder = folder.unwrap_or_else(|| parent(&file));
                justfile.read(&text, &file, &module, &folder);
            }
        }
        let (mut scripts, is_unknown) = justfile.scripts(&asked);
        let variables = justfile.variables.iter().zip(&justfile.places);
        let places = variables.map(|((name, value), (file, line))| {
            (name.clone(), value.clone(), Origin::file(name.clone(), self.project.shown(file), *line))
        });
        let places: Vec<AssignedAt> = places.collect();
        scripts.iter_mut().for_each(|placed| placed.script.places.clone_from(&places));
        if is_unknown {
            self.cut("its justfile holds no such recipe, or takes it from another file");
        }
        if let Some(path) = dotenv {
            let path = self.step.folder.join(path);
            let file = WrapperFile { path, reader: FileReader::Dotenvy, overrides: false };
            scripts.iter_mut().for_each(|placed| placed.script.files = vec![file.clone()]);
        }
        non_empty(scripts.into_iter().flat_map(|placed| self.placed(placed)).collect())
    }
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

/// A justfile with those that it imports and its modules.
#[derive(Default)]
struct Justfile {
    recipes: Vec<Recipe>,
    aliases: Vec<(String, String)>,
    /// What recipes may refer to as `{{name}}`: texts, for a shell.
    variables: Vec<(String, String)>,
    /// Where each of them stands.
    places: Vec<(PathBuf, u32)>,
    /// The names of those that are exported.
    exported: Vec<String>,
    exports_all: bool,
    files: Vec<WrapperFile>,
    /// Its dotenv files beat what is set.
    overrides: bool,
    unread: Vec<Unread>,
}

/// Another file of recipes.
#[derive(Default)]
struct Unread {
    /// Where it may lie.
    places: Vec<PathBuf>,
    /// The module (`db::`) that it is.
    module: String,
    /// The folder that its recipes run in: its own, unless it is imported.
    folder: Option<PathBuf>,
}

#[derive(Default)]
struct Recipe {
    name: String,
    parameters: Vec<(String, Option<String>)>,
    /// The last parameter takes all that follows.
    takes_rest: bool,
    needs: Vec<String>,
    text: String,
    file: PathBuf,
    folder: PathBuf,
    line: u32,
}

impl Justfile {
    /// Reads one more file into it, as a part of the module whose name goes before its recipes; those run in `folder`.
    fn read(&mut self, text: &str, file: &Path, module: &str, folder: &Path) {
        let mut is_open = false;
        for (line, number) in text.lines().zip(1..) {
            if line.starts_with([' ', '\t']) {
                if let (true, Some(recipe)) = (is_open, self.recipes.last_mut()) {
                    if recipe.text.is_empty() {
                        recipe.line = number;
                    }
                    recipe.text.push_str(line.trim().trim_start_matches(['@', '-']));
                    recipe.text.push('\n');
                }
            } else {
                self.note(line.trim(), (file, number, folder), module, &mut is_open);
            }
        }
    }

    /// A line that belongs to no recipe, or is the head of one, which is open then.
    fn note(&mut self, line: &str, (file, number, home): (&Path, u32, &Path), module: &str, is_open: &mut bool) {
        if let Some(setting) = line.strip_prefix("set ") {
            let (key, value) = setting.split_once(":=").map_or((setting, "true"), |(key, value)| (key, value.trim()));
            let path = match (key.trim(), value.trim_matches(['"', '\''])) {
                ("export", "true") => {
                    self.exports_all = true;
                    return;
                }
                ("dotenv-override", "true") => {
                    self.overrides = true;
                    return;
                }
                ("dotenv-load", "true") => ".env",
                ("dotenv-filename" | "dotenv-path", path) => path,
                _ => return,
            };
            self.files.push(WrapperFile { path: path.into(), reader: FileReader::Dotenvy, overrides: false });
        } else if let Some(named) = line.strip_prefix("import ").or_else(|| line.strip_prefix("import? ")) {
            let path = parent(file).join(named.trim().trim_matches(['"', '\'']));
            let folder = Some(home.to_owned());
            self.unread.push(Unread { places: vec![path], module: module.to_owned(), folder });
        } else if let Some(named) = line.strip_prefix("mod ").or_else(|| line.strip_prefix("mod? ")) {
            let (name, path) = named.trim().split_once(' ').unwrap_or((named.trim(), ""));
            let (folder, path) = (parent(file), path.trim().trim_matches(['"', '\'']));
            let beside = [
                format!("{name}.just"),
                format!("{name}/mod.just"),
                format!("{name}/justfile"),
                format!("{name}/.justfile"),
            ];
            let places = if path.is_empty() {
                beside.to_vec()
            } else {
                vec![path.to_owned(), format!("{path}/justfile"), format!("{path}/mod.just")]
            };
            let places = places.iter().map(|place| folder.join(place)).collect();
            self.unread.push(Unread { places, module: format!("{module}{name}::"), folder: None });
        } else if let Some(pair) = line.strip_prefix("export ").and_then(|export| self.variable(export)) {
            self.exported.push(pair.0.clone());
            self.variables.push(pair);
            self.places.push((file.to_owned(), number));
        } else if let Some((alias, name)) = line.strip_prefix("alias ").and_then(|alias| alias.split_once(":=")) {
            self.aliases.push((format!("{module}{}", alias.trim()), format!("{module}{}", name.trim())));
        } else if let Some(pair) = self.variable(line) {
            self.variables.push(pair);
            self.places.push((file.to_owned(), number));
        } else if let Some((head, needs)) = head_and_needs(line) {
            let mut words = head.trim_start_matches('@').split_ascii_whitespace();
            let name = words.next().unwrap_or_default();
            *is_open = !name.is_empty() && !line.starts_with(['#', '[']);
            if *is_open {
                let mut takes_rest = false;
                let parameters = words.map(|word| {
                    takes_rest |= word.trim_start_matches('$').starts_with(['+', '*']);
                    let (name, default) =
                        word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                    (
                        name.trim_start_matches(['+', '*', '$']).to_owned(),
                        default.and_then(|default| self.evaluated(default)),
                    )
                });
                let parameters: Vec<_> = parameters.collect();
                let name = format!("{module}{name}");
                let needs = needed(needs).into_iter().map(|need| format!("{module}{need}")).collect();
                self.recipes.push(Recipe {
                    name,
                    parameters,
                    takes_rest,
                    needs,
                    file: file.to_owned(),
                    folder: home.to_owned(),
                    line: number,
                    ..Recipe::default()
                });
            }
        }
    }

    /// Finds the recipes that the words `asked` name (the first one where there are none), what they need first; and
    /// tells whether one is needed that is not there. Words behind a recipe that it has parameters for are arguments.
    fn scripts(&self, asked: &[&str]) -> (Vec<PlacedScript>, bool) {
        let mut by_name: HashMap<&str, &Recipe> =
            self.recipes.iter().map(|recipe| (recipe.name.as_str(), recipe)).collect();
        for (alias, name) in &self.aliases {
            let recipe = by_name.get(name.as_str()).copied();
            by_name.extend(recipe.map(|recipe| (alias.as_str(), recipe)));
        }
        let mut all: Vec<(&Recipe, &[&str])> = Vec::new();
        let mut is_unknown = false;
        let mut rest = asked;
        while let [first, behind @ ..] = rest {
            // `just db reset` is `just db::reset`.
            let module = behind.first().map(|second| format!("{first}::{second}"));
            let in_module = module.and_then(|name| by_name.get(name.as_str()).copied());
            let behind = if in_module.is_some() { &behind[1..] } else { behind };
            let Some(recipe) = in_module.or_else(|| by_name.get(first).copied()) else {
                // What no recipe has parameters for, and is none.
                is_unknown |= all.is_empty();
                rest = behind;
                continue;
            };
            let most = if recipe.takes_rest { behind.len() } else { recipe.parameters.len() };
            let (given, others) = behind.split_at(most.min(behind.len()));
            all.push((recipe, given));
            rest = others;
        }
        if asked.is_empty() {
            all.extend(self.recipes.first().map(|recipe| (recipe, asked)));
        }
        is_unknown |= all.is_empty();
        let mut seen = HashSet::new();
        all.retain(|(recipe, _)| seen.insert(recipe.name.as_str()));
        let mut at = 0;
        while at < all.len() {
            for name in &all[at].0.needs {
                match by_name.get(name.as_str()).copied() {
                    Some(recipe) if seen.insert(&recipe.name) => all.push((recipe, &[])),
                    Some(_) => {}
                    None => is_unknown = true,
                }
            }
            at += 1;
        }
        let is_exported = |name: &String| self.exports_all || self.exported.contains(name);
        let exports: Vec<_> = self.variables.iter().filter(|(name, _)| is_exported(name)).cloned().collect();
        // `export A := env("A", "b")` takes what they say.
        let reads_itself = |(name, value): &(String, String)| value.starts_with(&format!("${{{name}"));
        let overrides = self.overrides || exports.iter().any(reads_itself);
        let files = self.files.iter().map(|file| WrapperFile { overrides, ..file.clone() });
        let files: Vec<WrapperFile> = files.collect();
        let scripts = all.into_iter().rev().map(|(recipe, given)| {
            let script = Script {
                name: recipe.name.clone(),
                text: self.filled(recipe, given),
                line: recipe.line,
                assignments: exports.clone(),
                places: Vec::new(),
                files: files.clone(),
            };
            PlacedScript { file: recipe.file.clone(), folder: recipe.folder.clone(), script }
        });
        (scripts.collect(), is_unknown)
    }

    /// The text of a recipe with its arguments and variables filled in; what is not known stays as written.
    fn filled(&self, recipe: &Recipe, arguments: &[&str]) -> String {
        let last = recipe.parameters.len().saturating_sub(1);
        let parameter = |name: &str| {
            let at = recipe.parameters.iter().position(|(own, _)| own == name)?;
            let given = arguments.get(at..).filter(|given| !given.is_empty());
            let given = given.map(|given| if at == last { given.join(" ") } else { given[0].to_owned() });
            given.or_else(|| recipe.parameters[at].1.clone())
        };
        let mut filled = String::with_capacity(recipe.text.len());
        let mut rest = recipe.text.as_str();
        while let Some((before, behind)) = rest.split_once("{{")
            && let Some((expression, after)) = behind.split_once("}}")
        {
            filled.push_str(before);
            match parameter(expression.trim()).or_else(|| self.evaluated(expression)) {
                Some(value) if filled.len() < MOST_FILLED => filled.push_str(&value),
                _ => filled.extend(["{{", expression, "}}"]),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// Reads `NAME := 'value'`; an expression that is not computed here stands for what cannot be told.
    fn variable(&self, line: &str) -> Option<(String, String)> {
        let (name, value) = line.split_once(":=")?;
        let (name, value) = (name.trim(), value.trim());
        let text = self.evaluated(value).unwrap_or_else(|| format!("$({value})"));
        is_name(name).then(|| (name.to_owned(), text))
    }

    /// Computes a text of quoted ones, names and readings of variables, joined by `+`; a variable is left to a shell.
    fn evaluated(&self, expression: &str) -> Option<String> {
        let parts = expression.split('+').map(|part| {
            let part = part.trim();
            let literal = ['"', '\''].iter().find_map(|quote| part.strip_prefix(*quote)?.strip_suffix(*quote));
            if let Some(text) = literal.filter(|text| !text.contains(['"', '\''])) {
                return Some(text.to_owned());
            }
            if let Some(arguments) =
                ["env_var_or_default(", "env_var(", "env("].iter().find_map(|call| part.strip_prefix(call))
            {
                let mut quoted = arguments.strip_suffix(')')?.split(['"', '\'']).skip(1).step_by(2);
                let name = quoted.next().filter(|name| is_name(name))?;
                return Some(
                    quoted.next().map_or_else(|| format!("${{{name}}}"), |default| format!("${{{name}:-{default}}}")),
                );
            }
            let known = self.variables.iter().rev().find(|(name, _)| name == part);
            known.map(|(_, value)| value.clone()).filter(|value| value.len() < MOST_FILLED)
        });
        parts.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn scripts(text: &str, asked: &[&str]) -> (Vec<PlacedScript>, bool) {
        let mut justfile = Justfile::default();
        justfile.read(text, Path::new("/p/justfile"), "", Path::new("/p"));
        justfile.scripts(asked)
    }

    fn texts(scripts: &[PlacedScript]) -> Vec<&str> {
        scripts.iter().map(|placed| placed.script.text.trim()).collect()
    }

    #[test]
    fn just_recipe_is_read_with_its_prerequisites_and_dotenv() {
        let text =
            "set dotenv-load\nexport A := 'b'\n\nmigrate:\n  sqlx migrate run\n\ntest *args: migrate\n  cargo test\n";
        let scripts = scripts(text, &["test"]).0;
        assert_eq!(texts(&scripts), ["sqlx migrate run", "cargo test"]);
        assert_eq!(scripts[1].script.assignments, [("A".to_owned(), "b".to_owned())]);
        assert_eq!(scripts[1].script.files.len(), 1);
    }

    #[test]
    fn dotenv_files_beat_what_is_set_where_the_justfile_says_so_or_reads_them_itself() {
        for (text, expected) in [
            ("set dotenv-load\nt:\n  x\n", false),
            ("set dotenv-load\nset dotenv-override\nt:\n  x\n", true),
            ("set dotenv-load\nexport A := env('A', 'b')\nt:\n  x\n", true),
            ("set dotenv-load\nexport A := env('B', 'b')\nt:\n  x\n", false),
        ] {
            let scripts = scripts(text, &[]).0;
            assert_eq!(scripts[0].script.files[0].overrides, expected, "{text}");
        }
    }

    #[test]
    fn what_a_justfile_exports_is_told() {
        let exports = |text: &str| {
            let scripts = scripts(&format!("{text}\nt:\n  x\n"), &[]).0;
            let exports = scripts[0].script.assignments.iter().map(|(name, value)| format!("{name}={value}"));
            exports.collect::<Vec<_>>()
        };
        assert_eq!(exports("A := 'b'"), [""; 0]);
        assert_eq!(exports("A := 'b'\nset export"), ["A=b"]);
        assert_eq!(exports("set export := true\nA := \"b\"\nexport B := 'c'"), ["A=b", "B=c"]);
        assert_eq!(
            exports("export A := env_var('B')\nexport C := 'a' + 'b'\nexport D := C + '/x'\nexport E := uuid()"),
            ["A=${B}", "C=ab", "D=ab/x", "E=$(uuid())"]
        );
    }

    #[test]
    fn arguments_and_variables_are_filled_in() {
        let text = "url := env('X', 'pg://h/x')\nhost := 'db.test'\ngo to=host *rest:\n  psql {{url}} -h {{to}} {{rest}} {{uuid()}}\n";
        for (asked, expected) in [
            (&["go"][..], "psql ${X:-pg://h/x} -h db.test {{rest}} {{uuid()}}"),
            (&["go", "other", "a", "b"], "psql ${X:-pg://h/x} -h other a b {{uuid()}}"),
        ] {
            assert_eq!(texts(&scripts(text, asked).0), [expected], "{asked:?}");
        }
    }

    #[test]
    fn recipes_are_found_by_all_ways_to_name_them_or_told() {
        let text = "alias r := reset\ntest: (reset 'x y') lint && last\n  jest\nreset u=\"pg://h/x\":\n  y\nlint:\n  z\nlast:\n  w\nodd: absent\n  v\ngive one *rest:\n  b {{one}} {{rest}}\n";
        for (asked, expected, is_told) in [
            (&["r"][..], "y", false),
            (&["reset", "db.test"], "y", false),
            (&["lint", "reset"], "y|z", false),
            (&["test"], "w|z|y|jest", false),
            (&[], "w|z|y|jest", false),
            (&["odd"], "v", true),
            (&["give", "lint", "last"], "b lint last", false),
            (&["lint", "reset", "last", "last"], "w|y|z", false),
            (&["elsewhere"], "", true),
            (&["db::reset"], "", true),
        ] {
            let (scripts, told) = scripts(text, asked);
            assert_eq!((texts(&scripts).join("|").as_str(), told), (expected, is_told), "{asked:?}");
        }
    }

    #[test]
    fn modules_and_imports_are_read_where_they_may_lie() {
        let mut justfile = Justfile::default();
        justfile.read("import 'a.just'\nmod? db\nmod web 'x/y.just'\n", Path::new("/p/justfile"), "", Path::new("/p"));
        let unread: Vec<String> =
            justfile.unread.iter().map(|one| format!("{}{}", one.module, one.places[0].display())).collect();
        assert_eq!(unread, ["/p/a.just", "db::/p/db.just", "web::/p/x/y.just"]);
        justfile.read("reset: clean\n  x\nclean:\n  y\n", Path::new("/p/db/mod.just"), "db::", Path::new("/p/db"));
        for asked in [&["db::reset"][..], &["db", "reset"]] {
            let (scripts, told) = justfile.scripts(asked);
            assert_eq!((texts(&scripts).join("|").as_str(), told), ("y|x", false), "{asked:?}");
            assert_eq!(scripts[0].folder, Path::new("/p/db"));
        }
    }
}
