//! A script behind a name: shell text out of a file, with what that file adds to it.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::Origin;
use crate::environment::follow::{Expansion, Step, WrapperFile};
use crate::environment::invocation::AssignedAt;
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::parent;
use crate::environment::readers::encoding::decoded;
use crate::environment::readers::formats::{FlatEntry, Flatten};
use crate::text::shell_word;

/// One script: shell text with its place, and what its file adds to the environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    /// The script's name as its file spells it.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) line: u32,
    pub(crate) assignments: Vec<(String, String)>,
    /// Where those of the assignments stand that do not stand in the script.
    pub(crate) places: Rc<Vec<AssignedAt>>,
    pub(crate) files: Vec<WrapperFile>,
}

impl Script {
    /// Sets a variable that stands at a place of its own.
    pub(crate) fn set(&mut self, name: &str, value: &str, place: Origin) {
        self.assignments.push((name.to_owned(), value.to_owned()));
        Rc::make_mut(&mut self.places).push((name.to_owned(), value.to_owned(), place));
    }

    /// Adds the words that are given to it.
    pub(crate) fn give<A: AsRef<str>>(&mut self, arguments: &[A]) {
        for argument in arguments.iter().map(AsRef::as_ref).filter(|argument| *argument != "--") {
            self.text.push(' ');
            self.text.push_str(&shell_word(argument));
        }
    }
}

/// A script with its file and the folder that it runs in, both absolute.
pub(crate) struct PlacedScript {
    pub(crate) file: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) script: Script,
}

impl PlacedScript {
    /// A script that runs in the folder of its file.
    pub(crate) fn beside(file: &Path, script: Script) -> Self {
        PlacedScript { file: file.to_owned(), folder: parent(file), script }
    }
}

impl Expansion<'_> {
    pub(crate) fn placed(&self, PlacedScript { file, folder, script }: PlacedScript) -> Vec<Step> {
        self.script(&file, &folder, script)
    }

    /// Reads the text of a file that holds scripts; `None` where none is there. What keeps it from being read is told.
    pub(crate) fn text_of(&self, path: &Path) -> Option<String> {
        match self.files.read(path) {
            Ok(bytes) => Some(decoded(&bytes?).into_owned()),
            Err(error) => {
                if error.kind() != io::ErrorKind::IsADirectory {
                    self.give_up(path, None, GivenUp::Unreadable(error.to_string()));
                }
                None
            }
        }
    }

    /// Reads the entries of a file that holds scripts, once for all steps; `None` where none is there. What is not read is
    /// told.
    pub(crate) fn entries_of(&self, path: &Path, flatten: Flatten) -> Option<Rc<Vec<FlatEntry>>> {
        // Two readers that the linker gives one address read the same.
        let key = (path.to_owned(), flatten as usize);
        if let Some(known) = self.room.entries.borrow().get(&key) {
            return known.clone();
        }
        let flat = self.text_of(path).map(|text| flatten(&text));
        let entries = flat.map(|flat| Rc::new(flat.entries(|stop| self.give_up(path, Some(stop.line), stop.why))));
        self.room.entries.borrow_mut().insert(key, entries.clone());
        entries
    }

    /// The place of an entry of such a file.
    pub(crate) fn place(&self, path: &Path, entry: &FlatEntry) -> Origin {
        let name = entry.path.last().map_or("", String::as_str);
        Origin::file(name, self.project.shown(path), entry.line)
    }

    pub(crate) fn give_up(&self, path: &Path, line: Option<u32>, why: GivenUp) {
        let place = Origin::whole_file(self.project.shown(path), line);
        self.gaps.give_up(place, why);
    }

    /// Tells that the step stands for more than is followed.
    pub(crate) fn cut(&self, why: &'static str) {
        self.gaps.give_up(self.step.invocation.origin.clone(), GivenUp::too_much(why));
    }
}
