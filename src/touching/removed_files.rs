//! Files of databases that a command removes, moves away or writes over, by their names.

use crate::tools::words::name_of;

/// Programs that remove or empty each file that they are given.
const REMOVERS: &[&str] =
    &["del-cli", "gio", "rimraf", "rm", "rmdir", "shred", "srm", "tee", "trash", "trash-put", "truncate", "unlink"];

/// What a file of a database, or one beside it, ends in.
const ENDINGS: &[&str] = &["db", "db3", "duckdb", "s3db", "sqlite", "sqlite2", "sqlite3", "sqlitedb"];

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

/// Tells whether a program may remove files.
pub(super) fn is_remover(name: &str) -> bool {
    REMOVERS.contains(&name) || matches!(name, "cp" | "dd" | "find" | "install" | "mv" | "rsync")
}

/// Finds the file of a database that a command removes, moves away or writes over.
pub(super) fn removed(words: &[String]) -> Option<&str> {
    let (program, arguments) = words.split_first()?;
    let plain = || arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-'));
    let is_data = |word: &&str| is_of_database(word);
    match name_of(program) {
        "mv" => plain().find(is_data),
        "cp" | "install" | "rsync" => plain().next_back().filter(is_data).filter(|_| plain().count() > 1),
        "dd" => plain().filter_map(|word| word.strip_prefix("of=")).find(is_data),
        "find" if removes_found(arguments) => {
            let named = arguments
                .windows(2)
                .filter(|pair| matches!(pair[0].as_str(), "-name" | "-iname" | "-path" | "-wholename"));
            let starts = arguments.iter().map(String::as_str).take_while(|word| !word.starts_with('-'));
            named.map(|pair| pair[1].as_str()).chain(starts).find(is_data)
        }
        name if REMOVERS.contains(&name) => plain().find(is_data),
        _ => None,
    }
}

fn removes_found(arguments: &[String]) -> bool {
    let runs =
        |pair: &[String]| matches!(pair[0].as_str(), "-exec" | "-execdir") && REMOVERS.contains(&name_of(&pair[1]));
    arguments.iter().any(|word| word == "-delete") || arguments.windows(2).any(runs)
}

/// Tells by its name whether a file, or a folder, is a database's: `dev.db`, `db/test.sqlite3-wal`, `/var/lib/mysql/shop`.
pub(super) fn is_of_database(path: &str) -> bool {
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let bare = name.trim_end_matches(['*', '?']);
    let bare = ["-wal", "-shm", "-journal"].iter().find_map(|end| bare.strip_suffix(end)).unwrap_or(bare);
    let ending = bare.trim_end_matches(['-', '.']).rsplit_once('.').map_or("", |(_, ending)| ending);
    if ENDINGS.contains(&ending) && !OTHERS.contains(&name) {
        return true;
    }
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
