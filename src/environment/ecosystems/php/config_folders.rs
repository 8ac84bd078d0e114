//! Folders of configuration of programs that no framework tells the names of: `config/`, `common/config/`, `tests/config/`.
//! Which files in them count is told by what they say.
//!
//! Source: the READMEs of Slim's skeletons, of Yii's templates, and of programs without a framework.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::php::array_pairs;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::conventional;
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::may_be_a_folder;
use crate::environment::readers::code::Pair;
use crate::text::shown;

/// What such folders are called.
const CALLED: &[&str] = &["config", "Config", "conf", "configs", "settings"];

/// More folders, and more files of one, are not looked at.
const MOST_FOLDERS: usize = 256;
const MOST_FILES: usize = 256;

/// Words of files that are there to be copied.
const TO_BE_COPIED: &[&str] = &["dist", "example", "sample", "stub", "template", "tpl"];

/// Words of a file's name that say how strong it is: what is the machine's own beats what is everybody's.
const OWN: &[&str] = &["env", "local", "override", "secret", "secrets"];
const OF_ALL: &[&str] = &["base", "common", "default", "defaults", "main"];

/// What says, as part of a value, that a connection is one to a database.
const DATABASES: &[&str] =
    &["cubrid", "maria", "mongo", "mssql", "mysql", "oci", "pgsql", "postgre", "sqlite", "sqlsrv"];

/// What else files of configuration are called.
const PLAIN: &[&str] = &["app", "config", "configuration", "database", "db", "settings"];

/// Lists the orders in which the files of a folder may beat each other, the strongest first. Which of them a program reads
/// nobody knows: each is the strongest once, but for what is there for all where a file that is surely read says the same.
/// Those in `known` are read otherwise.
pub(crate) fn orders(scene: &Scene<'_>, home: &Path, is_test: bool, known: &HashSet<PathBuf>) -> Vec<Vec<PathBuf>> {
    let mode = scene.purpose.named.as_deref().unwrap_or(if is_test { "test" } else { "development" });
    let mut orders = Vec::new();
    for folder in folders(scene, home, is_test).iter() {
        let wanted = |path: &&PathBuf| counts(path, mode) && !known.contains(*path);
        let mut files: Vec<PathBuf> = files(scene, folder).iter().filter(wanted).cloned().collect();
        files.sort_by_key(|path| (strength(path, mode), path.clone()));
        let pairs: Vec<Rc<Vec<Pair>>> = files.iter().map(|path| array_pairs::pairs_of(scene, path)).collect();
        if !pairs.iter().any(|pairs| names_database(pairs)) {
            continue;
        }
        for (at, path) in files.iter().enumerate() {
            let is_said_elsewhere = |pair: &Pair| {
                let stronger = files[..at].iter().zip(&pairs).filter(|(path, _)| is_surely_read(path, mode));
                stronger.into_iter().any(|(_, others)| others.iter().any(|other| other.path == pair.path))
            };
            if strength(path, mode) == FOR_ALL && pairs[at].iter().all(is_said_elsewhere) {
                continue;
            }
            let others = files.iter().filter(|other| *other != path);
            orders.push(std::iter::once(path).chain(others).cloned().collect());
        }
    }
    orders
}

/// Lists the folders in `home` and one below; those of the tests for tests only.
fn folders(scene: &Scene<'_>, home: &Path, is_test: bool) -> Rc<Vec<PathBuf>> {
    let is_test = is_test || scene.words().iter().any(|word| word.starts_with("tests/"));
    scene.library.once(format!("config folders {is_test} {}", shown(home)), || {
        let mut folders = Vec::new();
        let names = scene.names_in(home);
        let own = CALLED.iter().filter(|name| names.iter().any(|own| own == *name)).map(|name| home.join(name));
        folders.extend(own);
        let skipped = ["vendor", "node_modules", "var", "storage", "docs"];
        let is_wanted = |name: &&String| {
            may_be_a_folder(name) && !skipped.contains(&name.as_str()) && (is_test || !name.starts_with("test"))
        };
        for (at, name) in names.iter().filter(is_wanted).enumerate() {
            if at == MOST_FOLDERS {
                let why = GivenUp::too_much("more than 256 folders in it may hold configuration");
                scene.library.give_up(home, None, why);
                break;
            }
            let below = home.join(name);
            let inside = scene.names_in(&below);
            folders.extend(
                CALLED.iter().filter(|name| inside.iter().any(|own| own == *name)).map(|name| below.join(name)),
            );
        }
        folders
    })
}

/// Lists the PHP files of a folder whose text may speak of a database.
fn files(scene: &Scene<'_>, folder: &Path) -> Rc<Vec<PathBuf>> {
    scene.library.once(format!("config files {}", shown(folder)), || {
        let mut names = scene.names_in(folder);
        names.retain(|name| name.ends_with(".php"));
        if names.len() > MOST_FILES {
            let why = GivenUp::too_much("more than 256 files in it may be configuration");
            scene.library.give_up(folder, None, why);
            names.truncate(MOST_FILES);
        }
        let speaks = |path: &PathBuf| {
            let text = scene.library.manifest(path);
            ["'host", "\"host", "dsn", "database", "dbname", "'url'"].iter().any(|word| text.contains(word))
        };
        names.into_iter().map(|name| folder.join(name)).filter(speaks).collect()
    })
}

fn words(path: &Path) -> Vec<String> {
    let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().to_ascii_lowercase());
    stem.split(['.', '-', '_']).map(str::to_owned).collect()
}

/// Tells whether a file of that name is read in the mode.
fn counts(path: &Path, mode: &str) -> bool {
    let words = words(path);
    !words.iter().any(|word| TO_BE_COPIED.contains(&word.as_str()))
        && !conventional::is_for_another(&words.join("."), mode)
}

/// How strong a file is that is there for all.
const FOR_ALL: u8 = 3;

/// Tells whether nothing in a file's name leaves open whether it is read (`local.github.php`).
fn is_surely_read(path: &Path, mode: &str) -> bool {
    let known = |word: &String| {
        let word = word.as_str();
        [OWN, OF_ALL, PLAIN].iter().any(|list| list.contains(&word)) || word == mode || word.starts_with("test")
    };
    words(path).iter().all(known)
}

/// Tells how strong a file is by its name, 0 the strongest.
fn strength(path: &Path, mode: &str) -> u8 {
    let words = words(path);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    match () {
        () if has(OWN) => 0,
        () if has(&[mode, "test", "testing", "dev", "development"]) => 1,
        () if has(OF_ALL) => FOR_ALL,
        () => 2,
    }
}

/// Tells whether one of the connections is one to a database, and not to a mail server or a queue.
fn names_database(pairs: &[Pair]) -> bool {
    let connections = array_pairs::connections(pairs);
    pairs.iter().any(|pair| {
        let Some((key, outer)) = pair.path.split_last() else { return false };
        let expression = pair.expression.to_ascii_lowercase();
        connections.contains(outer)
            && match key.as_str() {
                "database" | "dbname" | "dbdriver" | "connectionString" => true,
                "dsn" | "driver" | "adapter" => DATABASES.iter().any(|word| expression.contains(word)),
                _ => false,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_folder_are_ordered_by_their_names() {
        let table = [
            ("env.php", "test", true, 0),
            ("local.test.php", "test", true, 0),
            ("local.prod.php", "test", false, 0),
            ("env.example.php", "test", false, 0),
            ("defaults.php", "test", true, 3),
            ("database.php", "test", true, 2),
            ("test.php", "test", true, 1),
            ("test.php", "development", false, 1),
        ];
        for (name, mode, expected, strongest) in table {
            let path = Path::new(name);
            assert_eq!(counts(path, mode), expected, "{name} in {mode}");
            if expected {
                assert_eq!(strength(path, mode), strongest, "{name} in {mode}");
            }
        }
    }
}
