//! Text that somebody else wrote: a tool, a library that quotes what it was given, a person at a prompt.

use std::fmt;
use std::ops::Deref;

use crate::secret::redact_text::redact_prose;
use crate::secret::{Secret, redact_text};

/// Foreign text without its secrets. It is made of nothing but redacted text, so whoever has one may show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ForeignText(String);

impl ForeignText {
    /// Redacts a text: each of `secrets` that could not be an ordinary word is masked wherever it occurs, and a password
    /// in its own place (`password=…`, `:…@`) whatever it reads like.
    #[must_use]
    pub(crate) fn new(text: &str, secrets: &[Secret]) -> Self {
        ForeignText(redact_text(&without(secrets, text)))
    }

    /// Redacts what a person wrote for people, or a pattern of names: no name in it stands before a value.
    #[must_use]
    pub(crate) fn prose(text: &str, secrets: &[Secret]) -> Self {
        ForeignText(redact_prose(&without(secrets, text)))
    }

    /// Redacts what can be printed, where no password is known.
    #[must_use]
    pub(crate) fn of(said: impl fmt::Display) -> Self {
        ForeignText::new(&said.to_string(), &[])
    }

    /// Shortens the text; what a cut would leave of a password was masked before.
    #[must_use]
    pub(crate) fn shortened(&self, shorten: impl FnOnce(&str) -> String) -> Self {
        ForeignText(shorten(&self.0))
    }
}

fn without(secrets: &[Secret], text: &str) -> String {
    let known = secrets.iter().filter(|secret| !secret.is_ordinary());
    known.fold(text.to_owned(), |text, secret| secret.mask_in(&text))
}

impl Deref for ForeignText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ForeignText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_goes_where_it_is_telling_and_from_its_own_place_always() {
        let cases = [
            ("hunter2", "no entry for hunter2 here", "no entry for *** here"),
            ("p@ss/word", "user p@ss/word and p%40ss%2Fword", "user *** and ***"),
            ("pa\"ss\\1", r#"{"url":"x:pa\"ss\\1@y"}"#, r#"{"url":"x:***@y"}"#),
            ("a:b'\\c", r"*:*:*:*:a\:b'\\c", "*:*:*:*:***"),
            ("test", "database \"test\" does not exist", "database \"test\" does not exist"),
            ("test", "postgres://test:test@h/test failed", "postgres://test:***@h/test failed"),
            ("test", "password=test dbname=test", "password=*** dbname=test"),
            ("test", r#"{"password": "test", "database": "test"}"#, r#"{"password": ***, "database": "test"}"#),
            ("1", "exited with 1", "exited with 1"),
            ("{", "{}", "{}"),
            ("\"", "a \"b\"", "a \"b\""),
            ("null", "null", "null"),
            ("Tr0ub", "x Tr0ub", "x ***"),
            ("a1", "a1 banana1", "*** banana1"),
            ("correct horse", "the correct horse", "the ***"),
            ("", "nothing", "nothing"),
        ];
        for (secret, text, expected) in cases {
            assert_eq!(&*ForeignText::new(text, &[Secret::new(secret)]), expected, "{secret}");
        }
    }

    #[test]
    fn a_cut_comes_after_the_mask() {
        let said = ForeignText::new("no such thing as hunter2", &[Secret::new("hunter2")]);
        let cut = said.shortened(|said| said.chars().take("no such thing as hun".len()).collect());
        assert_eq!(&*cut, "no such thing as ***");
    }
}
