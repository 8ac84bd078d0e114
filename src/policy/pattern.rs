//! Host patterns of a policy: `*` stands for any run of characters, case does not matter.

use serde::{Serialize, Serializer};

use crate::text::fits;

/// One pattern. Nothing is compiled: a policy may hold tens of thousands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostPattern {
    text: String,
    folded: String,
}

impl HostPattern {
    /// Tells whether the pattern covers a host, which [`folded`] gave.
    pub(crate) fn matches(&self, host: &str) -> bool {
        fits(&self.folded, host)
    }
}

/// Makes letters alike that differ in case only, more of them than any other reader would.
pub(crate) fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

impl From<&str> for HostPattern {
    fn from(text: &str) -> Self {
        HostPattern { text: text.to_owned(), folded: folded(text) }
    }
}

impl Serialize for HostPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run_of_characters() {
        let cases = [
            ("*.northwind-shop.test", "db.northwind-shop.test", true),
            ("*.northwind-shop.test", "northwind-shop.test", false),
            ("*.northwind-shop.test", "db-northwind-shopXtest", false),
            ("db-*-eu", "DB-main-EU", true),
            ("db-*-eu", "db-eu", false),
            ("db", "db", true),
            ("db", "db2", false),
            ("", "", true),
            ("", "db", false),
            ("*", "", true),
            ("**", "db", true),
            ("*", "a\nb", true),
            ("a*a", "a", false),
            ("a*a", "aba", true),
            ("a*b*c", "a--b--c", true),
            ("a*b*c", "a--c--b", false),
            ("a*bc*c", "abcbc", true),
            ("a*bc*bc", "abc", false),
            ("*a*b*", "xbxa", false),
            ("*a*b*", "xaxb", true),
            ("(db)+[x]", "(db)+[x]", true),
            ("(db)+", "dbdb", false),
            ("db.", "dbx", false),
            ("stra\u{df}e*", "STRA\u{df}E-1", true),
            ("\u{3c3}*", "\u{3c2}", true),
        ];
        for (pattern, host, expected) in cases {
            assert_eq!(HostPattern::from(pattern).matches(&folded(host)), expected, "{pattern} {host}");
        }
    }
}
