//! A makefile's text: its lines, definitions, rules and includes.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use crate::environment::follow::makefile::conditions::Conditions;
use crate::environment::follow::makefile::rules::{Makefile, Recipe, Rule};
use crate::environment::follow::makefile::variables::{Definition, Modified, Operator, Overlay};
use crate::environment::follow::shell_text::is_name;
use crate::environment::follow::{FileReader, WrapperFile};

/// Reads a makefile that another one includes, by the name that stands there.
type Include<'i> = &'i mut dyn FnMut(&mut Makefile<'_>, &str);

/// A variable that is exported, with its place.
pub(crate) struct Export {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) place: Option<(std::path::PathBuf, u32)>,
}

/// What the lines before have opened.
#[derive(Default)]
struct Open {
    rules: bool,
    /// The variable of a `define`, with its lines so far.
    definition: Option<(String, String, u32)>,
    conditions: Conditions,
}

impl Makefile<'_> {
    /// Reads one more file into it.
    pub(crate) fn read(&mut self, text: &str, file: &Path, include: Include<'_>) {
        let mut open = Open { conditions: Conditions::new(self.way), ..Open::default() };
        let mut prefix = '\t';
        let mut lines = text.lines().zip(1..);
        while let Some((first, number)) = lines.next() {
            let recipe = first.strip_prefix(prefix).filter(|_| open.definition.is_none());
            let mut line = recipe.unwrap_or(first).to_owned();
            while line.ends_with('\\')
                && let Some((next, _)) = lines.next()
            {
                // A shell joins the lines of a recipe itself.
                match recipe {
                    Some(_) => line.extend(["\n", next.strip_prefix(prefix).unwrap_or(next)]),
                    None => {
                        line.pop();
                        line.extend([" ", next.trim_start()]);
                    }
                }
            }
            if recipe.is_none() && open.definition.is_none() && open.conditions.note(&line, &self.variables)
                || !open.conditions.counts()
            {
                continue;
            }
            if recipe.is_some() && open.rules {
                if let Some(last) = self.recipes.last_mut() {
                    last.commands.push((line, number));
                }
            } else if let Some((name, mut body, line_of_name)) = open.definition.take() {
                if line.trim() == "endef" {
                    body.truncate(body.trim_end_matches('\n').len());
                    self.variables.put(&name, body, false);
                    self.places.insert(name, (file.to_owned(), line_of_name));
                } else {
                    body.extend([line.as_str(), "\n"]);
                    open.definition = Some((name, body, line_of_name));
                }
            } else {
                let line = line.split('#').next().unwrap_or("").trim_end();
                match Definition::of(line) {
                    Some(Definition { name: ".RECIPEPREFIX", value, .. }) => {
                        prefix = value.chars().next().unwrap_or('\t');
                    }
                    _ if line.trim().is_empty() => {}
                    _ => self.note(line, (file, number), &mut open, include),
                }
            }
        }
        self.ways = self.ways.max(open.conditions.ways());
    }

    /// Lists what is exported, by what it comes to be in the end.
    pub(crate) fn exports(&self) -> Vec<Export> {
        let names: Vec<&str> = match self.exports_all {
            true => self.variables.names().into_iter().filter(|name| is_name(name)).collect(),
            false => self.exported.iter().map(String::as_str).collect(),
        };
        let export = |name: &str| {
            // One that a `define` holds keeps its lines as they are.
            let value = self.variables.value(name)?;
            Some(Export { name: name.to_owned(), value, place: self.places.get(name).cloned() })
        };
        let mut seen = HashMap::new();
        let names = names.into_iter().filter(|name| seen.insert(*name, ()).is_none());
        names.filter_map(export).collect()
    }

    fn note(&mut self, line: &str, (file, number): (&Path, u32), open: &mut Open, include: Include<'_>) {
        let words = line.trim_start();
        let (modified, rest) = Modified::of(words);
        let first = words.split([' ', '\t']).next().unwrap_or_default();
        let behind = words[first.len()..].trim_start();
        if let Some(definition) = Definition::of(words) {
            if definition.name == ".DEFAULT_GOAL" {
                self.default_goal = Some(self.variables.filled(definition.value, &Overlay::new()).text);
            } else {
                if self.variables.define(&definition) {
                    self.places.insert(definition.name.to_owned(), (file.to_owned(), number));
                }
                if definition.is_exported {
                    self.exported.push(definition.name.to_owned());
                }
            }
        } else if let ("include" | "-include" | "sinclude", false) = (first, behind.is_empty()) {
            for name in self.variables.filled(behind, &Overlay::new()).text.split_ascii_whitespace() {
                if name.contains(".env") {
                    let (path, reader) = (name.into(), FileReader::Make);
                    self.files.push(WrapperFile { path, reader, overrides: true });
                }
                include(self, name);
            }
        } else if let Some(name) = rest.strip_prefix("define ") {
            let name = name.trim().trim_end_matches([':', '?', '+', '=', ' ']);
            if modified.is_exported {
                self.exported.push(name.to_owned());
            }
            open.definition = Some((name.to_owned(), String::new(), number));
        } else if first == "undefine" {
            self.variables.remove(behind.trim());
        } else if first == "export" {
            let names = self.variables.filled(behind, &Overlay::new());
            // Which ones a command lists is not known: `export $(shell sed 's/=.*//' .env)`.
            self.exports_all |= behind.is_empty() || !names.is_whole;
            self.exported.extend(names.text.split_ascii_whitespace().filter(|name| is_name(name)).map(str::to_owned));
        } else if first == "unexport" {
            self.exported.retain(|name| !behind.split_ascii_whitespace().any(|other| other == name));
        } else if let Some(name) = bare_function(words) {
            let harmless = ["info ", "warning ", "error "].iter().any(|known| name.starts_with(known));
            let filled = self.variables.filled(words, &Overlay::new());
            let comes_to_nothing = filled.is_whole && filled.text.trim().is_empty();
            self.is_computed |= !harmless && !comes_to_nothing;
        } else if let Some((targets, rest)) = line.split_once(':').filter(|_| !line.starts_with(' ')) {
            let targets = self.variables.filled(targets, &Overlay::new()).text;
            self.exports_all |= targets.trim() == ".EXPORT_ALL_VARIABLES";
            self.add_rules(&targets, rest.trim_start_matches(':').trim(), (file, number));
            open.rules = true;
        }
    }

    /// Adds the rules of a line: prerequisites and a command, or a variable.
    fn add_rules(&mut self, targets: &str, rest: &str, (file, number): (&Path, u32)) {
        let (needs, command) = rest.split_once(';').unwrap_or((rest, ""));
        let (mut variable, mut all) = (None, Vec::new());
        match Definition::of(rest) {
            Some(Definition { name, operator, value, .. }) => {
                let text = match operator {
                    Operator::Simple => self.variables.filled(value, &Overlay::new()).text,
                    Operator::Shell => format!("$(shell {value})"),
                    Operator::Recursive | Operator::Default | Operator::Append => value.to_owned(),
                };
                variable = Some((name.to_owned(), text, operator == Operator::Append));
            }
            None => {
                let needs = self.variables.filled(needs, &Overlay::new()).text;
                all.extend(needs.split_ascii_whitespace().filter(|need| *need != "|").map(str::to_owned));
            }
        }
        let command = Some(command.trim()).filter(|command| !command.is_empty() && variable.is_none());
        let commands = command.map(|command| (command.to_owned(), number)).into_iter().collect();
        self.recipes.push(Recipe { commands, file: file.to_owned() });
        let (recipe, needs) = (self.recipes.len() - 1, Rc::new(all));
        for target in targets.split_ascii_whitespace().filter(|target| !is_special(target)) {
            let (needs, variable) = (Rc::clone(&needs), variable.clone());
            self.rules.push(Rule { target: target.to_owned(), needs, recipe, variable });
        }
    }
}

/// Finds what stands in `$(…)` where a line is nothing else.
fn bare_function(line: &str) -> Option<&str> {
    let inside = line.strip_prefix("$(")?.strip_suffix(')')?;
    let mut depth = 0_i32;
    let is_one = inside.bytes().all(|byte| {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        depth >= 0
    });
    is_one.then_some(inside)
}

/// Tells whether a target is one of make's own: `.PHONY`, `.DELETE_ON_ERROR`.
fn is_special(target: &str) -> bool {
    let name = target.strip_prefix('.').unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Reads a text in each way that its conditions may go.
    fn read(text: &str, given: &[(String, String)]) -> Vec<Makefile<'static>> {
        let mut ways: Vec<Makefile<'static>> = Vec::new();
        while ways.last().is_none_or(|last| ways.len() < last.ways) {
            let mut makefile = Makefile { way: ways.len(), ..Makefile::default() };
            makefile.variables.present = Some(&|name| name == ".env");
            makefile.variables.give(given);
            makefile.read(text, Path::new("Makefile"), &mut |makefile, name| {
                let text = format!("{name}:\n\tincluded {name}\n");
                makefile.read(&text, Path::new(name), &mut |_, _| {});
            });
            ways.push(makefile);
        }
        ways
    }

    fn recipes(text: &str, targets: &str, given: &[(String, String)]) -> (Vec<String>, bool) {
        let targets: Vec<String> = targets.split_ascii_whitespace().map(str::to_owned).collect();
        let (mut recipes, mut is_told, mut is_absent) = (Vec::new(), false, true);
        for makefile in read(text, given) {
            let wanted = makefile.wanted(&targets);
            let made = wanted.made.iter().map(|made| made.text.trim().to_owned());
            recipes.extend(made);
            is_told |= wanted.is_computed || makefile.is_computed;
            is_absent &= wanted.is_absent;
        }
        (recipes, is_told || is_absent)
    }

    #[test]
    fn make_target_is_read_with_its_prerequisites_and_variables() {
        let text = "include .env\nENV ?= test\nexport A = $(ENV)\n\ntest: migrate | db\n\t@APP_ENV=$(ENV) jest $$X\n\nmigrate:\n\tgoose up\n";
        let recipes = |targets, given: &[(String, String)]| recipes(text, targets, given);
        let both = vec!["goose up".to_owned(), "APP_ENV=test jest $X".to_owned()];
        assert_eq!(recipes("test", &[]), (both.clone(), false));
        assert_eq!(recipes("migrate test migrate", &[]), (both, false));
        let given = [("ENV".to_owned(), "ci".to_owned())];
        assert_eq!(recipes("", &given).0, ["goose up", "APP_ENV=ci jest $X"]);
        assert_eq!(recipes("deploy", &[]), (Vec::new(), true));
        let makefile = &read(text, &[])[0];
        let exports: Vec<(String, String)> =
            makefile.exports().into_iter().map(|export| (export.name, export.value)).collect();
        assert_eq!(exports, [("A".to_owned(), "test".to_owned())]);
        assert_eq!(makefile.files[0].path, Path::new(".env"));
    }

    #[test]
    fn all_forms_of_a_makefile_are_followed_or_told() {
        for (text, targets, expected, is_told) in [
            ("t: a \\\n  b\n\tx\na:\n\ty\nb:\n\tz\n", "t", "y|z|x", false),
            ("t:\n\tpsql \\\n  -h db\n", "t", "psql \\\n  -h db", false),
            ("t:\n\tx\ndb-%: pre-%\n\ty\npre-a:\n\tz\n", "db-a", "z|y", false),
            ("t: db-a\n\tx\ndb-%:\n\ty $* $@\n", "t", "y a db-a|x", false),
            ("include a.mk b.mk\nt: b.mk\n\tx\n", "t", "included b.mk|x", false),
            ("N = a\nt: $(N)\n\tx\n$(N):\n\ty\n", "t", "y|x", false),
            (".DEFAULT_GOAL := b\na:\n\tx\nb:\n\ty\n", "", "y", false),
            ("define X\n@y\nz\nendef\nt:\n\t$(X)\n", "t", "y\nz", false),
            ("f = y $(1) $(2)\nt:\n\t@$(call f,a, b)\n", "t", "y a b", false),
            (".RECIPEPREFIX = >\nt:\n>y\n", "t", "y", false),
            ("t:\n\t$(MAKE) b\n", "t", "make b", false),
            ("t:\n\techo $(shell y)\n", "t", "echo $(y)", false),
            ("t: $(wildcard *.go)\n\tx\n", "t", "x", false),
            ("t: $(addprefix db-,$(ALL))\n\tx\n", "t", "x", true),
            ("t:\n\t$(foreach a,b,y)\n", "t", "$(foreach a,b,y)", true),
            ("$(eval $(call f,a))\nt:\n\tx\n", "t", "x", true),
            ("$(foreach n,a b,$(eval $(call f,$(n))))\nt:\n\tx\n", "t", "x", true),
            ("$(info reading)\nt:\n\tx\n", "t", "x", false),
            ("ifdef A\nt:\n\tx\nelse\nt:\n\ty\nendif\n", "t", "y", false),
            ("ifeq ($(shell a),b)\nt:\n\tx\nelse\nt:\n\ty\nendif\n", "t", "x|y", false),
            ("ifeq ($(shell a),b)\nci:\n\tx\nendif\nt:\n\ty\n", "ci", "x", false),
            ("A = b\nifeq ($(A),b)\nt:\n\tx\nelse\n\tz\nt:\n\ty\nendif\n", "t", "x", false),
            ("A = $(B)\nB = b\nifeq ($(A),b)\nt:\n\tx\nelse\nt:\n\ty\nendif\nB = c\n", "t", "x", false),
            ("t:\nifneq ($(wildcard .env),)\n\tx\nelse\n\ty\nendif\n", "t", "x", false),
            ("t:\n\tx\n", "absent", "", true),
            ("t:\n\tx $(H)\nH = late\n", "t", "x late", false),
            ("H = here\np: H = there\np: q\n\tx $(H)\nq:\n\ty $(H)\nt: q\n", "p t", "y there|x there|y here", false),
            ("H = a\nt: H += b\nt:\n\tx $(H)\n", "t", "x a b", false),
            ("exporter = y\nexports ?= z\nt:\n\tx $(exporter) $(exports)\n", "t", "x y z", false),
            ("ifeq ($(shell a),b)\nH = c\nelse\nH = d\nendif\nt:\n\tx $(H)\n", "t", "x c|x d", false),
        ] {
            let (found, told) = recipes(text, targets, &[]);
            assert_eq!((found.join("|").as_str(), told), (expected, is_told), "{text}");
        }
    }

    #[test]
    fn of_files_that_exclude_each_other_the_one_that_is_there_counts() {
        for (text, expected) in [
            ("ifneq ($(wildcard .env),)\ninclude .env\nelse\ninclude .env.example\nendif\n", ".env"),
            ("ifeq (,$(wildcard .env.ci))\ninclude .env\nelse\ninclude .env.ci\nendif\n", ".env"),
            ("ifeq ($(shell a),b)\ninclude .env.ci\nelse\ninclude .env\nendif\n", ".env.ci|.env"),
            ("ifdef CI\ninclude .env.ci\nelse\ninclude .env\nendif\n", ".env"),
            ("include .env .env.test\n", ".env .env.test"),
        ] {
            let of_way = |makefile: Makefile<'_>| {
                let names: Vec<String> = makefile.files.iter().map(|file| file.path.display().to_string()).collect();
                names.join(" ")
            };
            let files: Vec<String> = read(text, &[]).into_iter().map(of_way).collect();
            assert_eq!(files.join("|"), expected, "{text}");
        }
    }

    #[test]
    fn what_is_exported_by_name_only_is_exported() {
        for (text, expected) in [
            ("A = b\nexport A\n", &[("A", "b")][..]),
            ("export A\nA = b\n", &[("A", "b")]),
            ("A = b\nexport\n", &[("A", "b")]),
            (".EXPORT_ALL_VARIABLES:\nA = b\n", &[("A", "b")]),
            ("A = b\nexport $(shell cut -d= -f1 .env)\n", &[("A", "b")]),
            ("define A\nb\n c\nendef\nexport A\n", &[("A", "b\n c")]),
            ("export define A\nb\nendef\n", &[("A", "b")]),
            ("export A = b\nunexport A\n", &[]),
            ("A = b\n", &[]),
        ] {
            let exports = read(text, &[])[0].exports();
            let exports: Vec<(&str, &str)> = exports.iter().map(|export| (&*export.name, &*export.value)).collect();
            assert_eq!(exports, expected, "{text}");
        }
    }

    #[test]
    fn long_recipes_with_many_targets_come_to_an_end_soon() {
        let targets: String = (0..60_000).map(|at| format!("t{at} ")).collect();
        let commands = "\tx\n".repeat(60_000);
        let started = std::time::Instant::now();
        let text = format!("{targets}:\n{commands}");
        assert_eq!(recipes(&text, "t7", &[]).0[0].matches('x').count(), 60_000);
        assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    }
}
