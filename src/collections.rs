//! Maps and sets by hash, and hashes that stand for what went into them.
#![forbid(unsafe_code)]

use std::hash::{BuildHasher, DefaultHasher, RandomState};
use std::sync::LazyLock;

use foldhash::fast::RandomState as FastState;

/// The standard library's map with a hasher that is quicker for the short names that judging is about. It is keyed anew
/// for each map, too: keys that all come out alike cannot be prepared.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, FastState>;

/// The set that goes with [`HashMap`].
pub(crate) type HashSet<K> = std::collections::HashSet<K, FastState>;

/// Begins a hash that will stand for all that is put into it.
///
/// Its key is new in each process. With a key that everybody knows, the owner of a project could look for two
/// environments with the same hash, and the one that is seen first would hide the other.
pub(crate) fn keyed_hasher() -> DefaultHasher {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEY.build_hasher()
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;

    use super::*;

    #[test]
    fn the_same_text_has_the_same_fingerprint_within_a_process_and_none_that_was_known_before() {
        let of = |text: &str, mut hasher: DefaultHasher| {
            hasher.write(text.as_bytes());
            hasher.finish()
        };
        assert_eq!(of("a", keyed_hasher()), of("a", keyed_hasher()));
        assert_ne!(of("a", keyed_hasher()), of("b", keyed_hasher()));
        assert_ne!(of("a", keyed_hasher()), of("a", DefaultHasher::new()));
    }
}
