//! `just RECIPE`: the recipes of a justfile, with the variables and files that it gives them.

mod reader;
mod recipes;
mod values;

use std::collections::HashSet;
use std::rc::Rc;

use crate::environment::Origin;
use crate::environment::follow::justfile::reader::{Justfile, Unread};
use crate::environment::follow::{Expansion, FileReader, Step, WrapperFile, non_empty};
use crate::environment::invocation::{AssignedAt, option_of};
use crate::environment::paths::{nearest, normal, parent};

/// The most files of recipes that one call reads.
const MOST_FILES: usize = 256;

impl Expansion<'_> {
    pub(crate) fn just(&self, words: &[String]) -> (Vec<Step>, bool) {
        let (mut asked, mut dotenv, mut named, mut rest) = (Vec::new(), None, None, words[1..].iter());
        while let Some(word) = rest.next() {
            let (option, attached) = option_of(word);
            let mut value = || attached.or_else(|| rest.next().map(String::as_str));
            match option {
                "--dotenv-path" | "--dotenv-filename" | "-E" => dotenv = value(),
                "-f" | "--justfile" => named = value(),
                "-d" | "--working-directory" => drop(value()),
                "--set" => drop(rest.nth(1)),
                _ if word.starts_with('-') || attached.is_some() => {}
                _ => asked.push(word.as_str()),
            }
        }
        let names = ["justfile", ".justfile", "Justfile"];
        let file = match named {
            Some(name) => Some(self.step.folder.join(name)),
            None => nearest(self.files, &self.step.folder, &self.project.root, &names),
        };
        let Some(file) = file.filter(|file| self.files.exists(file)) else { return (Vec::new(), false) };
        let mut justfile =
            Justfile { unread: vec![Unread { places: vec![file], ..Unread::default() }], ..Justfile::default() };
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
