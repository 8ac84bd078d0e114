//! A justfile's text: its settings, variables, aliases, modules and the heads of its recipes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::environment::follow::{FileReader, WrapperFile};
use crate::environment::paths::parent;

/// A justfile with those that it imports and its modules.
#[derive(Default)]
pub(crate) struct Justfile {
    pub(crate) recipes: Vec<Recipe>,
    pub(crate) aliases: Vec<(String, String)>,
    /// What recipes may refer to as `{{name}}`: texts, for a shell.
    pub(crate) variables: Vec<(String, String)>,
    /// Where each of them stands.
    pub(crate) places: Vec<(PathBuf, u32)>,
    /// The names of those that are exported.
    pub(crate) exported: Vec<String>,
    pub(crate) exports_all: bool,
    pub(crate) files: Vec<WrapperFile>,
    /// Its dotenv files beat what is set.
    pub(crate) overrides: bool,
    pub(crate) unread: Vec<Unread>,
    /// What the command line gives its variables instead.
    pub(crate) given: HashMap<String, String>,
}

/// Another file of recipes.
#[derive(Default)]
pub(crate) struct Unread {
    /// Where it may lie.
    pub(crate) places: Vec<PathBuf>,
    /// The module (`db::`) that it is.
    pub(crate) module: String,
    /// The folder that its recipes run in: its own, unless it is imported.
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Default)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) parameters: Vec<Parameter>,
    /// The last parameter takes all that follows.
    pub(crate) takes_rest: bool,
    /// The recipes that it needs, each with the expressions that are given to it.
    pub(crate) needs: Vec<(String, Vec<String>)>,
    pub(crate) text: String,
    pub(crate) file: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) line: u32,
}

/// A parameter of a recipe.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) default: Option<String>,
    /// `$NAME`: the commands see it as a variable.
    pub(crate) is_exported: bool,
}

impl Justfile {
    /// Reads one more file into it, as a part of the module whose name goes before its recipes; those run in `folder`.
    pub(crate) fn read(&mut self, text: &str, file: &Path, module: &str, folder: &Path) {
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
            self.set(pair, module, (file, number));
        } else if let Some((alias, name)) = line.strip_prefix("alias ").and_then(|alias| alias.split_once(":=")) {
            self.aliases.push((format!("{module}{}", alias.trim()), format!("{module}{}", name.trim())));
        } else if let Some(pair) = self.variable(line) {
            self.set(pair, module, (file, number));
        } else if let Some((head, needs)) = head_and_needs(line) {
            let mut words = words_of(head.trim_start_matches('@'), false).into_iter();
            let name = words.next().unwrap_or_default();
            *is_open = !name.is_empty() && !line.starts_with(['#', '[']);
            if *is_open {
                let mut takes_rest = false;
                let parameters = words.map(|word| {
                    let (signs, word) = word.split_at(word.len() - word.trim_start_matches(['+', '*', '$']).len());
                    takes_rest |= signs.contains(['+', '*']);
                    let (name, default) =
                        word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
                    let default = default.and_then(|default| self.evaluated(default));
                    Parameter { name: name.to_owned(), default, is_exported: signs.contains('$') }
                });
                let parameters: Vec<_> = parameters.collect();
                let name = format!("{module}{name}");
                let needs = needed(needs).into_iter();
                let needs = needs.map(|(need, arguments)| (format!("{module}{need}"), arguments)).collect();
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
}

impl Justfile {
    /// Sets a variable, unless the command line gives it: it gives those of the justfile itself, not of its modules.
    fn set(&mut self, (name, value): (String, String), module: &str, (file, line): (&Path, u32)) {
        let given = self.given.get(&name).filter(|_| module.is_empty());
        let value = given.cloned().unwrap_or(value);
        self.variables.push((name, value));
        self.places.push((file.to_owned(), line));
    }
}

/// Reads the recipes that one needs, each with what is given to it: `a (b "argument") && c`.
fn needed(text: &str) -> Vec<(String, Vec<String>)> {
    let text = text.split(" #").next().unwrap_or_default();
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let (mut depth, mut begins) = (0_u32, true);
    for word in words_of(text, true) {
        match word {
            "(" => {
                depth += 1;
                begins = true;
            }
            ")" => depth = depth.saturating_sub(1),
            "&&" if depth == 0 => {}
            name if depth == 0 || begins => {
                found.push((name.to_owned(), Vec::new()));
                begins = false;
            }
            argument => {
                if let Some((_, arguments)) = found.last_mut() {
                    arguments.push(argument.to_owned());
                }
            }
        }
    }
    found
}

/// Splits a text at blanks and parentheses that stand in no quotes; calls (`env('X')`), and what `+` joins where it does,
/// stay whole.
fn words_of(text: &str, joins: bool) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut words, mut at) = (Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let from = at;
        if matches!(byte, b'(' | b')') {
            words.push(&text[from..=from]);
            at += 1;
            continue;
        }
        let (mut quote, mut depth) = (None, 0_u32);
        while let Some(&byte) = bytes.get(at) {
            match (quote, byte) {
                (Some(open), byte) if byte == open => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'' | b'`') => quote = Some(byte),
                (None, b'(') => depth += 1,
                (None, b')') if depth == 0 => break,
                (None, b')') => depth -= 1,
                (None, byte) if byte.is_ascii_whitespace() && depth == 0 => {
                    let is_joined = text[at..].trim_start().starts_with('+') || text[..at].trim_end().ends_with('+');
                    if !(joins && is_joined) {
                        break;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        words.push(text[from..at].trim_end());
    }
    words
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
    use crate::environment::follow::script::PlacedScript;

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
    fn what_is_given_and_what_parameters_export_is_told() {
        let text = "host := 'a'\nexport URL := 'pg://' + host\nt $TO='x y' plain='z' *$REST:\n  psql {{host}} {{TO}}\n";
        let exported = |text: &str, given: &[(&str, &str)], asked: &[&str]| {
            let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let mut justfile = Justfile { given, ..Justfile::default() };
            justfile.read(text, Path::new("/p/justfile"), "", Path::new("/p"));
            let script = justfile.scripts(asked).0.remove(0).script;
            let pairs: Vec<String> = script.assignments.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{}|{}", pairs.join(","), script.text.trim())
        };
        for (given, asked, expected) in [
            (&[][..], &["t"][..], "URL=pg://a,TO=x y,REST=$(REST)|psql a x y"),
            (&[("host", "b")], &["t", "c", "d", "e", "f"], "URL=pg://b,TO=c,REST=e f|psql b c"),
            (&[("URL", "b")], &["t", "-h"], "URL=b,TO=-h,REST=$(REST)|psql a -h"),
        ] {
            assert_eq!(exported(text, given, asked), expected, "{given:?} {asked:?}");
        }
        assert_eq!(exported("set export\nt to:\n  x\n", &[], &["t", "a"]), "to=a|x");
        assert_eq!(exported("db-host := 'a'\nt:\n  x {{db-host}}\n", &[], &["t"]), "|x a");
    }

    #[test]
    fn recipes_are_found_by_all_ways_to_name_them_or_told() {
        let text = "alias r := reset\ntest: (reset 'x y') lint && last\n  jest\nreset u=\"pg://h/x\":\n  y\nlint:\n  z\nlast:\n  w\nodd: absent\n  v\ngive one *rest:\n  b {{one}} {{rest}}\nhand to: (give to '--' + 'x')\n  use\n";
        for (asked, expected, is_told) in [
            (&["r"][..], "y", false),
            (&["reset", "db.test"], "y", false),
            (&["lint", "reset"], "y|z", false),
            (&["test"], "w|z|y|jest", false),
            (&[], "w|z|y|jest", false),
            (&["hand", "a+b"], "b a+b --x|use", false),
            (&["lint", "give", "1", "2"], "b 1 2|z", false),
            (&["reset", "x", "reset", "y", "reset", "x"], "y|y", false),
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
