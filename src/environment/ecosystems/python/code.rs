//! Configuration that is code: the settings module of Django, and the modules that other programs read their settings
//! from. By what they assign, never executed.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::HashMap;
use crate::environment::ecosystems::python::entries::{conftests, entries, roots};
use crate::environment::ecosystems::python::program::interpreter::go_through;
use crate::environment::ecosystems::python::program::modules::{Program, Read, Sources};
use crate::environment::ecosystems::python::program::run::Outcome;
use crate::environment::ecosystems::python::program::settings::{
    MOST_ROUNDS, Round, of_any, of_django, of_environment, rounds,
};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::Layer;
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting, Unresolved};
use crate::text;

/// What a program counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Whether its tests may run.
    Django(bool),
    Any,
}

/// What code says, and what it reads.
#[derive(Default)]
pub(crate) struct Code {
    /// The modules that belong together.
    pub(crate) modules: Vec<PathBuf>,
    /// The dotenv files that they load, those that are there.
    pub(crate) files: Vec<PathBuf>,
    /// What they come to, once for each way that it may come.
    pub(crate) layers: Vec<Layers>,
}

/// What one way through the code comes to.
#[derive(Clone, Default)]
pub(crate) struct Layers {
    /// It beats the environment.
    pub(crate) forced: Option<Layer>,
    pub(crate) own: Option<Layer>,
}

impl Code {
    /// Reads the settings module of Django, as `from` would import it.
    pub(crate) fn of_django(scene: &Scene<'_>, roots: Vec<PathBuf>, from: &Path, module: &str) -> Code {
        let program = Program::new(roots, words(scene), data, sources(scene));
        let library = scene.library;
        let read = |path: &Path| if library.exists(path) { library.string(path) } else { None };
        let Some(entry) = program.resolve(from, module, Some(&read)) else { return Code::default() };
        // What tests put into the environment comes before the settings are imported.
        let sets = |path: &PathBuf| library.manifest(path).contains("environ");
        let mut entries: Vec<PathBuf> = conftests(scene).into_iter().filter(sets).collect();
        entries.push(entry);
        Code::of(scene, program, entries, Kind::Django(scene.purpose.test))
    }

    /// Reads what the command would go through, beside what a framework says.
    pub(crate) fn of_any(scene: &Scene<'_>) -> Code {
        let entries = entries(scene);
        if entries.is_empty() {
            return Code::default();
        }
        Code::of(scene, Program::new(roots(scene).to_vec(), words(scene), data, sources(scene)), entries, Kind::Any)
    }

    fn of(scene: &Scene<'_>, program: Program, entries: Vec<PathBuf>, kind: Kind) -> Code {
        let library = scene.library;
        let read = |path: &Path| if library.exists(path) { library.string(path) } else { None };
        let lookup = |name: &str| scene.environment.get(name).map(str::to_owned);
        // Most scenes go through the same program.
        let key = format!("ways through a program of Python {entries:?} {}", program.key());
        let ways = library.once(key, || Ways { program, entries, known: RefCell::default() });
        let (program, entries) = (&ways.program, &ways.entries);
        program.begin();
        let outcome = ways.outcome(0, Some(&read), &lookup);
        if program.is_cut() || outcome.is_cut {
            let why = "it and what it imports are more than is gone through";
            let (path, line) =
                outcome.cut.clone().map_or((entries[0].clone(), None), |(path, line)| (path, Some(line)));
            library.give_up(&path, line, GivenUp::too_much(why));
        }
        let rounds = rounds(&outcome);
        if rounds > MOST_ROUNDS {
            library.give_up(&entries[0], None, GivenUp::too_much("a name in it may stand for more than eight values"));
        }
        let modules = program.paths();
        let shown = modules.iter().map(|path| (path.clone(), library.shown(path))).collect();
        let files = loaded_files(scene, &outcome);
        let is_forced = !outcome.found.variables.all(true).is_empty();
        let counted = Rc::new(Counted { ways, shown, is_cut: outcome.is_cut });
        let layer = |number: usize, what: What| {
            let counted = Rc::clone(&counted);
            Layer::computed(move |lookup| counted.settings(number, what, lookup))
        };
        let layers = (0..rounds.min(MOST_ROUNDS)).map(|number| Layers {
            forced: is_forced.then(|| layer(number, What::Forced)),
            own: Some(layer(number, What::Own(kind))),
        });
        Code { files, layers: layers.collect(), modules }
    }
}

/// The ways through a program that were gone, by whichever scene.
struct Ways {
    program: Program,
    entries: Vec<PathBuf>,
    known: RefCell<Vec<Known>>,
}

/// What a program comes to for one scene.
struct Counted {
    ways: Rc<Ways>,
    /// The paths of its modules as they are shown.
    shown: HashMap<PathBuf, PathBuf>,
    /// The way of the scene's own environment was not gone to its end, which is said already.
    is_cut: bool,
}

impl Counted {
    fn settings(&self, number: usize, what: What, lookup: Lookup<'_>) -> Vec<Setting> {
        let outcome = self.ways.outcome(number, None, lookup);
        let shown = |path: &Path| self.shown.get(path).map_or_else(|| path.to_owned(), Clone::clone);
        let round = Round { program: &self.ways.program, outcome: &outcome, number, shown: &shown };
        let mut settings = match what {
            What::Forced => return of_environment(round, true),
            What::Own(Kind::Django(tests)) => of_django(round, tests),
            What::Own(Kind::Any) => of_any(round),
        };
        settings.extend(of_environment(round, false));
        if outcome.is_cut && !self.is_cut {
            settings.extend(self.ways.entries.first().map(|entry| unknown(&shown(entry))));
        }
        settings
    }
}

impl Ways {
    fn outcome(&self, number: usize, read: Read<'_>, lookup: Lookup<'_>) -> Rc<Outcome> {
        // What had no reader may have missed modules that one would have read.
        let is_same = |known: &&Known| {
            (known.had_reader || read.is_none())
                && known.outcome.is_of(number)
                && known.answers.iter().all(|(name, value)| lookup(name) == *value)
        };
        if let Some(known) = self.known.borrow().iter().find(is_same) {
            return Rc::clone(&known.outcome);
        }
        let known = Known::of(&self.program, &self.entries, read, lookup, number);
        let outcome = Rc::clone(&known.outcome);
        self.known.borrow_mut().push(known);
        outcome
    }
}

/// What may have been said where a way was not gone to its end.
fn unknown(module: &Path) -> Setting {
    let (name, origin) = (text::shown(module).into_owned(), Origin::whole_file(module, None));
    Setting { name, value: String::new(), origin, unresolved: Some(Unresolved::Code) }
}

/// What a program came to for these answers about the environment: most loaders give the same ones.
struct Known {
    answers: Vec<(String, Option<String>)>,
    outcome: Rc<Outcome>,
    /// Modules that were not read before could be.
    had_reader: bool,
}

impl Known {
    fn of(program: &Program, entries: &[PathBuf], read: Read<'_>, lookup: Lookup<'_>, number: usize) -> Self {
        let answers: RefCell<Vec<(String, Option<String>)>> = RefCell::default();
        let noted = |name: &str| {
            let value = lookup(name);
            let mut answers = answers.borrow_mut();
            if answers.iter().all(|(known, _)| known != name) {
                answers.push((name.to_owned(), value.clone()));
            }
            value
        };
        let outcome = Rc::new(go_through(program, entries, read, &noted, number));
        Known { answers: answers.into_inner(), outcome, had_reader: read.is_some() }
    }
}

/// What the modules of the project say: other scenes go through the same.
fn sources(scene: &Scene<'_>) -> Sources {
    Rc::clone(&scene.library.once("modules of Python".to_owned(), Sources::default))
}

/// The command as `sys.argv` has it.
fn words(scene: &Scene<'_>) -> Vec<String> {
    scene.words().iter().skip_while(|word| !word.ends_with(".py")).cloned().collect()
}

/// Reads a data file by the format that its name tells.
fn data(path: &Path, text: &str) -> Option<Vec<(Vec<String>, String, u32)>> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let flat = match extension {
        "json" => formats::json::flatten(text),
        "yml" | "yaml" => formats::yaml::flatten(text),
        "toml" => formats::toml::flatten(text),
        _ => formats::ini::flatten(text),
    };
    Some(flat.whole()?.into_iter().map(|entry| (entry.path, entry.value, entry.line)).collect())
}

#[derive(Clone, Copy)]
enum What {
    Forced,
    Own(Kind),
}

/// Finds the dotenv files that the code names: from the command's folder, or from a folder above the module.
fn loaded_files(scene: &Scene<'_>, outcome: &Outcome) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for loaded in &outcome.found.files {
        let above = loaded.module.ancestors().skip(1).take_while(|folder| folder.starts_with(&scene.project.root));
        let folders = std::iter::once(scene.folder).chain(above);
        let name = loaded.name.trim_start_matches("./");
        let found = folders.map(|folder| folder.join(name)).find(|path| scene.library.exists(path));
        files.extend(found.filter(|path| !files.contains(path)));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_is_cut_later_says_that_it_does_not_know() {
        let deep: String = (1..60).map(|depth| format!("{}if True:\n", " ".repeat(depth))).collect();
        let text = format!("if os.getenv('X') == 'y':\n{deep}{}a = 1", " ".repeat(60));
        let program = Program::new(Vec::new(), Vec::new(), data, Sources::default());
        let entries = vec![PathBuf::from("/p/s.py")];
        let read = |path: &Path| (path == Path::new("/p/s.py")).then(|| text.clone());
        let ways = Rc::new(Ways { program, entries, known: RefCell::default() });
        let outcome = ways.outcome(0, Some(&read), &|_| None);
        let counted = Counted { ways, shown: HashMap::default(), is_cut: outcome.is_cut };
        let unknown = |lookup: Lookup<'_>| {
            let settings = counted.settings(0, What::Own(Kind::Django(false)), lookup);
            settings.iter().filter(|setting| setting.unresolved == Some(Unresolved::Code)).count()
        };
        assert_eq!(unknown(&|_| None), 0);
        assert_eq!(unknown(&|_| Some("y".to_owned())), 1);
    }
}
