//! Passwords and tokens that something told apart.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in the place of a secret in every output.
pub(crate) const MASK: &str = "***";

/// A password or token. `Debug` and `Display` mask it; only [`Secret::expose`] gives it away.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Secret(String);

impl Secret {
    /// Wraps a text that must not be shown.
    #[must_use]
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// Gives the text itself, for the one place that hands it to a driver or a private file.
    #[must_use]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Tells whether the text could be an ordinary word or number: masking it wherever it occurs would destroy a message
    /// (`null`, `test`, `1`), and show by the gap what it is.
    pub(crate) fn is_ordinary(&self) -> bool {
        let count = self.0.chars().count();
        let is_number = self.0.bytes().all(|byte| byte.is_ascii_digit());
        let is_symbol = count < 4 && !self.0.chars().any(char::is_alphanumeric);
        count < 8 && (is_number || is_symbol || is_word(&self.0))
    }

    /// Masks every occurrence of this secret in a text of others: as it stands, percent-encoded, escaped as JSON, or as
    /// `.pgpass` has it.
    ///
    /// Secrets shorter than four characters are masked only as whole words.
    pub(crate) fn mask_in(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        let encoded = utf8_percent_encode(&self.0, RESERVED).to_string();
        let escaped = serde_json::to_string(&self.0).unwrap_or_default();
        let escaped = escaped.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
        let mut masked = mask_occurrences(text, &self.0);
        let in_file = self.0.replace('\\', "\\\\").replace(':', "\\:");
        for spelling in [encoded.as_str(), escaped, in_file.as_str()] {
            if spelling != self.0 && !spelling.is_empty() {
                masked = mask_occurrences(&masked, spelling);
            }
        }
        masked
    }
}

/// Tells whether the text is letters as a word has them: small, capital, or the first one capital.
fn is_word(text: &str) -> bool {
    let rest = text.char_indices().nth(1).map_or("", |(at, _)| &text[at..]);
    text.chars().all(char::is_alphabetic)
        && (text.chars().all(char::is_uppercase) || rest.chars().all(char::is_lowercase))
}

fn mask_occurrences(text: &str, secret: &str) -> String {
    if secret.chars().count() >= 4 {
        return text.replace(secret, MASK);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let before = rest[..at].chars().next_back().or(out.chars().next_back());
        let after = rest[at + secret.len()..].chars().next();
        let inside_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        out.push_str(&rest[..at]);
        out.push_str(if inside_word(before) || inside_word(after) { secret } else { MASK });
        rest = &rest[at + secret.len()..];
    }
    out.push_str(rest);
    out
}

/// All but the unreserved characters. Source: RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_when_shown() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
    }

    #[test]
    fn ordinary_words_are_told_from_passwords() {
        for ordinary in ["test", "null", "Secret", "ROOT", "1", "5432", "{", "\"", "***", "größe"] {
            assert!(Secret::new(ordinary).is_ordinary(), "{ordinary}");
        }
        for telling in ["hunter2", "a1", "xKqZpT", "postgres", "12345678", "p@ss", "app_test", "a b", "!@#$"] {
            assert!(!Secret::new(telling).is_ordinary(), "{telling}");
        }
    }
}
