//! Settings files that a command names by an option of its own (`alembic -c prod.ini`, `knex --knexfile
//! db/knexfile.js`).
//!
//! Source: the command-line help of the programs.

use std::path::Path;

use crate::environment::ecosystems;
use crate::environment::ecosystems::node;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::sections;
use crate::environment::follow::env_programs::is_named_for_variables;
use crate::environment::layering::{Layer, ReadingsBuilder};
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
    &["yml", "yaml", "json", "toml", "ini", "cfg", "conf", "properties", "env", "hcl", "hjson"];

/// Programs whose own loader of such files is modelled apart.
const MODELLED_APART: &[&str] = &["node", "bun", "deno", "tsx", "docker", "docker-compose", "podman"];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let program = scene.program();
    let mut rows = ecosystems::ALL.iter().flat_map(|ecosystem| ecosystem.settings_options);
    let own = rows.find(|(programs, _)| programs.contains(&program)).map_or(&[][..], |(_, options)| options);
    let any = if MODELLED_APART.contains(&program) { &[][..] } else { OF_VARIABLES };
    add_named_for_variables(scene, readings);
    let holds_settings = |name: &&str| {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| HOLD_SETTINGS.contains(&extension))
    };
    let is_known = !own.is_empty() || MODELLED_APART.contains(&program);
    let settings_options = if is_known { &[][..] } else { OF_SETTINGS };
    let named = settings_options.iter().filter_map(|option| scene.option(option)).filter(holds_settings);
    for name in own.iter().chain(any).filter_map(|option| scene.option(option)).chain(named) {
        for name in name.trim_start_matches("file://").split(',') {
            let path = scene.path(name);
            if scene.library.exists(&path) {
                let mut layers = vec![Layer::Environment];
                layers.extend(settings(scene, &path));
                layers.push(Layer::file(scene.path(".env")));
                readings.chain("named settings file", EVERY_DIALECT, layers);
            }
        }
    }
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
        let path = scene.path(word.rsplit('=').next().unwrap_or(word));
        if is_named_for_variables(&path) && scene.library.exists(&path) {
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
