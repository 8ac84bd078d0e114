//! libpq's `key=value` strings: `host=db.test port=5432 dbname=app`.

use crate::lists::{List, list};
use crate::reach::grammars::query;
use crate::reach::{Draft, Engine};

static KEYWORDS: List = list!("libpq.txt");

/// Takes the pairs apart: separated by blanks, values perhaps in single quotes, backslash escapes.
///
/// `None` where the text does not follow the grammar.
pub(crate) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Some(pairs);
        }
        let mut key = String::new();
        while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
            key.push(c.to_ascii_lowercase());
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if key.is_empty() || chars.next() != Some('=') {
            return None;
        }
        while chars.next_if(|c| *c == ' ').is_some() {}
        let mut value = String::new();
        if chars.next_if_eq(&'\'').is_some() {
            loop {
                match chars.next()? {
                    '\'' => break,
                    '\\' => value.push(chars.next()?),
                    c => value.push(c),
                }
            }
        } else {
            while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
                value.push(if c == '\\' { chars.next()? } else { c });
            }
        }
        pairs.push((key, value));
    }
}

/// Reads such a string; `sure` says that the place it stands in (a name, an option of psql) promises one.
pub(crate) fn parse(text: &str, sure: bool) -> Option<Draft> {
    if !text.contains('=') || text.contains("://") && !text.contains(' ') {
        return None;
    }
    let pairs = pairs(text)?;
    let known = |key: &str| KEYWORDS.contains(key);
    let names_place = pairs.iter().any(|(key, _)| matches!(key.as_str(), "host" | "hostaddr" | "dbname" | "service"));
    let all_known = pairs.iter().all(|(key, _)| known(key));
    if !names_place || !(sure || all_known && pairs.len() > 1) {
        return None;
    }
    Some(from_pairs(&pairs))
}

/// Makes a draft of such pairs; `~/.pg_service.conf` holds the same ones.
pub(crate) fn from_pairs(pairs: &[(String, String)]) -> Draft {
    let mut draft = Draft::new(Engine::Postgres);
    draft.socket_by_default = true;
    query::apply(&mut draft, pairs);
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::testing::line;

    #[test]
    fn keyword_strings_are_read() {
        let cases = [
            (
                "host=db.example.net port=5432 dbname=app user=app sslmode=require",
                false,
                "postgres db.example.net:5432 app u=app {sslmode=require}",
            ),
            ("host = 'db' dbname='my app' password='a\\'b'", false, "postgres db my app"),
            ("host=a,b port=1,2 dbname=x", false, "postgres a:1,b:2 x"),
            ("hostaddr=10.0.0.1 host=localhost", false, "postgres 10.0.0.1,localhost -"),
            ("service=reporting", true, "postgres - - service=reporting"),
            ("dbname=app", true, "postgres - app"),
            ("host=/var/run/postgresql dbname=x TimeZone=UTC", false, "postgres unix:/var/run/postgresql x"),
        ];
        for (text, sure, expected) in cases {
            assert_eq!(parse(text, sure).map(|draft| line(&draft)).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_text_with_equals_signs_is_left_alone() {
        for text in ["dbname=app", "host=x color=red", "a=b", "user=x password=y", "host", "='", "dbname='x"] {
            assert_eq!(parse(text, false), None, "{text}");
        }
    }
}
