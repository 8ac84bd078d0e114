//! One value that may mean several files.

use crate::reach::grammars::text::percent_decode;
use crate::reach::{Place, Target};

impl Target {
    /// Tells whether both are files that one value may mean: loaders disagree on the folder that a path is relative to.
    #[must_use]
    pub(crate) fn is_another_reading_of(&self, other: &Target) -> bool {
        let file = |target: &Target| match target.places.as_slice() {
            [Place::File { .. }] => {
                target.database.as_deref().map(|written| percent_decode(written.trim_start_matches('/')))
            }
            _ => None,
        };
        file(self).is_some_and(|written| file(other) == Some(written))
            && self.origins.iter().any(|origin| other.origins.contains(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;
    use crate::reach::Engine;

    #[test]
    fn files_that_one_value_may_mean_are_readings_of_it() {
        let target = |path: &str, written: &str, line: u32| Target {
            engine: Engine::Sqlite,
            places: vec![Place::File { path: path.into() }],
            database: Some(written.to_owned()),
            user: None,
            password: None,
            parameters: Vec::new(),
            origins: vec![Origin::file("NAME", "settings.py", line)],
            doubts: Vec::new(),
        };
        let one = target("/p/db.sqlite3", "db.sqlite3", 1);
        for (other, expected) in [
            (target("/p/shop/db.sqlite3", "db.sqlite3", 1), true),
            (target("/db.sqlite3", "/db.sqlite3", 1), true),
            (target("/p/db%2Esqlite3", "db%2Esqlite3", 1), true),
            (target("/p/shop/db.sqlite3", "db.sqlite3", 2), false),
            (target("/p/other.db", "other.db", 1), false),
            (Target { places: vec![Place::Memory], ..one.clone() }, false),
        ] {
            assert_eq!(one.is_another_reading_of(&other), expected, "{other:?}");
        }
    }
}
