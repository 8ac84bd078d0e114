//! Go code that says which database is used: the files that it loads, and the defaults that it gives to variables. By
//! text, never executed.
//!
//! Sources: the READMEs of godotenv, viper, cleanenv, koanf, go-ini, caarlos0/env and envconfig.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::collections::HashSet;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::by_format;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::normal;
use crate::environment::readers::code::{python, reads_environment};
use crate::environment::readers::dotenv::Dialect;
use crate::environment::{Origin, Setting};
use crate::text::head;

/// Folders that such code is kept in, below a module or below its `internal`, `pkg` and `cmd`.
const FOLDERS: &[&str] = &[
    "config",
    "configs",
    "conf",
    "configuration",
    "settings",
    "env",
    "db",
    "database",
    "store",
    "storage",
    "server",
    "app",
];
/// Folders of folders.
const OUTER: &[&str] = &["internal", "pkg", "cmd", "test", "tests"];
/// More files are not read, and no more bytes.
const MOST_FILES: usize = 256;
const MOST_BYTES: usize = 2 << 20;

/// Adds the files that the code names, and its defaults below the environment.
pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>, home: &Path, dialects: &'static [Dialect]) {
    let mut bytes = 0;
    let mut below: Vec<PathBuf> = std::iter::once(home.to_owned())
        .chain(
            scene
                .names_in(home)
                .iter()
                .filter(|name| !name.contains('.') && *name != "vendor")
                .map(|name| home.join(name)),
        )
        .collect();
    if below.len() > MOST_FOLDERS {
        let why = GivenUp::too_much("its code may name files in more than 256 folders");
        scene.library.give_up(home, None, why);
        below.truncate(MOST_FOLDERS);
    }
    let mut parts: BTreeSet<String> = BTreeSet::new();
    let mut defaults: Vec<Setting> = Vec::new();
    let mut named: Vec<PathBuf> = Vec::new();
    let paths = sources(scene, home);
    if paths.len() > MOST_FILES {
        scene.library.give_up(
            &paths[MOST_FILES],
            None,
            GivenUp::too_much("more than 256 files of code may name settings"),
        );
    }
    for path in paths.iter().take(MOST_FILES) {
        let text = scene.library.manifest(path);
        bytes += text.len();
        if bytes > MOST_BYTES {
            scene.library.give_up(path, None, GivenUp::too_much("code that may name settings has more than 2 MiB"));
            break;
        }
        let shown = scene.library.shown(path);
        let is_test = path.to_str().is_some_and(|path| path.ends_with("_test.go"));
        let expected = if is_test { expected(&text) } else { HashSet::default() };
        for (line, number) in text.lines().zip(1..) {
            let code = line.trim();
            if code.starts_with("//") || !code.contains(['"', '`']) {
                continue;
            }
            if let Some((name, value)) =
                default(code).filter(|(_, value)| value.is_empty() || !expected.contains(value.as_str()))
            {
                let origin = Origin::file(name.clone(), &shown, number);
                defaults.push(Setting::known(name, value, origin));
            }
            let own = path.parent().unwrap_or(home);
            for name in quoted(code).filter(|name| is_settings_file(name)) {
                let places = [scene.folder, home, own].map(|folder| normal(&folder.join(name)));
                let found = places.into_iter().find(|path| scene.library.exists(path));
                named.extend(found.filter(|path| !is_only_parsed(scene, path, own)));
            }
            for name in joined(code).filter(|name| is_settings_file(name)) {
                if parts.len() == MOST_NAMES {
                    let why = GivenUp::too_much("its code puts more than 64 names of files together");
                    scene.library.give_up(path, Some(number), why);
                    break;
                }
                parts.insert(name);
            }
        }
    }
    // What stands before the known parts may be any folder of the module.
    for name in &parts {
        let found = below.iter().map(|folder| normal(&folder.join(name)));
        named.extend(found.filter(|path| scene.library.exists(path)));
    }
    let mut seen = HashSet::default();
    named.retain(|path| seen.insert(path.clone()));
    let mut seen = HashSet::default();
    defaults.retain(|setting| seen.insert(setting.name.clone()));
    let below = Layer::fixed(defaults);
    readings.chain("Go code", dialects, vec![Layer::Environment, Layer::file(home.join(".env")), below.clone()]);
    for path in named {
        let mut layers = vec![Layer::Environment];
        match by_format::layers(scene.library, &path) {
            Some(own) => layers.extend(own),
            None => layers.push(Layer::file(path)),
        }
        layers.push(below.clone());
        readings.chain("Go code", dialects, layers);
    }
}

/// Lists the files of code that are looked into.
fn sources(scene: &Scene<'_>, home: &Path) -> Vec<PathBuf> {
    let mut folders = vec![home.to_owned()];
    let outer: Vec<PathBuf> =
        OUTER.iter().map(|name| home.join(name)).filter(|path| scene.library.exists(path)).collect();
    for folder in std::iter::once(home.to_owned()).chain(outer.iter().cloned()) {
        folders.extend(FOLDERS.iter().map(|name| folder.join(name)));
    }
    for folder in outer {
        if folder.ends_with("cmd") {
            folders.extend(
                scene.names_in(&folder).into_iter().filter(|name| !name.contains('.')).map(|name| folder.join(name)),
            );
        }
        folders.push(folder);
    }
    let mut files: Vec<PathBuf> = Vec::new();
    let mut seen = HashSet::default();
    for folder in folders.into_iter().filter(|folder| seen.insert(folder.clone())) {
        let names = scene.names_in(&folder).into_iter();
        let is_code = |name: &String| name.ends_with(".go") && (scene.purpose.test || !name.ends_with("_test.go"));
        files.extend(names.filter(is_code).map(|name| folder.join(name)));
    }
    files
}

/// Words in names of files for another place.
const ELSEWHERE: &[&str] = &["prod", "production", "live", "staging"];

fn is_settings_file(name: &str) -> bool {
    let own = name.rsplit('/').next().unwrap_or(name);
    let endings = [".yaml", ".yml", ".toml", ".json", ".ini", ".conf", ".env"];
    let is_one =
        own.starts_with(".env") || endings.iter().any(|ending| own.len() > ending.len() && own.ends_with(ending));
    is_one && !name.contains(' ') && !own.split(['.', '-', '_']).any(|word| ELSEWHERE.contains(&word))
}

/// More folders are not looked into for a file whose folder is not known, and for no more files.
const MOST_NAMES: usize = 64;
const MOST_FOLDERS: usize = 256;

/// Imports of packages that connect. Sources: their documentation.
const CONNECTS: &[&str] = &[
    "database/sql",
    "clickhouse-go",
    "entgo.io",
    "go-pg/",
    "gocql",
    "gorm.io",
    "jackc/pgx",
    "jmoiron/sqlx",
    "lib/pq",
    "mongo-driver",
    "/go-redis",
    "redigo",
    "uptrace/bun",
    "xorm",
];

/// Tells whether a file of test data is only there to be parsed: the package that names it connects to nothing.
///
/// Source: `go help packages` (folders named testdata are ignored).
fn is_only_parsed(scene: &Scene<'_>, path: &Path, package: &Path) -> bool {
    if !path.components().any(|part| part.as_os_str() == "testdata") {
        return false;
    }
    let code = scene.names_in(package).into_iter().filter(|name| name.ends_with(".go"));
    !code.into_iter().any(|name| {
        let text = scene.library.manifest(&package.join(name));
        CONNECTS.iter().any(|import| text.contains(import))
    })
}

/// Longer calls, in bytes, put no path together.
const LONGEST_CALL: usize = 512;

/// Finds the paths that end in known parts: `conf/app.ini` for `filepath.Join(dir(), "conf", "app.ini")`.
fn joined(line: &str) -> impl Iterator<Item = String> {
    line.split("Join(").skip(1).filter_map(|rest| {
        let arguments = &rest[..python::closing(head(rest, LONGEST_CALL))?];
        let parts = arguments.rsplit(',').map(str::trim);
        let known = parts.map_while(|part| part.strip_prefix('"')?.strip_suffix('"'));
        let mut known: Vec<&str> = known.collect();
        known.reverse();
        (!known.is_empty()).then(|| known.join("/"))
    })
}

/// Lists the values that a test gives only to find them again: those that stand in what it expects.
fn expected(text: &str) -> HashSet<&str> {
    let mut found = HashSet::default();
    for line in text.lines().filter(|line| line.contains('"') && default(line.trim()).is_none()) {
        let quotes: Vec<usize> = line.match_indices('"').map(|(at, _)| at).collect();
        let reads = line.find("env(").unwrap_or(line.len());
        for pair in quotes.windows(2).filter(|pair| pair[0] < reads) {
            if line[..pair[0]].trim_end().ends_with([':', ',']) {
                found.insert(&line[pair[0] + 1..pair[1]]);
            }
        }
    }
    found
}

/// Finds the quoted texts of a line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

/// Finds a variable with its default: `getEnv("DB_HOST", "localhost")`, or in a field's tag.
fn default(code: &str) -> Option<(String, String)> {
    if let Some((_, tags)) = code.split_once('`') {
        let tag = |key: &str| {
            let (_, rest) = tags.split_once(&format!("{key}:\""))?;
            Some(rest.split('"').next()?.to_owned())
        };
        let name = tag("env").or_else(|| tag("envconfig"))?;
        let name = name.split(',').next()?.to_owned();
        let value = tag("envDefault").or_else(|| tag("env-default")).or_else(|| tag("default"))?;
        return is_constant(&name).then_some((name, value));
    }
    let (call, rest) = code.split_once("(\"")?;
    let function = call.rsplit(|c: char| !(c == '_' || c == '.' || c.is_alphanumeric())).next()?;
    let (name, rest) = rest.split_once('"')?;
    let value = rest.trim_start().strip_prefix(',')?.trim_start().strip_prefix('"')?.split('"').next()?;
    let lower = function.to_ascii_lowercase();
    let reads = reads_environment(function) || lower.contains("env") || lower.ends_with("setdefault");
    (reads && is_constant(name)).then(|| (name.to_owned(), value.to_owned()))
}

fn is_constant(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_with_their_defaults() {
        let table = [
            ("dsn := getEnv(\"DB_URL\", \"postgres://h/d\")", Some(("DB_URL", "postgres://h/d"))),
            ("viper.SetDefault(\"DB_HOST\", \"h\")", Some(("DB_HOST", "h"))),
            ("Host string `env:\"DB_HOST,required\" envDefault:\"h\"`", Some(("DB_HOST", "h"))),
            ("Host string `yaml:\"host\" env:\"DB_HOST\" env-default:\"h\"`", Some(("DB_HOST", "h"))),
            ("log.Fatal(\"DB_HOST\", \"h\")", None),
            ("os.Getenv(\"DB_HOST\")", None),
        ];
        for (code, expected) in table {
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(default(code), expected, "{code}");
        }
    }

    #[test]
    fn paths_are_put_together_from_their_known_parts() {
        for (code, expected) in [
            ("filepath.Join(CustomDir(), \"conf\", \"app.ini\")", &["conf/app.ini"][..]),
            ("path.Join(dir, \"a.yml\")", &["a.yml"]),
            ("strings.Join(parts, sep)", &[]),
            ("filepath.Join(", &[]),
        ] {
            assert_eq!(joined(code).collect::<Vec<_>>(), expected, "{code}");
        }
    }

    #[test]
    fn names_of_settings_files_are_told_from_other_texts() {
        for (name, expected) in [
            ("../.env.test", true),
            ("config.yml", true),
            ("a.prod.yml", false),
            (".yml", false),
            ("read config.yml", false),
        ] {
            assert_eq!(is_settings_file(name), expected, "{name}");
        }
    }

    #[test]
    fn what_a_test_expects_is_no_default() {
        let text = "t.Setenv(\"DB_HOST\", \"a\")\nwant: \"b\",\nassert.Equal(t, \"c\", got)\n";
        assert_eq!(expected(text), HashSet::from_iter(["b", "c"]));
    }

    #[test]
    fn hostile_code_ends() {
        for piece in
            ["os.Setenv(\"A\", \"b\")\n", "Join(\"a\", ", "x, \"a\"", "want: \"b\",\n", "`env:\"A\" default:\"b\"`"]
        {
            let text = piece.repeat(60_000);
            expected(&text);
            text.lines().for_each(|line| {
                let _ = (default(line), joined(line).count());
            });
        }
    }
}
