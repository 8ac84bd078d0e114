//! Which engine a word stands for: a URL's scheme, a driver's or adapter's name, a PDO prefix.

use crate::lists::{List, list};
use crate::reach::Engine;

static SCHEMES: List = list!("schemes.txt");
static DRIVER_WORDS: List = list!("driver_words.txt");

/// Finds the engine behind a URL scheme, whatever its case and its `+driver` suffix; `None` for schemes of other things.
pub(crate) fn engine_of_scheme(scheme: &str) -> Option<Engine> {
    // Mostly the engine stands first (`postgresql+psycopg`), for Celery last (`db+postgresql`).
    scheme.to_ascii_lowercase().split('+').find_map(|part| SCHEMES.find(part).and_then(Engine::named))
}

/// Tells whether there is no server behind the scheme: a database inside the program, files, a container made for one
/// run.
pub(crate) fn names_no_server(scheme: &str) -> bool {
    SCHEMES.find(scheme) == Some("none")
}

/// Finds the engine that a driver, adapter or dialect names: `django.db.backends.postgresql`, `com.mysql.cj.jdbc.Driver`.
pub(crate) fn engine_of_driver(text: &str) -> Option<Engine> {
    // No driver has a longer name: this is no driver's, whatever words are in it.
    if text.len() > 200 {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter_map(|word| engine_of_word(word).or_else(|| engine_of_word(word.trim_end_matches("driver"))))
        .next_back()
}

fn engine_of_word(word: &str) -> Option<Engine> {
    DRIVER_WORDS.find(word).and_then(Engine::named).or_else(|| engine_of_scheme(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_name_engines_in_any_case_and_with_a_driver() {
        let cases = [
            ("postgres", Some(Engine::Postgres)),
            ("POSTGRESQL", Some(Engine::Postgres)),
            ("postgresql+psycopg2", Some(Engine::Postgres)),
            ("ecto", Some(Engine::Postgres)),
            ("cockroachdb", Some(Engine::Cockroach)),
            ("mysql2", Some(Engine::Mysql)),
            ("mariadb+mariadbconnector", Some(Engine::Mariadb)),
            ("mongodb+srv", Some(Engine::Mongodb)),
            ("mssql+pyodbc", Some(Engine::SqlServer)),
            ("rediss", Some(Engine::Redis)),
            ("neo4j+s", Some(Engine::Neo4j)),
            ("amqps", Some(Engine::Broker)),
            ("db+postgresql", Some(Engine::Postgres)),
            ("git+ssh", None),
            ("https", None),
            ("s3", None),
            ("smtp", None),
            ("file", None),
        ];
        for (scheme, expected) in cases {
            assert_eq!(engine_of_scheme(scheme), expected, "{scheme}");
        }
    }

    #[test]
    fn drivers_name_engines() {
        let cases = [
            ("pgsql", Some(Engine::Postgres)),
            ("django.db.backends.postgresql", Some(Engine::Postgres)),
            ("django.contrib.gis.db.backends.postgis", Some(Engine::Postgres)),
            ("com.mysql.cj.jdbc.Driver", Some(Engine::Mysql)),
            ("org.mariadb.jdbc.Driver", Some(Engine::Mariadb)),
            ("Ecto.Adapters.Postgres", Some(Engine::Postgres)),
            ("pdo_mysql", Some(Engine::Mysql)),
            ("com.microsoft.sqlserver.jdbc.SQLServerDriver", Some(Engine::SqlServer)),
            ("oracle.jdbc.OracleDriver", Some(Engine::Oracle)),
            ("better-sqlite3", Some(Engine::Sqlite)),
            ("testing", None),
            ("true", None),
        ];
        for (driver, expected) in cases {
            assert_eq!(engine_of_driver(driver), expected, "{driver}");
        }
    }

    #[test]
    fn every_row_names_an_engine_that_is_known() {
        for (word, engine) in SCHEMES.iter().chain(DRIVER_WORDS.iter()) {
            assert!(engine == "none" || Engine::named(engine).is_some(), "{word}");
        }
        assert!(names_no_server("memory") && !names_no_server("postgres") && !names_no_server("newdb"));
    }
}
