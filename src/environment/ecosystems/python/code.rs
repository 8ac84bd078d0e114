//! Configuration that is code: the settings module of Django, and the modules that other programs read their settings
//! from. By what they assign, never executed.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::Setting;
use crate::environment::ecosystems::python::entries::{conftests, entries, roots};
use crate::environment::ecosystems::python::program::interpreter::go_through;
use crate::environment::ecosystems::python::program::modules::{Program, Read, Sources};
use crate::environment::ecosystems::python::program::run::{LoadedBy, Outcome};
use crate::environment::ecosystems::python::program::settings::{
    MOST_ROUNDS, Round, of_any, of_django, of_environment, rounds,
};
use crate::environment::ecosystems::python::pytest::Configured;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, Library};
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::formats;

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
    /// What they come to, once for each way that it may come.
    pub(crate) layers: Vec<Layers>,
}

/// A dotenv file that the code loads, which is there.
#[derive(Clone, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) path: PathBuf,
    /// It beats the environment.
    pub(crate) overrides: bool,
}

/// What one way through the code comes to.
#[derive(Clone, Default)]
pub(crate) struct Layers {
    /// The dotenv files that it loads, in this order.
    pub(crate) files: Vec<Loaded>,
    /// It beats the environment.
    pub(crate) forced: Option<Layer>,
    pub(crate) own: Option<Layer>,
}

impl Code {
    /// Reads the settings module of Django, as `from` would import it.
    pub(crate) fn of_django(
        scene: &Scene<'_>,
        configured: &Configured,
        roots: Vec<PathBuf>,
        from: &Path,
        module: &str,
    ) -> Code {
        let program = Program::new(roots, words(scene), data, sources(scene));
        let library = scene.library;
        let Some(entry) = program.resolve(from, module, &reader(library)) else { return Code::default() };
        // What tests put into the environment comes before the settings are imported.
        let sets = |path: &PathBuf| library.manifest(path).contains("environ");
        let mut entries: Vec<PathBuf> = conftests(scene).into_iter().filter(sets).collect();
        entries.push(entry);
        Code::of(scene, configured, program, entries, Kind::Django(scene.purpose.test))
    }

    /// Reads what the command would go through, beside what a framework says.
    pub(crate) fn of_any(scene: &Scene<'_>, configured: &Configured) -> Code {
        let entries = entries(scene);
        if entries.is_empty() {
            return Code::default();
        }
        let program = Program::new(roots(scene).to_vec(), words(scene), data, sources(scene));
        Code::of(scene, configured, program, entries, Kind::Any)
    }

    fn of(scene: &Scene<'_>, configured: &Configured, program: Program, entries: Vec<PathBuf>, kind: Kind) -> Code {
        // Most scenes go through the same program.
        let key = format!("ways through a program of Python {entries:?} {}", program.key());
        let ways = scene.library.once(key, || Ways {
            program,
            entries,
            known: RefCell::default(),
            is_cut_said: Cell::default(),
        });
        ways.program.begin();
        let (folder, root) = (scene.folder.to_owned(), scene.project.root.clone());
        let mut counted = Counted { ways, kind, folder, root, files: vec![Vec::new()], modules: 0 };
        counted.look_around(scene, configured);
        let counted = Rc::new(counted);
        let layer = |number: usize, is_forced: bool| {
            let counted = Rc::clone(&counted);
            Layer::read(move |lookup, library| counted.settings(number, is_forced, lookup, library))
        };
        let layers = counted.files.iter().enumerate().map(|(number, files)| Layers {
            files: files.clone(),
            forced: Some(layer(number, true)),
            own: Some(layer(number, false)),
        });
        Code { layers: layers.collect(), modules: counted.ways.program.paths() }
    }
}

/// The ways through a program that were gone, by whichever scene.
struct Ways {
    program: Program,
    entries: Vec<PathBuf>,
    known: RefCell<Vec<Known>>,
    /// It was said that there is too much of it.
    is_cut_said: Cell<bool>,
}

/// What a program comes to for one scene.
struct Counted {
    ways: Rc<Ways>,
    kind: Kind,
    /// The folder that the command runs in, and the project's root.
    folder: PathBuf,
    root: PathBuf,
    /// The dotenv files that have layers, for each round that has.
    files: Vec<Vec<Loaded>>,
    /// How many modules were known when the layers were made.
    modules: usize,
}

impl Counted {
    /// Finds how many rounds there are and which dotenv files are loaded. What these files say may turn more of the code
    /// on, so they are looked into before; which values they come to is told later, dialect by dialect.
    fn look_around(&mut self, scene: &Scene<'_>, configured: &Configured) {
        let library = scene.library;
        let given = |list: &[Setting], name: &str| {
            list.iter().find(|setting| setting.name == name).map(|setting| setting.value.clone())
        };
        let above = scene.find_upwards(&[".env"]);
        for _ in 0..MOST_TURNS {
            let known = (self.files.iter().map(Vec::len).sum::<usize>(), self.modules);
            let mut number = 0;
            while number < self.files.len() {
                let mut beside = Vec::new();
                if self.kind != Kind::Any {
                    beside = self.ways.program.paths().iter().map(|path| path.with_file_name(".env")).collect();
                    beside.dedup();
                    beside.retain(|path| library.exists(path));
                }
                let loaded = &self.files[number];
                let others = loaded.iter().filter(|file| !file.overrides).map(|file| &file.path);
                let files: Vec<PathBuf> = above.iter().chain(others).cloned().chain(beside).collect();
                let overriding = loaded.iter().rev().filter(|file| file.overrides);
                let lookup = |name: &str| {
                    given(&configured.forced, name)
                        .or_else(|| overriding.clone().find_map(|file| library.unexpanded(&file.path, name)))
                        .or_else(|| scene.environment.get(name).map(str::to_owned))
                        .or_else(|| files.iter().find_map(|file| library.unexpanded(file, name)))
                        .or_else(|| given(&configured.defaults, name))
                };
                let outcome = self.ways.outcome(number, library, &lookup);
                let rounds = rounds(&outcome).min(MOST_ROUNDS).max(self.files.len());
                self.files.resize(rounds, Vec::new());
                for file in self.loaded_files(&outcome, number, library) {
                    if !self.files[number].contains(&file) {
                        self.files[number].push(file);
                    }
                }
                number += 1;
            }
            self.modules = self.ways.program.count();
            if (self.files.iter().map(Vec::len).sum(), self.modules) == known {
                break;
            }
        }
    }

    fn settings(&self, number: usize, is_forced: bool, lookup: Lookup<'_>, library: &Library<'_>) -> Vec<Setting> {
        let outcome = self.ways.outcome(number, library, lookup);
        if !self.covers(&outcome, number, library) {
            let why = "what files put into the environment makes it go ways that were not foreseen";
            library.give_up(&self.ways.entries[0], None, GivenUp::Code(why.into()));
        }
        let shown = |path: &Path| library.shown(path);
        let round = Round { program: &self.ways.program, outcome: &outcome, number, shown: &shown };
        let mut settings = match self.kind {
            _ if is_forced => return of_environment(round, true),
            Kind::Django(tests) => of_django(round, tests),
            Kind::Any => of_any(round),
        };
        settings.extend(of_environment(round, false));
        settings
    }

    /// Tells whether there are layers for all that a way comes to: for its rounds, and for the dotenv files that it loads.
    fn covers(&self, outcome: &Outcome, number: usize, library: &Library<'_>) -> bool {
        let program = &self.ways.program;
        let is_looked_into = |module: usize| {
            let file = program.path(module).with_file_name(".env");
            self.kind == Kind::Any || file.parent() == Some(&self.folder) || !library.exists(&file)
        };
        rounds(outcome).min(MOST_ROUNDS) <= self.files.len()
            && self.loaded_files(outcome, number, library).iter().all(|file| self.files[number].contains(file))
            && (self.modules..program.count()).all(is_looked_into)
    }

    /// Finds the dotenv files that the code names in a round: from the command's folder, or from a folder above the module.
    fn loaded_files(&self, outcome: &Outcome, number: usize, library: &Library<'_>) -> Vec<Loaded> {
        let find = |loaded: &LoadedBy| {
            let above = loaded.module.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root));
            let (own, name) = match loaded.name.trim_start_matches("./") {
                "" => (None, ".env"),
                name => (Some(self.folder.as_path()), name),
            };
            let mut paths = own.into_iter().chain(above).map(|folder| folder.join(name));
            let path = paths.find(|path| library.exists(path))?;
            Some(Loaded { path, overrides: loaded.overrides })
        };
        outcome.found.files.iter().filter(|file| file.is_in(number)).filter_map(find).collect()
    }
}

/// Dotenv files that one after the other turns on are not followed further.
const MOST_TURNS: usize = 4;

/// Reads the modules of a program.
fn reader<'l>(library: &'l Library<'_>) -> impl Fn(&Path) -> Option<String> + 'l {
    |path| if library.exists(path) { library.string(path) } else { None }
}

impl Ways {
    fn outcome(&self, number: usize, library: &Library<'_>, lookup: Lookup<'_>) -> Rc<Outcome> {
        let is_same = |known: &&Known| {
            known.outcome.is_of(number) && known.answers.iter().all(|(name, value)| lookup(name) == *value)
        };
        if let Some(known) = self.known.borrow().iter().find(is_same) {
            return Rc::clone(&known.outcome);
        }
        let known = Known::of(&self.program, &self.entries, &reader(library), lookup, number);
        let outcome = Rc::clone(&known.outcome);
        self.note_caps(&outcome, library);
        self.known.borrow_mut().push(known);
        outcome
    }

    fn note_caps(&self, outcome: &Outcome, library: &Library<'_>) {
        if (self.program.is_cut() || outcome.is_cut) && !self.is_cut_said.replace(true) {
            let why = "it and what it imports are more than is gone through";
            let (path, line) =
                outcome.cut.clone().map_or((self.entries[0].clone(), None), |(path, line)| (path, Some(line)));
            library.give_up(&path, line, GivenUp::too_much(why));
        }
        if rounds(outcome) > MOST_ROUNDS {
            let why = GivenUp::too_much("a name in it may stand for more than eight values");
            library.give_up(&self.entries[0], None, why);
        }
    }
}

/// What a program came to for these answers about the environment: most loaders give the same ones.
struct Known {
    answers: Vec<(String, Option<String>)>,
    outcome: Rc<Outcome>,
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
        Known { answers: answers.into_inner(), outcome }
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

#[cfg(test)]
mod tests {
    use super::*;

    use crate::environment::Project;
    use crate::environment::memory::MemoryFiles;

    /// Counts what is given up on in a program that `lookup` is asked by.
    fn gaps(text: &str, lookup: Lookup<'_>) -> usize {
        let files = MemoryFiles::new(&[("/p/s.py", text)]);
        let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
        let library = Library::new(&files, &project);
        let program = Program::new(Vec::new(), Vec::new(), data, Sources::default());
        let ways = Ways {
            program,
            entries: vec![PathBuf::from("/p/s.py")],
            known: RefCell::default(),
            is_cut_said: Cell::default(),
        };
        ways.outcome(0, &library, lookup);
        library.into_parts().2.len()
    }

    #[test]
    fn a_way_that_is_cut_says_that_it_does_not_know() {
        let deep: String = (1..60).map(|depth| format!("{}if True:\n", " ".repeat(depth))).collect();
        let text = format!("if os.getenv('X') == 'y':\n{deep}{}a = 1", " ".repeat(60));
        assert_eq!(gaps(&text, &|_| None), 0);
        assert_eq!(gaps(&text, &|_| Some("y".to_owned())), 1);
    }
}
