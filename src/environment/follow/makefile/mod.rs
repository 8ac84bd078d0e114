//! `make TARGET`: the recipes of a Makefile, with the variables and files that it gives them.

mod conditions;
mod reader;
mod rules;
mod variables;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::Origin;
use crate::environment::follow::makefile::reader::Export;
use crate::environment::follow::makefile::rules::{Made, Makefile};
use crate::environment::follow::script::Script;
use crate::environment::follow::shell_text::assignment;
use crate::environment::follow::{Expansion, Step, non_empty};
use crate::environment::invocation::AssignedAt;
use crate::environment::workspace_patterns::expand;

/// How deep makefiles that include each other are read.
const DEEPEST: usize = 16;
/// The most makefiles that one call reads.
const MOST_FILES: usize = 1000;
/// The most ways that its conditions go which are followed.
const MOST_WAYS: usize = 8;

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
                None if word == "--environment-overrides" || is_short(word) && word.contains('e') => {
                    self.cut("make is told that the environment beats its file");
                }
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
        let present = |name: &str| self.files.exists(&folder.join(name));
        let environment = |name: &str| self.variable(name);
        let (mut steps, mut way, mut ways, mut is_absent) = (Vec::new(), 0, 1, true);
        while way < ways {
            let mut makefile = Makefile { way, ..Makefile::default() };
            makefile.variables.present = Some(&present);
            makefile.variables.environment = Some(&environment);
            makefile.variables.give(&given);
            let mut read = Vec::new();
            for path in &paths {
                self.read_makefile(&mut makefile, path, &folder, &mut read, 0);
            }
            if read.is_empty() {
                return (Vec::new(), false);
            }
            let wanted = makefile.wanted(&targets);
            is_absent &= wanted.is_absent;
            if wanted.is_computed || makefile.is_computed {
                self.cut("its makefile makes rules or commands that are not computed here");
            }
            steps.extend(self.made(&makefile, wanted.made, &given, &folder));
            if makefile.variables.is_cut() {
                self.cut("the variables of its makefile add more than 1 MiB to it");
            }
            if makefile.ways > MOST_WAYS {
                self.cut("a condition of its makefile has more than 8 branches that are not computed here");
            }
            (way, ways) = (way + 1, makefile.ways.min(MOST_WAYS));
        }
        if is_absent {
            self.cut("its makefile holds no rule for what is asked");
        }
        non_empty(steps)
    }

    /// The steps of recipes, each with what is exported to it.
    fn made(&self, makefile: &Makefile<'_>, all: Vec<Made>, given: &[(String, String)], folder: &Path) -> Vec<Step> {
        let exports = makefile.exports();
        let place = |export: &Export| {
            let (file, line) = export.place.as_ref()?;
            let origin = Origin::file(export.name.clone(), self.project.shown(file), *line);
            Some((export.name.clone(), export.value.clone(), origin))
        };
        let places: Rc<Vec<AssignedAt>> = Rc::new(exports.iter().filter_map(place).collect());
        let exports: Vec<(String, String)> = exports.into_iter().map(|export| (export.name, export.value)).collect();
        let mut steps = Vec::new();
        for Made { target: name, text, file, line, variables } in all {
            // Variables given to make are exported to the recipes.
            let assignments = exports.iter().cloned().chain(variables).chain(given.iter().cloned()).collect();
            let (places, files) = (Rc::clone(&places), makefile.files.clone());
            steps.extend(self.script(&file, folder, Script { name, text, line, assignments, places, files }));
            if self.is_exhausted() {
                break;
            }
        }
        steps
    }

    /// Reads a makefile and those that it includes, each in its place.
    fn read_makefile(
        &self,
        makefile: &mut Makefile<'_>,
        path: &Path,
        folder: &Path,
        read: &mut Vec<PathBuf>,
        depth: usize,
    ) {
        if depth > DEEPEST || read.len() >= MOST_FILES {
            return self.cut("its makefiles include more than 1,000 others, or each other more than 16 deep");
        }
        let Some(text) = self.text_of(path) else { return };
        read.push(path.to_owned());
        makefile.read(&text, path, &mut |makefile, name| {
            if name.contains('$') {
                return self.cut("its makefile includes what is not computed here");
            }
            let expanded = expand(folder, name, self.files);
            if expanded.is_cut {
                self.cut("its makefile includes more than 4,096 others");
            }
            // One that is not there yet is made first, or does without.
            makefile.variables.is_incomplete |=
                !name.contains(".env") && !expanded.folders.iter().any(|path| self.files.exists(path));
            for path in expanded.folders.iter().filter(|path| self.files.exists(path)) {
                self.read_makefile(makefile, path, folder, read, depth + 1);
            }
        });
    }
}

/// Tells whether a word is options of one letter each.
fn is_short(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--")
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

#[cfg(test)]
mod tests {
    use super::*;

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
