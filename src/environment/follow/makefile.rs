//! `make TARGET`: the recipes of a Makefile, with the variables and files that it gives them.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use crate::environment::follow::script::Script;
use crate::environment::follow::shell_text::{assignment, is_name};
use crate::environment::follow::{Expansion, FileReader, Step, WrapperFile, non_empty};

impl Expansion<'_> {
    pub(crate) fn make(&self, words: &[String]) -> (Vec<Step>, bool) {
        let mut folder = self.step.folder.clone();
        let (mut given, mut targets, mut named) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = words[1..].iter().map(String::as_str);
        while let Some(word) = rest.next() {
            match option(word, &mut rest) {
                Some(('C', to)) => folder = folder.join(to),
                Some(('f', name)) => named.push(name),
                // Its text is a part of the Makefile.
                Some(('E', _)) => self.cut("make is told to evaluate a text"),
                Some(_) => {}
                None if word.starts_with('-') => {}
                None => match assignment(word) {
                    Some(pair) => given.push(pair),
                    None => targets.push(word.to_owned()),
                },
            }
        }
        let usual = ["GNUmakefile", "makefile", "Makefile"].map(|name| folder.join(name));
        let present = |path: &PathBuf| self.files.exists(path);
        let paths: Vec<PathBuf> = if named.is_empty() {
            usual.into_iter().find(present).into_iter().collect()
        } else {
            named.iter().map(|name| folder.join(name)).filter(present).collect()
        };
        // `make -f -` reads it from what it is fed.
        if paths.len() < named.len() {
            self.cut("make is told to read a file that is not there");
        }
        let texts: Vec<(PathBuf, String)> =
            paths.into_iter().filter_map(|path| self.text_of(&path).map(|text| (path, text))).collect();
        let Some((file, _)) = texts.first().cloned() else { return (Vec::new(), false) };
        let text = texts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n");
        let mut steps = Vec::new();
        let makefile = Makefile::read(&text, &given);
        for (rule, exports) in makefile.rules_for(&targets) {
            // Variables given to make are exported to the recipes.
            let assignments = makefile.exports.iter().chain(exports.iter().copied()).chain(&given).cloned().collect();
            let (name, text, line, files) =
                (rule.target.clone(), rule.recipe.clone(), rule.line, makefile.files.clone());
            steps.extend(self.script(&file, &folder, Script { name, text, line, assignments, files }));
            if self.is_exhausted() {
                break;
            }
        }
        non_empty(steps)
    }
}

/// Reads an option of make that takes a value, with its value: `-C sub`, `-Csub`, `-skC sub`, `--directory=sub`.
fn option<'w>(word: &'w str, rest: &mut impl Iterator<Item = &'w str>) -> Option<(char, &'w str)> {
    let long = |name: &str| match name {
        "--directory" => Some('C'),
        "--file" | "--makefile" => Some('f'),
        "--eval" => Some('E'),
        "--include-dir" => Some('I'),
        "--old-file" | "--assume-old" => Some('o'),
        "--what-if" | "--new-file" | "--assume-new" => Some('W'),
        _ => None,
    };
    if word.starts_with("--") {
        return match word.split_once('=') {
            Some((name, value)) => Some((long(name)?, value)),
            None => Some((long(word)?, rest.next()?)),
        };
    }
    let letters = word.strip_prefix('-')?;
    // `-j4` and `-l2.5` take a value that is joined to them, or none.
    let ends = |letter: char| matches!(letter, 'C' | 'f' | 'E' | 'I' | 'o' | 'W' | 'j' | 'l');
    let at = letters.find(ends)?;
    let (letter, value) = (letters[at..].chars().next()?, &letters[at + 1..]);
    match letter {
        'j' | 'l' => None,
        _ if value.is_empty() => Some((letter, rest.next()?)),
        _ => Some((letter, value)),
    }
}

/// Bytes that the variables of one makefile may add to it; what is beyond them stays as written.
const MOST_EXPANDED: usize = 1 << 20;

/// What is exported for one target.
type Exports<'m> = Vec<&'m (String, String)>;

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
    /// Finds the rules with a recipe that `make targets` follows, prerequisites first, each once and with what is exported
    /// for its target; those of the first target where `targets` are empty.
    fn rules_for<'m>(&'m self, targets: &'m [String]) -> Vec<(&'m Rule, Rc<Exports<'m>>)> {
        let mut by_target: HashMap<&str, Vec<&Rule>> = HashMap::new();
        self.rules.iter().for_each(|rule| by_target.entry(&rule.target).or_default().push(rule));
        let default = self.rules.first().map(|rule| rule.target.as_str()).filter(|_| targets.is_empty());
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for target in targets.iter().map(String::as_str).chain(default) {
            let is_new = |name: &&'m str| by_target.contains_key(name) && seen.insert(*name);
            let mut wanted: Vec<&str> = Some(target).into_iter().filter(is_new).collect();
            let mut at = 0;
            while at < wanted.len() {
                let needed = by_target[wanted[at]].iter().flat_map(|rule| &rule.needs).map(String::as_str);
                let is_new = |name: &&'m str| by_target.contains_key(name) && seen.insert(*name);
                wanted.extend(needed.filter(is_new).collect::<Vec<_>>());
                at += 1;
            }
            for rules in wanted.iter().rev().map(|name| &by_target[name]) {
                let exports: Rc<Exports<'_>> = Rc::new(rules.iter().flat_map(|rule| &rule.exports).collect());
                let with_recipe = rules.iter().filter(|rule| !rule.recipe.is_empty());
                found.extend(with_recipe.map(|rule| (*rule, Rc::clone(&exports))));
            }
        }
        found
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
                        rule.needs = needs.map(str::to_owned).collect();
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
                Some((value, length)) if self.expanded_bytes.get() < MOST_EXPANDED => {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn make_target_is_read_with_its_prerequisites_and_variables() {
        let text = "include .env\nENV ?= test\nexport A = $(ENV)\n\ntest: migrate | db\n\t@APP_ENV=$(ENV) jest $$X\n\nmigrate:\n\tgoose up\n";
        let recipes = |targets: &[&str], given: &[(String, String)]| -> Vec<String> {
            let (makefile, targets) =
                (Makefile::read(text, given), targets.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
            makefile.rules_for(&targets).iter().map(|(rule, _)| rule.recipe.trim().to_owned()).collect()
        };
        assert_eq!(recipes(&["test"], &[]), ["goose up", "APP_ENV=test jest $X"]);
        assert_eq!(recipes(&["migrate", "test", "migrate"], &[]), ["goose up", "APP_ENV=test jest $X"]);
        assert_eq!(recipes(&[], &[("ENV".to_owned(), "ci".to_owned())]), ["goose up", "APP_ENV=ci jest $X"]);
        assert!(recipes(&["deploy"], &[]).is_empty());
        let makefile = Makefile::read(text, &[]);
        assert_eq!(makefile.exports, [("A".to_owned(), "test".to_owned())]);
        assert_eq!(makefile.files[0].path, Path::new(".env"));
    }

    #[test]
    fn options_of_make_are_taken_apart() {
        for (text, expected, left) in [
            ("-C sub x", Some(('C', "sub")), 1),
            ("-Csub x", Some(('C', "sub")), 1),
            ("-skC sub x", Some(('C', "sub")), 1),
            ("-fx.mk x", Some(('f', "x.mk")), 1),
            ("--file=x.mk x", Some(('f', "x.mk")), 1),
            ("--directory sub x", Some(('C', "sub")), 1),
            ("-j4 x", None, 1),
            ("-j x", None, 1),
            ("--jobs=4 x", None, 1),
            ("-C", None, 0),
            ("test x", None, 1),
        ] {
            let mut words = text.split(' ');
            let first = words.next().unwrap();
            assert_eq!(option(first, &mut words), expected, "{text}");
            assert_eq!(words.count(), left, "{text}");
        }
    }
}
