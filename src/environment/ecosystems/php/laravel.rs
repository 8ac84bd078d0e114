//! Laravel: one file, `.env.{APP_ENV}` where APP_ENV is known before and the file is there, else `.env`.
//!
//! Source: laravel/framework `LoadEnvironmentVariables.php` and phpdotenv's `RepositoryBuilder.php`: `$_SERVER` is
//! asked before `$_ENV`, so an exported variable beats phpunit's `<env>`, even a forced one, and `<server>` beats
//! both. With a cached configuration nothing of all this is read.

use std::path::Path;
use std::rc::Rc;

use crate::environment::ecosystems::Scene;
use crate::environment::ecosystems::php::code as php_code;
use crate::environment::ecosystems::php::phpunit::Phpunit;
use crate::environment::layering::library::Dialect;
use crate::environment::layering::{Draft, Layer};
use crate::environment::survey::Condition;

const TESTERS: &[&str] = &["phpunit", "pest", "paratest", "artisan", "composer", "codecept", "dusk"];

pub(crate) fn add(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    for home in scene.homes("artisan") {
        draft.add_base(&home);
        draft.add_base(&home.join("database"));
        let cached = home.join("bootstrap/cache/config.php");
        if scene.library.exists(&cached) {
            draft.condition(Condition::CachedLaravelConfig { file: draft.shown(&cached) });
        }
        let runs_phpunit = scene.purpose.test
            && (scene.step.is_none() || TESTERS.contains(&scene.program()) || scene.purpose.development);
        let named = scene.option("-c").or(scene.option("--configuration"));
        let phpunit = if runs_phpunit { Phpunit::find(scene.library, &home, named) } else { None };
        if let Some((_, phpunit)) = &phpunit {
            for environment in test_environments(scene, Some(phpunit)) {
                let mut layers = vec![Layer::Fixed(Rc::new(phpunit.server.clone())), Layer::Shell];
                layers.push(Layer::Fixed(Rc::new(phpunit.forced.clone())));
                layers.push(Layer::Fixed(Rc::new(phpunit.env.clone())));
                add_file(scene, draft, &home, environment.as_deref(), layers);
            }
        } else if scene.purpose.test {
            for environment in test_environments(scene, None) {
                add_file(scene, draft, &home, environment.as_deref(), vec![Layer::Shell]);
            }
        }
        if scene.purpose.development {
            let environment = scene.purpose.named.as_deref().or(scene.shell.get("APP_ENV"));
            add_file(scene, draft, &home, environment, vec![Layer::Shell]);
        }
    }
}

/// The values that APP_ENV may have when the tests choose their file; `None` for not set.
fn test_environments(scene: &Scene<'_>, phpunit: Option<&Phpunit>) -> Vec<Option<String>> {
    let from_server = phpunit.and_then(|phpunit| {
        phpunit.server.iter().find(|setting| setting.name == "APP_ENV").map(|setting| setting.value.as_str())
    });
    let known = scene.purpose.named.as_deref().or(from_server).or(scene.shell.get("APP_ENV"));
    match (known.or(phpunit.and_then(|phpunit| phpunit.get("APP_ENV"))), phpunit) {
        (Some(name), _) => vec![Some(name.to_owned())],
        // Without a configuration in sight, take it that the tests set APP_ENV as the skeleton's one does.
        (None, None) if scene.program() == "artisan" => vec![Some("testing".to_owned())],
        (None, _) => vec![Some("testing".to_owned()), None],
    }
}

fn add_file(scene: &Scene<'_>, draft: &mut Draft<'_>, home: &Path, environment: Option<&str>, mut layers: Vec<Layer>) {
    let fallback = home.join(".env");
    let mut file = fallback.clone();
    if let Some(environment) = environment.filter(|name| !name.is_empty()) {
        let wanted = home.join(format!(".env.{environment}"));
        if scene.library.exists(&wanted) {
            file = wanted;
        } else if scene.library.exists(&fallback) {
            let (wanted, fallback) = (draft.shown(&wanted), draft.shown(&fallback));
            draft.condition(Condition::MissingEnvironmentFile { wanted, fallback });
        }
    }
    layers.push(Layer::file(file));
    layers.extend(php_code::laravel(scene.library, home));
    draft.chain("Laravel", &[Dialect::Phpdotenv], layers);
}
