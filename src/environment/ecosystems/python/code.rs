//! Addresses that stand as literals in Python: pytest's `conftest.py`, `noxfile.py`, and the defaults of
//! pydantic-settings. By text, never executed; what is composed stays unknown.
//!
//! Sources: pytest's manual ("conftest.py"), Nox' "Configuration & API", pydantic-settings' "Field value priority"
//! (the environment over `.env` over the default).

use std::path::PathBuf;

use crate::environment::ecosystems::python::manifests::MANIFESTS;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::{Origin, Setting};

/// Where tests are set up, below the command's folder.
const SETUPS: &[&str] = &["conftest.py", "tests/conftest.py", "test/conftest.py"];

/// Where settings classes are kept.
const SETTINGS: &[&str] = &[
    "config.py",
    "settings.py",
    "app/config.py",
    "app/settings.py",
    "app/core/config.py",
    "core/config.py",
    "src/config.py",
    "src/settings.py",
];

/// Reads the literals of the files that this command would execute, for the bottom of a chain: under their variable's
/// name, so that the environment stands over them.
pub(crate) fn literals(scene: &Scene<'_>) -> Vec<Setting> {
    let mut paths: Vec<PathBuf> = Vec::new();
    if scene.purpose.test {
        paths.extend(SETUPS.iter().map(|name| scene.path(name)));
    }
    if scene.program() == "nox" {
        paths.push(scene.path("noxfile.py"));
    }
    if MANIFESTS.iter().any(|manifest| scene.manifest(&[manifest]).contains("pydantic")) {
        paths.extend(SETTINGS.iter().map(|name| scene.path(name)));
    }
    let mut settings = Vec::new();
    for path in paths.iter().filter(|path| scene.library.exists(path)) {
        let Some(text) = scene.library.string(path) else { continue };
        let shown = scene.library.shown(path);
        settings.extend(read(&text).into_iter().map(|(name, value, line)| Setting {
            origin: Origin::file(name.clone(), &shown, line),
            name,
            value,
            unresolved: None,
        }));
    }
    settings
}

/// Finds each address, with the name it goes by and its line.
fn read(text: &str) -> Vec<(String, String, u32)> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let code = line.trim();
        if code.starts_with('#') || !code.contains("://") {
            continue;
        }
        let quoted = quoted(code);
        let lower = code.to_ascii_lowercase();
        // Other literals may be what a test expects.
        let is_used = USES.iter().any(|word| lower.contains(word));
        let Some(index) = quoted.iter().position(|(_, value)| is_address(value)).filter(|_| is_used) else { continue };
        let (from, value) = quoted[index];
        let is_formatted = code[..from].ends_with(['f', 'F']) && value.contains('{');
        let name = quoted[..index].iter().rev().map(|(_, name)| *name).find(|name| is_name(name));
        let own = code.split([':', '=', ' ', '(']).next().filter(|name| is_name(name));
        if !is_formatted {
            let name = name.or(own).unwrap_or("DATABASE_URL").to_ascii_uppercase();
            found.push((name, value.to_owned(), u32::try_from(at + 1).unwrap_or(u32::MAX)));
        }
    }
    found
}

/// What a line has on it where its address is dialled or set.
const USES: &[&str] =
    &["environ", "setenv", "env=", "create_engine", "create_async_engine", "connect(", "client(", "url", "uri", "dsn"];

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() < 64 && text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

/// Tells an address by its scheme; web addresses are left to the variables that name them.
fn is_address(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| !scheme.starts_with("http") && !rest.is_empty())
}

/// Finds the quoted texts of a line, each with the place of its opening quote.
fn quoted(line: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = line[at..].find(['"', '\'', '#']).map(|start| at + start) {
        let quote = line.as_bytes()[start];
        if quote == b'#' {
            break;
        }
        let Some(length) = line[start + 1..].find(char::from(quote)) else { break };
        found.push((start, &line[start + 1..start + 1 + length]));
        at = start + length + 2;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_the_name_they_go_by() {
        let table: &[(&str, &[(&str, &str)])] = &[
            ("ENGINE = create_engine('postgresql://h/d')", &[("ENGINE", "postgresql://h/d")]),
            ("os.environ.setdefault(\"DB\", \"mysql://h/d\")", &[("DB", "mysql://h/d")]),
            ("os.environ['DB'] = 'mysql://h/d'  # 'x://y'", &[("DB", "mysql://h/d")]),
            ("    database_url: str = 'postgresql+asyncpg://h/d'", &[("DATABASE_URL", "postgresql+asyncpg://h/d")]),
            ("    session.run('pytest', env={'DB_URL': 'postgres://h/d'})", &[("DB_URL", "postgres://h/d")]),
            ("url = os.getenv('MAIN', 'postgres://h/d')", &[("MAIN", "postgres://h/d")]),
            ("client = MongoClient(\"mongodb://h\")", &[("CLIENT", "mongodb://h")]),
            ("# url = 'postgres://h/d'", &[]),
            ("url = f'postgres://{host}/d'", &[]),
            ("api_url = 'https://api.shop.net'", &[]),
            ("assert parse('postgres://h/d')", &[]),
            ("url = 'postgres://é", &[]),
        ];
        for (line, expected) in table {
            let found = read(line);
            let found: Vec<_> = found.iter().map(|(name, value, _)| (name.as_str(), value.as_str())).collect();
            assert_eq!(found, *expected, "{line}");
        }
    }
}
