//! Symfony: `.env.{env}.local` over `.env.{env}` over `.env.local` (not in tests) over `.env`.
//!
//! Source: symfony/dotenv `Dotenv.php` (`bootEnv`, `loadEnv`), measured: a dumped `.env.local.php` is used alone
//! where APP_ENV is not set or is the one it was dumped for; `.env.dist` stands in for a missing `.env`.

use std::path::Path;

use crate::environment::ecosystems::php::doctrine;
use crate::environment::ecosystems::php::laravel;
use crate::environment::ecosystems::php::phpunit::Phpunit;
use crate::environment::ecosystems::php::statements::statements;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::by_format;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::code::Comments;
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting};

const DIALECTS: &[Dialect] = &[Dialect::Symfony];

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    let manifest = scene.manifest(&["composer.json"]);
    let runs = |program: &str| scene.words().first().is_some_and(|word| word.trim_start_matches("./") == program);
    manifest.contains("\"symfony/framework-bundle\"")
        || manifest.contains("\"symfony/dotenv\"")
        || scene.is_any_in_project(&["symfony.lock", "bin/console"])
        || scene.program() == "console"
        || runs("bin/phpunit") && !laravel::is_used(scene)
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in scene.homes("symfony.lock") {
        readings.add_base(&home);
        let phpunit = Phpunit::find(scene, &home).map(|(_, phpunit)| phpunit);
        let dumped = dumped(scene, &home.join(".env.local.php"));
        for (is_test, wanted) in [(true, scene.purpose.test), (false, scene.purpose.development)] {
            if !wanted {
                continue;
            }
            let phpunit = phpunit.clone().filter(|_| is_test).unwrap_or_default();
            let mut top = vec![Layer::fixed(phpunit.server.clone()), Layer::fixed(phpunit.forced.clone())];
            top.extend([Layer::Environment, Layer::fixed(phpunit.env.clone())]);
            let (known, default) = environment(scene, &home, &phpunit, is_test);
            // What an option says is set before any file is read.
            if let (Some(named), Some(step)) = (&scene.purpose.named, scene.step) {
                let origin = Origin { variable: "APP_ENV".to_owned(), ..step.invocation.origin.clone() };
                top.insert(0, Layer::fixed(vec![Setting::known("APP_ENV", named.clone(), origin)]));
            }
            let dumped_for =
                dumped.iter().find(|setting| setting.name == "APP_ENV").map(|setting| setting.value.as_str());
            if !dumped.is_empty() && (known.is_none() || known.as_deref() == dumped_for) {
                let layers = top.iter().cloned().chain([Layer::fixed(dumped.clone())]);
                readings.chain("Symfony (.env.local.php)", DIALECTS, layers.collect());
            }
            let environment = known.unwrap_or(default);
            let mut names = vec![format!(".env.{environment}.local"), format!(".env.{environment}")];
            if environment != "test" {
                names.push(".env.local".to_owned());
            }
            let has_main = scene.library.exists(&home.join(".env"));
            names.push(if has_main { ".env".to_owned() } else { ".env.dist".to_owned() });
            top.extend(names.iter().map(|name| Layer::file(home.join(name))));
            top.extend(doctrine::layers(scene.library, &home, &environment));
            top.extend(parameters(scene, &home));
            readings.chain("Symfony", DIALECTS, top);
        }
    }
}

/// Finds APP_ENV where it is known before any file is read, and what it is else.
fn environment(scene: &Scene<'_>, home: &Path, phpunit: &Phpunit, is_test: bool) -> (Option<String>, String) {
    let named = scene.purpose.named.as_deref();
    let before = named.or(phpunit.get("APP_ENV")).or(scene.environment.get("APP_ENV")).filter(|name| !name.is_empty());
    let in_file = || {
        let files = [".env.local", ".env"].iter();
        files.filter_map(|name| scene.library.unexpanded(&home.join(name), "APP_ENV")).find(|name| !name.is_empty())
    };
    let default = if is_test { "test".to_owned() } else { in_file().unwrap_or_else(|| "dev".to_owned()) };
    (before.map(str::to_owned), default)
}

/// Reads the pairs of a dumped `.env.local.php`: `return array('KEY' => 'value');`, on however many lines.
fn dumped(scene: &Scene<'_>, path: &Path) -> Vec<Setting> {
    if !scene.library.exists(path) {
        return Vec::new();
    }
    let text = scene.library.string(path).unwrap_or_default();
    let shown = scene.library.shown(path);
    let pairs = statements(&text, |text| scene.library.pairs(path, text, Comments::Slashes));
    let settings = pairs.into_iter().filter_map(|pair| {
        let [name] = &pair.path[..] else { return None };
        let inside = pair.expression.strip_prefix(['\'', '"'])?.strip_suffix(['\'', '"'])?;
        let value = inside.replace("\\'", "'").replace("\\\\", "\\");
        Some(Setting::known(name.clone(), value, Origin::file(name, &shown, pair.line)))
    });
    settings.collect()
}

/// Reads the parameters that Symfony kept before it had variables.
fn parameters(scene: &Scene<'_>, home: &Path) -> Vec<Layer> {
    let files =
        ["app/config/parameters.yml", "config/parameters.yml", "config/parameters.yaml"].map(|name| home.join(name));
    let present = files.iter().filter(|path| scene.library.exists(path));
    present.flat_map(|path| by_format::flat(scene.library, path, formats::yaml::flatten)).collect()
}
