//! Django: the settings module is code; its literal `DATABASES`, and simple calls that read a variable, count.
//!
//! Source: Django's `conf/__init__.py`, manage.py's `setdefault`, pytest-django (`--ds` over the environment over the
//! file); django-environ reads the `.env` beside the file that calls it.

use std::path::{Path, PathBuf};

use crate::environment::ecosystems::python::decouple;
use crate::environment::ecosystems::python::pytest::Configured;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::code;
use crate::environment::readers::code::{Comments, Pair};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting, Unresolved};

const DIALECTS: &[Dialect] = &[Dialect::DjangoEnviron, Dialect::PythonDotenvLoad, Dialect::PythonDotenvValues];

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    scene.is_in_project("manage.py") || scene.environment.get("DJANGO_SETTINGS_MODULE").is_some()
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let configured = Configured::of(scene);
    for home in scene.homes("manage.py") {
        readings.add_base(&home);
        let from_file = configured.defaults.iter().find(|setting| setting.name == "DJANGO_SETTINGS_MODULE");
        let forced = configured.forced.iter().find(|setting| setting.name == "DJANGO_SETTINGS_MODULE");
        let named = scene.option("--ds").or(scene.option("--settings"));
        let named = named.or(forced.map(|setting| setting.value.as_str()));
        let named = named.or(scene.environment.get("DJANGO_SETTINGS_MODULE"));
        let module = match named.map(str::to_owned).or(from_file.map(|setting| setting.value.clone())) {
            Some(module) => Some(module),
            None => default_module(scene, &home),
        };
        let sources = module.map_or_else(Vec::new, |module| sources(scene, &home, &module));
        let mut folders = vec![home.clone()];
        folders.extend(sources.iter().filter_map(|path| path.parent().map(Path::to_owned)));
        let texts: Vec<Layer> = sources.iter().filter_map(|path| settings_layer(scene, path)).collect();
        // A settings file that says so lets its file beat the environment.
        let overrides = sources.iter().any(|path| {
            scene
                .library
                .string(path)
                .is_some_and(|text| text.contains("overwrite=True") || text.contains("override=True"))
        });
        for folder in folders {
            readings.add_base(&folder);
            let mut layers = vec![Layer::fixed(configured.forced.clone()), Layer::Environment];
            let file = Layer::file(folder.join(".env"));
            layers.insert(if overrides { 1 } else { 2 }, file);
            layers.push(Layer::fixed(configured.defaults.clone()));
            layers.extend(texts.iter().cloned());
            readings.chain("Django", DIALECTS, layers);
            if let Some(layer) = decouple::layer(scene.library, &folder) {
                let mut layers = vec![Layer::Environment, layer];
                layers.extend(texts.iter().cloned());
                readings.chain("python-decouple", DIALECTS, layers);
            }
        }
    }
}

/// Finds the module that manage.py falls back to.
fn default_module(scene: &Scene<'_>, home: &Path) -> Option<String> {
    let path = home.join("manage.py");
    let text = scene.library.string(&path)?;
    let (_, rest) = text.split_once("DJANGO_SETTINGS_MODULE")?;
    let quoted = rest.get(1..)?.split(['"', '\'']).nth(1)?;
    Some(quoted.to_owned())
}

/// More files of one settings module are not followed.
const MOST_SOURCES: usize = 256;

/// Lists the files of a settings module: itself, then those of the same folder that it imports everything from.
fn sources(scene: &Scene<'_>, home: &Path, module: &str) -> Vec<PathBuf> {
    let file = |module: &str| {
        let base = home.join(module.replace('.', "/"));
        let found =
            [base.with_extension("py"), base.join("__init__.py")].into_iter().find(|path| scene.library.exists(path));
        found.or_else(|| {
            Some(home.join("src").join(module.replace('.', "/")).with_extension("py"))
                .filter(|path| scene.library.exists(path))
        })
    };
    let mut sources: Vec<PathBuf> = file(module).into_iter().collect();
    let mut at = 0;
    while at < sources.len() {
        if sources.len() > MOST_SOURCES {
            scene.library.give_up(&sources[0], None, GivenUp::too_much("its module imports from more than 256 others"));
            break;
        }
        let text = scene.library.string(&sources[at]).unwrap_or_default();
        let folder = sources[at].parent().unwrap_or(home).to_owned();
        for line in text.lines() {
            let Some((from, "*")) = line.trim().strip_prefix("from ").and_then(|rest| rest.split_once(" import "))
            else {
                continue;
            };
            let imported = match from.strip_prefix('.') {
                Some(relative) if !relative.starts_with('.') => {
                    Some(folder.join(relative.replace('.', "/")).with_extension("py"))
                }
                Some(_) => None,
                None => file(from),
            };
            if let Some(path) = imported.filter(|path| scene.library.exists(path) && !sources.contains(path)) {
                sources.push(path);
            }
        }
        at += 1;
    }
    sources
}

fn settings_layer(scene: &Scene<'_>, path: &Path) -> Option<Layer> {
    let pairs = scene.library.pairs(path, &scene.library.string(path)?, Comments::Hash);
    let shown = scene.library.shown(path);
    Some(Layer::computed(move |lookup| settings(&pairs, &shown, lookup)))
}

/// The keys of one entry of `DATABASES` that say which database it is.
const KEYS: &[&str] = &["HOST", "NAME", "PORT", "USER", "PASSWORD", "ENGINE"];

fn settings(pairs: &[Pair], shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    for pair in pairs {
        let [databases, rest @ ..] = &pair.path[..] else { continue };
        let is_entry = match rest {
            [_alias] => true,
            [_alias, key] => KEYS.contains(&key.as_str()),
            _ => false,
        };
        if databases != "DATABASES" || !is_entry {
            continue;
        }
        let known = match code::evaluate(&pair.expression, lookup) {
            // `BASE_DIR / "db.sqlite3"`: the file's name, somewhere below the project.
            code::Value::Unknown if rest.last().is_some_and(|key| key == "NAME") => file_name(&pair.expression),
            value => value.settled(&pair.expression),
        };
        let Some((value, unresolved)) = known else { continue };
        let variable = pair.path.last().cloned().unwrap_or_default();
        let origin = Origin::file(variable, shown, pair.line);
        settings.push(Setting { name: pair.path.join("."), value, origin, unresolved });
    }
    settings
}

/// Finds the last quoted text of a path expression, or gives the expression as something that is not known.
fn file_name(expression: &str) -> Option<(String, Option<Unresolved>)> {
    let is_path = expression.contains("BASE_DIR") || expression.contains("path.join") || expression.contains(" / ");
    let name = expression.rsplit(['"', '\'']).nth(1).filter(|_| is_path);
    Some(match name {
        Some(name) => (name.to_owned(), None),
        None => (expression.to_owned(), Some(Unresolved::Template)),
    })
}
