//! Python: the first `.env` found upwards (python-dotenv), the one in the current folder (pydantic-settings, Flask,
//! pipenv), and what pytest's configuration adds.
//!
//! Source: python-dotenv `find_dotenv`, measured; pydantic-settings' `env_file`; Flask's CLI (`.env`, `.flaskenv`).

use std::path::PathBuf;

use crate::environment::ecosystems::python::code::Code;
use crate::environment::ecosystems::python::dialects::DIALECTS;
use crate::environment::ecosystems::python::django;
use crate::environment::ecosystems::python::pytest::Configured;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let configured = Configured::of(scene);
    // Django's settings are read as such.
    let code = if django::is_used(scene) { Code::default() } else { Code::of_any(scene, &configured) };
    for texts in &code.layers {
        let mut layers = vec![Layer::fixed(configured.forced.clone())];
        layers.extend(texts.forced.clone());
        // Of those that override, the last one does.
        let overriding = texts.files.iter().rev().filter(|file| file.overrides);
        layers.extend(overriding.map(|file| Layer::file(file.path.clone())));
        layers.push(Layer::Environment);
        let others = texts.files.iter().filter(|file| !file.overrides).map(|file| file.path.clone());
        layers.extend(others.chain(scene.find_upwards(&[".env"])).map(Layer::file));
        layers.push(Layer::fixed(configured.defaults.clone()));
        layers.extend(texts.own.clone());
        readings.chain("configuration in code", DIALECTS, layers);
    }
    let mut chain = |loader, files: Vec<PathBuf>| {
        let mut layers = vec![Layer::fixed(configured.forced.clone()), Layer::Environment];
        layers.extend(files.into_iter().map(Layer::file));
        layers.push(Layer::fixed(configured.defaults.clone()));
        readings.chain(loader, DIALECTS, layers);
    };
    if !configured.files.is_empty() {
        chain("pytest-dotenv", configured.files.iter().rev().cloned().collect());
    }
    chain("python-dotenv", scene.find_upwards(&[".env"]).into_iter().collect());
    let mut names = vec![".env"];
    if scene.purpose.test {
        names.extend([".env.test", ".env.testing", "test.env"]);
    }
    if scene.purpose.development {
        names.extend([".env.local", ".env.dev", ".env.development"]);
    }
    for path in names.into_iter().map(|name| scene.path(name)).filter(|path| scene.library.exists(path)) {
        chain("python-dotenv", vec![path]);
    }
    for variable in ["APP_ENV", "ENV", "ENVIRONMENT", "FLASK_ENV", "DJANGO_ENV"] {
        if let Some(mode) = scene.environment.get(variable) {
            chain("python-dotenv", vec![scene.path(&format!(".env.{mode}"))]);
        }
    }
    if scene.program() == "flask" || scene.library.exists(&scene.path(".flaskenv")) {
        chain("Flask", vec![scene.path(".env"), scene.path(".flaskenv")]);
    }
}
