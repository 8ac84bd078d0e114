//! Text that must never be shown: passwords, and whatever could be part of one.
#![forbid(unsafe_code)]

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

    /// Masks every occurrence of this secret in `text`: as it stands, percent-encoded, or escaped as JSON.
    ///
    /// Secrets shorter than four characters are masked only as whole words: masking every `a` would destroy the
    /// message without hiding anything.
    #[must_use]
    pub(crate) fn redact_in(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        let encoded = utf8_percent_encode(&self.0, RESERVED).to_string();
        let escaped = serde_json::to_string(&self.0).unwrap_or_default();
        let escaped = escaped.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
        let mut masked = mask_occurrences(text, &self.0);
        for spelling in [encoded.as_str(), escaped] {
            if spelling != self.0 && !spelling.is_empty() {
                masked = mask_occurrences(&masked, spelling);
            }
        }
        masked
    }
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
    fn a_secret_is_masked_in_text_as_it_stands_encoded_and_escaped() {
        let cases = [
            ("p@ss/word", "user p@ss/word and p%40ss%2Fword", "user *** and ***"),
            ("pa\"ss\\", r#"{"url":"x:pa\"ss\\@y"}"#, r#"{"url":"x:***@y"}"#),
            ("\"\"\"\"", r#"{"is":"\"\"\"\""}"#, r#"{"is":"***"}"#),
            ("", "nothing", "nothing"),
            ("a", "a banana a", "*** banana ***"),
        ];
        for (secret, text, expected) in cases {
            assert_eq!(Secret::new(secret).redact_in(text), expected, "{secret}");
        }
    }
}
