//! `make TARGET`: the recipes of a Makefile, with the variables and files that it gives them.

mod conditions;
mod reader;
mod rules;

use std::path::{Path, PathBuf};

use crate::environment::Origin;
use crate::environment::follow::makefile::rules::Makefile;
use crate::environment::follow::script::Script;
use crate::environment::follow::shell_text::assignment;
use crate::environment::follow::{Expansion, Step, non_empty};
use crate::environment::invocation::AssignedAt;
use crate::environment::workspace_patterns::expand;

/// How deep makefiles that include each other are read.
const DEEPEST: usize = 16;
/// The most makefiles that one call reads.
const MOST_FILES: usize = 1000;

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
        let present = |name: &str| self.files.exists(&folder.join(name));
        let mut makefile = Makefile { present: Some(&present), ..Makefile::of(&given) };
        let mut read = Vec::new();
        for path in paths {
            self.read_makefile(&mut makefile, &path, &folder, &mut read, 0);
        }
        if read.is_empty() {
            return (Vec::new(), false);
        }
        makefile.finish();
        let wanted = makefile.rules_for(&targets);
        if wanted.is_unknown || makefile.is_computed {
            self.cut("its makefile makes rules or commands that are not computed here, or none for what is asked");
        }
        let mut steps = Vec::new();
        let is_exported = |name: &String| makefile.exports.iter().any(|(own, _)| own == name);
        let places = makefile.places.iter().filter(|(name, ..)| is_exported(name));
        let places = places.map(|(name, value, file, line)| {
            (name.clone(), value.clone(), Origin::file(name.clone(), self.project.shown(file), *line))
        });
        let places: Vec<AssignedAt> = places.collect();
        for (rule, exports) in wanted.rules {
            // Variables given to make are exported to the recipes.
            let assignments = makefile.exports.iter().chain(exports.iter().copied()).chain(&given).cloned().collect();
            let (name, text, line, files) =
                (rule.target.clone(), rule.recipe.clone(), rule.line, makefile.files.clone());
            let script = Script { name, text, line, assignments, places: places.clone(), files };
            steps.extend(self.script(&rule.file, &folder, script));
            if self.is_exhausted() {
                break;
            }
        }
        non_empty(steps)
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
            for path in expanded.folders.iter().filter(|path| self.files.exists(path)) {
                self.read_makefile(makefile, path, folder, read, depth + 1);
            }
        });
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
