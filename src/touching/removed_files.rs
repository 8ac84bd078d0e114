//! Files of databases that a command removes, moves away or writes over, by their names.

use std::path::Path;

use crate::environment::paths::normal;
use crate::text::fits;
use crate::tools::database_files;
use crate::tools::removers::lost;
use crate::tools::words::name_of;
use crate::touching::model::Place;

/// Files that end so and hold something else.
const OTHERS: &[&str] = &["thumbs.db", "ehthumbs.db", "compile_commands.db"];

/// Folders in which servers keep their data, without what separates words.
const FOLDERS: &[&str] = &[
    "dbdata",
    "mariadbdata",
    "mongodata",
    "mongodbdata",
    "mysqldata",
    "pgdata",
    "postgresdata",
    "postgresqldata",
    "redisdata",
];

/// Where systems keep the data of servers.
const SYSTEM_FOLDERS: &[&str] = &["mariadb", "mongo", "mongodb", "mysql", "pgsql", "postgres", "postgresql", "redis"];

/// Finds the file of a database that a command removes, moves away or writes over.
pub(super) fn removed(words: &[String]) -> Option<&str> {
    lost(words).into_iter().find(|path| is_of_database(path))
}

/// Tells whether a run of the command would save all that it loses. `folder` is where the command runs.
pub(super) fn are_saved(words: &[String], folder: &Path, place: &Place<'_>) -> bool {
    name_of(&words[0]) != "find"
        && lost(words).into_iter().filter(|path| is_of_database(path)).all(|path| is_saved(path, folder, place))
}

fn is_saved(path: &str, folder: &Path, place: &Place<'_>) -> bool {
    let (above, name) =
        path.rsplit_once('/').map_or(("", path), |(above, name)| (if above.is_empty() { "/" } else { above }, name));
    if !ends_as_database(path) || path.contains(['$', '`', '~', '[', '{', '?']) || above.contains('*') {
        return false;
    }
    let folder = normal(&folder.join(above));
    if !name.contains('*') {
        return (place.is_saved)(&folder.join(name));
    }
    let mut names = place.files.list(&folder).into_iter().map(|name| name.to_string_lossy().into_owned());
    names.all(|own| !fits(name, &own) || !ends_as_database(&own) || (place.is_saved)(&folder.join(own)))
}

/// Tells by its name whether a file, or a folder, is a database's: `dev.db`, `db/test.sqlite3-wal`, `/var/lib/mysql/shop`.
pub(super) fn is_of_database(path: &str) -> bool {
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    if ends_as_database(&path) {
        return true;
    }
    let name = path.rsplit('/').next().unwrap_or(&path);
    let folded: String = name.chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
    let parts: Vec<&str> = path.split('/').collect();
    let is_system = path.starts_with("/var/lib/") && parts.get(3).is_some_and(|part| SYSTEM_FOLDERS.contains(part));
    let is_below = |parent: &str| parts.len() > 1 && SYSTEM_FOLDERS.contains(&name) && parts[parts.len() - 2] == parent;
    FOLDERS.contains(&folded.as_str())
        || is_system
        || matches!(path.trim_start_matches('.'), "data/db" | "/data/db")
        || is_below("data")
        || is_below(".data")
}

/// Tells whether a file is called as those of SQLite and the like are, or as what these keep beside them.
fn ends_as_database(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let bare = name.trim_end_matches(['*', '?']);
    let bare = ["-wal", "-shm", "-journal"].iter().find_map(|end| bare.strip_suffix(end)).unwrap_or(bare);
    database_files::ends_as_database(bare.trim_end_matches(['-', '.'])) && !OTHERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_databases_that_are_lost_are_found() {
        let table = [
            ("rm dev.db", Some("dev.db")),
            ("rm -rf db/test.sqlite3-wal", Some("db/test.sqlite3-wal")),
            ("rm -f db/*.sqlite3*", Some("db/*.sqlite3*")),
            ("rm -rf /var/lib/postgresql/16/main", Some("/var/lib/postgresql/16/main")),
            ("rm -rf ./pg-data", Some("./pg-data")),
            ("rm -rf docker/data/mysql/", Some("docker/data/mysql/")),
            ("mv dev.db dev.db.bak", Some("dev.db")),
            ("cp backup.db dev.db", Some("dev.db")),
            ("cp dev.db dev.db.bak", None),
            ("dd if=/dev/zero of=dev.sqlite", Some("dev.sqlite")),
            ("find . -name *.sqlite3 -delete", Some("*.sqlite3")),
            ("find . -name *.db -exec rm {} ;", Some("*.db")),
            ("find . -name *.db", None),
            ("truncate -s 0 dev.db", Some("dev.db")),
            ("rm -rf node_modules dist data", None),
            ("rm README.md db.ts Thumbs.db", None),
            ("rm -rf src/mysql", None),
            ("cat dev.db", None),
            ("cp dev.db", None),
        ];
        for (command, expected) in table {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(removed(&words), expected, "{command}");
        }
    }
}
