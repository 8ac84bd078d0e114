//! Cuts the name of a variable into words.

use crate::letter_case::{at_rising_case, last_capital};
use crate::reach::names::vocabulary::word;

/// Cuts a name into words, in upper case: at separators, changes of case, and what is glued (`PGHOST`, `DBNAME`, `DB1`).
pub(crate) fn words_of(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        // `ConnectionStrings`, `MySQL` and `PostgreSQL` are one word each.
        let whole = part.to_ascii_uppercase();
        let pieces = if word(&whole).is_some() { vec![part] } else { split_case(part) };
        for piece in pieces {
            push_word(&mut words, &piece.to_ascii_uppercase());
        }
    }
    words
}

/// Cuts `databaseUrl` into `database`, `Url`; `DBHost` to `DB`, `Host`; `typo3Database` to `typo3`, `Database`; `PGHOST` stays.
fn split_case(part: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    for mut word in at_rising_case(part) {
        while let Some(capital) = last_capital(word) {
            pieces.push(&word[..capital.start]);
            word = &word[capital.start..];
        }
        pieces.push(word);
    }
    pieces.into_iter().flat_map(behind_digits).collect()
}

/// Cuts `typo3Database` where a digit is followed by a capital and a small letter; `R2DBC` stays.
fn behind_digits(piece: &str) -> Vec<&str> {
    let bytes = piece.as_bytes();
    let begins = |at: &usize| {
        bytes[at - 1].is_ascii_digit()
            && bytes[*at].is_ascii_uppercase()
            && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase)
    };
    let mut cuts: Vec<usize> = (1..bytes.len()).filter(begins).collect();
    cuts.push(piece.len());
    let mut start = 0;
    let words = cuts.into_iter().map(|end| {
        let word = &piece[start..end];
        start = end;
        word
    });
    words.collect()
}

fn push_word(words: &mut Vec<String>, text: &str) {
    // `R2DBC`, `H2` and `NEO4J` are words; `DB1` is a word and a number.
    if word(text).is_some() || !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        words.push(text.to_owned());
        return;
    }
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() < text.len() && word(stem).is_some() {
        words.push(stem.to_owned());
        words.push(text[stem.len()..].to_owned());
        return;
    }
    let glued = GLUED.iter().find_map(|prefix| text.strip_prefix(prefix).map(|rest| (*prefix, rest)));
    match glued {
        Some((prefix, rest)) if GLUED_PARTS.contains(&rest) => {
            words.push(prefix.to_owned());
            words.push(rest.to_owned());
        }
        _ => words.push(text.to_owned()),
    }
}

const GLUED: [&str; 12] = [
    "POSTGRESQL",
    "POSTGRES",
    "DATABASE",
    "DATASOURCE",
    "MARIADB",
    "MONGODB",
    "MONGO",
    "MYSQL",
    "REDIS",
    "PG",
    "DB",
    "SQL",
];

const GLUED_PARTS: [&str; 21] = [
    "HOST",
    "HOSTNAME",
    "HOSTADDR",
    "SERVER",
    "PORT",
    "USER",
    "USERNAME",
    "PASS",
    "PASSWORD",
    "PWD",
    "DATABASE",
    "DB",
    "NAME",
    "URL",
    "URI",
    "DSN",
    "SOCKET",
    "SSLCERT",
    "SSLKEY",
    "SSLMODE",
    "SSLROOTCERT",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_at_separators_capitals_and_what_is_glued() {
        let cases: [(&str, &[&str]); 13] = [
            ("typo3DatabaseHost", &["TYPO3", "DATABASE", "HOST"]),
            ("DB_HOST", &["DB", "HOST"]),
            ("spring.datasource.url", &["SPRING", "DATASOURCE", "URL"]),
            ("databaseUrl", &["DATABASE", "URL"]),
            ("DBHost", &["DB", "HOST"]),
            ("MY1DBHost", &["MY1DB", "HOST"]),
            ("PGHOST", &["PG", "HOST"]),
            ("DBNAME", &["DB", "NAME"]),
            ("DB1_HOST", &["DB", "1", "HOST"]),
            ("R2DBC_URL", &["R2DBC", "URL"]),
            ("ConnectionStrings__Main", &["CONNECTIONSTRINGS", "MAIN"]),
            ("PostgreSQL", &["POSTGRESQL"]),
            ("", &[]),
        ];
        for (name, expected) in cases {
            assert_eq!(words_of(name), expected, "{name}");
        }
    }
}
