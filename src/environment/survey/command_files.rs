//! Settings files that a command names by an option of its own (`alembic -c prod.ini`, `knex --knexfile
//! db/knexfile.js`), hands to the project's own program (`java -jar shop.jar server shop.yml`), or that a variable names
//! (`SHOP_CONFIG=live.yaml`).
//!
//! Source: the command-line help of the programs.

use std::path::{Path, PathBuf};

use crate::environment::ecosystems;
use crate::environment::ecosystems::node;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::sections;
use crate::environment::follow::env_programs::is_named_for_variables;
use crate::environment::invocation::option_of;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::paths::normal;
use crate::environment::readers::dotenv::EVERY_DIALECT;
use crate::environment::survey::named_files;
use crate::tools::programs::{Loading, loading};

/// Options that name a file of variables, whatever the program.
const OF_VARIABLES: &[&str] = &["--env-file", "--envfile", "--env_file", "--dotenv", "--dotenv-path", "--dotenv-file"];

/// Options by which a project's own program is told its settings file.
const OF_SETTINGS: &[&str] = &[
    "--config",
    "--config-file",
    "--configfile",
    "--conf",
    "--configuration",
    "--settings",
    "-config",
    "-config-file",
    "-conf",
    "-c",
];

/// Endings of files that hold settings, not code.
const HOLD_SETTINGS: &[&str] =
    &["yml", "yaml", "json", "toml", "ini", "cfg", "conf", "properties", "env", "hcl", "hjson", "xml"];

/// Programs whose own loader of such files is modelled apart.
const MODELLED_APART: &[&str] = &["node", "bun", "deno", "tsx", "docker", "docker-compose", "podman"];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let program = scene.program();
    let mut rows = ecosystems::ALL.iter().flat_map(|ecosystem| ecosystem.settings_options);
    let own = rows.find(|(programs, _)| programs.contains(&program)).map_or(&[][..], |(_, options)| options);
    let any = if MODELLED_APART.contains(&program) { &[][..] } else { OF_VARIABLES };
    add_named_for_variables(scene, readings);
    let is_known = !own.is_empty() || MODELLED_APART.contains(&program);
    let settings_options = if is_known { &[][..] } else { OF_SETTINGS };
    let named = settings_options.iter().filter_map(|option| scene.option(option)).filter(|name| holds_settings(name));
    let of_script = if MODELLED_APART.contains(&program) { behind_the_script(scene) } else { Vec::new() };
    let named = named.chain(of_script.into_iter().filter(|name| holds_settings(name)));
    let named = named.chain(handed_over(scene).filter(|name| holds_settings(name)));
    for name in own.iter().chain(any).filter_map(|option| scene.option(option)).chain(named) {
        for name in name.trim_start_matches("file://").split(',') {
            let path = normal(&scene.path(name));
            if scene.library.exists(&path) {
                add_settings(scene, readings, &path);
            }
        }
    }
    for path in named_by_variables(scene) {
        add_settings(scene, readings, &path);
    }
}

fn add_settings(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>, path: &Path) {
    let mut layers = vec![Layer::Environment];
    layers.extend(settings(scene, path));
    layers.push(Layer::file(scene.path(".env")));
    readings.chain("named settings file", EVERY_DIALECT, layers);
}

/// Endings of names of variables that tell a program its settings file.
const NAME_SETTINGS: &[&str] = &[
    "CONF",
    "CONFIG",
    "CONFIG_FILE",
    "CONFIG_FILE_PATH",
    "CONFIG_PATH",
    "CONF_FILE",
    "PROPERTIES_FILE",
    "SETTINGS",
    "SETTINGS_FILE",
    "SETTINGS_PATH",
];

/// Lists the settings files that variables of the environment name (`SHOP_CONFIG=live.yaml`), those that are there: of the
/// project, or of any place where the variable is called after no other program.
pub(crate) fn named_by_variables(scene: &Scene<'_>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for setting in scene.environment.settings.iter() {
        let mut before = NAME_SETTINGS.iter().filter_map(|ending| setting.name.strip_suffix(ending));
        let Some(before) = before.find(|before| before.is_empty() || before.ends_with('_')) else { continue };
        let names = setting.value.trim_start_matches("file://").split(',').filter(|name| holds_settings(name));
        let paths = names.map(|name| normal(&scene.path(name)));
        let counts = |path: &PathBuf| matches!(before, "" | "APP_") || path.starts_with(&scene.project.root);
        found.extend(paths.filter(|path| counts(path) && scene.library.exists(path)));
    }
    found
}

fn holds_settings(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| HOLD_SETTINGS.contains(&extension))
}

/// Finds the settings files that a script is told by options of its own: `node app.js --config shop.yml`.
fn behind_the_script<'s>(scene: &'s Scene<'_>) -> Vec<&'s str> {
    let words = scene.words();
    let script = words.iter().position(|word| node::modules::is_code(Path::new(word)));
    let own = script.map_or(&[][..], |at| &words[at + 1..]);
    let value = |(at, word): (usize, &'s String)| {
        let (option, attached) = option_of(word);
        let is_asked = OF_SETTINGS.contains(&option);
        attached.or_else(|| own.get(at + 1).map(String::as_str)).filter(|_| is_asked)
    };
    own.iter().enumerate().filter_map(value).collect()
}

/// Lists the words that a program of the project's own is handed behind its archive: `java -jar shop.jar server shop.yml`,
/// as Dropwizard's are.
fn handed_over<'s>(scene: &'s Scene<'_>) -> impl Iterator<Item = &'s str> {
    let words = match scene.program() {
        "java" => scene.words(),
        _ => &[],
    };
    let behind = words.iter().skip(1).skip_while(|word| !is_an_archive(word)).skip(1);
    behind.map(String::as_str).filter(|word| !word.starts_with('-'))
}

fn is_an_archive(word: &str) -> bool {
    let path = Path::new(word);
    path.extension().is_some_and(|ending| ["jar", "war", "dll"].iter().any(|known| ending == *known))
}

/// Adds each file among the words that is there to set variables, by its name: the program may load it, over what is set
/// or under it.
fn add_named_for_variables(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    if MODELLED_APART.contains(&scene.program()) && scene.program() != "node"
        || loading(scene.words()) == Loading::Plain
    {
        return;
    }
    for word in scene.words().iter().skip(1) {
        let named = word.rsplit('=').next().unwrap_or(word).split(',').map(|name| normal(&scene.path(name)));
        for path in named.filter(|path| is_named_for_variables(path) && scene.library.exists(path)) {
            let file = Layer::file(path);
            readings.chain("named file", EVERY_DIALECT, vec![file.clone(), Layer::Environment]);
            readings.chain("named file", EVERY_DIALECT, vec![Layer::Environment, file]);
        }
    }
}

/// Reads a settings file without its sections for other environments.
fn settings(scene: &Scene<'_>, path: &Path) -> Vec<Layer> {
    let extension = path.extension().map_or("", |extension| extension.to_str().unwrap_or(""));
    let is_code = node::modules::is_code(path);
    let mut layers = Vec::new();
    for mode in scene.modes(&["NODE_ENV", "GO_ENV"], "test", "development") {
        if is_code {
            layers.extend(node::code::layer(scene.library, path, &mode, false));
        } else if matches!(extension, "json" | "yml" | "yaml") {
            layers.extend(sections::layer(scene.library, path, &mode, false));
        }
    }
    if layers.is_empty() || !is_code && extension != "json" {
        layers.extend(named_files::layers(scene.library, path));
    }
    layers
}
