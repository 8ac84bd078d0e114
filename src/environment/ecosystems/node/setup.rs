//! What the configuration and set-up files of Node.js test runners load or set: `dotenv.config({ path: '.env.ci' })`,
//! and the variables of Vitest's `test.env`. By text, never executed.

use std::collections::HashSet;
use std::path::Path;

use crate::environment::ecosystems::node::code as node_code;
use crate::environment::ecosystems::node::{dialects, package};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::paths::normal;
use crate::environment::readers::code;
use crate::environment::readers::code::{Comments, Pair, Value};
use crate::environment::{Origin, Setting};

/// How such a file's name begins.
const NAMES: &[&str] = &[
    "jest.config.",
    "jest.setup.",
    "jest-setup.",
    "setupTests.",
    "setup-tests.",
    "vitest.config.",
    "vitest.setup.",
    "vite.config.",
    "playwright.config.",
    "cypress.config.",
    "drizzle.config.",
    "prisma.config.",
    "knexfile.",
    "mikro-orm.config.",
    "data-source.",
    "ormconfig.",
    "test-setup.",
];

/// Folders that set-up files are kept in too.
const FOLDERS: &[&str] = &["test", "tests", "config", "src"];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let home = package::folder(scene);
    for path in scene.files_in(&home, FOLDERS) {
        if node_code::is_code(&path) && is_setup(&path) {
            add_file(scene, readings, &home, &path);
        }
    }
}

fn is_setup(path: &Path) -> bool {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    NAMES.iter().any(|start| name.starts_with(start))
        || matches!(name.split('.').next(), Some("setup" | "globalSetup" | "setupEnv" | "env-setup"))
}

fn add_file(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>, home: &Path, path: &Path) {
    let Some(text) = scene.library.string(path).filter(|text| text.contains("env")) else { return };
    let pairs = scene.library.pairs(path, &text, Comments::Slashes);
    let beside = path.parent().unwrap_or(home);
    let mut seen = HashSet::new();
    for named in pairs.iter().filter_map(named_file).filter(|named| seen.insert(*named)) {
        for file in [home.join(named), normal(&beside.join(named))] {
            let mut layers = vec![Layer::Environment, Layer::file(file)];
            if text.contains("override: true") {
                layers.reverse();
            }
            readings.chain("dotenv (Node.js)", dialects::of(scene), layers);
        }
    }
    let shown = scene.library.shown(path);
    let set: Vec<Setting> = pairs.iter().filter_map(|pair| variable(pair, scene, &shown)).collect();
    if !set.is_empty() {
        let layers = vec![Layer::fixed(set), Layer::Environment, Layer::file(home.join(".env"))];
        readings.chain("test runner's configuration", dialects::of(scene), layers);
    }
}

/// Finds the file that `path: path.resolve(__dirname, '../.env.test')` names: the last quoted text.
fn named_file(pair: &Pair) -> Option<&str> {
    let named = pair.expression.rsplit(['"', '\'', '`']).nth(1)?;
    let is_path = pair.path.last().is_some_and(|key| key == "path");
    (is_path && named.contains(".env") && !named.contains("${")).then_some(named)
}

/// Reads a variable of `env: { NAME: 'value' }`.
fn variable(pair: &Pair, scene: &Scene<'_>, shown: &Path) -> Option<Setting> {
    let [.., env, name] = &pair.path[..] else { return None };
    let is_part = |byte: u8| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if env != "env" || !name.bytes().all(is_part) {
        return None;
    }
    let lookup = |name: &str| scene.environment.get(name).map(str::to_owned);
    let Value::Known(value) = code::evaluate(&pair.expression, &lookup) else { return None };
    Some(Setting::known(name, value, Origin::file(name, shown, pair.line)))
}
