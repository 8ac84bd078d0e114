//! Laravel: one file, `.env.{APP_ENV}` where APP_ENV is known before and the file is there, else `.env`.
//!
//! Source: laravel/framework `LoadEnvironmentVariables.php` and phpdotenv's `RepositoryBuilder.php`: `$_SERVER` is
//! asked before `$_ENV`, so an exported variable beats phpunit's `<env>`, even a forced one, and `<server>` beats
//! both. With a cached configuration nothing of all this is read.

use std::path::Path;

use crate::environment::Condition;
use crate::environment::ecosystems::php::laravel_database;
use crate::environment::ecosystems::php::phpunit::Phpunit;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;

const TESTERS: &[&str] = &["phpunit", "pest", "paratest", "artisan", "composer", "codecept", "dusk"];

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    scene.is_in_project("artisan")
        || scene.program() == "artisan"
        || scene.manifest(&["composer.json"]).contains("\"laravel/framework\"")
}

/// Tells whether the tests run in several processes, as far as the command says.
///
/// Source: laravel/framework `TestCommand.php` (`--parallel`, `-p`), pestphp's `--parallel`; and `TestDatabases.php`, which
/// makes the databases.
pub(crate) fn runs_tests_in_parallel(scene: &Scene<'_>) -> bool {
    let says_so = |word: &String| matches!(word.as_str(), "--parallel" | "-p");
    scene.purpose.test
        && is_used(scene)
        && (scene.step.is_none()
            || !TESTERS.contains(&scene.program())
            || scene.program() == "paratest"
            || scene.words().iter().any(says_so))
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in scene.homes("artisan") {
        readings.add_base(&home);
        readings.add_base(&home.join("database"));
        let cached = home.join("bootstrap/cache/config.php");
        if scene.library.exists(&cached) {
            readings.condition(Condition::CachedLaravelConfig { file: readings.shown(&cached) });
        }
        let runs_phpunit = scene.purpose.test
            && (scene.step.is_none() || TESTERS.contains(&scene.program()) || scene.purpose.development);
        let phpunit = if runs_phpunit { Phpunit::find(scene, &home) } else { None };
        if let Some((_, phpunit)) = &phpunit {
            for environment in test_environments(scene, Some(phpunit)) {
                let mut layers = vec![Layer::fixed(phpunit.server.clone()), Layer::Environment];
                layers.push(Layer::fixed(phpunit.forced.clone()));
                layers.push(Layer::fixed(phpunit.env.clone()));
                add_file(scene, readings, &home, environment.as_deref(), layers);
            }
        } else if scene.purpose.test {
            for environment in test_environments(scene, None) {
                add_file(scene, readings, &home, environment.as_deref(), vec![Layer::Environment]);
            }
        }
        if scene.purpose.development {
            let environment = scene.purpose.named.as_deref().or(scene.environment.get("APP_ENV"));
            add_file(scene, readings, &home, environment, vec![Layer::Environment]);
        }
    }
}

/// Lists the values that APP_ENV may have when the tests choose their file; `None` for not set.
fn test_environments(scene: &Scene<'_>, phpunit: Option<&Phpunit>) -> Vec<Option<String>> {
    let from_server = phpunit.and_then(|phpunit| {
        phpunit.server.iter().find(|setting| setting.name == "APP_ENV").map(|setting| setting.value.as_str())
    });
    let known = scene.purpose.named.as_deref().or(from_server).or(scene.environment.get("APP_ENV"));
    match (known.or(phpunit.and_then(|phpunit| phpunit.get("APP_ENV"))), phpunit) {
        (Some(name), _) => vec![Some(name.to_owned())],
        // Without a configuration in sight, take it that the tests set APP_ENV as the skeleton's one does.
        (None, None) if scene.program() == "artisan" => vec![Some("testing".to_owned())],
        (None, _) => vec![Some("testing".to_owned()), None],
    }
}

fn add_file(
    scene: &Scene<'_>,
    readings: &mut ReadingsBuilder<'_>,
    home: &Path,
    environment: Option<&str>,
    mut layers: Vec<Layer>,
) {
    // Dusk puts its own file in the place of `.env` while it runs.
    let is_dusk = scene.words().iter().any(|word| word == "dusk" || word == "pest:dusk");
    let of_dusk = environment
        .map(|name| format!(".env.dusk.{name}"))
        .into_iter()
        .chain([".env.dusk".to_owned(), ".env.dusk.local".to_owned()]);
    let of_dusk = of_dusk.map(|name| home.join(name)).find(|path| is_dusk && scene.library.exists(path));
    let fallback = of_dusk.unwrap_or_else(|| home.join(".env"));
    let mut file = fallback.clone();
    if let Some(environment) = environment.filter(|name| !name.is_empty()) {
        let wanted = home.join(format!(".env.{environment}"));
        if scene.library.exists(&wanted) {
            file = wanted;
        } else if scene.library.exists(&fallback) {
            let (wanted, fallback) = (readings.shown(&wanted), readings.shown(&fallback));
            readings.condition(Condition::MissingEnvironmentFile { wanted, fallback });
        }
    }
    layers.push(Layer::file(file));
    layers.extend(laravel_database::layer(scene.library, home));
    readings.chain("Laravel", &[Dialect::Phpdotenv], layers);
}
