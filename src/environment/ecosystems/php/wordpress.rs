//! WordPress: the constants of `wp-config.php`, and those of the file that its tests use instead.
//!
//! Source: WordPress' "Editing wp-config.php"; the handbook's page on PHPUnit (`wp-tests-config.php`).

use std::path::Path;

use crate::environment::ecosystems::php::phpdotenv::DIALECTS;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, Library, ReadingsBuilder};
use crate::environment::readers::code;
use crate::environment::readers::code::Value;
use crate::environment::{Origin, Setting};

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let files = [
        ("wp-config.php", scene.purpose.development),
        ("../wp-config.php", scene.purpose.development),
        ("wp-tests-config.php", scene.purpose.test),
        ("tests/phpunit/wp-tests-config.php", scene.purpose.test),
    ];
    for (name, _) in files.iter().filter(|(_, is_wanted)| *is_wanted) {
        if let Some(layer) = constants(scene.library, &scene.path(name)) {
            let layers = vec![Layer::Environment, Layer::file(scene.path(".env")), layer];
            readings.chain("WordPress", DIALECTS, layers);
        }
    }
}

/// Reads the constants: `define( 'DB_HOST', 'localhost' );`.
fn constants(library: &Library<'_>, path: &Path) -> Option<Layer> {
    let text = library.string(path)?;
    let shown = library.shown(path);
    Some(Layer::computed(move |lookup| {
        let defined = text.lines().zip(1..).filter_map(|(line, number)| {
            let inside = line.trim_start().strip_prefix("define")?.trim_start().strip_prefix('(')?;
            let (name, rest) = inside.trim_start().strip_prefix(['"', '\''])?.split_once(['"', '\''])?;
            let expression = rest.trim_start().strip_prefix(',')?.split(");").next()?.split(" );").next()?;
            let Value::Known(value) = code::evaluate(expression, lookup) else { return None };
            let is_wanted = name.starts_with("DB_") || name == "WP_ENVIRONMENT_TYPE" || name == "WP_ENV";
            let origin = Origin::file(name, &shown, number);
            is_wanted.then(|| Setting::known(name, value, origin))
        });
        defined.collect()
    }))
}
