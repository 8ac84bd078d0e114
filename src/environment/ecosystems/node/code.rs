//! Configuration files of Node.js tools that are code: the literals in them, and variables that they read with a
//! default. What is not simple is left alone: a program is never executed to be judged.

use std::collections::HashSet;
use std::path::Path;

use crate::environment::ecosystems::node::modules::EXTENSIONS;
use crate::environment::ecosystems::node::{dialects, modules, package};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::Library;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::readers::code;
use crate::environment::readers::code::{Comments, Pair, Value};
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting};

/// Where the tools look, without the extension. Sources: the manuals of Knex, Sequelize, Drizzle, TypeORM, MikroORM,
/// db-migrate and Prisma.
const FILES: &[&str] = &[
    "knexfile",
    "config/config",
    "config/database",
    "drizzle.config",
    "ormconfig",
    "data-source",
    "src/data-source",
    "mikro-orm.config",
    "src/mikro-orm.config",
    "prisma.config",
];

/// Keys that open a section for one environment.
const ENVIRONMENTS: &[&str] =
    &["development", "test", "testing", "staging", "production", "prod", "live", "ci", "local"];

/// Keys that only the settings of a database have.
const OF_A_DATABASE: &[&str] = &["database", "dialect", "client", "driver", "adapter", "dbName"];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    // Source: `knex --help`: the folder that it looks for its file in.
    let home = scene.option("--cwd").map_or_else(|| package::folder(scene), |folder| scene.path(folder));
    let present = scene.files_in(&home, &["config", "src"]);
    for file in FILES.iter().flat_map(|name| EXTENSIONS.iter().map(move |extension| format!("{name}.{extension}"))) {
        let path = home.join(file);
        if !present.contains(&path) {
            continue;
        }
        let files = modules::with_imports(scene, vec![path]);
        for environment in scene.modes(&["NODE_ENV"], "test", "development") {
            for path in &files {
                let Some(layer) = layer(scene.library, path, &environment, false) else { continue };
                let dotenv = Layer::file(scene.path(".env"));
                readings.chain("configuration in code", dialects::of(scene), vec![Layer::Environment, dotenv, layer]);
            }
        }
    }
}

/// Reads the literals of a file of code, or of JSON5. With `is_whole`, what stands in sections of any name counts, and
/// the keys say by themselves what they are about.
pub(crate) fn layer(library: &Library<'_>, path: &Path, environment: &str, is_whole: bool) -> Option<Layer> {
    let pairs = library.pairs(path, &library.string(path)?, Comments::Slashes);
    let (shown, environment) = (library.shown(path), environment.to_owned());
    Some(Layer::computed(move |lookup| match is_whole {
        true => whole(&pairs, &shown, lookup),
        false => settings(&pairs, &shown, &environment, lookup),
    }))
}

fn whole(pairs: &[Pair], shown: &Path, lookup: Lookup<'_>) -> Vec<Setting> {
    let pairs = pairs.iter().filter_map(|pair| {
        let Value::Known(value) = code::evaluate(&pair.expression, lookup) else { return None };
        let path = pair.path.iter().filter(|key| *key != "module.exports" && *key != "default");
        let name = path.map(String::as_str).collect::<Vec<_>>().join(".");
        let origin = Origin::file(pair.path.last()?.clone(), shown, pair.line);
        Some(Setting::known(name, value, origin))
    });
    pairs.collect()
}

fn settings(pairs: &[Pair], shown: &Path, environment: &str, lookup: Lookup<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    let databases: HashSet<&[String]> = pairs
        .iter()
        .filter_map(|pair| pair.path.split_last().filter(|(key, _)| OF_A_DATABASE.contains(&key.as_str())))
        .map(|(_, outer)| outer)
        .collect();
    for pair in pairs {
        let section = pair.path.iter().find(|key| ENVIRONMENTS.contains(&key.as_str()));
        if section.is_some_and(|section| section != environment) {
            continue;
        }
        let Value::Known(value) = code::evaluate(&pair.expression, lookup) else { continue };
        let Some((key, outer)) = pair.path.split_last() else { continue };
        // Such files also hold what is no database: `server: { host, port }`.
        let says_database = outer.last().is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            ["connection", "database", "db", "credentials"].iter().any(|word| name.contains(word))
        });
        let is_url = value.contains("://") && !value.starts_with("http");
        if !says_database && !is_url && !databases.contains(outer) {
            continue;
        }
        let outer = outer.last().filter(|name| !ENVIRONMENTS.contains(&name.as_str()) && !name.contains('.'));
        let name = std::iter::once("database").chain(outer.map(String::as_str)).chain([key.as_str()]);
        let name = name.collect::<Vec<_>>().join(".");
        settings.push(Setting::known(name, value, Origin::file(key.clone(), shown, pair.line)));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, environment: &str) -> Vec<String> {
        let lookup = |name: &str| (name == "DB_HOST").then(|| "from-variable".to_owned());
        let settings = settings(
            &code::pairs(text, Comments::Slashes).all(|_, _| ()),
            Path::new("knexfile.js"),
            environment,
            &lookup,
        );
        settings.into_iter().map(|setting| format!("{}={}", setting.name, setting.value)).collect()
    }

    #[test]
    fn the_section_of_the_environment_is_read_and_no_other() {
        let text = "module.exports = {\n development: { client: 'pg', connection: { host: 'here', database: 'shop' } },\n \
                    production: { client: 'pg', connection: 'postgres://there/shop' } };";
        let here = ["database.client=pg", "database.connection.host=here", "database.connection.database=shop"];
        assert_eq!(found(text, "development"), here);
        assert_eq!(found(text, "production"), ["database.client=pg", "database.connection=postgres://there/shop"]);
    }

    #[test]
    fn variables_and_defaults_are_read_and_code_is_left_alone() {
        let text = "export default new DataSource({ type: 'postgres', database: name(), host: process.env.DB_HOST,\n \
                    port: process.env.DB_PORT || '5433' })";
        assert_eq!(
            found(text, "test"),
            ["database.type=postgres", "database.host=from-variable", "database.port=5433"]
        );
    }

    #[test]
    fn a_server_that_is_no_database_is_not_taken_for_one() {
        let text = "module.exports = { port: 3000, api: { host: 'api.shop.test', url: 'https://api.shop.test/' } };";
        assert_eq!(found(text, "test"), Vec::<String>::new());
    }
}
