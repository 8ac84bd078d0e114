//! `make TARGET`: the recipes of a Makefile, with the variables and files that it gives them.

mod conditions;
mod reader;
mod rules;
mod variables;

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::keyed_hasher;
use crate::environment::Origin;
use crate::environment::follow::makefile::conditions::Choices;
use crate::environment::follow::makefile::reader::Export;
use crate::environment::follow::makefile::rules::{Made, Makefile};
use crate::environment::follow::script::Script;
use crate::environment::follow::shell_text::assignment;
use crate::environment::follow::{Emptied, Expansion, Step, WrapperFile, non_empty};
use crate::environment::invocation::AssignedAt;
use crate::environment::paths::normal;
use crate::environment::workspace_patterns::expand_to_files;

/// How deep makefiles that include each other are read.
const DEEPEST: usize = 16;
/// The most makefiles that one call reads.
const MOST_FILES: usize = 1000;
/// The most ways that its conditions go which are followed.
const MOST_WAYS: usize = 64;
/// Bytes that all ways together may read and fill in; the last one ends where it ends.
const MOST_SPENT: usize = 64 << 20;

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
        let (mut steps, mut is_absent, mut spent) = (Vec::new(), true, 0);
        let (mut ways, mut at, mut seen) = (vec![Vec::new()], 0, HashSet::new());
        while let Some(way) = ways.get_mut(at).map(std::mem::take) {
            if at == MOST_WAYS || spent > MOST_SPENT {
                self.cut("its makefile has more conditions that are not computed here than are followed in all ways");
                break;
            }
            at += 1;
            let mut makefile = Makefile { choices: Choices::settled(way), ..Makefile::default() };
            makefile.variables.present = Some(&present);
            makefile.variables.environment = Some(&environment);
            makefile.variables.give(&given);
            let mut read = Vec::new();
            for path in &paths {
                spent += self.read_makefile(&mut makefile, path, &folder, &mut read, 0);
            }
            if read.is_empty() {
                return (Vec::new(), false);
            }
            ways.extend(makefile.choices.others().take(MOST_WAYS + 1 - ways.len().min(MOST_WAYS)));
            let mut wanted = makefile.wanted(&targets);
            is_absent &= wanted.is_absent;
            if wanted.is_computed || makefile.is_computed {
                self.cut("its makefile makes rules or commands that are not computed here");
            }
            if makefile.variables.is_cut() {
                self.cut("the variables of its makefile add more than 1 MiB to it");
            }
            spent += makefile.variables.spent() + wanted.made.iter().map(Made::size).sum::<usize>();
            let around = self.around(&makefile, &folder);
            // Most ways differ in little.
            wanted.made.retain(|made| {
                let mut hasher = keyed_hasher();
                (made, &around.exports, around.files.iter().map(|file| &file.path).collect::<Vec<_>>())
                    .hash(&mut hasher);
                seen.insert(hasher.finish())
            });
            steps.extend(self.made(around, wanted.made, &folder));
        }
        if is_absent {
            self.cut("its makefile holds no rule for what is asked");
        }
        non_empty(steps)
    }

    /// Finds what the makefile gives to all of its recipes.
    fn around(&self, makefile: &Makefile<'_>, folder: &Path) -> Around {
        let exports = makefile.exports();
        let place = |export: &Export| {
            let (file, line) = export.place.as_ref()?;
            let origin = Origin::file(export.name.clone(), self.project.shown(file), *line);
            Some((export.name.clone(), export.value.clone(), origin))
        };
        let places: Rc<Vec<AssignedAt>> = Rc::new(exports.iter().filter_map(place).collect());
        // What it includes for its variables says more of how they are written; but they are make's own unless they are
        // exported, and what is set anew is another.
        let exporting = exports.iter().filter_map(|export| Some(normal(&export.place.as_ref()?.0)));
        let exporting: HashSet<PathBuf> = exporting.collect();
        let set_anew: HashSet<PathBuf> = makefile.set_anew.iter().map(|path| normal(path)).collect();
        let is_exported = |file: &&WrapperFile| {
            let path = normal(&folder.join(&file.path));
            (makefile.exports_all || exporting.contains(&path)) && !set_anew.contains(&path)
        };
        let files = makefile.files.iter().filter(is_exported).cloned().collect();
        let exports = exports.into_iter().map(|export| (export.name, export.value)).collect();
        // What they do not get is not told by the environment any more.
        let withheld = makefile.unexported.iter().filter(|name| makefile.variables.is_handed_on(name));
        let withheld: Vec<String> = withheld.map(|name| format!("!{name}")).collect();
        let kept = (!withheld.is_empty()).then(|| Rc::new([vec!["*".to_owned()], withheld].concat()));
        Around { exports, places, files, kept }
    }

    /// The steps of recipes, each with what is exported to it.
    fn made(&self, around: Around, all: Vec<Made>, folder: &Path) -> Vec<Step> {
        let Around { exports, places, files, kept } = around;
        let before = self.step.invocation.assignments.len();
        let mut steps: Vec<Step> = Vec::new();
        for Made { target: name, text, file, line, variables } in all {
            if !self.affords(1 + exports.len() + variables.len()) {
                break;
            }
            let at = steps.len();
            let assignments = exports.iter().cloned().chain(variables).collect();
            let (places, files) = (Rc::clone(&places), files.clone());
            steps.extend(self.script(&file, folder, Script { name, text, line, assignments, places, files }));
            if let Some(kept) = &kept {
                let emptied = || Emptied { before, kept: Rc::clone(kept) };
                for step in &mut steps[at..] {
                    step.emptied.get_or_insert_with(emptied);
                }
            }
        }
        steps
    }

    /// Reads a makefile and those that it includes, each in its place; gives how many bytes they are.
    fn read_makefile(
        &self,
        makefile: &mut Makefile<'_>,
        path: &Path,
        folder: &Path,
        read: &mut Vec<PathBuf>,
        depth: usize,
    ) -> usize {
        if depth > DEEPEST || read.len() >= MOST_FILES {
            self.cut("its makefiles include more than 1,000 others, or each other more than 16 deep");
            return 0;
        }
        let Some(text) = self.text_of(path) else { return 0 };
        let mut bytes = text.len();
        read.push(path.to_owned());
        makefile.read(&text, path, &mut |makefile, name| {
            if name.contains('$') {
                return self.cut("its makefile includes what is not computed here");
            }
            let expanded = expand_to_files(folder, name, self.files);
            if expanded.is_cut {
                self.cut("its makefile includes more than 4,096 others");
            }
            // One that is not there yet is made first, or does without.
            makefile.variables.is_incomplete |=
                !name.contains(".env") && !expanded.folders.iter().any(|path| self.files.exists(path));
            for path in expanded.folders.iter().filter(|path| self.files.exists(path)) {
                bytes += self.read_makefile(makefile, path, folder, read, depth + 1);
            }
        });
        bytes
    }
}

/// What a makefile gives to all of its recipes.
struct Around {
    exports: Vec<(String, String)>,
    places: Rc<Vec<AssignedAt>>,
    files: Vec<WrapperFile>,
    /// Which variables of the environment they get, as patterns, where it keeps some from them.
    kept: Option<Rc<Vec<String>>>,
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
