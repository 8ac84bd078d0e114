//! What files of databases are called.

/// What the names of files end in that hold a database of SQLite or of what is like it.
///
/// Sources: the manuals of SQLite, DuckDB and the frameworks that make such files.
const ENDINGS: &[&str] = &["db", "db3", "duckdb", "s3db", "sl3", "sqlite", "sqlite2", "sqlite3", "sqlitedb"];

/// Tells whether a name, in small letters, ends as those of database files do.
pub(crate) fn ends_as_database(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_databases_are_told_by_their_endings() {
        for (name, expected) in [
            ("dev.db", true),
            ("db/x.test.sqlite3", true),
            (".sl3", true),
            ("db", false),
            ("dev.db.bak", false),
            ("x.db/notes", false),
            ("", false),
        ] {
            assert_eq!(ends_as_database(name), expected, "{name}");
        }
    }
}
