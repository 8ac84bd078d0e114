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

/// Words in names of addresses that lead to something else than a database.
const ELSEWHERE: &[&str] = &[
    "api", "app", "asset", "assets", "auth", "backend", "base", "browser", "callback", "cdn", "client", "docker",
    "frontend", "graphql", "http", "https", "mail", "minio", "nextauth", "public", "redirect", "s3", "selenium",
    "site", "smtp", "storage", "vite", "web", "webhook", "website", "ws",
];

/// Tells whether a variable whose value is not known may say where a database is: by a word of its name, or because it is
/// an address and no word says of what else.
pub(crate) fn may_be_of_a_database(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let has = |is_one: &dyn Fn(&str) -> bool| lower.split(|c: char| !c.is_ascii_alphanumeric()).any(is_one);
    let of_database = |word: &str| word == "dsn" || word.starts_with("pg") || is_word(word);
    has(&of_database) || has(&|word| matches!(word, "host" | "uri" | "url")) && !has(&|word| ELSEWHERE.contains(&word))
}

fn is_word(word: &str) -> bool {
    WORDS.contains(&word) || WORDS.iter().any(|own| own.len() > 4 && word.starts_with(own))
}

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
    words.any(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_other_things_are_told_from_those_that_may_be_databases() {
        for name in [
            "DATABASE_URL",
            "DB_HOST",
            "PGHOST",
            "SQL_SERVER_HOST",
            "API_DB_URL",
            "SHOP_URL",
            "HOST",
            "DSN",
            "TEST_URI",
        ] {
            assert!(may_be_of_a_database(name), "{name}");
        }
        for name in
            ["BASE_URL", "DOCKER_HOST", "API_HOST", "NEXTAUTH_URL", "S3_URL", "VITE_APP_URL", "NODE_ENV", "TOKEN"]
        {
            assert!(!may_be_of_a_database(name), "{name}");
        }
    }
}
