//! The pairs of keys and values in PHP's arrays, and which of them make up a connection to a database.

use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;

use crate::environment::ecosystems::php::statements::statements;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::readers::code;
use crate::environment::readers::code::Pair;
use crate::text::shown;

/// Keys that only a connection to a database has.
const OF_A_DATABASE: &[&str] = &["adapter", "connectionString", "database", "dbdriver", "dbname", "driver", "dsn"];

/// Reads the pairs of a file once.
pub(crate) fn pairs_of(scene: &Scene<'_>, path: &Path) -> Rc<Vec<Pair>> {
    scene.library.once(format!("pairs {}", shown(path)), || {
        let text = scene.library.string(path).unwrap_or_default();
        let mut pairs = statements(&text, |text| scene.library.pairs(path, text, code::Comments::Slashes));
        for pair in &mut pairs {
            keep_own(pair);
        }
        pairs
    })
}

/// Writes `null` for what a setting was before: `$a['host'] = getenv('X') ? getenv('X') : $a['host']` says something where
/// the variable does.
fn keep_own(pair: &mut Pair) {
    let Some((first, rest)) = pair.path.split_first().filter(|(_, rest)| !rest.is_empty()) else { return };
    for quote in ['\'', '"'] {
        let keys: String = rest.iter().map(|key| format!("[{quote}{key}{quote}]")).collect();
        let own = format!("${first}{keys}");
        if pair.expression.contains(&own) {
            pair.expression = pair.expression.replace(&own, "null");
        }
    }
}

/// Lists the paths of what are connections to databases, by the keys in them.
pub(crate) fn connections(pairs: &[Pair]) -> HashSet<&[String]> {
    let own = pairs.iter().filter_map(|pair| pair.path.split_last());
    own.filter(|(key, _)| OF_A_DATABASE.contains(&key.as_str())).map(|(_, outer)| outer).collect()
}
