//! What the configuration and set-up files of Node.js test runners load or set: `dotenv.config({ path: '.env.ci' })`,
//! and the variables of Vitest's `test.env`. By text, never executed.

use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;

use super::super::code::{self, Comments, Value};
use super::super::layers::{Draft, Layer};
use super::super::paths::normal;
use super::super::{Origin, Setting};
use super::{Scene, node};

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

pub(super) fn add(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let home = scene.find_upwards(&["package.json"]).and_then(|path| path.parent().map(Path::to_owned));
    let home = home.unwrap_or_else(|| scene.folder.to_owned());
    let at_home = scene.library.files.list(&home);
    let below = FOLDERS.iter().filter(|folder| at_home.iter().any(|name| name == **folder));
    let mut paths: Vec<_> = at_home.iter().map(|name| home.join(name)).collect();
    for folder in below.map(|folder| home.join(folder)) {
        paths.extend(scene.library.files.list(&folder).into_iter().map(|name| folder.join(name)));
    }
    for path in paths {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let is_code = [".js", ".ts", ".cjs", ".mjs", ".cts", ".mts"].iter().any(|extension| name.ends_with(extension));
        let is_setup = NAMES.iter().any(|start| name.starts_with(start))
            || is_code && matches!(name.split('.').next(), Some("setup" | "globalSetup" | "setupEnv" | "env-setup"));
        if is_code && is_setup {
            add_file(scene, draft, &home, &path);
        }
    }
}

fn add_file(scene: &Scene<'_>, draft: &mut Draft<'_>, home: &Path, path: &Path) {
    let Some(text) = scene.library.string(path) else { return };
    if !text.contains("env") {
        return;
    }
    let shown = scene.library.shown(path);
    let mut set: Vec<Setting> = Vec::new();
    let mut files = HashSet::new();
    for pair in code::pairs(&text, Comments::Slashes) {
        match &pair.path[..] {
            // `path: path.resolve(__dirname, '../.env.test')`: the last quoted text.
            [.., key] if key == "path" => {
                let named = pair.expression.rsplit(['"', '\'', '`']).nth(1).filter(|named| named.contains(".env"));
                if let Some(named) = named.filter(|named| !named.contains("${") && files.insert((*named).to_owned())) {
                    let beside = path.parent().unwrap_or(home);
                    for file in [home.join(named), normal(&beside.join(named))] {
                        let mut layers = vec![Layer::Shell, Layer::file(file)];
                        if text.contains("override: true") {
                            layers.reverse();
                        }
                        draft.chain("dotenv (Node.js)", node::DOTENV, layers);
                    }
                }
            }
            [.., env, name]
                if env == "env"
                    && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit()) =>
            {
                let lookup = |name: &str| scene.shell.get(name).map(str::to_owned);
                if let Value::Known(value) = code::evaluate(pair.expression, &lookup) {
                    let origin = Origin::file(name.clone(), &shown, pair.line);
                    set.push(Setting::known(name.clone(), value, origin));
                }
            }
            _ => {}
        }
    }
    if !set.is_empty() {
        let layers = vec![Layer::Fixed(Rc::new(set)), Layer::Shell, Layer::file(home.join(".env"))];
        draft.chain("test runner's configuration", node::DOTENV, layers);
    }
}
