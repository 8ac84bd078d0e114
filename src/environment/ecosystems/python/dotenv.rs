//! Python: the first `.env` found upwards (python-dotenv), the one in the current folder (pydantic-settings, Flask,
//! pipenv), and what pytest's configuration adds.
//!
//! Source: python-dotenv `find_dotenv`, measured; pydantic-settings' `env_file`; Flask's CLI (`.env`, `.flaskenv`).

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::Scene;
use crate::environment::ecosystems::python::code as python_code;
use crate::environment::ecosystems::python::pytest;
use crate::environment::layering::library::{Dialect, Library};
use crate::environment::layering::{Draft, Layer};
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting};

const DIALECTS: &[Dialect] = &[Dialect::PythonDotenvLoad, Dialect::PythonDotenvValues, Dialect::DjangoEnviron];

pub(crate) fn add(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let program = scene.program();
    let configured = if scene.purpose.test { pytest::configured(scene) } else { pytest::Configured::default() };
    let top = vec![Layer::Fixed(Rc::new(configured.forced)), Layer::Shell];
    let mut defaults = configured.defaults;
    defaults.extend(python_code::literals(scene));
    let bottom = Layer::Fixed(Rc::new(defaults));
    let chain = |draft: &mut Draft<'_>, loader, files: Vec<PathBuf>| {
        let files = files.into_iter().map(Layer::file);
        let layers = top.iter().cloned().chain(files).chain([bottom.clone()]);
        draft.chain(loader, DIALECTS, layers.collect());
    };
    if !configured.files.is_empty() {
        chain(draft, "pytest-dotenv", configured.files.iter().rev().cloned().collect());
    }
    chain(draft, "python-dotenv", scene.find_upwards(&[".env"]).into_iter().collect());
    let mut names = vec![".env"];
    if scene.purpose.test {
        names.extend([".env.test", ".env.testing", "test.env"]);
    }
    if scene.purpose.development {
        names.extend([".env.local", ".env.dev", ".env.development"]);
    }
    for name in names {
        let path = scene.path(name);
        if scene.library.exists(&path) {
            chain(draft, "python-dotenv", vec![path]);
        }
    }
    for variable in ["APP_ENV", "ENV", "ENVIRONMENT", "FLASK_ENV", "DJANGO_ENV"] {
        if let Some(mode) = scene.shell.get(variable) {
            chain(draft, "python-dotenv", vec![scene.path(&format!(".env.{mode}"))]);
        }
    }
    if program == "flask" || scene.library.exists(&scene.path(".flaskenv")) {
        chain(draft, "Flask", vec![scene.path(".env"), scene.path(".flaskenv")]);
    }
    let readers = ["dynaconf", "pyyaml", "omegaconf", "hydra", "confuse", "toml"];
    let manifests = ["pyproject.toml", "requirements.txt", "Pipfile", "setup.cfg"];
    crate::environment::ecosystems::conventional::add(scene, draft, scene.folder, &readers, &manifests, DIALECTS);
    if let Some(layer) = decouple(scene.library, scene.folder) {
        draft.chain("python-decouple", DIALECTS, vec![Layer::Shell, layer]);
    }
    // Migration tools keep their own URL.
    if let Some(path) = scene.find_upwards(&["alembic.ini"]).filter(|_| program != "django-admin") {
        let mut layers = top.clone();
        layers.extend(scene.find_upwards(&[".env"]).map(Layer::file));
        layers.extend(draft.any_file(&path));
        draft.chain("Alembic", DIALECTS, layers);
    }
}

/// python-decouple's `settings.ini`, which it takes before `.env`. Source: its README ("Usage").
pub(crate) fn decouple(library: &Library<'_>, folder: &Path) -> Option<Layer> {
    let path = folder.join("settings.ini");
    let text = library.string(&path)?;
    let entries = formats::ini::flatten(&text).unwrap_or_else(|error| error.entries);
    let shown = library.shown(&path);
    let settings = entries.into_iter().filter_map(|entry| match &entry.path[..] {
        [section, name] if section == "settings" => {
            Some(Setting::known(name.clone(), entry.value, Origin::file(name.clone(), &shown, entry.line)))
        }
        _ => None,
    });
    Some(Layer::Fixed(Rc::new(settings.collect())))
}
