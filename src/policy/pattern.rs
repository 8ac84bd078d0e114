//! Host patterns of a policy: `*` stands for any run of characters, case does not matter.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use serde::{Serialize, Serializer};

/// One pattern, compiled when the first host is compared with it.
#[derive(Debug, Clone)]
pub(crate) struct HostPattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl HostPattern {
    /// Whether the pattern covers `host`. One too large to be compiled covers all.
    pub(crate) fn matches(&self, host: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| {
            let parts: Vec<String> = self.text.split('*').map(regex::escape).collect();
            let whole = format!("^{}$", parts.join(".*"));
            RegexBuilder::new(&whole).case_insensitive(true).dot_matches_new_line(true).build().ok()
        });
        compiled.as_ref().is_none_or(|pattern| pattern.is_match(host))
    }
}

impl From<&str> for HostPattern {
    fn from(text: &str) -> Self {
        HostPattern { text: text.to_owned(), compiled: OnceLock::new() }
    }
}

impl Serialize for HostPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl PartialEq for HostPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for HostPattern {}

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
            ("db", "db", true),
            ("db", "db2", false),
            ("*", "", true),
            ("*", "a\nb", true),
            ("a*a", "a", false),
            ("a*b*c", "a--b--c", true),
            ("(db)+[x]", "(db)+[x]", true),
            ("(db)+", "dbdb", false),
            ("stra\u{df}e*", "STRA\u{df}E-1", true),
        ];
        for (pattern, host, expected) in cases {
            assert_eq!(HostPattern::from(pattern).matches(host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn a_pattern_that_is_too_large_covers_every_host() {
        assert!(HostPattern::from("\u{e4}".repeat(200_000).as_str()).matches("db"));
    }

    #[test]
    fn a_pattern_is_the_same_before_and_after_it_was_asked() {
        let (asked, fresh) = (HostPattern::from("db*"), HostPattern::from("db*"));
        assert!(asked.matches("db1") && asked == fresh && asked != HostPattern::from("db"));
    }
}
