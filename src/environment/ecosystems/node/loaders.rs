//! Node.js: dotenv, dotenv-flow, `--env-file`, Next, Vite, Bun, and the configuration files of database tools.
//!
//! Source: dotenv 16 to 18 (the first file wins; DOTENV_* variables redirect it), dotenv-flow 4, @next/env, Vite's
//! `node/env.ts`, Node 20 and 24: measured or read.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::Setting;
use crate::environment::ecosystems::ruby::rails;
use crate::environment::ecosystems::{Scene, generic, layered, named_files, owned, single};
use crate::environment::follow::WORKSPACE_MARKS;
use crate::environment::layering::library::Dialect;
use crate::environment::layering::{Draft, Layer};
use crate::environment::readers::formats;

pub(crate) const DOTENV: &[Dialect] = &[Dialect::Node, Dialect::NodeExpand12, Dialect::NodeExpand1000];
const NODE: &[Dialect] = &[Dialect::NodeParseEnv24, Dialect::NodeParseEnv20];

/// Plain dotenv, and what is built on it: the file that is named, else the ones a program may name.
pub(crate) fn add_dotenv(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let variables = ["DOTENV_CONFIG_PATH", "DOTENV_PATH"];
    let argument = scene.words().iter().find_map(|word| word.strip_prefix("dotenv_config_path="));
    if let Some(named) = argument.or_else(|| variables.iter().find_map(|name| scene.shell.get(name))) {
        let overrides =
            ["DOTENV_CONFIG_OVERRIDE", "DOTENV_OVERRIDE"].iter().any(|name| scene.shell.get(name) == Some("true"));
        let files = named.split(',').map(|path| Layer::file(scene.path(path)));
        let shell_at = if overrides { files.clone().count() } else { 0 };
        let mut layers: Vec<Layer> = files.collect();
        layers.insert(shell_at, Layer::Shell);
        draft.chain("dotenv (Node.js)", DOTENV, layers);
        return;
    }
    generic::add_modes(scene, draft, "dotenv (Node.js)", DOTENV, scene.folder);
    // A package of a workspace is often started with the workspace's own file.
    if let Some(path) = scene.find_upwards(WORKSPACE_MARKS) {
        let file = path.with_file_name(".env");
        single(draft, "dotenv (Node.js)", DOTENV, &file);
    }
}

pub(crate) fn add_dotenv_flow(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let folder = scene.shell.get("DOTENV_FLOW_PATH").map_or_else(|| scene.folder.to_owned(), |path| scene.path(path));
    for mode in scene.modes(&["NODE_ENV", "DEFAULT_NODE_ENV"], "test", "development") {
        let mut names = vec![format!(".env.{mode}.local"), format!(".env.{mode}")];
        if mode != "test" {
            names.push(".env.local".to_owned());
        }
        names.extend([".env".to_owned(), ".env.defaults".to_owned()]);
        draft.chain("dotenv-flow", DOTENV, layered(&folder, &names));
    }
}

/// Next takes production's files wherever NODE_ENV is not set and it is not `next dev`.
pub(crate) fn add_next(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let words = scene.words();
    let is_own_command = scene.program() == "next";
    let is_dev = words.get(1).is_some_and(|word| word == "dev");
    let modes = match scene.shell.get("NODE_ENV").filter(|mode| !mode.is_empty()) {
        Some("test") => owned(&["test"]),
        Some("development") => owned(&["development"]),
        Some(_) => owned(&["production"]),
        None if is_own_command && !is_dev => owned(&["production"]),
        None => scene.modes(&[], "test", "development"),
    };
    for mode in modes {
        let mut names = vec![format!(".env.{mode}.local")];
        if mode != "test" {
            names.push(".env.local".to_owned());
        }
        names.extend([format!(".env.{mode}"), ".env".to_owned()]);
        draft.chain("Next.js", &[Dialect::NodeExpand12], layered(scene.folder, &names));
    }
}

/// Vite reads `.env.local` in every mode, tests too.
pub(crate) fn add_vite(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    for mode in scene.modes(&[], "test", "development") {
        let names = [format!(".env.{mode}.local"), format!(".env.{mode}"), ".env.local".to_owned(), ".env".to_owned()];
        draft.chain("Vite", &[Dialect::Vite, Dialect::NodeExpand12], layered(scene.folder, &names));
    }
}

/// Bun loads by itself; its documents disagree whether tests skip `.env.local`.
pub(crate) fn add_bun(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    for mode in scene.modes(&["NODE_ENV"], "test", "development") {
        let skipping = [format!(".env.{mode}"), ".env".to_owned()];
        draft.chain("Bun", &[Dialect::NodeExpand12], layered(scene.folder, &skipping));
        let names = [".env.local".to_owned(), format!(".env.{mode}"), ".env".to_owned()];
        draft.chain("Bun", &[Dialect::NodeExpand12], layered(scene.folder, &names));
    }
}

/// `node --env-file FILE`, also in `NODE_OPTIONS`: the last file wins, the environment beats them all.
pub(crate) fn add_env_file(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let options = scene.shell.get("NODE_OPTIONS").unwrap_or_default();
    let options = options.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned());
    let words: Vec<String> = options.chain(scene.words().iter().cloned()).collect();
    let mut paths: Vec<PathBuf> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(rest) = word.strip_prefix("--env-file") else { continue };
        let rest = rest.strip_prefix("-if-exists").unwrap_or(rest);
        let value =
            rest.strip_prefix('=').or_else(|| words.get(at + 1).map(String::as_str).filter(|_| rest.is_empty()));
        paths.extend(value.map(|path| scene.path(path)));
    }
    if !paths.is_empty() {
        let files = paths.into_iter().rev().map(Layer::file);
        draft.chain("node --env-file", NODE, std::iter::once(Layer::Shell).chain(files).collect());
    }
}

/// The configuration file that `.sequelizerc` names: `'config': path.resolve('src', 'config', 'config.json')`.
fn sequelizerc(scene: &Scene<'_>, path: &Path) -> Option<PathBuf> {
    let text = scene.library.string(path)?;
    let keys = ["'config'", "\"config\"", "config:"];
    let after = keys.iter().find_map(|key| Some(text.split_once(key)?.1))?;
    let value = after.split([')', '\n']).next()?;
    let parts = value.split(['"', '\'']).skip(1).step_by(2);
    Some(path.parent()?.join(parts.collect::<PathBuf>()))
}

/// Configuration files that hold a section for each environment (Sequelize, db-migrate), or one connection (TypeORM).
pub(crate) fn add_configuration(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let below =
        |name: &str| scene.find_upwards(&["package.json"]).map_or(scene.path(name), |path| path.with_file_name(name));
    for environment in scene.modes(&["NODE_ENV"], "test", "development") {
        let named = sequelizerc(scene, &below(".sequelizerc"));
        let common = ["config/config.json", "config/database.json", "database.json"].map(below);
        for path in common.into_iter().chain(named) {
            // JSON is YAML too, and has no ERB.
            if let Some(layer) = rails::configuration(scene, &path, &environment, false) {
                let mut layers = layered(scene.folder, &owned(&[".env"]));
                layers.push(layer);
                draft.chain("configuration by environment", DOTENV, layers);
            }
        }
    }
    // Source: TypeORM's `ConnectionOptionsReader` (versions before 1.0).
    for path in ["ormconfig.json", "ormconfig.yml", "ormconfig.yaml", "ormconfig.xml"].map(below) {
        if !scene.library.exists(&path) {
            continue;
        }
        let text = scene.library.string(&path).unwrap_or_default();
        let shown = scene.library.shown(&path);
        let flatten = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => formats::json::flatten,
            Some("xml") => formats::xml::flatten,
            _ => formats::yaml::flatten,
        };
        let mut entries = flatten(&text).unwrap_or_else(|error| error.entries);
        for name in entries.iter_mut().flat_map(|entry| &mut entry.path) {
            *name = name.trim_start_matches('@').to_owned();
        }
        let settings: Vec<Setting> = named_files::dotted(entries, &shown, Some("ormconfig"));
        draft.chain("TypeORM", DOTENV, vec![Layer::Shell, Layer::Fixed(Rc::new(settings))]);
    }
    let path = below("ormconfig.env");
    if scene.library.exists(&path) {
        draft.chain("TypeORM", DOTENV, vec![Layer::Shell, Layer::file(path)]);
    }
}
