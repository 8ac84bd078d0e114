//! The rules of a makefile, and which of them a call of make follows.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use crate::environment::follow::WrapperFile;

/// The most rules for a pattern that are tried on each name.
const MOST_PATTERNS: usize = 1000;

/// What is exported for one target.
pub(crate) type Exports<'m> = Vec<&'m (String, String)>;

/// A makefile with those that it includes.
#[derive(Default)]
pub(crate) struct Makefile<'f> {
    pub(crate) rules: Vec<Rule>,
    pub(crate) variables: HashMap<String, String>,
    /// The variables that the environment beats (`X ?= y`).
    pub(crate) overridable: HashSet<String>,
    /// Tells whether a file is there, by its path from the folder that make runs in.
    pub(crate) present: Option<&'f dyn Fn(&str) -> bool>,
    /// What was given on the command line: it beats what the file says.
    pub(crate) given: HashSet<String>,
    pub(crate) exports: Vec<(String, String)>,
    /// Where a variable gets each of its values.
    pub(crate) places: Vec<(String, String, PathBuf, u32)>,
    /// The names that `export NAME` exports, whatever they come to be.
    pub(crate) exported_names: Vec<String>,
    pub(crate) exports_all: bool,
    pub(crate) files: Vec<WrapperFile>,
    pub(crate) default_goal: Option<String>,
    /// A function of make that is not computed here makes a part of it that could be a rule.
    pub(crate) is_computed: bool,
    /// Bytes that variables have added so far: doubling ones must not fill the memory.
    pub(crate) expanded_bytes: Cell<usize>,
}

#[derive(Default)]
pub(crate) struct Rule {
    pub(crate) target: String,
    pub(crate) needs: Vec<String>,
    pub(crate) recipe: String,
    pub(crate) exports: Vec<(String, String)>,
    /// A function of make that is not computed here makes a command of its recipe.
    pub(crate) is_computed: bool,
    pub(crate) file: PathBuf,
    /// The line of the recipe's first command; of the rule's head where the recipe begins there.
    pub(crate) line: u32,
}

/// What a call of make follows.
pub(crate) struct Wanted<'m> {
    /// The rules with a recipe, prerequisites first, each once and with what is exported for its target.
    pub(crate) rules: Vec<(&'m Rule, Rc<Exports<'m>>)>,
    /// No rule makes one of the targets, or what one needs is not computed here.
    pub(crate) is_unknown: bool,
}

impl Rule {
    /// What `%` stands for, where the target is a pattern that fits.
    fn stem<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (before, behind) = self.target.split_once('%')?;
        name.strip_prefix(before)?.strip_suffix(behind)
    }
}

impl Makefile<'_> {
    /// Finds the rules that `make targets` follows; those of the default goal where `targets` are empty.
    pub(crate) fn rules_for(&self, targets: &[String]) -> Wanted<'_> {
        let (patterns, plain): (Vec<&Rule>, Vec<&Rule>) = self.rules.iter().partition(|rule| rule.target.contains('%'));
        let mut by_target: HashMap<&str, Vec<&Rule>> = HashMap::new();
        plain.iter().for_each(|rule| by_target.entry(&rule.target).or_default().push(rule));
        // A pattern makes what no rule with a recipe does.
        let makers = |name: &str| {
            let mut makers: Vec<(&Rule, &str)> = Vec::new();
            makers.extend(by_target.get(name).into_iter().flatten().map(|rule| (*rule, "%")));
            if makers.iter().all(|(rule, _)| rule.recipe.is_empty()) {
                let fitting = patterns.iter().take(MOST_PATTERNS);
                let fitting = fitting.filter_map(|rule| Some((*rule, rule.stem(name)?.to_owned())));
                return makers.into_iter().map(|(rule, stem)| (rule, stem.to_owned())).chain(fitting).collect();
            }
            makers.into_iter().map(|(rule, stem)| (rule, stem.to_owned())).collect::<Vec<_>>()
        };
        let may_be_first = |rule: &&&Rule| !rule.target.starts_with('.') || rule.target.contains('/');
        let first = || plain.iter().find(may_be_first).map(|rule| rule.target.clone());
        let default = if targets.is_empty() { self.default_goal.clone().or_else(first) } else { None };
        let mut seen = HashSet::new();
        let mut wanted = Wanted { rules: Vec::new(), is_unknown: patterns.len() > MOST_PATTERNS };
        for target in targets.iter().cloned().chain(default) {
            let mut found: Vec<Vec<(&Rule, String)>> = Vec::new();
            let mut open = vec![target.clone()];
            while let Some(name) = open.pop() {
                if !seen.insert(name.clone()) {
                    continue;
                }
                let makers = makers(&name);
                wanted.is_unknown |= makers.is_empty() && name == target;
                for (rule, stem) in &makers {
                    wanted.is_unknown |= rule.is_computed;
                    for need in &rule.needs {
                        wanted.is_unknown |= names_targets(need);
                        open.push(need.replace('%', stem));
                    }
                }
                found.push(makers);
            }
            for makers in found.iter().rev() {
                let exports: Rc<Exports<'_>> = Rc::new(makers.iter().flat_map(|(rule, _)| &rule.exports).collect());
                let with_recipe = makers.iter().filter(|(rule, _)| !rule.recipe.is_empty());
                wanted.rules.extend(with_recipe.map(|(rule, _)| (*rule, Rc::clone(&exports))));
            }
        }
        wanted
    }
}

/// Whether a prerequisite is what a function or variable that is not computed here stands for, and may name a rule;
/// lists of files do not.
fn names_targets(need: &str) -> bool {
    ["$(addprefix", "$(addsuffix", "$(foreach", "$(call"].iter().any(|function| need.starts_with(function))
}
