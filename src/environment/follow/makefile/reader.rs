//! A makefile's text: its lines, definitions, rules and includes.

use std::borrow::Cow;
use std::path::Path;

use crate::environment::follow::makefile::conditions::Conditions;
use crate::environment::follow::makefile::rules::{Makefile, Rule};
use crate::environment::follow::shell_text::is_name;
use crate::environment::follow::{FileReader, WrapperFile};

/// Bytes that the variables of one makefile may add to it; what is beyond them stays as written.
const MOST_EXPANDED: usize = 1 << 20;

/// More lines between two commands of a recipe are not counted.
const MOST_BETWEEN: usize = 256;

/// Reads a makefile that another one includes, by the name that stands there.
type Include<'i> = &'i mut dyn FnMut(&mut Makefile<'_>, &str);

/// What the lines before have opened.
#[derive(Default)]
struct Open {
    rules: std::ops::Range<usize>,
    /// The variable of a `define`, with its lines so far.
    definition: Option<(String, String)>,
    conditions: Conditions,
}

impl<'f> Makefile<'f> {
    /// An empty one, with the variables that are given on the command line.
    pub(crate) fn of(given: &[(String, String)]) -> Makefile<'f> {
        let make = ("MAKE".to_owned(), "make".to_owned());
        Makefile {
            variables: std::iter::once(make).chain(given.iter().cloned()).collect(),
            given: given.iter().map(|(name, _)| name.clone()).collect(),
            ..Makefile::default()
        }
    }

    /// Reads one more file into it.
    pub(crate) fn read(&mut self, text: &str, file: &Path, include: Include<'_>) {
        let mut open = Open::default();
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
            if recipe.is_none() && open.definition.is_none() && open.conditions.note(&line, self)
                || !open.conditions.may_count()
            {
                continue;
            }
            if recipe.is_some() {
                self.add_command((&line, number), &open);
            } else if let Some((name, mut body)) = open.definition.take() {
                if line.trim() == "endef" {
                    self.variables.insert(name, body);
                } else {
                    body.push_str(without_flags(&self.expanded(&line)));
                    body.push('\n');
                    open.definition = Some((name, body));
                }
            } else {
                let line = line.split('#').next().unwrap_or("").trim_end();
                if let Some((".RECIPEPREFIX", value)) = definition(line).as_ref().map(|(name, value)| (&**name, value))
                {
                    prefix = value.chars().next().unwrap_or('\t');
                } else if !line.trim().is_empty() {
                    self.note(line, (file, number), &mut open, include);
                }
            }
        }
    }

    /// Exports what is exported by name only.
    pub(crate) fn finish(&mut self) {
        let names: Vec<&String> = if self.exports_all {
            self.variables.keys().filter(|name| *name != "MAKE").collect()
        } else {
            self.exported_names.iter().collect()
        };
        let pairs = names.into_iter().filter_map(|name| Some((name.clone(), self.variables.get(name)?.clone())));
        let mut pairs: Vec<(String, String)> = pairs.collect();
        pairs.sort();
        self.exports.extend(pairs);
    }

    fn add_command(&mut self, (line, number): (&str, u32), open: &Open) {
        let expanded = self.expanded(without_flags(line));
        let command = without_flags(&expanded);
        let computes = ["$(foreach ", "$(call ", "$(eval ", "$(if ", "$(and ", "$(or "];
        let is_computed = computes.iter().any(|function| command.starts_with(function));
        for rule in &mut self.rules[open.rules.clone()] {
            rule.is_computed |= is_computed;
            // Its first command tells where the recipe begins; lines without a command keep their places.
            if rule.recipe.is_empty() {
                rule.line = number;
            }
            let line = rule.recipe.matches('\n').count();
            let missing = usize::try_from(number.saturating_sub(rule.line)).unwrap_or_default().saturating_sub(line);
            rule.recipe.extend(std::iter::repeat_n('\n', missing.min(MOST_BETWEEN)));
            rule.recipe.push_str(command);
            rule.recipe.push('\n');
        }
    }

    fn note(&mut self, line: &str, (file, number): (&Path, u32), open: &mut Open, include: Include<'_>) {
        let words = line.trim_start();
        let unexported = words.strip_prefix("export").filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
        if let Some(names) = ["include ", "-include ", "sinclude "].iter().find_map(|word| words.strip_prefix(word)) {
            for name in self.expanded(names).split_ascii_whitespace() {
                if name.contains(".env") {
                    let (path, reader) = (name.into(), FileReader::Make);
                    // The last one beats those before it; of two that exclude each other the first one does.
                    let at = if open.conditions.is_other_way() { 0 } else { self.files.len() };
                    self.files.insert(at, WrapperFile { path, reader, overrides: true });
                } else {
                    include(self, name);
                }
            }
        } else if let Some(name) = words.strip_prefix("define ") {
            let name = name.trim().trim_end_matches([':', '?', '+', '=', ' ']);
            open.definition = Some((name.to_owned(), String::new()));
        } else if words.starts_with("$(eval ") {
            self.is_computed = true;
        } else if let Some((name, value)) = definition(unexported.unwrap_or(words).trim_start()) {
            if name == ".DEFAULT_GOAL" {
                self.default_goal = Some(self.expanded(&value));
            } else if !self.given.contains(&name) {
                if is_default(words, &name) {
                    self.overridable.insert(name.clone());
                } else {
                    self.overridable.remove(&name);
                }
                let pair = (name, self.expanded(&value));
                self.places.push((pair.0.clone(), pair.1.clone(), file.to_owned(), number));
                if unexported.is_some() {
                    self.exports.push(pair.clone());
                }
                self.variables.insert(pair.0, pair.1);
            }
        } else if let Some(names) = unexported {
            self.exports_all |= names.is_empty();
            self.exported_names.extend(names.split_ascii_whitespace().map(str::to_owned));
        } else if let Some((targets, rest)) = line.split_once(':').filter(|_| !line.starts_with(' ')) {
            let start = self.rules.len();
            let targets = self.expanded(targets);
            self.exports_all |= targets.trim() == ".EXPORT_ALL_VARIABLES";
            for target in targets.split_ascii_whitespace().filter(|target| !is_special(target)) {
                let rule = Rule { target: target.to_owned(), file: file.to_owned(), line: number, ..Rule::default() };
                self.rules.push(self.headed(rule, rest));
            }
            open.rules = start..self.rules.len();
        }
    }

    /// The rule with what stands behind its target: prerequisites and a command, or a variable.
    fn headed(&self, mut rule: Rule, rest: &str) -> Rule {
        let rest = rest.trim_start_matches(':').trim();
        let (needs, recipe) = rest.split_once(';').unwrap_or((rest, ""));
        match definition(rest.strip_prefix("export ").unwrap_or(rest)) {
            Some((name, value)) => rule.exports.push((name, self.expanded(&value))),
            None => {
                let needs = self.expanded(needs);
                rule.needs = needs.split_ascii_whitespace().filter(|need| *need != "|").map(str::to_owned).collect();
                rule.recipe = without_flags(&self.expanded(recipe.trim())).to_owned();
            }
        }
        rule
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
            let known = rest[1..].find(close).and_then(|end| Some((self.value(&rest[1..=end])?, end + 2)));
            match known {
                Some((value, length)) if self.expanded_bytes.get() < MOST_EXPANDED => {
                    self.expanded_bytes.set(self.expanded_bytes.get() + value.len());
                    expanded.push_str(&value);
                    rest = &rest[length..];
                }
                _ => {
                    expanded.push('$');
                    // `$(shell X)` runs what a shell runs as `$(X)`.
                    if let Some(behind) = rest.strip_prefix("(shell ") {
                        expanded.push('(');
                        rest = behind;
                    }
                }
            }
        }
        expanded.push_str(rest);
        expanded
    }

    /// Expands a text that hangs on nothing but the makefile; `None` where something else may change it.
    pub(crate) fn certain(&self, text: &str) -> Option<String> {
        let hangs_on_more = self.overridable.iter().any(|name| text.contains(&format!("({name})")));
        let expanded = self.expanded(text);
        (!hangs_on_more && !expanded.contains('$')).then_some(expanded)
    }

    /// The value of a variable, of `wildcard NAME`, or of `call NAME,ARGUMENTS`.
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        if let (Some(file), Some(present)) = (name.strip_prefix("wildcard "), self.present) {
            let file = file.trim();
            let is_one = !file.contains(['*', '?', '[', ' ', '$']);
            return is_one.then(|| if present(file) { file.to_owned().into() } else { "".into() });
        }
        let Some(call) = name.strip_prefix("call ") else { return self.variables.get(name).map(Cow::from) };
        let mut parts = call.split(',').map(str::trim);
        let body = self.variables.get(parts.next()?)?;
        let arguments = parts.zip(1..10).map(|(argument, at)| (format!("$({at})"), argument));
        Some(arguments.fold(Cow::from(body), |body, (place, argument)| body.replace(&place, argument).into()))
    }
}

/// Tells whether a target is one of make's own: `.PHONY`, `.DELETE_ON_ERROR`.
fn is_special(target: &str) -> bool {
    let name = target.strip_prefix('.').unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase())
}

/// A command of a recipe without what stands before it for make.
fn without_flags(command: &str) -> &str {
    command.trim_start_matches(['@', '-', '+', ' ', '\t'])
}

/// Tells whether a definition leaves the variable to the environment: `X ?= y`.
fn is_default(line: &str, name: &str) -> bool {
    line.trim_start_matches("export").trim_start()[name.len()..].trim_start().starts_with('?')
}

/// `X = y`, `X := y`, `X ?= y` taken apart.
fn definition(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end_matches([':', '?', '+', '!', ' ', '\t']);
    (is_name(name) || matches!(name, ".DEFAULT_GOAL" | ".RECIPEPREFIX"))
        .then(|| (name.to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str, given: &[(String, String)]) -> Makefile<'static> {
        let mut makefile = Makefile { present: Some(&|name| name == ".env"), ..Makefile::of(given) };
        makefile.read(text, Path::new("Makefile"), &mut |makefile, name| {
            let text = format!("{name}:\n\tincluded {name}\n");
            makefile.read(&text, Path::new(name), &mut |_, _| {});
        });
        makefile.finish();
        makefile
    }

    fn recipes(text: &str, targets: &str, given: &[(String, String)]) -> (Vec<String>, bool) {
        let targets: Vec<String> = targets.split_ascii_whitespace().map(str::to_owned).collect();
        let makefile = read(text, given);
        let wanted = makefile.rules_for(&targets);
        let recipes = wanted.rules.iter().map(|(rule, _)| rule.recipe.trim().to_owned()).collect();
        (recipes, wanted.is_unknown || makefile.is_computed)
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
        let makefile = read(text, &[]);
        assert_eq!(makefile.exports, [("A".to_owned(), "test".to_owned())]);
        assert_eq!(makefile.files[0].path, Path::new(".env"));
    }

    #[test]
    fn all_forms_of_a_makefile_are_followed_or_told() {
        for (text, targets, expected, is_told) in [
            ("t: a \\\n  b\n\tx\na:\n\ty\nb:\n\tz\n", "t", "y|z|x", false),
            ("t:\n\tpsql \\\n  -h db\n", "t", "psql \\\n  -h db", false),
            ("t:\n\tx\ndb-%: pre-%\n\ty\npre-a:\n\tz\n", "db-a", "z|y", false),
            ("t: db-a\n\tx\ndb-%:\n\ty\n", "t", "y|x", false),
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
            ("ifdef A\nt:\n\tx\nelse\nt:\n\ty\nendif\n", "t", "x|y", false),
            ("A = b\nifeq ($(A),b)\nt:\n\tx\nelse\n\tz\nt:\n\ty\nendif\n", "t", "x", false),
            ("t:\nifneq ($(wildcard .env),)\n\tx\nelse\n\ty\nendif\n", "t", "x", false),
            ("t:\n\tx\n", "absent", "", true),
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
            ("ifdef CI\ninclude .env.ci\nelse\ninclude .env\nendif\n", ".env .env.ci"),
            ("include .env .env.test\n", ".env .env.test"),
        ] {
            let files: Vec<String> = read(text, &[]).files.iter().map(|file| file.path.display().to_string()).collect();
            assert_eq!(files.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn what_is_exported_by_name_only_is_exported() {
        for (text, expected) in [
            ("A = b\nexport A\n", &[("A", "b")][..]),
            ("export A\nA = b\n", &[("A", "b")]),
            ("A = b\nexport\n", &[("A", "b")]),
            (".EXPORT_ALL_VARIABLES:\nA = b\n", &[("A", "b")]),
            ("A = b\n", &[]),
        ] {
            let exports = read(text, &[]).exports;
            let exports: Vec<(&str, &str)> = exports.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(exports, expected, "{text}");
        }
    }
}
