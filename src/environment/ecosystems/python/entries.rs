//! The modules that a command would go through, and where imports start.
//!
//! Sources: pytest's manual ("conftest.py"), Nox' "Configuration & API", Alembic's tutorial ("env.py"), Flask's and
//! Uvicorn's command lines (`package.module:app`).

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::HashSet;
use crate::environment::ecosystems::python::pytest;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::not_followed::GivenUp;
use crate::text;

/// Names of modules that settings are kept in or that are gone through before tests, below the folder of a package.
const SETTINGS: &[&str] = &["config", "settings", "conf", "database", "db"];

/// Lists the modules that the command would go through, as the files that they are; its program, which may be much, last.
pub(crate) fn entries(scene: &Scene<'_>) -> Vec<PathBuf> {
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
pub(crate) fn roots(scene: &Scene<'_>) -> Rc<Vec<PathBuf>> {
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
pub(crate) fn conftests(scene: &Scene<'_>) -> Vec<PathBuf> {
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
