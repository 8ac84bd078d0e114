//! The rules of a makefile, and which of them a call of make follows.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use crate::environment::follow::WrapperFile;
use crate::environment::follow::makefile::variables::{Overlay, Variables};

/// The most rules for a pattern that are tried on each name.
const MOST_PATTERNS: usize = 1000;
/// The most targets that one call is followed into, each with the variables that it is made with.
const MOST_TARGETS: usize = 16_384;
/// More lines between two commands of a recipe are not counted.
const MOST_BETWEEN: usize = 256;

/// A makefile with those that it includes.
#[derive(Default)]
pub(crate) struct Makefile<'f> {
    pub(crate) rules: Vec<Rule>,
    pub(crate) recipes: Vec<Recipe>,
    pub(crate) variables: Variables<'f>,
    /// Where a variable is set last.
    pub(crate) places: HashMap<String, (PathBuf, u32)>,
    /// The names that are exported, whatever they come to be.
    pub(crate) exported: Vec<String>,
    pub(crate) exports_all: bool,
    pub(crate) files: Vec<WrapperFile>,
    pub(crate) default_goal: Option<String>,
    /// A function of make that is not computed here makes a part of it that could be a rule.
    pub(crate) is_computed: bool,
    /// Which way the conditions go that hang on what is not known: see `Conditions`.
    pub(crate) way: usize,
    /// How many such ways there are.
    pub(crate) ways: usize,
}

/// One target with what its line says.
#[derive(Default)]
pub(crate) struct Rule {
    pub(crate) target: String,
    pub(crate) needs: Rc<Vec<String>>,
    /// The recipe's place among those of the makefile: all targets of a line share it.
    pub(crate) recipe: usize,
    /// The variable that the line sets for the target instead, its text, and whether that is added to what it was.
    pub(crate) variable: Option<(String, String, bool)>,
}

/// The commands of a rule, as they stand there, each with its line.
#[derive(Default)]
pub(crate) struct Recipe {
    pub(crate) commands: Vec<(String, u32)>,
    pub(crate) file: PathBuf,
}

/// The text of a recipe for one target.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) target: String,
    pub(crate) text: String,
    pub(crate) file: PathBuf,
    /// The line of the recipe's first command.
    pub(crate) line: u32,
    /// What is set for this target, and for what is made for it.
    pub(crate) variables: Vec<(String, String)>,
}

/// What a call of make follows.
#[derive(Default)]
pub(crate) struct Wanted {
    /// The recipes, prerequisites first, each once for the variables that it is made with.
    pub(crate) made: Vec<Made>,
    /// No rule makes one of the targets.
    pub(crate) is_absent: bool,
    /// What one needs or runs is not computed here, or is too much.
    pub(crate) is_computed: bool,
}

impl Rule {
    /// What `%` stands for, where the target is a pattern that fits.
    fn stem<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (before, behind) = self.target.split_once('%')?;
        name.strip_prefix(before)?.strip_suffix(behind)
    }
}

/// What is set for a target: names and texts.
type Set = Rc<Vec<(String, String)>>;

/// A target that is to be made, with the variables that are set for what it is made for.
struct Open {
    name: String,
    variables: Set,
    is_asked: bool,
}

impl Makefile<'_> {
    fn has_recipe(&self, rule: &Rule) -> bool {
        self.recipes.get(rule.recipe).is_some_and(|recipe| !recipe.commands.is_empty())
    }

    /// Finds what `make targets` follows; for the default goal where `targets` are empty.
    pub(crate) fn wanted(&self, targets: &[String]) -> Wanted {
        let (patterns, plain): (Vec<&Rule>, Vec<&Rule>) = self.rules.iter().partition(|rule| rule.target.contains('%'));
        let mut by_target: HashMap<&str, Vec<&Rule>> = HashMap::new();
        plain.iter().for_each(|rule| by_target.entry(&rule.target).or_default().push(rule));
        // A pattern makes what no rule with a recipe does.
        let makers = |name: &str| -> Vec<(&Rule, String)> {
            let own = by_target.get(name).map_or(&[][..], Vec::as_slice);
            let mut makers: Vec<(&Rule, String)> = own.iter().map(|rule| (*rule, "%".to_owned())).collect();
            if own.iter().all(|rule| !self.has_recipe(rule)) {
                let fitting = patterns.iter().take(MOST_PATTERNS);
                makers.extend(fitting.filter_map(|rule| Some((*rule, rule.stem(name)?.to_owned()))));
            }
            makers
        };
        let may_be_first =
            |rule: &&&Rule| rule.variable.is_none() && (!rule.target.starts_with('.') || rule.target.contains('/'));
        let first = || plain.iter().find(may_be_first).map(|rule| rule.target.clone());
        let default = if targets.is_empty() { self.default_goal.clone().or_else(first) } else { None };
        let mut seen: HashSet<(String, Set)> = HashSet::new();
        let mut wanted = Wanted { is_computed: patterns.len() > MOST_PATTERNS, ..Wanted::default() };
        for target in targets.iter().cloned().chain(default) {
            let mut found: Vec<Vec<Made>> = Vec::new();
            let mut open = vec![Open { name: target, variables: Rc::default(), is_asked: true }];
            while let Some(Open { name, variables, is_asked }) = open.pop() {
                if !seen.insert((name.clone(), Rc::clone(&variables))) {
                    continue;
                }
                if seen.len() > MOST_TARGETS {
                    wanted.is_computed = true;
                    break;
                }
                let makers = makers(&name);
                wanted.is_absent |= is_asked && makers.iter().all(|(rule, _)| rule.variable.is_some());
                let variables = self.with_own(&variables, &makers);
                for (rule, stem) in &makers {
                    for need in rule.needs.iter() {
                        wanted.is_computed |= names_targets(need);
                        let name = need.replace('%', stem);
                        open.push(Open { name, variables: Rc::clone(&variables), is_asked: false });
                    }
                }
                let made = makers.iter().filter(|(rule, _)| self.has_recipe(rule));
                found.push(
                    made.map(|(rule, stem)| {
                        let (made, is_computed) = self.made(rule, &name, stem, &variables);
                        wanted.is_computed |= is_computed;
                        made
                    })
                    .collect(),
                );
            }
            wanted.made.extend(found.into_iter().rev().flatten());
        }
        wanted
    }

    /// Adds what is set for a target to what is set for those that it is made for.
    fn with_own(&self, outer: &Rc<Vec<(String, String)>>, makers: &[(&Rule, String)]) -> Rc<Vec<(String, String)>> {
        let mut own = makers.iter().filter_map(|(rule, _)| rule.variable.as_ref()).peekable();
        if own.peek().is_none() {
            return Rc::clone(outer);
        }
        let mut variables = Vec::clone(outer);
        for (name, text, is_added) in own {
            let before = variables.iter().position(|(known, _)| known == name).map(|at| variables.remove(at).1);
            let text = match before.as_deref().or_else(|| self.variables.held(name)).filter(|_| *is_added) {
                Some(before) => format!("{before} {text}"),
                None => text.clone(),
            };
            variables.push((name.clone(), text));
        }
        Rc::new(variables)
    }

    /// Fills the variables into a recipe; tells whether a function of make that is not computed here makes a command.
    fn made(&self, rule: &Rule, target: &str, stem: &str, variables: &[(String, String)]) -> (Made, bool) {
        let recipe = &self.recipes[rule.recipe];
        let mut overlay: Overlay = variables.iter().cloned().collect();
        let first = rule.needs.first().map_or_else(String::new, |need| need.replace('%', stem));
        let automatic = [("@", target), ("*", if stem == "%" { target } else { stem }), ("<", &first)];
        overlay.extend(automatic.map(|(name, value)| (name.to_owned(), value.replace('$', "$$"))));
        let line = recipe.commands.first().map_or(1, |(_, line)| *line);
        let mut made = Made { target: target.to_owned(), file: recipe.file.clone(), line, ..Made::default() };
        let (mut lines, mut is_computed) = (0_usize, false);
        let computes = ["$(foreach ", "$(call ", "$(eval ", "$(if ", "$(and ", "$(or "];
        for (command, number) in &recipe.commands {
            let filled = self.variables.filled(without_flags(command), &overlay).text;
            is_computed |= computes.iter().any(|function| without_flags(&filled).starts_with(function));
            // Lines without a command keep their places.
            let missing = usize::try_from(number.saturating_sub(line)).unwrap_or_default().saturating_sub(lines);
            made.text.extend(std::iter::repeat_n('\n', missing.min(MOST_BETWEEN)));
            lines += missing;
            // The lines of a `define` are commands of their own, but for those that go on.
            let mut goes_on = false;
            for part in filled.split('\n') {
                made.text.extend([if goes_on { part } else { without_flags(part) }, "\n"]);
                goes_on = part.ends_with('\\');
                lines += 1;
            }
        }
        let own = variables.iter().map(|(name, text)| (name.clone(), self.variables.filled(text, &overlay).text));
        made.variables = own.collect();
        (made, is_computed)
    }
}

/// Whether a prerequisite is what a function or variable that is not computed here stands for, and may name a rule;
/// lists of files do not.
fn names_targets(need: &str) -> bool {
    ["$(addprefix", "$(addsuffix", "$(foreach", "$(call"].iter().any(|function| need.starts_with(function))
}

/// A command of a recipe without what stands before it for make.
fn without_flags(command: &str) -> &str {
    command.trim_start_matches(['@', '-', '+', ' ', '\t'])
}
