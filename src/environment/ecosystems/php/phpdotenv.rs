//! PHP without a known framework: phpdotenv on `.env`, and what phpunit's configuration sets.

use std::rc::Rc;

use crate::environment::ecosystems::php::code as php_code;
use crate::environment::ecosystems::php::phpunit::Phpunit;
use crate::environment::ecosystems::{Scene, single};
use crate::environment::layering::library::Dialect;
use crate::environment::layering::{Draft, Layer};

const DIALECTS: &[Dialect] = &[Dialect::Phpdotenv, Dialect::Symfony];

pub(crate) fn add(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let mut names = vec![".env".to_owned()];
    if scene.purpose.test {
        names.extend([".env.testing".to_owned(), ".env.test".to_owned()]);
    }
    if let Some(named) = scene.purpose.named.as_deref().or(scene.shell.get("APP_ENV")) {
        names.push(format!(".env.{named}"));
    }
    let constants = ["wp-config.php", "../wp-config.php", "wp-tests-config.php", "tests/phpunit/wp-tests-config.php"];
    for (at, name) in constants.iter().enumerate() {
        let wanted = if at < 2 { scene.purpose.development } else { scene.purpose.test };
        if let Some(layer) = php_code::wordpress(scene.library, &scene.path(name)).filter(|_| wanted) {
            draft.chain("WordPress", DIALECTS, vec![Layer::Shell, Layer::file(scene.path(".env")), layer]);
        }
    }
    let phpunit = Phpunit::find(scene.library, scene.folder, scene.option("-c")).filter(|_| scene.purpose.test);
    for name in names {
        let path = scene.path(&name);
        match &phpunit {
            None => single(draft, "phpdotenv", DIALECTS, &path),
            Some((_, phpunit)) => {
                let fixed = |settings: &Vec<_>| Layer::Fixed(Rc::new(settings.clone()));
                let (server, forced, env) = (fixed(&phpunit.server), fixed(&phpunit.forced), fixed(&phpunit.env));
                let file = Layer::file(path);
                // Who asks `getenv` sees what `force` wrote; who asks `$_SERVER` sees the shell's own.
                let forced_first = vec![server.clone(), forced.clone(), Layer::Shell, env.clone(), file.clone()];
                draft.chain("phpunit", DIALECTS, forced_first);
                draft.chain("phpunit", DIALECTS, vec![server, Layer::Shell, forced, env, file]);
            }
        }
    }
}
