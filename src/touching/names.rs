//! What the names of scripts and files tell, where nobody can look into them.

use crate::lists::{List, list};
use crate::touching::model::Class;

static NAMES: List = list!("names.txt");

/// Tells by its name what a script or a task does to a database: `db:reset`, `test:unit`, `apps/shop:e2e`.
pub(super) fn of_script(name: &str) -> Option<Class> {
    let roles = roles_of(name);
    let has = |role: &str| roles.contains(&role);
    if has("off") {
        return None;
    }
    of_data(&roles).or_else(|| has("test").then_some(Class::Test))
}

/// Tells by its name what a file that is run does to a database: `prisma/seed.ts`, `cmd/migrate/main.go`, `app.db.reset`.
pub(super) fn of_file(path: &str) -> Option<Class> {
    let mut parts = path.split('/').rev().map(|part| part.split_once('.').map_or(part, |(stem, _)| stem));
    // A module of Python is named with dots.
    let is_module = !path.contains('/') && path.rsplit_once('.').is_some_and(|(_, ending)| !CODE.contains(&ending));
    let stem = if is_module { path.rsplit('.').next() } else { parts.find(|part| !NO_NAMES.contains(part)) };
    let roles = roles_of(stem?);
    let runs_tests = roles.contains(&"test") && words(stem?).iter().any(|word| word.starts_with("run"));
    of_data(&roles).or_else(|| runs_tests.then_some(Class::Test))
}

/// What files of code end in.
const CODE: &[&str] = &[
    "cjs", "cs", "cts", "dart", "ex", "exs", "go", "jar", "js", "jsx", "mjs", "mts", "php", "pl", "py", "rb", "rs",
    "sh", "sql", "ts", "tsx",
];

/// Files that are named by their folder.
const NO_NAMES: &[&str] = &["", "index", "main", "mod", "__main__", "cli"];

fn of_data(roles: &[&str]) -> Option<Class> {
    let has = |role: &str| roles.contains(&role);
    // `migration:create` makes a file, `db:create` a database.
    let creates_a_file = has("make") && !has("data");
    if has("reads") || creates_a_file {
        None
    } else if has("reset") || has("clear") && has("data") {
        Some(Class::Reset)
    } else if has("seed") {
        Some(Class::Seed)
    } else if has("migrate") || (has("put") || has("make")) && has("data") {
        Some(Class::Migrate)
    } else if has("load") && has("data") {
        Some(Class::Import)
    } else {
        None
    }
}

fn roles_of(name: &str) -> Vec<&'static str> {
    let mut roles = Vec::new();
    for word in words(name) {
        if let Some(role) = NAMES.find(&word) {
            roles.push(role);
            continue;
        }
        // `resetdb`, `dbreset`, `e2etests`.
        let halves =
            [word.strip_suffix("db").map(|rest| (rest, "db")), word.strip_prefix("db").map(|rest| ("db", rest))];
        let halves = halves.into_iter().flatten().find_map(|(one, other)| Some([NAMES.find(one)?, NAMES.find(other)?]));
        roles.extend(halves.into_iter().flatten());
    }
    roles
}

/// Lists the words of a name, in small letters.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars().take(256) {
        if !letter.is_ascii_alphanumeric() || letter.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(String::new());
        }
        if letter.is_ascii_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.push(letter.to_ascii_lowercase()));
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_script_tells_what_it_does() {
        use Class::{Import, Migrate, Reset, Seed, Test};
        let table = [
            ("test", Some(Test)),
            ("t", Some(Test)),
            ("test:unit", Some(Test)),
            ("testIntegration", Some(Test)),
            ("e2e-ci", Some(Test)),
            ("shop:test", Some(Test)),
            ("db:reset", Some(Reset)),
            ("resetdb", Some(Reset)),
            ("reset", Some(Reset)),
            ("drop-database", Some(Reset)),
            ("db:seed", Some(Seed)),
            ("migrate", Some(Migrate)),
            ("db:push", Some(Migrate)),
            ("db_setup", Some(Migrate)),
            ("migrate:deploy", Some(Migrate)),
            ("migrate:run", Some(Migrate)),
            ("db:create", Some(Migrate)),
            ("db:restore", Some(Import)),
            ("db:generate", None),
            ("migrate:status", None),
            ("migration:create", None),
            ("db:studio", None),
            ("db:start", None),
            ("lint:tests", None),
            ("build", None),
            ("clean", None),
            ("deploy", None),
            ("latest", None),
            ("contest", None),
            ("dev", None),
            ("", None),
        ];
        for (name, expected) in table {
            assert_eq!(of_script(name), expected, "{name}");
        }
    }

    #[test]
    fn the_name_of_a_file_tells_what_it_does() {
        let table = [
            ("prisma/seed.ts", Some(Class::Seed)),
            ("./cmd/migrate", Some(Class::Migrate)),
            ("cmd/migrate/main.go", Some(Class::Migrate)),
            ("scripts/reset-db.sh", Some(Class::Reset)),
            ("app.scripts.seed", Some(Class::Seed)),
            ("scripts.seed_db", Some(Class::Seed)),
            ("run_tests.py", Some(Class::Test)),
            ("test_parser.py", None),
            ("scripts/clean.js", None),
            ("server.js", None),
            ("index.js", None),
            ("/", None),
        ];
        for (path, expected) in table {
            assert_eq!(of_file(path), expected, "{path}");
        }
    }
}
