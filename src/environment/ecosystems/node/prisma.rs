//! Prisma: the URL of schema.prisma, and the `.env` files beside the project and the schema.
//!
//! Source: prisma.io's page on environment files (up to version 6: `./.env`, then the schema's folder; the same key in
//! both with two values is an error); `file:` URLs start at the schema's folder.

use std::path::{Path, PathBuf};

use crate::environment::Condition;
use crate::environment::ecosystems::node::package::names;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::code;
use crate::environment::readers::code::Value;
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting};

/// Prisma calls `expand(config())`, so names further down count.
const DIALECTS: &[Dialect] = &[Dialect::NodeExpand12, Dialect::Node, Dialect::NodeConfigExpand12];

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    scene.program() == "prisma"
        || names(scene, &["prisma", "@prisma/client"])
        || scene.is_in_project("prisma/schema.prisma")
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let named = scene.option("--schema").map(|path| scene.path(path));
    let schema = named.or_else(|| scene.find_upwards(&["prisma/schema.prisma", "schema.prisma"]));
    let is_folder = schema.as_ref().is_some_and(|path| scene.library.files.folder(path).is_some());
    let folder = match &schema {
        Some(path) if is_folder => path.clone(),
        Some(path) => path.parent().unwrap_or(scene.folder).to_owned(),
        None => scene.path("prisma"),
    };
    readings.add_base(&folder);
    let mut candidates = vec![scene.path(".env"), folder.join(".env"), scene.path("prisma/.env")];
    // A schema in `prisma/` belongs to the package around it, whose file counts where the command runs below it.
    candidates.extend(folder.parent().map(|package| package.join(".env")));
    let mut files: Vec<PathBuf> = Vec::new();
    for path in candidates {
        if !files.contains(&path) && scene.library.exists(&path) {
            files.push(path);
        }
    }
    note_duplicates(scene, readings, &files);
    let mut layers = vec![Layer::Environment];
    layers.extend(files.into_iter().map(Layer::file));
    // A schema may be a folder of files, of which any may hold the source.
    let schemas = if is_folder { scene.files_in(&folder, &[]) } else { schema.into_iter().collect() };
    let schemas =
        schemas.iter().filter(|path| !is_folder || path.extension().is_some_and(|extension| extension == "prisma"));
    layers.extend(schemas.filter_map(|path| schema_layer(scene, path)));
    readings.chain("Prisma", DIALECTS, layers);
}

fn note_duplicates(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>, files: &[PathBuf]) {
    let [first, others @ ..] = files else { return };
    for key in ["DATABASE_URL", "DIRECT_URL", "SHADOW_DATABASE_URL"] {
        let Some(value) = scene.library.unexpanded(first, key) else { continue };
        for other in others {
            if scene.library.unexpanded(other, key).is_some_and(|other| other != value) {
                let files = vec![readings.shown(first), readings.shown(other)];
                readings.condition(Condition::DuplicatePrismaKey { key: key.to_owned(), files });
            }
        }
    }
}

fn schema_layer(scene: &Scene<'_>, path: &Path) -> Option<Layer> {
    if !scene.library.exists(path) {
        return None;
    }
    let text = scene.library.string(path)?;
    let shown = scene.library.shown(path);
    Some(Layer::computed(move |lookup| settings(&text, &shown, lookup)))
}

/// Reads the URLs of `datasource` blocks, as `datasource.NAME.url`.
fn settings(text: &str, shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut block: Option<String> = None;
    for (line, number) in text.lines().zip(1..) {
        let line = line.split("//").next().filter(|_| !line.contains("://")).unwrap_or(line).trim();
        if let Some(name) = line.strip_prefix("datasource ") {
            block = Some(name.trim_end_matches('{').trim().to_owned());
        } else if line == "}" {
            block = None;
        } else if let (Some(block), Some((key, expression))) = (&block, line.split_once('=')) {
            let (key, expression) = (key.trim(), expression.trim());
            if !matches!(key, "url" | "directUrl" | "shadowDatabaseUrl") {
                continue;
            }
            let value = code::evaluate(expression, lookup);
            if matches!(value, Value::Known(_)) && expression.contains("env(") {
                // The variable itself is in the reading, with a better origin.
                continue;
            }
            if let Some((value, unresolved)) = value.settled(key, expression) {
                let origin = Origin::file(key, shown, number);
                settings.push(Setting { name: format!("datasource.{block}.{key}"), value, origin, unresolved });
            }
        }
    }
    settings
}
