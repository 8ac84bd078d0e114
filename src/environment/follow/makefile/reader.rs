//! A makefile's text: its lines, definitions, rules and includes.

use std::path::Path;
use std::rc::Rc;

use crate::environment::follow::makefile::conditions::Conditions;
use crate::environment::follow::makefile::rules::{Makefile, OfTarget, Recipe, Rule};
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
    rule: bool,
    /// The variable of a `define`, with its lines so far.
    definition: Option<(String, String, u32)>,
    conditions: Conditions,
}

impl Makefile<'_> {
    /// Reads one more file into it.
    pub(crate) fn read(&mut self, text: &str, file: &Path, include: Include<'_>) {
        let mut open = Open::default();
        let mut prefix = '\t';
        let mut lines = text.lines().zip(1..);
        while let Some((first, number)) = lines.next() {
            // Where no rule is open, a line that begins so is one like others.
            let recipe = first.strip_prefix(prefix).filter(|_| open.rule && open.definition.is_none());
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
            let is_code = recipe.is_none() && open.definition.is_none();
            if is_code && open.conditions.note(&line, &self.variables, &mut self.choices) || !open.conditions.counts() {
                continue;
            }
            if recipe.is_some() {
                if let Some(last) = self.recipes.last_mut() {
                    last.commands.push((line, number));
                }
            } else if let Some((name, mut body, line_of_name)) = open.definition.take() {
                if line.trim() == "endef" {
                    body.truncate(body.trim_end_matches('\n').len());
                    self.variables.put(&name, body, false);
                    self.place(&name, file, line_of_name);
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
    }

    /// Tells whether what make starts gets a variable that the makefile sets.
    pub(crate) fn is_exported(&self, name: &str) -> bool {
        let is_told = self.exported.contains(name) || self.exports_all && is_name(name);
        (is_told || self.variables.is_handed_on(name)) && !self.unexported.contains(name)
    }

    /// Lists what is exported, by what it comes to be in the end.
    pub(crate) fn exports(&self) -> Vec<Export> {
        let names = self.variables.names().into_iter().filter(|name| self.is_exported(name));
        let export = |name: &str| {
            // One that a `define` holds keeps its lines as they are.
            let value = self.variables.value(name)?;
            Some(Export { name: name.to_owned(), value, place: self.places.get(name).cloned() })
        };
        names.filter_map(export).collect()
    }

    /// Notes that variables are exported.
    fn export<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        for name in names {
            self.unexported.remove(name);
            self.exported.insert(name.to_owned());
        }
    }

    fn note(&mut self, line: &str, (file, number): (&Path, u32), open: &mut Open, include: Include<'_>) {
        let words = line.trim_start();
        let (modified, rest) = Modified::of(words);
        let first = words.split([' ', '\t']).next().unwrap_or_default();
        let behind = words[first.len()..].trim_start();
        open.rule = false;
        if let Some(definition) = Definition::of(words) {
            if definition.name == ".DEFAULT_GOAL" {
                self.default_goal = Some(self.variables.filled(definition.value, &Overlay::default()).text);
            } else {
                if self.variables.define(&definition) {
                    self.place(definition.name, file, number);
                }
                self.export(Some(definition.name).filter(|_| definition.is_exported).into_iter());
            }
        } else if let ("include" | "-include" | "sinclude", false) = (first, behind.is_empty()) {
            for name in self.variables.filled(behind, &Overlay::default()).text.split_ascii_whitespace() {
                if name.contains(".env") {
                    let (path, reader) = (name.into(), FileReader::Make);
                    self.files.push(WrapperFile { path, reader, overrides: true });
                }
                include(self, name);
            }
        } else if let Some(name) = rest.strip_prefix("define ") {
            let name = name.trim().trim_end_matches([':', '?', '+', '=', ' ']);
            self.export(Some(name).filter(|_| modified.is_exported).into_iter());
            open.definition = Some((name.to_owned(), String::new(), number));
        } else if first == "undefine" {
            self.variables.remove(behind.trim());
        } else if first == "export" {
            let names = self.variables.filled(behind, &Overlay::default());
            // Which ones a command lists is not known: `export $(shell sed 's/=.*//' .env)`.
            self.exports_all |= behind.is_empty() || !names.is_whole;
            self.export(names.text.split_ascii_whitespace().filter(|name| is_name(name)));
        } else if first == "unexport" {
            self.exports_all &= !behind.is_empty();
            for name in self.variables.filled(behind, &Overlay::default()).text.split_ascii_whitespace() {
                self.exported.remove(name);
                self.unexported.insert(name.to_owned());
            }
        } else if let Some(name) = bare_function(words) {
            let harmless = ["info ", "warning ", "error "].iter().any(|known| name.starts_with(known));
            let filled = self.variables.filled(words, &Overlay::default());
            let comes_to_nothing = filled.is_whole && filled.text.trim().is_empty();
            self.is_computed |= !harmless && !comes_to_nothing;
        } else if let Some((targets, rest)) = line.split_once(':') {
            let targets = self.variables.filled(targets, &Overlay::default()).text;
            self.exports_all |= targets.trim() == ".EXPORT_ALL_VARIABLES";
            let rest = rest.trim_start_matches(':').trim();
            match Definition::of(rest) {
                Some(definition) => self.add_variable(&targets, &definition),
                None => {
                    self.add_rules(&targets, rest, (file, number));
                    open.rule = true;
                }
            }
        }
    }

    /// Adds what a line sets for its targets.
    fn add_variable(&mut self, targets: &str, definition: &Definition<'_>) {
        let Definition { name, operator, value, is_exported, overrides } = *definition;
        let is_left = operator == Operator::Default && self.variables.is_set(name);
        if is_left || self.variables.is_given(name) && !overrides {
            return;
        }
        let text = match operator {
            Operator::Simple => self.variables.filled(value, &Overlay::default()).text,
            Operator::Shell => format!("$(shell {value})"),
            Operator::Recursive | Operator::Default | Operator::Append => value.to_owned(),
        };
        let variable = Rc::new(OfTarget { name: name.to_owned(), text, operator, is_exported });
        for target in targets.split_ascii_whitespace() {
            let variable = Some(Rc::clone(&variable));
            self.rules.push(Rule { target: target.to_owned(), variable, ..Rule::default() });
        }
    }

    /// Adds the rules of a line: prerequisites and a command.
    fn add_rules(&mut self, targets: &str, rest: &str, (file, number): (&Path, u32)) {
        let (needs, command) = rest.split_once(';').unwrap_or((rest, ""));
        let needs = self.variables.filled(needs, &Overlay::default()).text;
        let needs: Vec<String> =
            needs.split_ascii_whitespace().filter(|need| *need != "|").map(str::to_owned).collect();
        let command = Some(command.trim()).filter(|command| !command.is_empty());
        let commands = command.map(|command| (command.to_owned(), number)).into_iter().collect();
        self.recipes.push(Recipe { commands, file: file.to_owned() });
        let (recipe, needs) = (Some(self.recipes.len() - 1), Rc::new(needs));
        for target in targets.split_ascii_whitespace().filter(|target| !is_special(target)) {
            self.rules.push(Rule { target: target.to_owned(), needs: Rc::clone(&needs), recipe, variable: None });
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
    use crate::environment::follow::makefile::conditions::Choices;

    /// Reads a text in each way that its conditions may go.
    fn read(text: &str, given: &[(String, String)]) -> Vec<Makefile<'static>> {
        let (mut open, mut ways) = (vec![Vec::new()], Vec::new());
        while let Some(way) = open.get(ways.len()).cloned() {
            let mut makefile = Makefile { choices: Choices::settled(way), ..Makefile::default() };
            makefile.variables.present = Some(&|name| name == ".env");
            makefile.variables.environment = Some(&|name| (name == "THERE").then(|| "there".to_owned()));
            makefile.variables.give(given);
            makefile.read(text, Path::new("Makefile"), &mut |makefile, name| {
                let text = format!("{name}:\n\tincluded {name}\n");
                makefile.read(&text, Path::new(name), &mut |_, _| {});
            });
            open.extend(makefile.choices.others());
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
            ("\tifeq (a,b)\n\tH = c\n\telse\n\tH = d\n\tendif\nt:\n\tx $(H)\n", "t", "x d", false),
            ("u:\n\ty\nH = c\n\tifeq (a,a)\n\tH = d\n\tendif\nt:\n\tx $(H)\n", "t", "x d", false),
            ("t:\n\tx\n\n# more\n\ty\n", "t", "x\n\n\ny", false),
            ("H = a\nt: H ?= b\nt: I ?= c\nt: I ?= d\nt:\n\tx $(H) $(I)\n", "t", "x a c", false),
            ("q: H ?= b\nt: H = a\nt: q\n\tx $(H)\nq:\n\ty $(H)\n", "t", "y b|x a", false),
            ("%-db: H = a\nt-db: H += b\nt-db u-db:\n\tx $(H)\n", "t-db u-db", "x a b|x a", false),
            ("  t:\n\tx\n", "t", "x", false),
        ] {
            let (found, told) = recipes(text, targets, &[]);
            assert_eq!((found.join("|").as_str(), told), (expected, is_told), "{text}");
        }
    }

    #[test]
    fn what_is_given_beats_what_a_line_sets_for_its_target() {
        let given = [("H".to_owned(), "given".to_owned())];
        for (line, expected) in
            [("t: H = own", "x given"), ("t: override H = own", "x own"), ("t: H += own", "x given")]
        {
            assert_eq!(recipes(&format!("{line}\nt:\n\tx $(H)\n"), "t", &given).0, [expected], "{line}");
        }
    }

    #[test]
    fn what_is_set_for_a_target_is_exported_where_make_does_so() {
        for (text, expected) in [
            ("t: H = a\n", &[][..]),
            ("t: export H = a\n", &[("H", "a")]),
            ("export H\nt: H = a\n", &[("H", "a")]),
            ("export\nt: H = a\n", &[("H", "a")]),
            ("export H\nunexport H\nt: H = a\n", &[]),
            ("t: THERE = a\n", &[("THERE", "a")]),
            ("t: THERE ?= a\n", &[]),
        ] {
            let mut makefile = Makefile::default();
            makefile.variables.environment = Some(&|name| (name == "THERE").then(|| "there".to_owned()));
            makefile.read(&format!("{text}t:\n\tx\n"), Path::new("Makefile"), &mut |_, _| {});
            let made = makefile.wanted(&["t".to_owned()]).made;
            let variables: Vec<(&str, &str)> =
                made[0].variables.iter().map(|(name, text)| (&**name, &**text)).collect();
            assert_eq!(variables, expected, "{text}");
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
            ("THERE = b\n", &[("THERE", "b")]),
            ("THERE = b\nunexport THERE\n", &[]),
            ("export\nA = b\nC = d\nunexport A\n", &[("C", "d")]),
            ("unexport A\nA = b\nexport A\n", &[("A", "b")]),
        ] {
            let exports = read(text, &[])[0].exports();
            let exports: Vec<(&str, &str)> = exports.iter().map(|export| (&*export.name, &*export.value)).collect();
            assert_eq!(exports, expected, "{text}");
        }
    }

    #[test]
    fn many_targets_with_variables_and_needs_come_to_an_end_soon() {
        let chain: String = (0..16_000).map(|at| format!("t{at}: V{at} = {at}\nt{at}: t{}\n\tx\n", at + 1)).collect();
        let names: String = (0..16_000).map(|at| format!(" t{at}")).collect();
        let adding: String = (0..16_000).map(|at| format!("t{at}: V += {at}\nt{at}: t{}\n\tx\n", at + 1)).collect();
        let calls: String = (0..16_000).map(|at| format!("t: V{at} = $(call f,$(V{}))\n", at + 1)).collect();
        let lines = "\tx\n".repeat(16_000);
        for text in [
            chain,
            format!("all:{names}\n{names}:{names}\n\tx\n"),
            adding,
            format!("f = $(1)$(2)\n{calls}t:\n\tx $(V0)\n"),
            format!("all:{names}\n{names}:\n{lines}"),
        ] {
            let started = std::time::Instant::now();
            let (_, is_told) = recipes(&text, "", &[]);
            assert!(is_told, "{}", crate::text::head(&text, 80));
            assert!(started.elapsed().as_secs() < 60, "{:?} {}", started.elapsed(), crate::text::head(&text, 80));
        }
    }

    #[test]
    fn long_recipes_with_many_targets_come_to_an_end_soon() {
        let targets: String = (0..60_000).map(|at| format!("t{at} ")).collect();
        let commands = "\tx\n".repeat(60_000);
        let started = std::time::Instant::now();
        let text = format!("{targets}:\n{commands}");
        assert_eq!(recipes(&text, "t7", &[]).0[0].matches('x').count(), 60_000);
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }
}
