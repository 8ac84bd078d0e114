//! Django: the settings module is code, of which what it assigns to `DATABASES` counts.
//!
//! Source: Django's `conf/__init__.py`, manage.py's `setdefault`, pytest-django (`--ds` over the environment over the
//! file); django-environ reads the `.env` beside the file that calls it.

use std::path::Path;

use crate::collections::HashSet;
use crate::environment::ecosystems::python::code;
use crate::environment::ecosystems::python::code::Code;
use crate::environment::ecosystems::python::decouple;
use crate::environment::ecosystems::python::pytest::Configured;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::{Origin, Setting};
use crate::text::newlines;

/// The variable that names the settings module.
const MODULE: &str = "DJANGO_SETTINGS_MODULE";

/// The variable that names the class of it that holds the settings. Source: django-configurations' manual.
const CLASS: &str = "DJANGO_CONFIGURATION";

const DIALECTS: &[Dialect] = &[Dialect::DjangoEnviron, Dialect::PythonDotenvLoad, Dialect::PythonDotenvValues];

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    let speaks_of_it = |path: std::path::PathBuf| {
        let text = scene.library.manifest(&path);
        let marks = [MODULE, "from django", "import django", "configurations.management"];
        text.trim().is_empty() || marks.iter().any(|mark| text.contains(mark))
    };
    let is_configured = || {
        let Configured { forced, defaults, .. } = Configured::of(scene);
        forced.iter().chain(&defaults).any(|setting| setting.name == MODULE)
    };
    // Other programs have a manage.py, too.
    let file = scene.find_upwards(&["manage.py"]);
    scene.environment.get(MODULE).is_some() || file.is_some_and(|file| speaks_of_it(file) || is_configured())
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let configured = Configured::of(scene);
    for home in scene.homes("manage.py") {
        readings.add_base(&home);
        let from_file = configured.defaults.iter().find(|setting| setting.name == MODULE);
        let forced = configured.forced.iter().find(|setting| setting.name == MODULE);
        let named = scene.option("--ds").or(scene.option("--settings"));
        let named = named.or(forced.map(|setting| setting.value.as_str()));
        let named = named.or(scene.environment.get(MODULE));
        let mut forced = configured.forced.clone();
        if let Some(class) = scene.option("--dc").or(scene.option("--configuration")) {
            forced.insert(0, Setting::known(CLASS, class, Origin::command_line()));
        }
        let from_env_file = scene.library.unexpanded(&home.join(".env"), MODULE);
        let module = named.map(str::to_owned).or(from_env_file).or(from_file.map(|setting| setting.value.clone()));
        let fallback = default_of(scene, &home, MODULE).filter(|_| module.is_none());
        let mut defaults = configured.defaults.clone();
        if scene.words().iter().any(|word| word.ends_with("manage.py")) {
            defaults.extend(fallback.clone());
            defaults.extend(default_of(scene, &home, CLASS));
        }
        let module = module.or(fallback.map(|setting| setting.value));
        let mut code = module.map_or_else(Code::default, |module| {
            let roots = vec![home.clone(), home.join("src")];
            let file = home.join("manage.py");
            Code::of_django(scene, &configured, roots, &file, &module)
        });
        let mut folders = vec![home.clone()];
        folders.extend(code.modules.iter().filter_map(|path| path.parent().map(Path::to_owned)));
        let mut seen = HashSet::default();
        folders.retain(|folder| seen.insert(folder.clone()));
        // A settings file that says so lets its file beat the environment.
        let overrides = code.modules.iter().any(|path| {
            let text = scene.library.manifest(path);
            text.contains("overwrite=True") || text.contains("override=True")
        });
        if code.layers.is_empty() {
            code.layers.push(code::Layers::default());
        }
        for folder in folders {
            let file = folder.join(".env");
            // A folder of which nothing is read tells nothing but what the others do.
            if folder != home && !scene.library.exists(&file) && !scene.library.exists(&folder.join("settings.ini")) {
                continue;
            }
            readings.add_base(&folder);
            for texts in &code.layers {
                let mut layers = vec![Layer::fixed(forced.clone())];
                layers.extend(texts.forced.clone());
                layers.push(Layer::Environment);
                let at = if overrides { layers.len() - 1 } else { layers.len() };
                layers.insert(at, Layer::file(file.clone()));
                layers.splice(at..at, texts.files.iter().map(|file| Layer::file(file.path.clone())));
                layers.push(Layer::fixed(defaults.clone()));
                layers.extend(texts.own.clone());
                readings.chain("Django", DIALECTS, layers);
                if let Some(layer) = decouple::layer(scene.library, &folder) {
                    let mut layers = vec![Layer::Environment, layer];
                    layers.extend(texts.own.clone());
                    readings.chain("python-decouple", DIALECTS, layers);
                }
            }
        }
    }
}

/// Finds what manage.py falls back to for a variable.
fn default_of(scene: &Scene<'_>, home: &Path, variable: &str) -> Option<Setting> {
    let path = home.join("manage.py");
    let text = scene.library.string(&path)?;
    let (before, rest) = text.split_once(variable)?;
    let quoted = rest.get(1..)?.split(['"', '\'']).nth(1)?;
    let line = newlines(before.as_bytes()).saturating_add(1);
    Some(Setting::known(variable, quoted, Origin::file(variable, scene.library.shown(&path), line)))
}
