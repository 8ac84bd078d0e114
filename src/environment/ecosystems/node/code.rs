//! Configuration files of Node.js tools that are code: the literals in them, and variables that they read with a
//! default. What is not simple is left alone: a program is never executed to be judged.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::environment::ecosystems::node::modules::EXTENSIONS;
use crate::environment::ecosystems::node::{dialects, modules, package};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::Library;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::paths::normal;
use crate::environment::readers::code;
use crate::environment::readers::code::javascript::{Given, Values, given};
use crate::environment::readers::code::{Pair, Value};
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting};
use crate::text::shown;

/// Where the tools look, without the extension. Sources: the manuals of Knex, Sequelize, Drizzle, TypeORM, MikroORM,
/// db-migrate, Prisma, Nessie and Keystone.
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
    "nessie.config",
    "keystone",
];

/// Keys that open a section for one environment.
const ENVIRONMENTS: &[&str] =
    &["development", "test", "testing", "staging", "production", "prod", "live", "ci", "local"];

/// Keys that only the settings of a database have.
const OF_A_DATABASE: &[&str] = &["database", "dialect", "client", "driver", "adapter", "dbName"];

/// Parts of the values of these keys that are called like a database; what else has a driver, or a client, is none.
const OF_DATABASES: &[&str] = &[
    "cassandra",
    "clickhouse",
    "cockroach",
    "couch",
    "db",
    "firebird",
    "libsql",
    "maria",
    "mongo",
    "neo4j",
    "neon",
    "oracle",
    "pg",
    "postgres",
    "redis",
    "redshift",
    "snowflake",
    "sql",
    "tedious",
    "turso",
];

/// Schemes of addresses that are no database's.
const OTHER_SCHEMES: &[&str] = &[
    "ftp",
    "ftps",
    "git",
    "git+http",
    "git+https",
    "git+ssh",
    "gs",
    "http",
    "https",
    "imap",
    "imaps",
    "s3",
    "sftp",
    "smtp",
    "smtps",
    "ssh",
    "ws",
    "wss",
];

/// Keys of a connection that say what the program is called.
const NAMES_OF_PROGRAMS: &[&str] =
    &["appName", "applicationName", "application_name", "fallback_application_name", "program_name"];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    // Source: `knex --help`: the folder that it looks for its file in.
    let home = scene.option("--cwd").map_or_else(|| package::folder(scene), |folder| scene.path(folder));
    let present = scene.files_in(&home, &["config", "src"]);
    // LoopBack keeps one file a database.
    let sources = home.join("src/datasources");
    let is_source = |path: &PathBuf| path.to_string_lossy().contains(".datasource.") && modules::is_code(path);
    for path in scene.names_in(&sources).iter().map(|name| sources.join(name)).filter(is_source) {
        for environment in scene.modes(&["NODE_ENV"], "test", "development") {
            let Some(layer) = connections(scene.library, &path, &environment) else { continue };
            let layers = vec![Layer::Environment, Layer::file(scene.path(".env")), layer];
            readings.chain("configuration in code", dialects::of(scene), layers);
        }
    }
    let usual = FILES.iter().flat_map(|name| EXTENSIONS.iter().map(move |extension| format!("{name}.{extension}")));
    let mut files: Vec<PathBuf> = usual.map(|file| home.join(file)).filter(|path| present.contains(path)).collect();
    files.extend(named(scene).filter(|path| !present.contains(path)));
    for file in files {
        let files = modules::with_imports(scene, vec![file]);
        for environment in scene.modes(&["NODE_ENV"], "test", "development") {
            for path in &files {
                let Some(layer) = layer(scene.library, path, &environment, false) else { continue };
                let dotenv = Layer::file(scene.path(".env"));
                readings.chain("configuration in code", dialects::of(scene), vec![Layer::Environment, dotenv, layer]);
            }
        }
    }
}

/// Lists the files of code that the command names by an option that is there for it: `knex --knexfile db/knexfile.cjs`.
fn named<'s>(scene: &'s Scene<'_>) -> impl Iterator<Item = PathBuf> + 's {
    let own = package::SETTINGS_OPTIONS.iter().filter(|(programs, _)| programs.contains(&scene.program()));
    let names = own.flat_map(|(_, options)| *options).filter_map(|option| scene.option(option));
    names.map(|name| normal(&scene.path(name))).filter(|path| modules::is_code(path) && scene.library.exists(path))
}

/// Reads the literals of a file of code, or of JSON5. With `is_whole`, what stands in sections of any name counts, and
/// the keys say by themselves what they are about.
pub(crate) fn layer(library: &Library<'_>, path: &Path, environment: &str, is_whole: bool) -> Option<Layer> {
    library.string(path)?;
    let pairs = library.pairs_of_code(path);
    let (shown, environment) = (library.shown(path), environment.to_owned());
    Some(Layer::computed(move |lookup| match is_whole {
        true => whole(&pairs, &shown, lookup),
        false => settings(&pairs, &shown, &environment, lookup),
    }))
}

/// Parts of keys that say where a database is, or of which kind.
const OF_A_CONNECTION: &[&str] = &[
    "adapter",
    "client",
    "connection",
    "database",
    "db",
    "dialect",
    "driver",
    "dsn",
    "host",
    "port",
    "type",
    "uri",
    "url",
    "user",
];

/// Reads the connections that code of a program spells out; `None` where it spells none. Unlike in a file that is there to
/// configure, a key must say that it is about one.
pub(crate) fn connections(library: &Library<'_>, path: &Path, environment: &str) -> Option<Layer> {
    let pairs = library.once(format!("connections of {}", shown(path)), || connection_pairs(library, path));
    if pairs.is_empty() {
        return None;
    }
    let (shown, environment) = (library.shown(path), environment.to_owned());
    Some(Layer::computed(move |lookup| {
        // An object whose place is told, and known, is one; what is pieced together elsewhere is not.
        let places = pairs.iter().filter(|pair| is_place(pair));
        let places = places.map(|pair| (pair.bracket, code::evaluate(&pair.expression, lookup)));
        let (mut known, mut unknown) = (HashSet::new(), HashSet::new());
        for (bracket, value) in places {
            match value {
                Value::Known(_) => known.insert(bracket),
                Value::Unknown => unknown.insert(bracket),
                Value::Unset => false,
            };
        }
        let is_told =
            |pair: &&Pair| is_alone(pair.bracket) || known.contains(&pair.bracket) && !unknown.contains(&pair.bracket);
        let told: Vec<Pair> = pairs.iter().filter(is_told).cloned().collect();
        settings(&told, &shown, &environment, lookup)
    }))
}

/// Tells whether an expression is computed here, rather than handed on from a configuration that is read by itself:
/// `config.db.host`, `config.get('db.host')`.
fn is_computed(expression: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_.?!$".contains(c);
    let head: &str = expression.split('(').next().unwrap_or(expression).trim().trim_start_matches("await ");
    let is_chain = head.chars().all(is_part);
    let is_reading = head.rsplit('.').next().is_some_and(|name| name.to_ascii_lowercase().starts_with("get"));
    expression.contains('(') && is_chain && !is_reading
}

/// Tells whether an expression is made of what is read by itself: `loadConfig().url`, `requireEnv('DB')`.
fn is_read_by_itself(expression: &str) -> bool {
    let lower = expression.to_ascii_lowercase();
    ["config", "env", "setting"].iter().any(|word| lower.contains(word))
}

/// Tells whether a pair says where something is.
fn is_place(pair: &Pair) -> bool {
    const PLACES: &[&str] =
        &["connectionstring", "filename", "host", "hostname", "path", "server", "socketpath", "storage", "uri", "url"];
    let key = pair.path.last().map_or_else(String::new, |key| key.to_ascii_lowercase());
    PLACES.contains(&key.as_str())
}

/// Lists the pairs of a file of code that are about connections.
fn connection_pairs(library: &Library<'_>, path: &Path) -> Vec<Pair> {
    let Some(text) = library.code(path) else { return Vec::new() };
    let has_place = ["host", "connectionString", "://"].iter().any(|word| text.contains(word));
    let is_about_one =
        has_place && (["://", "connectionString"].iter().chain(OF_A_DATABASE).any(|word| text.contains(word)));
    // Else what is called one is, and nothing else.
    let names_one = has_place && ["Db", "DB", "_db", "db_", "db:"].iter().any(|word| text.contains(word));
    if !is_about_one && !names_one {
        return Vec::new();
    }
    let mut pairs = library.pairs_of_code(path).to_vec();
    let addresses = |pair: &Pair| {
        // Code shows examples of addresses, too.
        let text = pair.expression.trim_matches(['"', '\'', '`']);
        !is_example(text) && (!text.contains("://") || !text.contains([' ', '*', '<']))
    };
    pairs.retain(|pair| {
        let (own, outer) = pair.path.split_last().map_or(("", [].as_slice()), |(own, outer)| (own.as_str(), outer));
        let key = own.to_ascii_lowercase();
        let counts = is_about_one || outer.last().is_some_and(|name| is_called_db(name));
        counts && (is_place(pair) || OF_A_CONNECTION.iter().any(|word| key.contains(word))) && addresses(pair)
    });
    let values = Values::of_code(&text);
    let is_about_postgres = ["pg", "Pg", "PG", "postgres", "Postgres"].iter().any(|word| text.contains(word));
    let whole = pairs.iter().filter(|pair| is_about_postgres && is_connection_string(pair));
    let handed_on: Vec<Pair> = whole.flat_map(|pair| given_to(pair, &values)).collect();
    pairs.extend(handed_on);
    // `const url = …` stands for a pair where it is handed on by its name.
    pairs.extend(addresses_in(&text));
    pairs
}

/// Tells whether a pair holds the whole address of a database, by its key: `connectionString: url`.
fn is_connection_string(pair: &Pair) -> bool {
    pair.path.last().is_some_and(|key| key.eq_ignore_ascii_case("connectionString"))
}

/// Gives for a pair that hands a variable on one pair for each value of it; what is not told of it is none.
fn given_to(pair: &Pair, values: &Values<'_>) -> Vec<Pair> {
    let given = values.of(&pair.expression).into_iter().flatten().enumerate();
    given.map(|(at, value)| Pair { expression: value.to_owned(), bracket: apart(at), ..pair.clone() }).collect()
}

/// Numbers a bracket that no text has, for one of several values that stand in none.
fn apart(at: usize) -> u32 {
    u32::MAX - u32::try_from(at).unwrap_or(u32::MAX).min(u32::MAX / 4)
}

/// Tells whether what has that number stands in no bracket of the text.
fn is_alone(bracket: u32) -> bool {
    bracket == 0 || bracket > u32::MAX / 2
}

/// Tells whether an address stands for one that is still to be told.
fn is_example(text: &str) -> bool {
    ["placeholder", ".invalid", "example.com", "example.org"].iter().any(|word| text.contains(word))
}

/// Finds what the variables of a text that are called like an address are set to, each of it.
fn addresses_in(code: &str) -> Vec<Pair> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let pair = |Given { name, expression, line, .. }: Given<'_>| {
        let (path, expression) = (vec![name.to_owned()], expression?.to_owned());
        Some(Pair { path, expression, line, bracket: 0 })
    };
    let mut found = Vec::new();
    for one in given(code).into_iter().filter(|one| is_address(one.name)) {
        let count = counts.entry(one.name).or_default();
        *count += 1;
        let bracket = if *count == 1 { 0 } else { apart(*count) };
        found.extend(pair(one).map(|pair| Pair { bracket, ..pair }));
    }
    found
}

/// Tells whether a variable is called like an address.
fn is_address(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["url", "uri", "dsn", "connectionstring"].iter().any(|word| lower.ends_with(word))
}

/// Tells whether a key with that text says that its object is about something else than a database: `driver: 'chrome'`.
fn is_of_something_else(key: &str, expression: &str) -> bool {
    let lower = expression.to_ascii_lowercase();
    let is_text = expression.starts_with(['"', '\'']) && lower.len() > 2;
    let is_kind = matches!(key, "adapter" | "client" | "dialect" | "driver");
    is_kind && is_text && !OF_DATABASES.iter().any(|part| lower.contains(part))
}

/// Tells whether a name has the word `db`: `mainDb`, `db_config`, `dbCredentials`; not `sandbox`.
fn is_called_db(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("db") || lower.ends_with("db") || ["Db", "DB", "_db"].iter().any(|word| name.contains(word))
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
    let of_a_database = |pair: &&Pair| {
        let is_one =
            |key: &String| OF_A_DATABASE.contains(&key.as_str()) && !is_of_something_else(key, &pair.expression);
        pair.path.last().is_some_and(is_one)
    };
    let databases: HashSet<u32> = pairs.iter().filter(of_a_database).map(|pair| pair.bracket).collect();
    let is_handed_on = |pair: &Pair| pair.bracket > 0 && is_alone(pair.bracket) && is_connection_string(pair);
    let is_of_one =
        |pair: &Pair| databases.contains(&pair.bracket) || is_handed_on(pair) && !is_read_by_itself(&pair.expression);
    // Code may spell several out under the same keys, one for each case.
    let mut brackets: HashMap<&[String], Vec<u32>> = HashMap::new();
    for pair in pairs {
        let section = pair.path.iter().find(|key| ENVIRONMENTS.contains(&key.as_str()));
        if section.is_some_and(|section| section != environment) {
            continue;
        }
        let Some((key, outer)) = pair.path.split_last() else { continue };
        // What the program calls itself to its server is no database's name.
        if NAMES_OF_PROGRAMS.contains(&key.as_str()) {
            continue;
        }
        let value = match code::evaluate(&pair.expression, lookup) {
            // What stands for an address where none is set is never dialled.
            Value::Known(value) if value.contains("://placeholder") => continue,
            Value::Known(value) => value,
            Value::Unknown if is_of_one(pair) && is_place(pair) && is_computed(&pair.expression) => {
                // It is none of those that are known under the same keys.
                let name = format!("database.{}.{key}", pair.bracket);
                let origin = Origin::file(key.clone(), shown, pair.line);
                let unresolved = Some(code::unresolved(key));
                settings.push(Setting { name, value: pair.expression.clone(), origin, unresolved });
                continue;
            }
            Value::Unset | Value::Unknown => continue,
        };
        // Such files also hold what is no database: `server: { host, port }`.
        let is_web = value.starts_with("http");
        let words = if is_web { &["database"][..] } else { &["connection", "credentials", "database"] };
        let says_database = outer.last().is_some_and(|name| {
            let lower = name.to_ascii_lowercase();
            words.iter().any(|word| lower.contains(word)) || is_called_db(name)
        });
        let scheme = value.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let is_url =
            scheme.is_some_and(|scheme| !OTHER_SCHEMES.contains(&scheme.as_str())) || value.starts_with("file:");
        if !says_database && !is_url && !databases.contains(&pair.bracket) {
            continue;
        }
        let alike = brackets.entry(outer).or_default();
        let case = alike.iter().position(|bracket| *bracket == pair.bracket).unwrap_or_else(|| {
            alike.push(pair.bracket);
            alike.len() - 1
        });
        let outer = outer.last().filter(|name| !ENVIRONMENTS.contains(&name.as_str()) && !name.contains('.'));
        let case = (case > 0).then(|| format!("case{case}"));
        let name = std::iter::once("database").chain(case.as_deref()).chain(outer.map(String::as_str));
        let name = name.chain([key.as_str()]).collect::<Vec<_>>().join(".");
        settings.push(Setting::known(name, value, Origin::file(key.clone(), shown, pair.line)));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::readers::code::Comments;

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
    fn several_of_the_same_shape_all_count() {
        let text = "function of(kind) {\n if (kind) {\n return { type: 'postgres', host: 'here', database: 'shop' };\n }\n \
                    return { type: 'mysql', host: 'there', database: 'shop' };\n}";
        let hosts: Vec<String> = found(text, "test").into_iter().filter(|one| one.contains("host=")).collect();
        assert_eq!(hosts, ["database.host=here", "database.case1.host=there"]);
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
    fn a_place_that_is_computed_is_not_passed_over() {
        let text = "module.exports = { client: 'pg', host: pick(), database: 'shop' };\nconst a = { client: 'pg', host: config.db.host };";
        let settings =
            settings(&code::pairs(text, Comments::Slashes).all(|_, _| ()), Path::new("knexfile.js"), "test", &|_| None);
        let unknown: Vec<&str> =
            settings.iter().filter(|one| one.unresolved.is_some()).map(|one| one.value.as_str()).collect();
        assert_eq!(unknown, ["pick()"]);
    }

    #[test]
    fn the_name_of_the_program_is_no_databases_name() {
        let text = "export default { client: 'pg', connection: { host: 'here', application_name: 'shop' } };";
        assert_eq!(found(text, "test"), ["database.client=pg", "database.connection.host=here"]);
    }

    #[test]
    fn an_object_is_about_a_database_by_the_words_of_its_names() {
        for (text, expected) in [
            ("x = { sandbox: { host: 'h' } }", false),
            ("x = { feedback: { host: 'h' } }", false),
            ("x = { mainDb: { host: 'h' } }", true),
            ("x = { db_main: { host: 'h' } }", true),
            ("x = { shopDBConfig: { host: 'h' } }", true),
            ("x = { driver: 'chrome', host: 'h' }", false),
            ("x = { client: 'web', host: 'h' }", false),
            ("x = { client: 'mysql2', host: 'h' }", true),
            ("x = { client: Client, host: 'h' }", true),
            ("x = { client: 'web', database: 'shop', host: 'h' }", true),
            ("x = { dialect: 'postgres', host: 'h' }", true),
        ] {
            let is_told = found(text, "test").iter().any(|one| one.ends_with("host=h"));
            assert_eq!(is_told, expected, "{text}");
        }
    }

    #[test]
    fn a_server_that_is_no_database_is_not_taken_for_one() {
        let text = "module.exports = { port: 3000, api: { host: 'api.shop.test', url: 'https://api.shop.test/' } };";
        assert_eq!(found(text, "test"), Vec::<String>::new());
    }
}
