//! `node --env-file`.
//!
//! Source: Node.js 20 and 24, measured.

use std::path::PathBuf;

use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::dotenv::Dialect;

const DIALECTS: &[Dialect] = &[Dialect::NodeParseEnv24, Dialect::NodeParseEnv20];

/// Adds the files of `--env-file FILE`, also in `NODE_OPTIONS`: the last file wins, the environment beats them all.
pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let options = scene.environment.get("NODE_OPTIONS").unwrap_or_default();
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
        readings.chain("node --env-file", DIALECTS, std::iter::once(Layer::Environment).chain(files).collect());
    }
}
