//! The recipes that a call of just runs, and what they need first.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::environment::follow::WrapperFile;
use crate::environment::follow::justfile::reader::{Justfile, Recipe};
use crate::environment::follow::script::{PlacedScript, Script};

/// More recipes, each with what is given to it, are not followed.
const MOST_RECIPES: usize = 4096;

impl Justfile {
    /// Finds the recipes that the words `asked` name (the first one where there are none), what they need first; and
    /// tells whether one is needed that is not there. Words behind a recipe that it has parameters for are arguments.
    pub(crate) fn scripts(&self, asked: &[&str]) -> (Vec<PlacedScript>, bool) {
        let mut by_name: HashMap<&str, &Recipe> =
            self.recipes.iter().map(|recipe| (recipe.name.as_str(), recipe)).collect();
        for (alias, name) in &self.aliases {
            let recipe = by_name.get(name.as_str()).copied();
            by_name.extend(recipe.map(|recipe| (alias.as_str(), recipe)));
        }
        let mut all: Vec<(&Recipe, Vec<String>)> = Vec::new();
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
            all.push((recipe, given.iter().map(|word| (*word).to_owned()).collect()));
            rest = others;
        }
        if asked.is_empty() {
            all.extend(self.recipes.first().map(|recipe| (recipe, Vec::new())));
        }
        is_unknown |= all.is_empty();
        // One runs once for what is given to it.
        let mut seen = HashSet::new();
        all.retain(|(recipe, given)| seen.insert((recipe.name.as_str(), given.clone())));
        let mut at = 0;
        while at < all.len() {
            let (needing, arguments) = all[at].clone();
            for (name, expressions) in &needing.needs {
                let Some(recipe) = by_name.get(name.as_str()).copied() else {
                    is_unknown = true;
                    continue;
                };
                let given: Vec<String> = expressions.iter().map(|one| self.given(one, needing, &arguments)).collect();
                if seen.insert((recipe.name.as_str(), given.clone())) {
                    all.push((recipe, given));
                }
            }
            at += 1;
            if all.len() > MOST_RECIPES {
                is_unknown = true;
                break;
            }
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
                text: self.filled(recipe, &given),
                line: recipe.line,
                assignments: [exports.clone(), self.exported_parameters(recipe, &given)].concat(),
                places: Rc::default(),
                files: files.clone(),
            };
            PlacedScript { file: recipe.file.clone(), folder: recipe.folder.clone(), script }
        });
        (scripts.collect(), is_unknown)
    }
}
