//! Cuts names into words where the case of letters changes. What separates words, and what they say, is for those who
//! ask: `names` for variables, the judge for databases, hosts and environments.

use std::ops::Range;

/// Cuts a name where a small letter is followed by a capital: `databaseUrl`, `shopPROD`.
pub(crate) fn at_rising_case(name: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut after_small) = (0, false);
    for (at, letter) in name.char_indices() {
        if after_small && letter.is_uppercase() {
            words.push(&name[start..at]);
            start = at;
        }
        after_small = letter.is_lowercase();
    }
    words.push(&name[start..]);
    words
}

/// Finds the last of several capitals that are followed by another letter: the `H` of `DBHost`, the `D` of `PRODdb`.
///
/// It may begin the next word, as in the first, or end its own, as in the second.
pub(crate) fn last_capital(word: &str) -> Option<Range<usize>> {
    let mut letters = word.char_indices().peekable();
    let mut capitals = 0;
    while let Some((at, letter)) = letters.next() {
        capitals = if letter.is_uppercase() { capitals + 1 } else { 0 };
        let is_followed = letters.peek().is_some_and(|(_, next)| next.is_alphabetic() && !next.is_uppercase());
        if capitals > 1 && is_followed {
            return Some(at..at + letter.len_utf8());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_at_capitals_behind_small_letters() {
        let cases: [(&str, &[&str]); 6] = [
            ("databaseUrl", &["database", "Url"]),
            ("shopPROD", &["shop", "PROD"]),
            ("DBHost", &["DBHost"]),
            ("db2Host", &["db2Host"]),
            ("éÀ", &["é", "À"]),
            ("", &[""]),
        ];
        for (name, expected) in cases {
            assert_eq!(at_rising_case(name), expected, "{name}");
        }
    }

    #[test]
    fn the_last_of_several_capitals_is_found() {
        let cases = [
            ("DBHost", Some("H")),
            ("PRODdb", Some("D")),
            ("my1DBHost", Some("H")),
            ("Host", None),
            ("DB", None),
            ("DB2", None),
            ("ÀÉé", Some("É")),
        ];
        for (word, expected) in cases {
            assert_eq!(last_capital(word).map(|range| &word[range]), expected, "{word}");
        }
    }
}
