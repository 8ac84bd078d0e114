//! Settings in PHP's arrays: CakePHP, Yii, Drupal, Magento, TYPO3, CodeIgniter, Phinx and whoever keeps a connection in a
//! file that returns or assigns one. By text, never executed.
//!
//! Sources: the manuals of these frameworks; what is loaded later beats what was loaded before (`app_local.php` over
//! `app.php`, `settings.local.php` over `settings.php`, `main-local.php` over `main.php`). What other programs keep in their
//! folders of configuration is found by what it says: `config_folders`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::php::array_pairs::{connections, pairs_of};
use crate::environment::ecosystems::php::phpdotenv::DIALECTS;
use crate::environment::ecosystems::php::{config_folders, dotenv_calls, laravel};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::conventional;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::code;
use crate::environment::readers::code::{Pair, Value};
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting};

/// The files of one framework, the strongest first.
struct Files {
    names: &'static [&'static str],
    /// Read when tests run, too; where there are others for these, only then.
    for_tests: bool,
    for_development: bool,
    /// Tests use the connection of that name instead of all others.
    of_tests: Option<&'static str>,
}

const fn both(names: &'static [&'static str], of_tests: Option<&'static str>) -> Files {
    Files { names, for_tests: true, for_development: true, of_tests }
}

const FRAMEWORKS: &[Files] = &[
    // CakePHP
    both(&["config/app_local.php", "config/app.php"], Some("test")),
    both(&["app/Config/database.php", "Config/database.php"], Some("test")),
    // Yii
    Files { names: &["config/test_db.php", "config/db.php"], for_tests: true, for_development: false, of_tests: None },
    Files { names: &["config/db-local.php", "config/db.php"], for_tests: false, for_development: true, of_tests: None },
    both(&["config/console.php"], None),
    both(&["config/web.php"], None),
    both(&["console/config/main-local.php", "common/config/main-local.php", "common/config/main.php"], None),
    Files {
        names: &["common/config/test-local.php", "common/config/codeception-local.php", "common/config/test.php"],
        for_tests: true,
        for_development: false,
        of_tests: None,
    },
    both(&["protected/config/main.php"], None),
    both(&["protected/config/console.php"], None),
    // Drupal
    both(&["web/sites/default/settings.local.php", "web/sites/default/settings.php"], None),
    both(&["docroot/sites/default/settings.local.php", "docroot/sites/default/settings.php"], None),
    both(&["sites/default/settings.local.php", "sites/default/settings.php"], None),
    // Magento
    Files { names: &["app/etc/env.php"], for_tests: false, for_development: true, of_tests: None },
    Files {
        names: &["dev/tests/integration/etc/install-config-mysql.php"],
        for_tests: true,
        for_development: false,
        of_tests: None,
    },
    // Mautic
    both(&["config/local.php"], None),
    both(&["app/config/local.php"], None),
    // TYPO3
    both(&["config/system/additional.php", "config/system/settings.php"], None),
    both(&["typo3conf/AdditionalConfiguration.php", "typo3conf/LocalConfiguration.php"], None),
    both(&["public/typo3conf/AdditionalConfiguration.php", "public/typo3conf/LocalConfiguration.php"], None),
    // CodeIgniter
    both(&["application/config/database.php"], None),
    both(&["app/Config/Database.php"], Some("tests")),
    // Phinx, Doctrine
    both(&["phinx.php"], None),
    both(&["config/phinx.php"], None),
    both(&["migrations-db.php"], None),
    both(&["config/migrations-db.php"], None),
    // Laminas
    both(&["config/autoload/local.php", "config/autoload/global.php"], None),
    both(&["config/autoload/doctrine.local.php", "config/autoload/doctrine.global.php"], None),
    both(&["config/autoload/database.local.php", "config/autoload/database.global.php"], None),
    both(&["config/autoload/db.local.php", "config/autoload/db.global.php"], None),
    // PrestaShop, Nextcloud, Joomla, Moodle, MediaWiki
    both(&["app/config/parameters.php"], None),
    both(&["config/config.php"], None),
    both(&["configuration.php"], None),
    both(&["config.php"], None),
    both(&["LocalSettings.php"], None),
    // Plain programs
    both(&["config/config.inc.php", "config.inc.php"], None),
    both(&["includes/config.php", "inc/config.php"], None),
    both(&["app/config.php", "src/config.php"], None),
    both(&["config/database.php"], None),
    both(&["config/settings.php", "app/settings.php"], None),
];

/// The keys of a connection that say which database it is.
const KEYS: &[&str] = &[
    "adapter",
    "connectionString",
    "database",
    "dbdriver",
    "dbname",
    "driver",
    "dsn",
    "host",
    "hostname",
    "name",
    "pass",
    "password",
    "port",
    "server",
    "unix_socket",
    "url",
    "user",
    "username",
];

/// Keys that say where it is, so that what they come to has to be known.
const OF_A_PLACE: &[&str] = &["connectionString", "database", "dbname", "dsn", "host", "hostname", "server", "url"];

/// Applies where no framework has a load order of its own that reads its arrays.
pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    !laravel::is_used(scene)
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in scene.homes("composer.json") {
        let dotenv = dotenv(scene, &home);
        for is_test in runs(scene) {
            let mut known = HashSet::new();
            for files in FRAMEWORKS.iter().filter(|files| if is_test { files.for_tests } else { files.for_development })
            {
                let paths = files.names.iter().map(|name| home.join(name)).filter(|path| scene.library.exists(path));
                let paths: Vec<PathBuf> = paths.collect();
                known.extend(paths.iter().cloned());
                add_files(scene, readings, &dotenv, &paths, files.of_tests, is_test);
            }
            for paths in config_folders::orders(scene, &home, is_test, &known) {
                add_files(scene, readings, &dotenv, &paths, None, is_test);
            }
        }
    }
}

/// Lists the runs that are plausible: `true` for tests, `false` for the program itself.
fn runs(scene: &Scene<'_>) -> impl Iterator<Item = bool> {
    [(true, scene.purpose.test), (false, scene.purpose.development)].into_iter().filter(|run| run.1).map(|run| run.0)
}

/// Lists the dotenv files that the project's code may load before.
fn dotenv(scene: &Scene<'_>, home: &Path) -> Vec<Layer> {
    if !scene.manifest(&["composer.json"]).contains("dotenv") {
        return Vec::new();
    }
    let mut paths = vec![home.join(".env"), home.join("config/.env")];
    paths.extend(dotenv_calls::files(scene, home).iter().cloned());
    paths.dedup();
    paths.into_iter().map(Layer::file).collect()
}

/// Adds one set of files, the strongest first.
fn add_files(
    scene: &Scene<'_>,
    readings: &mut ReadingsBuilder<'_>,
    dotenv: &[Layer],
    paths: &[PathBuf],
    of_tests: Option<&str>,
    is_test: bool,
) {
    let mode = scene.purpose.named.as_deref().unwrap_or(if is_test { "test" } else { "development" });
    let mut read: Vec<(&PathBuf, Vec<Pair>)> = Vec::new();
    for path in paths {
        let mut pairs = pairs_of(scene, path).to_vec();
        // Laravel's own, which its load order reads.
        if pairs.iter().any(|pair| pair.path.first().is_some_and(|first| first == "connections")) {
            continue;
        }
        pairs.retain(|pair| is_of_mode(pair, mode));
        let of_tests = of_tests.filter(|name| pairs.iter().any(|pair| pair.path.iter().any(|key| key == name)));
        if let Some(own) = of_tests {
            pairs.retain(|pair| !says_connection(pair) || pair.path.iter().any(|key| key == own) == is_test);
        }
        read.push((path, pairs));
    }
    // One file may say where a database is of which another says what it is called.
    let connections: HashSet<Vec<String>> =
        read.iter().flat_map(|(_, pairs)| connections(pairs)).map(<[String]>::to_vec).collect();
    let connections = Rc::new(connections);
    let mut layers = Vec::new();
    let mut alternatives = Vec::new();
    for (path, mut pairs) in read {
        note_unknown(scene, path, &pairs, &connections);
        let file = scene.library.shown(path);
        // What is assigned again in a branch may or may not count.
        let first_wins: Vec<Pair> = pairs.clone();
        pairs.reverse();
        let has_alternatives =
            pairs.iter().enumerate().any(|(at, one)| pairs[..at].iter().any(|other| other.path == one.path));
        let layer = |pairs: Vec<Pair>| {
            let (file, connections) = (file.clone(), Rc::clone(&connections));
            Layer::computed(move |lookup| settings(&pairs, &connections, &file, lookup))
        };
        if has_alternatives {
            alternatives.push(layer(first_wins));
        }
        layers.push(layer(pairs));
    }
    if layers.is_empty() {
        return;
    }
    let top = || std::iter::once(Layer::Environment).chain(dotenv.iter().cloned());
    for alternative in alternatives {
        readings.chain("PHP array", DIALECTS, top().chain([alternative]).collect());
    }
    readings.chain("PHP array", DIALECTS, top().chain(layers).collect());
}

/// Tells whether a pair stands in no section for another environment (`'environments' => ['production' => …]`).
fn is_of_mode(pair: &Pair, mode: &str) -> bool {
    let section = pair.path.iter().position(|key| key == "environments").and_then(|at| pair.path.get(at + 1));
    section.is_none_or(|section| !conventional::is_for_another(section, mode))
}

fn says_connection(pair: &Pair) -> bool {
    pair.path.last().is_some_and(|key| KEYS.contains(&key.as_str()))
}

/// Notes the place of a connection that code makes up.
fn note_unknown(scene: &Scene<'_>, path: &Path, pairs: &[Pair], connections: &HashSet<Vec<String>>) {
    let look = |name: &str| scene.environment.get(name).map(str::to_owned);
    for pair in pairs {
        let Some((key, outer)) = pair.path.split_last() else { continue };
        let is_place = connections.contains(outer) && OF_A_PLACE.contains(&key.as_str());
        if is_place && code::evaluate(&pair.expression, &look) == Value::Unknown && !is_nothing(&pair.expression) {
            let why = "the place of a database is put together by code";
            scene.library.give_up(path, Some(pair.line), GivenUp::Code(why.into()));
        }
    }
}

/// Tells whether a key of the file itself is called as a variable that says the mode: Magento's `MAGE_MODE`.
///
/// Source: Magento's "About application modes" (`app/etc/env.php`; the variable beats it).
fn is_mode(key: &str) -> bool {
    let is_constant = key.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase());
    is_constant && ["_MODE", "_ENV", "_ENVIRONMENT"].iter().any(|ending| key.ends_with(ending))
}

fn is_nothing(expression: &str) -> bool {
    ["null", "false", "true", "''", "\"\""].iter().any(|word| expression.trim().eq_ignore_ascii_case(word))
}

fn settings(pairs: &[Pair], connections: &HashSet<Vec<String>>, shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    let known = pairs.iter().filter_map(|pair| {
        let (key, outer) = pair.path.split_last()?;
        let Value::Known(value) = code::evaluate(&pair.expression, lookup) else { return None };
        let is_own = connections.contains(outer) && KEYS.contains(&key.as_str());
        // Others have names of their own: `db_host`, `dbhost`, `wgDBserver`.
        let names_itself =
            key.to_ascii_lowercase().contains("db") || key.contains("database") || outer.is_empty() && is_mode(key);
        let name = match (is_own, names_itself) {
            (true, _) => {
                let connection: Vec<&str> = outer.iter().rev().take(2).rev().map(String::as_str).collect();
                format!("database.{}.{key}", connection.join("_"))
            }
            (false, true) => key.clone(),
            (false, false) if value.contains("://") => pair.path.join("."),
            _ => return None,
        };
        Some(Setting::known(name, value, Origin::file(key, shown, pair.line)))
    });
    known.collect()
}
