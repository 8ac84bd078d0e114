//! WordPress: the constants of `wp-config.php`, and those of the file that its tests use instead.
//!
//! Source: WordPress' "Editing wp-config.php"; the handbook's page on PHPUnit (`wp-tests-config.php`).

use crate::environment::ecosystems::php::code;
use crate::environment::ecosystems::php::phpdotenv::DIALECTS;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let files = [
        ("wp-config.php", scene.purpose.development),
        ("../wp-config.php", scene.purpose.development),
        ("wp-tests-config.php", scene.purpose.test),
        ("tests/phpunit/wp-tests-config.php", scene.purpose.test),
    ];
    for (name, _) in files.iter().filter(|(_, is_wanted)| *is_wanted) {
        if let Some(layer) = code::wordpress(scene.library, &scene.path(name)) {
            let layers = vec![Layer::Environment, Layer::file(scene.path(".env")), layer];
            readings.chain("WordPress", DIALECTS, layers);
        }
    }
}
