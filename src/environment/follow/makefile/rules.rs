//! The rules of a makefile, and which of them a call of make follows.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::follow::WrapperFile;
use crate::environment::follow::makefile::conditions::Choices;
use crate::environment::follow::makefile::variables::{Operator, Overlay, Variables};

/// The most rules for a pattern that are tried on each name.
const MOST_PATTERNS: usize = 1000;
/// The most targets that one call is followed into, each with the variables that it is made with.
const MOST_TARGETS: usize = 16_384;
/// The most variables that are set for one target and for what it is made for.
const MOST_SET: usize = 64;
/// Bytes of names, commands and variables that one call is followed into.
const MOST_MADE: usize = 32 << 20;
/// What a name counts for besides its length, in such bytes.
const NAME: usize = 128;
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
    /// The files that set a variable which another one sets anew.
    pub(crate) set_anew: HashSet<PathBuf>,
    /// The names that are exported, whatever they come to be.
    pub(crate) exported: BTreeSet<String>,
    /// Those that are not, though they are in the environment.
    pub(crate) unexported: BTreeSet<String>,
    pub(crate) exports_all: bool,
    pub(crate) files: Vec<WrapperFile>,
    pub(crate) default_goal: Option<String>,
    /// A function of make that is not computed here makes a part of it that could be a rule.
    pub(crate) is_computed: bool,
    /// How the conditions go that hang on what is not known.
    pub(crate) choices: Choices,
}

/// One target with what its line says.
#[derive(Default)]
pub(crate) struct Rule {
    pub(crate) target: String,
    pub(crate) needs: Rc<Vec<String>>,
    /// The recipe's place among those of the makefile: all targets of a line share it.
    pub(crate) recipe: Option<usize>,
    /// What the line sets for the target instead.
    pub(crate) variable: Option<Rc<OfTarget>>,
}

/// A variable that is set for a target, and for what it needs.
pub(crate) struct OfTarget {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) operator: Operator,
    pub(crate) is_exported: bool,
}

/// The commands of a rule, as they stand there, each with its line.
#[derive(Default)]
pub(crate) struct Recipe {
    pub(crate) commands: Vec<(String, u32)>,
    pub(crate) file: PathBuf,
}

/// The text of a recipe for one target.
#[derive(Debug, Default, Hash)]
pub(crate) struct Made {
    pub(crate) target: String,
    pub(crate) text: String,
    pub(crate) file: PathBuf,
    /// The line of the recipe's first command.
    pub(crate) line: u32,
    /// What is exported besides, since it is set for this target, or for what it is made for.
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

/// What is set for a target: names, texts, and whether the line says that it is exported.
type Set = Rc<Vec<(String, Rc<str>, bool)>>;

/// A target that is to be made, with the variables that are set for what it is made for.
struct Open {
    name: String,
    variables: Set,
    is_asked: bool,
}

impl Makefile<'_> {
    /// Notes where a variable is set.
    pub(crate) fn place(&mut self, name: &str, file: &Path, line: u32) {
        let before = self.places.insert(name.to_owned(), (file.to_owned(), line));
        self.set_anew.extend(before.map(|(before, _)| before).filter(|before| before != file));
    }

    fn recipe(&self, rule: &Rule) -> Option<&Recipe> {
        self.recipes.get(rule.recipe?).filter(|recipe| !recipe.commands.is_empty())
    }

    /// Finds what `make targets` follows; for the default goal where `targets` are empty.
    pub(crate) fn wanted(&self, targets: &[String]) -> Wanted {
        let (patterns, plain): (Vec<&Rule>, Vec<&Rule>) = self.rules.iter().partition(|rule| rule.target.contains('%'));
        let mut by_target: HashMap<&str, Vec<&Rule>> = HashMap::new();
        plain.iter().for_each(|rule| by_target.entry(&rule.target).or_default().push(rule));
        // A pattern makes what no rule with a recipe does; what it sets, it sets for all, the weakest first.
        let makers = |name: &str| -> Vec<(&Rule, String)> {
            let own = by_target.get(name).map_or(&[][..], Vec::as_slice);
            let is_made = own.iter().any(|rule| self.recipe(rule).is_some());
            let fitting = patterns.iter().take(MOST_PATTERNS).filter(|rule| !is_made || rule.variable.is_some());
            let fitting = fitting.filter_map(|rule| Some((*rule, rule.stem(name)?.to_owned())));
            fitting.chain(own.iter().map(|rule| (*rule, "%".to_owned()))).collect()
        };
        let may_be_first =
            |rule: &&&Rule| rule.variable.is_none() && (!rule.target.starts_with('.') || rule.target.contains('/'));
        let first = || plain.iter().find(may_be_first).map(|rule| rule.target.clone());
        let default = if targets.is_empty() { self.default_goal.clone().or_else(first) } else { None };
        let mut seen: HashSet<(String, Set)> = HashSet::new();
        let mut wanted = Wanted { is_computed: patterns.len() > MOST_PATTERNS, ..Wanted::default() };
        let mut left = MOST_MADE;
        for target in targets.iter().cloned().chain(default) {
            let mut found: Vec<Vec<Made>> = Vec::new();
            let mut open = vec![Open { name: target, variables: Rc::default(), is_asked: true }];
            while let Some(Open { name, variables, is_asked }) = open.pop() {
                if !seen.insert((name.clone(), Rc::clone(&variables))) {
                    continue;
                }
                if seen.len() > MOST_TARGETS || left == 0 {
                    wanted.is_computed = true;
                    break;
                }
                let makers = makers(&name);
                wanted.is_absent |= is_asked && makers.iter().all(|(rule, _)| rule.variable.is_some());
                let own = makers.iter().filter_map(|(rule, _)| rule.variable.as_deref());
                let (variables, is_cut) = self.with_own(&variables, own);
                wanted.is_computed |= is_cut;
                let size: usize = variables.iter().map(|(name, text, _)| name.len() + text.len() + NAME).sum();
                left = left.saturating_sub(size);
                for (rule, stem) in &makers {
                    for need in rule.needs.iter() {
                        wanted.is_computed |= names_targets(need);
                        let name = need.replace('%', stem);
                        left = left.saturating_sub(name.len() + NAME);
                        if left > 0 {
                            open.push(Open { name, variables: Rc::clone(&variables), is_asked: false });
                        }
                    }
                }
                let made = makers.iter().filter_map(|(rule, stem)| {
                    let recipe = self.recipe(rule).filter(|_| left > 0)?;
                    let first = rule.needs.first().map_or_else(String::new, |need| need.replace('%', stem));
                    let stem = if stem == "%" { &name } else { stem };
                    let automatic = [("@", &*name), ("*", stem), ("<", &first)];
                    let (made, is_computed) = self.made(recipe, &automatic, &variables);
                    wanted.is_computed |= is_computed;
                    left = left.saturating_sub(made.size() + recipe.commands.len() * NAME);
                    Some(made)
                });
                found.push(made.collect());
                wanted.is_computed |= left == 0;
            }
            wanted.made.extend(found.into_iter().rev().flatten());
        }
        wanted
    }

    /// Adds what is set for a target to what is set for those that it is made for; tells whether some of it is left out.
    fn with_own<'o>(&self, outer: &Set, own: impl Iterator<Item = &'o OfTarget>) -> (Set, bool) {
        let mut own = own.peekable();
        if own.peek().is_none() {
            return (Rc::clone(outer), false);
        }
        let (mut variables, mut seen, mut is_cut) = (Vec::clone(outer), HashSet::new(), false);
        for OfTarget { name, text, operator, is_exported } in own {
            if !seen.insert(name) && *operator == Operator::Default {
                continue;
            }
            let before = variables.iter().position(|(known, ..)| known == name).map(|at| variables.remove(at).1);
            let text = match before.as_deref().or_else(|| self.variables.held(name)) {
                Some(before) if *operator == Operator::Append => format!("{before} {text}").into(),
                _ => text.as_str().into(),
            };
            match variables.len() < MOST_SET {
                true => variables.push((name.clone(), text, *is_exported)),
                false => is_cut = true,
            }
        }
        (Rc::new(variables), is_cut)
    }

    /// Fills the variables into a recipe; tells whether a function of make that is not computed here makes a command.
    fn made(&self, recipe: &Recipe, automatic: &[(&str, &str); 3], variables: &Set) -> (Made, bool) {
        let automatic = automatic.map(|(name, value)| (name, value.replace('$', "$$")));
        let of_target = variables.iter().map(|(name, text, _)| (name.as_str(), Some(&**text)));
        let entries: Vec<(&str, Option<&str>)> =
            of_target.chain(automatic.iter().map(|(name, value)| (*name, Some(value.as_str())))).collect();
        let overlay = Overlay { entries: &entries, beneath: None };
        let target = automatic[0].1.clone();
        let line = recipe.commands.first().map_or(1, |(_, line)| *line);
        let mut made = Made { target, file: recipe.file.clone(), line, ..Made::default() };
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
        let exported = variables.iter().filter(|(name, _, is_exported)| {
            let is_exported = *is_exported && !self.unexported.contains(name) || self.is_exported(name);
            is_exported && !self.variables.is_given(name)
        });
        let exported = exported.map(|(name, text, _)| (name.clone(), self.variables.filled(text, &overlay).text));
        made.variables = exported.collect();
        (made, is_computed)
    }
}

impl Made {
    /// Gives about how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let variables = self.variables.iter().map(|(name, value)| name.len() + value.len() + NAME);
        self.target.len() + self.text.len() + NAME + variables.sum::<usize>()
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
