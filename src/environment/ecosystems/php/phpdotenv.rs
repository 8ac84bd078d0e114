//! PHP without a known framework: phpdotenv on `.env`, and what phpunit's configuration sets.

use std::path::PathBuf;

use crate::environment::ecosystems::php::phpunit::Phpunit;
use crate::environment::ecosystems::php::{dotenv_calls, laravel, symfony};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;

pub(crate) const DIALECTS: &[Dialect] = &[Dialect::Phpdotenv, Dialect::Symfony];

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    let is_named = scene.manifest(&["composer.json"]).contains("\"vlucas/phpdotenv\"");
    is_named || !laravel::is_used(scene) && !symfony::is_used(scene)
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let mut names = vec![".env".to_owned()];
    if scene.purpose.test {
        names.extend([".env.testing".to_owned(), ".env.test".to_owned()]);
    }
    if let Some(named) = scene.purpose.named.as_deref().or(scene.environment.get("APP_ENV")) {
        names.push(format!(".env.{named}"));
    }
    let phpunit = Phpunit::find(scene, scene.folder).filter(|_| scene.purpose.test);
    let mut paths: Vec<PathBuf> = names.iter().map(|name| scene.path(name)).collect();
    if scene.manifest(&["composer.json"]).contains("dotenv") {
        for home in scene.homes("composer.json") {
            paths.extend(
                dotenv_calls::files(scene, &home)
                    .iter()
                    .filter(|path| !paths.contains(path))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
    }
    for path in paths {
        match &phpunit {
            None => readings.file("phpdotenv", DIALECTS, path),
            Some((_, phpunit)) => {
                let fixed = |settings: &Vec<_>| Layer::fixed(settings.clone());
                let (server, forced, env) = (fixed(&phpunit.server), fixed(&phpunit.forced), fixed(&phpunit.env));
                let file = Layer::file(path);
                // Who asks `getenv` sees what `force` wrote; who asks `$_SERVER` sees the shell's own.
                let forced_first = vec![server.clone(), forced.clone(), Layer::Environment, env.clone(), file.clone()];
                readings.chain("phpunit", DIALECTS, forced_first);
                readings.chain("phpunit", DIALECTS, vec![server, Layer::Environment, forced, env, file]);
            }
        }
    }
}
