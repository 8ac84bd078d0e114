//! Which names and values have to do with a database.

/// Tells an address by its scheme; web addresses are left to the variables that name them.
pub(crate) fn is_address(text: &str) -> bool {
    text.split_once("://")
        .is_some_and(|(scheme, rest)| !scheme.is_empty() && !scheme.starts_with("http") && !rest.is_empty())
}

/// Words in names of what says where a database is.
const WORDS: &[&str] = &[
    "db",
    "database",
    "postgres",
    "postgresql",
    "pg",
    "mysql",
    "mariadb",
    "mongo",
    "mongodb",
    "redis",
    "connect",
    "sql",
];

/// Last words of names that say a part of where a database is.
const PARTS: &[&str] = &[
    "host", "hostname", "server", "port", "user", "username", "password", "name", "database", "db", "dbname", "url",
    "uri", "dsn",
];

/// Tells whether a variable of that name and value has to do with a database.
pub(crate) fn says_database(name: &str, value: &str) -> bool {
    is_address(value) || is_of_a_database(name)
}

pub(crate) fn is_of_a_database(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let last = lower.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    if !PARTS.contains(&last) {
        return false;
    }
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| WORDS.contains(&word) || WORDS.iter().any(|own| own.len() > 4 && word.starts_with(own)))
}
