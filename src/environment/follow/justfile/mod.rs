//! `just RECIPE`: the recipes of a justfile, with the variables and files that it gives them.

mod reader;
mod recipes;
mod values;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::environment::Origin;
use crate::environment::follow::justfile::reader::{Justfile, Unread};
use crate::environment::follow::justfile::values::is_identifier;
use crate::environment::follow::{Expansion, FileReader, Step, WrapperFile, non_empty};
use crate::environment::invocation::{AssignedAt, option_of};
use crate::environment::paths::{nearest, normal, parent};

/// The most files of recipes that one call reads.
const MOST_FILES: usize = 256;

/// The options of just that take a value, or two, besides those that are looked at.
const VALUED: &[(&str, usize)] = &[
    ("--chooser", 1),
    ("--color", 1),
    ("--command-color", 1),
    ("--list-heading", 1),
    ("--list-prefix", 1),
    ("--shell", 1),
    ("--shell-arg", 1),
    ("--tempdir", 1),
    ("--timestamp-format", 1),
];

/// A call of just, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
struct Call<'w> {
    /// Variables that are given over those of the justfile.
    given: Vec<(&'w str, &'w str)>,
    /// The recipes, with their arguments.
    asked: Vec<&'w str>,
    /// The folder whose justfile is looked for, as `just db/reset` says.
    search: Option<&'w str>,
    justfile: Option<&'w str>,
    /// The folder that the recipes of the justfile run in.
    working: Option<&'w str>,
    dotenv: Option<&'w str>,
}

impl<'w> Call<'w> {
    /// Source: just's `config.rs` (behind the first word that is no option, none is one) and `positional.rs`.
    fn of(words: &'w [String]) -> Self {
        let mut call = Call::default();
        let mut rest = words.iter().map(String::as_str).peekable();
        while let Some(word) = rest.next_if(|word| word.starts_with('-')) {
            if word == "--" {
                break;
            }
            let (option, attached) = match word.strip_prefix("--") {
                Some(_) => option_of(word),
                // `-fdb/justfile`.
                None => match word.split_at_checked(2) {
                    Some((option @ ("-f" | "-d" | "-E"), value)) if !value.is_empty() => {
                        (option, Some(value.trim_start_matches('=')))
                    }
                    _ => (word, None),
                },
            };
            let place = match option {
                "--dotenv-path" | "--dotenv-filename" | "-E" => &mut call.dotenv,
                "-f" | "--justfile" => &mut call.justfile,
                "-d" | "--working-directory" => &mut call.working,
                "--set" => {
                    call.given.extend(attached.or_else(|| rest.next()).zip(rest.next()));
                    continue;
                }
                _ => {
                    let values = VALUED.iter().find(|(own, _)| *own == option).map_or(0, |(_, values)| *values);
                    for _ in usize::from(attached.is_some())..values {
                        rest.next();
                    }
                    continue;
                }
            };
            *place = attached.or_else(|| rest.next());
        }
        let given = |word: &&'w str| word.split_once('=').filter(|(name, _)| is_identifier(name));
        while let Some(pair) = rest.peek().and_then(given) {
            call.given.push(pair);
            rest.next();
        }
        while let Some(word) = rest.next_if(|word| matches!(*word, "." | "..") || word.contains('/')) {
            let (folder, recipe) = word.split_at(word.rfind('/').map_or(word.len(), |at| at + 1));
            call.search = Some(folder);
            call.asked.extend(Some(recipe).filter(|recipe| !recipe.is_empty()));
        }
        call.asked.extend(rest);
        call
    }
}

impl Expansion<'_> {
    pub(crate) fn just(&self, words: &[String]) -> (Vec<Step>, bool) {
        let Call { given, asked, search, justfile: named, working, dotenv } = Call::of(&words[1..]);
        let names = ["justfile", ".justfile", "Justfile"];
        let file = match named {
            Some(name) => Some(self.step.folder.join(name)),
            None => {
                let folder = normal(&self.step.folder.join(search.unwrap_or(".")));
                nearest(self.files, &folder, &self.project.root, &names)
            }
        };
        let Some(file) = file.filter(|file| self.files.exists(file)) else { return (Vec::new(), false) };
        let folder = working.map(|working| normal(&self.step.folder.join(working)));
        let unread = vec![Unread { places: vec![file], folder, ..Unread::default() }];
        let given: HashMap<String, String> =
            given.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut justfile = Justfile { unread, given, ..Justfile::default() };
        let mut read = HashSet::new();
        while let Some(Unread { places, module, folder }) = justfile.unread.pop() {
            let place = places.into_iter().map(|place| normal(&place)).find(|place| self.files.exists(place));
            let Some(file) = place.filter(|file| read.insert((file.clone(), module.clone()))) else { continue };
            if read.len() > MOST_FILES {
                self.cut("its justfile takes recipes from more than 256 others");
                break;
            }
            if let Some(text) = self.text_of(&file) {
                let folder = folder.unwrap_or_else(|| parent(&file));
                justfile.read(&text, &file, &module, &folder);
            }
        }
        let (mut scripts, is_unknown) = justfile.scripts(&asked);
        let variables = justfile.variables.iter().zip(&justfile.places);
        let variables = variables.filter(|((name, _), _)| !justfile.given.contains_key(name));
        let places = variables.map(|((name, value), (file, line))| {
            (name.clone(), value.clone(), Origin::file(name.clone(), self.project.shown(file), *line))
        });
        let places: Rc<Vec<AssignedAt>> = Rc::new(places.collect());
        scripts.iter_mut().for_each(|placed| placed.script.places = Rc::clone(&places));
        if is_unknown {
            self.cut("its justfile holds no such recipe, or takes it from another file");
        }
        if let Some(path) = dotenv {
            let path = self.step.folder.join(path);
            let file = WrapperFile { path, reader: FileReader::Dotenvy, overrides: false };
            scripts.iter_mut().for_each(|placed| placed.script.files = vec![file.clone()]);
        }
        non_empty(scripts.into_iter().flat_map(|placed| self.placed(placed)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_variables_and_folders_stand_before_the_recipes() {
        let call = |given: &[(&'static str, &'static str)], asked: &[&'static str]| Call {
            given: given.to_vec(),
            asked: asked.to_vec(),
            ..Call::default()
        };
        let (justfile, working) = (Some("x/justfile"), Some("x"));
        for (line, expected) in [
            ("t a", call(&[], &["t", "a"])),
            ("host=a db-name=b t", call(&[("host", "a"), ("db-name", "b")], &["t"])),
            ("--set host a t", call(&[("host", "a")], &["t"])),
            ("t host=a", call(&[], &["t", "host=a"])),
            ("t -h a", call(&[], &["t", "-h", "a"])),
            ("a.b=c", call(&[], &["a.b=c"])),
            ("--color always -v t", call(&[], &["t"])),
            ("--color=always t", call(&[], &["t"])),
            ("-f x/justfile -d x t", Call { justfile, working, ..call(&[], &["t"]) }),
            ("-fx/justfile --working-directory=x t", Call { justfile, working, ..call(&[], &["t"]) }),
            ("-E a t", Call { dotenv: Some("a"), ..call(&[], &["t"]) }),
            ("a=b db/t c/d", Call { search: Some("c/"), ..call(&[("a", "b")], &["t", "d"]) }),
            (".. t c/d", Call { search: Some(".."), ..call(&[], &["t", "c/d"]) }),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(Call::of(&words), expected, "{line}");
        }
    }
}
