//! What the words of variables' names say: a database and its engine, something beside it, one of several like it.

use crate::lists::{List, list};
use crate::reach::Engine;

static DATABASES: List = list!("databases.txt");
static STOPS: List = list!("stops.txt");
static INNER: List = list!("inner.txt");
static QUALIFIERS: List = list!("qualifiers.txt");

/// What a word of a variable's name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// A database of some engine.
    Database,
    /// A database of this engine.
    Engine(Engine),
    /// A store that is reached by HTTP; only URLs and hosts under it count.
    Store(Engine),
}

/// Reads one word, in upper case; `None` for words about other things.
pub(crate) fn word(word: &str) -> Option<Word> {
    let says = DATABASES.find(word)?;
    Some(match says.split_once(' ') {
        Some((engine, _http)) => Word::Store(Engine::named(engine).unwrap_or(Engine::Unknown)),
        None => Engine::named(says).map_or(Word::Database, Word::Engine),
    })
}

/// Tells whether a name with this word is about something beside the database: a dashboard, a bastion.
pub(crate) fn stops(word: &str) -> bool {
    STOPS.contains(word)
}

/// Tells whether a name with this word is about something inside of the database, or of its client: a pool, a table.
pub(crate) fn is_inner(word: &str) -> bool {
    INNER.contains(word)
}

/// Tells whether the word tells one of several like databases from another, before or behind the part's name.
pub(crate) fn qualifies(word: &str) -> bool {
    is_number(word) || QUALIFIERS.contains(word)
}

/// Tells whether a qualifier means the same database, elsewhere: `READ`, and not `LEGACY` or a number.
pub(crate) fn means_the_same_database(word: &str) -> bool {
    !is_number(word) && QUALIFIERS.find(word) != Some("other")
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_databases_engines_and_stores() {
        let cases = [
            ("DB", Some(Word::Database)),
            ("PG", Some(Word::Engine(Engine::Postgres))),
            ("KV", Some(Word::Store(Engine::Redis))),
            ("SUPABASE", Some(Word::Store(Engine::Unknown))),
            ("HOST", None),
        ];
        for (text, expected) in cases {
            assert_eq!(word(text), expected, "{text}");
        }
    }

    #[test]
    fn every_word_says_something_that_is_known() {
        for (word, says) in DATABASES.iter() {
            let engine = says.strip_suffix(" http").unwrap_or(says);
            assert!(says == "any" || Engine::named(engine).is_some(), "{word}");
        }
        for (word, says) in QUALIFIERS.iter() {
            assert!(["", "other"].contains(&says), "{word}");
        }
    }
}
