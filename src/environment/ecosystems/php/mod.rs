//! PHP: Laravel, Symfony, phpdotenv, PHPUnit, WordPress, and configuration in code.

pub(crate) mod array_pairs;
pub(crate) mod arrays;
pub(crate) mod config_folders;
pub(crate) mod doctrine;
pub(crate) mod dotenv_calls;
pub(crate) mod laravel;
pub(crate) mod laravel_database;
pub(crate) mod manifests;
pub(crate) mod phpdotenv;
pub(crate) mod phpunit;
pub(crate) mod statements;
pub(crate) mod symfony;
pub(crate) mod wordpress;

use crate::environment::derivation::Derivation;
use crate::environment::ecosystems::row::{Ecosystem, LoadOrder, NamedFile, nothing, nowhere};
use crate::environment::ecosystems::scene::Scene;
use crate::lists::list;

pub(crate) static PHP: Ecosystem = Ecosystem {
    name: "php",
    is_present: |scene| {
        scene.is_any_in_project(&["composer.json", "artisan", "phpunit.xml", "phpunit.xml.dist", "symfony.lock"])
    },
    load_orders: &[
        LoadOrder { name: "Laravel", applies: laravel::is_used, add: laravel::add },
        LoadOrder { name: "Symfony", applies: symfony::is_used, add: symfony::add },
        LoadOrder { name: "WordPress", applies: phpdotenv::is_used, add: wordpress::add },
        LoadOrder { name: "phpdotenv", applies: phpdotenv::is_used, add: phpdotenv::add },
        LoadOrder { name: "PHP array", applies: arrays::is_used, add: arrays::add },
        LoadOrder { name: "Laravel", applies: nothing_tells, add: laravel::add },
        LoadOrder { name: "Symfony", applies: nothing_tells, add: symfony::add },
    ],
    derivations: &[(
        laravel::runs_tests_in_parallel,
        Derivation {
            by: "Laravel's parallel tests",
            on_servers: &["{name}_test_{worker}"],
            in_files: &["{name}_test_{worker}"],
        },
    )],
    named_files: &[NamedFile {
        fits: |name| name.ends_with(".xml") || name.ends_with(".xml.dist"),
        layers: phpunit::layers,
    }],
    settings_options: &[(&["phinx"], &["-c", "--configuration"])],
    scan: manifests::scan,
    members: &[],
    confines: nowhere,
    included: nothing,
    drivers: list!("drivers.txt"),
};

/// Tells whether any framework may be in use: no manifest says which, and none shows itself.
fn nothing_tells(scene: &Scene<'_>) -> bool {
    scene.manifest(&["composer.json"]).is_empty() && !laravel::is_used(scene) && !symfony::is_used(scene)
}
