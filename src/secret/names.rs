//! Names that say that their value is secret: of variables, options, keys.

use std::sync::LazyLock;

use regex::Regex;

use crate::letter_case::at_rising_case;

/// Compiles a pattern of this folder; a test compiles each. None may need Unicode's tables: see `regex` in `Cargo.toml`.
#[expect(clippy::expect_used, reason = "the patterns are constants")]
pub(crate) fn pattern(text: &str) -> Regex {
    // The tests' own libraries bring the tables in, so that `regex` itself refuses nothing there.
    debug_assert!(needs_no_tables(text), "{text}");
    Regex::new(text).expect("a pattern that can be read")
}

/// Tells whether a pattern can do without Unicode's tables: its classes and its cases are those of ASCII.
fn needs_no_tables(pattern: &str) -> bool {
    const NEEDING: [&str; 12] = [r"\b", r"\B", r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", r"\p", r"\P", "(?i)", "(?i:"];
    let outside = pattern.replace(r"(?-u:\b)", "");
    pattern.starts_with("(?-u)") || !NEEDING.iter().any(|needing| outside.contains(needing))
}

/// Words of a name that say that its value is secret: whole ones, then endings.
static SECRET_WORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "(?-u)^(?:AUTH|AUTHORIZATION|BEARER|COOKIE|CREDENTIALS?|JWT|KEY|OTP|PASS|PAT|PSW|PW|PWD|SAS|SIG|SIGNATURE)$|\
         (?:ACCESSKEY|ACCOUNTKEY|APIKEY|AUTHKEY|DBPASS|KEYPASS|MASTERAUTH|PASSCODE|PASSPHRASE|PASSWD|PASSWORD|PASSWORT|\
         PRIVATEKEY|PWD|REQUIREPASS|SECRET|SECRETKEY|STOREPASS|TOKEN|USERPASS)$",
    )
});

/// Tells whether a variable's or option's name says that its value is secret.
pub(crate) fn says_secret(name: &str) -> bool {
    let mut before = None;
    words_of(name).any(|word| {
        let is_key_of_data = word == "KEY" && before.as_deref().is_some_and(is_kind_of_key);
        let says = is_secret_word(&word) && !is_key_of_data;
        before = Some(word);
        says
    })
}

/// Tells whether a word before `KEY` makes it one of data, or one that is public: `--primary-key id`.
pub(crate) fn is_kind_of_key(word: &str) -> bool {
    const KINDS: [&str; 12] = [
        "CACHE",
        "FOREIGN",
        "GROUP",
        "HASH",
        "INDEX",
        "OBJECT",
        "PARTITION",
        "PRIMARY",
        "PUBLIC",
        "ROUTING",
        "SORT",
        "UNIQUE",
    ];
    KINDS.contains(&word)
}

/// Cuts a name into its words, in upper case: `dbPassword`, `DB_PASSWORD2` and `--db-password` all end in `PASSWORD`.
pub(crate) fn words_of(name: &str) -> impl DoubleEndedIterator<Item = String> {
    let parts = name.split(|c: char| !c.is_ascii_alphabetic()).filter(|part| !part.is_empty());
    parts.flat_map(at_rising_case).map(str::to_ascii_uppercase)
}

pub(crate) fn is_secret_word(word: &str) -> bool {
    SECRET_WORD.is_match(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_need_the_tables_of_unicode_are_told() {
        for pattern in [r"a\s", r"\bpassword", "(?i)password", "(?i:a)b", r"\w(?-u:\b)"] {
            assert!(!needs_no_tables(pattern), "{pattern}");
        }
        for pattern in [r"(?-u)\bx\w", r"(?-u:\b)(?i-u:password)[\t-\r ]", "a[^b]*"] {
            assert!(needs_no_tables(pattern), "{pattern}");
        }
    }

    #[test]
    fn names_that_say_secret_are_known() {
        let secret = [
            "PASSWORD",
            "PGPASSWORD",
            "MYSQL_PWD",
            "DB_PASS",
            "DBPASS",
            "SECRET_KEY",
            "SECRET_KEY_BASE",
            "APP_KEY",
            "dbPassword",
            "--db-password",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "authToken",
            "apikey",
            "spring.datasource.password",
            "Pwd",
            "DB_PASSWORD2",
            "x2Key",
        ];
        let plain = [
            "PRIMARY_KEY",
            "sort-key",
            "publicKey",
            "DATABASE_URL",
            "DB_HOST",
            "KEYSPACE",
            "PASSENGER_ENV",
            "COMPASS",
            "MONKEY",
            "TOKENS_PER_DAY",
            "x",
        ];
        for name in secret {
            assert!(says_secret(name), "{name}");
        }
        for name in plain {
            assert!(!says_secret(name), "{name}");
        }
    }
}
