//! Migration tools and their own configuration: Flyway, Liquibase, sql-migrate, soda, Atlas; and settings files that a
//! command names by an option of its own (`alembic -c prod.ini`, `knex --knexfile db/knexfile.js`).
//!
//! Sources: the tools' manuals ("Configuration files" of Flyway, "liquibase.properties", sql-migrate's and soda's
//! READMEs, Atlas' "Project configuration"), and the command-line help of those in [`NAMED`].

use std::path::Path;
use std::rc::Rc;

use crate::environment::ecosystems::node::code as node_code;
use crate::environment::ecosystems::ruby::rails;
use crate::environment::ecosystems::{EVERY_DIALECT, Scene, named_files};
use crate::environment::layering::library::Library;
use crate::environment::layering::{Draft, Layer};
use crate::environment::readers::code;
use crate::environment::readers::code::Value;
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::readers::formats;

/// Programs with the options that name a settings file.
const NAMED: &[(&[&str], &[&str])] = &[
    (&["alembic"], &["-c", "--config"]),
    (&["flyway"], &["-configFiles", "-config", "--configFiles"]),
    (&["liquibase"], &["--defaultsFile", "--defaults-file"]),
    (&["sql-migrate"], &["-config", "--config"]),
    (&["goose"], &["-env", "--env"]),
    (&["soda", "buffalo"], &["-c", "--config"]),
    (&["knex"], &["--knexfile"]),
    (&["sequelize", "sequelize-cli"], &["--config"]),
    (&["typeorm", "typeorm-ts-node-commonjs", "typeorm-ts-node-esm"], &["-d", "--dataSource", "-f", "--config"]),
    (&["drizzle-kit", "mikro-orm", "prisma"], &["--config"]),
    (&["db-migrate"], &["--config"]),
    (&["migrate-mongo"], &["-f", "--file"]),
    (&["flask"], &["-e", "--env-file"]),
    (&["phinx"], &["-c", "--configuration"]),
];

/// Options that name a file of variables, whatever the program.
const OF_VARIABLES: &[&str] = &["--env-file", "--envfile", "--env_file", "--dotenv", "--dotenv-path", "--dotenv-file"];

/// Programs whose own loader is modelled apart.
const KNOWN: &[&str] = &["node", "bun", "deno", "tsx", "docker", "docker-compose", "podman"];

/// Adds the settings files that the command's own words name.
pub(crate) fn add_named(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let program = scene.program();
    let own = NAMED.iter().find(|(programs, _)| programs.contains(&program)).map_or(&[][..], |(_, options)| options);
    let any = if KNOWN.contains(&program) { &[][..] } else { OF_VARIABLES };
    for name in own.iter().chain(any).filter_map(|option| scene.option(option)) {
        for name in name.trim_start_matches("file://").split(',') {
            let path = scene.path(name);
            if scene.library.exists(&path) {
                let mut layers = vec![Layer::Shell];
                layers.extend(settings(scene, &path));
                layers.push(Layer::file(scene.path(".env")));
                draft.chain("named settings file", EVERY_DIALECT, layers);
            }
        }
    }
}

/// A settings file as layers, its sections for other environments left out.
fn settings(scene: &Scene<'_>, path: &Path) -> Vec<Layer> {
    let extension = path.extension().map_or("", |extension| extension.to_str().unwrap_or(""));
    let is_code = node_code::is_code(path);
    let mut layers = Vec::new();
    for mode in scene.modes(&["NODE_ENV", "GO_ENV"], "test", "development") {
        if is_code {
            layers.extend(node_code::layer(scene.library, path, &mode, false));
        } else if matches!(extension, "json" | "yml" | "yaml") {
            layers.extend(rails::configuration(scene, path, &mode, false));
        }
    }
    if layers.is_empty() || !is_code && extension != "json" {
        layers.extend(named_files::layers(path, scene.library));
    }
    layers
}

/// Adds what the tool's own file says, in the folder of the command.
pub(crate) fn add(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    match scene.program() {
        "flyway" | "gradle" | "gradlew" | "mvn" | "mvnw" => add_flyway(scene, draft),
        "liquibase" => add_plain(scene, draft, "Liquibase", &["liquibase.properties"]),
        "sql-migrate" => add_sections(scene, draft, "sql-migrate", "dbconfig.yml", &["-env", "--env"], "development"),
        "soda" | "buffalo" => {
            for name in ["database.yml", "config/database.yml"] {
                add_sections(scene, draft, "soda", name, &["-e", "--env"], "development");
            }
        }
        "atlas" => add_atlas(scene, draft),
        _ => {}
    }
}

fn add_plain(scene: &Scene<'_>, draft: &mut Draft<'_>, loader: &'static str, names: &[&str]) {
    for path in names.iter().map(|name| scene.path(name)).filter(|path| scene.library.exists(path)) {
        let layers = std::iter::once(Layer::Shell).chain(named_files::layers(&path, scene.library));
        draft.chain(loader, EVERY_DIALECT, layers.collect());
    }
}

/// Flyway's properties, and the environment that `-environment` or the file chooses in its TOML.
fn add_flyway(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    add_plain(scene, draft, "Flyway", &["flyway.conf", "conf/flyway.conf"]);
    for path in ["flyway.toml", "conf/flyway.toml", "flyway.user.toml"].map(|name| scene.path(name)) {
        if !scene.library.exists(&path) {
            continue;
        }
        let Some(text) = scene.library.string(&path) else { continue };
        let mut entries = formats::toml::flatten(&text).unwrap_or_else(|error| error.entries);
        let chosen = entries.iter().find(|entry| entry.path.join(".") == "flyway.environment");
        let chosen = scene.option("-environment").map(str::to_owned).or(chosen.map(|entry| entry.value.clone()));
        let chosen = chosen.unwrap_or_else(|| "default".to_owned());
        entries.retain(|entry| entry.path[0] != "environments" || entry.path.get(1) == Some(&chosen));
        let shown = scene.library.shown(&path);
        let layer = Layer::Computed(Rc::new(move |lookup| {
            let placeholders = Placeholders::of_file(lookup);
            let filled =
                entries.iter().map(|entry| entry.with_value(placeholders.filled(&entry.value.replace("${env.", "${"))));
            named_files::dotted(filled.collect(), &shown, Some("database"))
        }));
        draft.chain("Flyway", EVERY_DIALECT, vec![Layer::Shell, layer]);
    }
}

/// A file with a section for each environment, one of which an option chooses.
fn add_sections(
    scene: &Scene<'_>,
    draft: &mut Draft<'_>,
    loader: &'static str,
    name: &str,
    options: &[&str],
    default: &str,
) {
    let chosen = options.iter().find_map(|option| scene.option(option)).or(scene.shell.get("GO_ENV"));
    if let Some(layer) = rails::configuration(scene, &scene.path(name), chosen.unwrap_or(default), false) {
        draft.chain(loader, EVERY_DIALECT, vec![Layer::Shell, Layer::file(scene.path(".env")), layer]);
    }
}

/// `atlas.hcl`: the block of the environment that `--env` names; without it a URL is given by a flag.
fn add_atlas(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    let Some(chosen) = scene.option("--env") else { return };
    let file = scene.option("-c").or(scene.option("--config")).unwrap_or("atlas.hcl");
    let path = scene.path(file.trim_start_matches("file://"));
    if !scene.library.exists(&path) {
        return;
    }
    let Some(layer) = blocks(scene.library, &path, Some(chosen)) else { return };
    draft.chain("Atlas", EVERY_DIALECT, vec![Layer::Shell, layer]);
}

/// A file of nested blocks. With `chosen`, only the block `env "chosen"` counts, and what no block holds.
pub(crate) fn blocks(library: &Library<'_>, path: &Path, chosen: Option<&str>) -> Option<Layer> {
    let mut entries = library.entries(path, formats::blocks::flatten)?;
    if let Some(chosen) = chosen {
        // The database that Atlas plans on is made for it and thrown away.
        entries.retain(|entry| {
            entry.path.len() == 3 && entry.path[0] == "env" && entry.path[1] == chosen && entry.path[2] != "dev"
        });
    }
    let shown = library.shown(path);
    Some(Layer::Computed(Rc::new(move |lookup| {
        let placeholders = Placeholders::of_file(lookup);
        // The last of several values of a key wins: `url = "…"`, then `url = ${?DATABASE_URL}`.
        let filled = entries.iter().rev().filter_map(|entry| {
            let value = if entry.value.contains("env(") {
                match code::evaluate(&entry.value, lookup) {
                    Value::Known(value) => value,
                    Value::Unset | Value::Unknown => return None,
                }
            } else {
                let is_optional = entry.value.starts_with("${?");
                let value = placeholders.filled(&entry.value.replace("${?", "${"));
                if is_optional && value.starts_with("${") {
                    return None;
                }
                value
            };
            Some(entry.with_value(value))
        });
        named_files::dotted(filled.collect(), &shown, None)
    })))
}
