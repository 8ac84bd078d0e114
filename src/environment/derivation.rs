//! Names of databases that a framework's tests make from the name of one that is configured.

use crate::lists::{List, list};

/// Variables that tell parallel test processes apart. A configuration that asks for one has databases of several names.
static WORKER_VARIABLES: List = list!("worker_variables.txt");

/// How somebody derives names of databases.
///
/// A pattern is a name with stand-ins: `{name}` for the configured database's, `{tests}` for the same where it is one of
/// tests by its name, `{stem}` and `{ending}` for the parts of a file's, `{plain}` for the stem without `_dev` or
/// `_development`, and `{worker}` for what tells parallel test processes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Derivation {
    /// Who does, for people: `Django's tests`.
    pub(crate) by: &'static str,
    /// The patterns of databases on a server.
    pub(crate) on_servers: &'static [&'static str],
    /// The patterns of database files, in the folder of the configured one.
    pub(crate) in_files: &'static [&'static str],
}

/// What a configuration makes of [`WORKER_VARIABLES`].
pub(crate) const BY_WORKER_VARIABLES: Derivation = Derivation {
    by: "parallel tests",
    on_servers: &["{name}{worker}", "{name}_{worker}", "{name}-{worker}"],
    in_files: &["{stem}{worker}{ending}", "{stem}_{worker}{ending}", "{stem}-{worker}{ending}"],
};

/// Tells whether a variable tells parallel test processes apart.
pub(crate) fn tells_workers_apart(variable: &str) -> bool {
    WORKER_VARIABLES.contains(variable)
}

impl Derivation {
    /// Tells whether `name` is derived from the database `configured` on the same server.
    pub(crate) fn makes_on_server(&self, configured: &str, name: &str) -> bool {
        self.on_servers.iter().any(|pattern| fits(pattern, configured, name))
    }

    /// Tells whether the file called `name` is derived from the database file called `configured` in the same folder.
    pub(crate) fn makes_in_file(&self, configured: &str, name: &str) -> bool {
        self.in_files.iter().any(|pattern| fits(pattern, configured, name))
    }
}

fn fits(pattern: &str, configured: &str, name: &str) -> bool {
    if pattern.contains("{tests}") && !configured.to_ascii_lowercase().contains("test") {
        return false;
    }
    let (stem, ending) =
        configured.rfind('.').filter(|at| *at > 0).map_or((configured, ""), |at| configured.split_at(at));
    let plain = ["_development", "_dev"].iter().find_map(|ending| stem.strip_suffix(ending)).unwrap_or(stem);
    let (before, behind) = pattern.split_once("{worker}").unwrap_or((pattern, ""));
    // What stands in for a part is not looked through for stand-ins again.
    let filled = |part: &str| {
        let pieces = part.split('{').enumerate().map(|(at, piece)| match (at, piece.split_once('}')) {
            (1.., Some((stand_in, behind))) => {
                let own = match stand_in {
                    "stem" => stem,
                    "ending" => ending,
                    "plain" => plain,
                    _ => configured,
                };
                format!("{own}{behind}")
            }
            _ => piece.to_owned(),
        });
        pieces.collect::<String>()
    };
    let rest = name.strip_prefix(filled(before).as_str());
    match (pattern.contains("{worker}"), rest) {
        (false, rest) => rest == Some(""),
        (true, rest) => rest.and_then(|rest| rest.strip_suffix(filled(behind).as_str())).is_some_and(is_worker),
    }
}

/// Tells whether a text tells parallel test processes apart: `1`, pytest-xdist's `gw0`, tox's `py312`, or the last two as
/// `py312_gw0`. A year is none.
fn is_worker(text: &str) -> bool {
    let is_part = |part: &str| {
        let digits = ["gw", "pypy", "py"].iter().find_map(|kind| part.strip_prefix(kind)).unwrap_or(part);
        (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let parts: Vec<&str> = text.split('_').collect();
    parts.len() <= 2 && parts.into_iter().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_names_are_told_from_others() {
        let table = [
            ("test_{name}", "shop", "test_shop", true),
            ("test_{name}", "shop", "test_shop_1", false),
            ("test_{name}", "shop", "my_test_shop", false),
            ("test_{name}_{worker}", "shop", "test_shop_1", true),
            ("test_{name}_{worker}", "shop", "test_shop_gw12", true),
            ("test_{name}_{worker}", "shop", "test_shop_py312_gw0", true),
            ("test_{name}_{worker}", "shop", "test_shop_2024", false),
            ("test_{name}_{worker}", "shop", "test_shop_old", false),
            ("test_{name}_{worker}", "shop", "test_shop_", false),
            ("{tests}_{worker}", "shop_test", "shop_test_2", true),
            ("{tests}_{worker}", "shop", "shop_2", false),
            ("{name}{worker}", "shop_test", "shop_test2", true),
            ("{name}{worker}", "shop_test", "shop_test", false),
            ("{name}-{worker}", "shop_test", "shop_test-0", true),
            ("{name}-{worker}", "test.sqlite3", "test.sqlite3-0", true),
            ("{name}-{worker}", "test.sqlite3", "test.sqlite3-wal", false),
            ("{stem}_{worker}{ending}", "shop.test.db", "shop.test_1.db", true),
            ("{stem}_{worker}{ending}", "shop.db", "shop_1.sqlite", false),
            ("{stem}{worker}{ending}", "shop", "shop3", true),
            ("{plain}_test", "shop_development", "shop_test", true),
            ("{plain}_test", "shop", "shop_test", true),
            ("{plain}_test{ending}", "shop_dev.sqlite", "shop_test.sqlite", true),
            ("{plain}_test{ending}", "shop_dev.sqlite", "shop_dev_test.sqlite", false),
            // A name is a name, whatever it looks like.
            ("{name}_{worker}", "a{worker}", "a{worker}_1", true),
            ("{name}_{worker}", "a{worker}", "a1_1", false),
        ];
        for (pattern, configured, name, expected) in table {
            assert_eq!(fits(pattern, configured, name), expected, "{pattern} {configured} {name}");
        }
    }

    #[test]
    fn workers_have_variables() {
        assert!(tells_workers_apart("TEST_ENV_NUMBER") && !tells_workers_apart("DATABASE_URL"));
    }
}
