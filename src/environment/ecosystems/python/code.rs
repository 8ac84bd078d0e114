//! Configuration that is code: the settings module of Django, and the modules that other programs read their settings
//! from. By what they assign, never executed.
//!
//! Sources: pytest's manual ("conftest.py"), Nox' "Configuration & API", Alembic's tutorial ("env.py"), Flask's and
//! Uvicorn's command lines (`package.module:app`).

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::{HashMap, HashSet};
use crate::environment::ecosystems::python::program::interpreter::go_through;
use crate::environment::ecosystems::python::program::modules::{Program, Read, Sources};
use crate::environment::ecosystems::python::program::run::Outcome;
use crate::environment::ecosystems::python::program::settings::{
    MOST_ROUNDS, Round, of_any, of_django, of_environment, rounds,
};
use crate::environment::ecosystems::python::pytest;
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

/// Names of modules that settings are kept in or that are gone through before tests, below the folder of a package.
const SETTINGS: &[&str] = &["config", "settings", "conf", "database", "db"];

/// Lists the modules that the command would go through, as the files that they are; its program, which may be much, last.
fn entries(scene: &Scene<'_>) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for word in scene.words().iter().skip(1) {
        let word = word.rsplit_once('=').map_or(word.as_str(), |(_, value)| value);
        if word.ends_with(".py") {
            paths.push(scene.path(word));
        }
        // `uvicorn shop.main:app`, `flask --app shop`, `python -m shop.seed`
        let module = word.split(':').next().unwrap_or_default();
        if !module.is_empty()
            && !module.starts_with(['-', '.'])
            && module.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
        {
            let below = scene.path(&module.replace('.', "/"));
            paths.extend([below.join("__main__.py"), below.join("__init__.py"), below.with_extension("py")]);
        }
    }
    paths.extend(conftests(scene));
    if scene.program() == "nox" {
        paths.push(scene.path("noxfile.py"));
    }
    paths.extend(["alembic/env.py", "migrations/env.py"].map(|name| scene.path(name)));
    if scene.program() == "flask" {
        paths.extend(["app.py", "wsgi.py", "manage.py"].map(|name| scene.path(name)));
    }
    for folder in packages(scene).iter() {
        paths.extend(SETTINGS.iter().map(|name| folder.join(name).with_extension("py")));
    }
    if let Some(module) = script(scene) {
        for root in roots(scene).iter() {
            let below = root.join(module.replace('.', "/"));
            paths.extend([below.with_extension("py"), below.join("__init__.py")]);
        }
    }
    let mut entries: Vec<PathBuf> = Vec::new();
    for path in paths {
        if !entries.contains(&path) && scene.library.exists(&path) {
            entries.push(path);
        }
    }
    entries
}

/// Finds the module of a program that the project itself installs: `app = "shop.cli:main"`.
///
/// Source: the packaging guide ("Creating executable scripts"); Poetry's manual ("scripts").
fn script(scene: &Scene<'_>) -> Option<String> {
    let program = scene.program();
    let manifest = scene.manifest(&["pyproject.toml"]);
    let mut is_inside = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            is_inside = matches!(line, "[project.scripts]" | "[tool.poetry.scripts]");
        } else if is_inside
            && let Some((name, module)) = line.split_once('=')
            && name.trim().trim_matches(['"', '\'']) == program
        {
            let module = module.trim().trim_matches(['"', '\'']).split(':').next()?;
            return (!module.contains([' ', '{'])).then(|| module.to_owned());
        }
    }
    None
}

/// Folders that packages are kept in, beside the project's own.
const SOURCES: &[&str] = &["src", "lib", "python", "backend", "server", "api"];

/// Lists the folders that imports may start at.
fn roots(scene: &Scene<'_>) -> Rc<Vec<PathBuf>> {
    scene.library.once(format!("roots of Python {}", text::shown(scene.folder)), || find_roots(scene))
}

fn find_roots(scene: &Scene<'_>) -> Vec<PathBuf> {
    let mut roots = vec![scene.folder.to_owned()];
    for name in SOURCES.iter().filter(|name| scene.library.exists(&scene.path(name))) {
        roots.push(scene.path(name));
    }
    let source = scene.path("src");
    let mut below: Vec<String> = scene.names_in(&source).into_iter().filter(|name| !name.contains('.')).collect();
    if below.len() > MOST_ROOTS {
        let why = GivenUp::too_much("more than 64 folders below it may hold packages");
        scene.library.give_up(&source, None, why);
        below.truncate(MOST_ROOTS);
    }
    roots.extend(below.iter().map(|name| source.join(name)));
    if scene.folder != scene.project.root {
        roots.push(scene.project.root.clone());
    }
    roots
}

/// More folders below `src` are not taken for places of packages.
const MOST_ROOTS: usize = 64;

/// More of them are not gone through.
const MOST_CONFTESTS: usize = 16;

/// Lists what pytest goes through before the tests of the command: the conftest.py of their folders, of those above and of
/// those below.
///
/// Source: pytest's manual ("conftest.py: sharing fixtures across multiple files", "testpaths").
fn conftests(scene: &Scene<'_>) -> Vec<PathBuf> {
    if !scene.purpose.test {
        return Vec::new();
    }
    let mut folders = vec![scene.folder.to_owned(), scene.path("tests"), scene.path("test")];
    let words = scene.words().iter().skip(1).filter(|word| !word.starts_with('-'));
    let asked = words.map(|word| scene.path(word.split("::").next().unwrap_or(word)));
    for path in asked.chain(pytest::test_folders(scene)).filter(|path| path.starts_with(&scene.project.root)) {
        let above: Vec<PathBuf> = path.ancestors().skip(1).map(Path::to_owned).collect();
        folders.extend(above.into_iter().take_while(|folder| folder.starts_with(scene.folder)));
        folders.push(path);
    }
    let mut found: Vec<PathBuf> = Vec::new();
    let mut below = Vec::new();
    for folder in folders {
        let path = folder.join("conftest.py");
        if !found.contains(&path) && scene.library.exists(&path) {
            found.push(path);
            if folder != scene.folder {
                let names = scene.names_in(&folder).into_iter().filter(|name| !name.contains(['.', '_']));
                below.extend(names.map(|name| folder.join(name).join("conftest.py")));
            }
        }
    }
    below.sort();
    below.retain(|path| scene.library.exists(path) && !found.contains(path));
    found.extend(below);
    if found.len() > MOST_CONFTESTS {
        scene.library.give_up(&found[MOST_CONFTESTS], None, GivenUp::too_much("more than 16 of its kind are there"));
        found.truncate(MOST_CONFTESTS);
    }
    found
}

/// More packages are not looked into for settings.
const MOST_PACKAGES: usize = 256;

/// Lists the command's folder, and the packages in the folders that imports start at, and one below each.
fn packages(scene: &Scene<'_>) -> Rc<Vec<PathBuf>> {
    scene.library.once(format!("packages of Python {}", text::shown(scene.folder)), || find_packages(scene))
}

fn find_packages(scene: &Scene<'_>) -> Vec<PathBuf> {
    let mut folders = vec![scene.folder.to_owned()];
    for outer in roots(scene).iter() {
        for name in scene.names_in(outer).iter().filter(|name| !name.contains('.') && !OTHERS.contains(&name.as_str()))
        {
            let folder = outer.join(name);
            let marks = SETTINGS.iter().chain(["__init__"].iter()).map(|name| folder.join(name).with_extension("py"));
            if !marks.into_iter().any(|mark| scene.library.exists(&mark)) {
                continue;
            }
            let below = ["core", "common", "config", "db", "lib", "settings", "utils"].map(|name| folder.join(name));
            folders.extend(below.into_iter().filter(|below| scene.library.exists(below)));
            folders.push(folder);
            let mut seen = HashSet::default();
            folders.retain(|folder| seen.insert(folder.clone()));
            if folders.len() > MOST_PACKAGES {
                let why = GivenUp::too_much("more than 256 packages may hold settings");
                scene.library.give_up(outer, None, why);
                return folders;
            }
        }
    }
    folders
}

/// Folders that hold no settings of the project's own.
const OTHERS: &[&str] = &["tests", "test", "docs", "node_modules", "venv", "examples"];

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
