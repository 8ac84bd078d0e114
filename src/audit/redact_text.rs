//! Text as it may be written down: passwords in it masked, wherever its grammar puts them.
//!
//! Masks too much rather than too little: known secrets anywhere, the password part of anything with `://`, and the
//! values of names that say they are secret. What is masked cannot be told apart by its length.

use crate::secret::{MASK, Secret};

/// Text with every secret masked that is known, stands in a URL or behind a name that says so.
#[must_use]
pub(crate) fn redact_text(text: &str, secrets: &[Secret]) -> String {
    let known = secrets.iter().fold(text.to_owned(), |text, secret| secret.redact_in(&text));
    mask_named_values(&mask_urls(&known))
}

/// Whether a variable's or option's name says that its value is secret.
pub(crate) fn says_secret(name: &str) -> bool {
    words_of(name).iter().any(|word| is_secret_word(word))
}

/// The words of a name in upper case: `dbPassword`, `DB_PASSWORD` and `--db-password` all end in `PASSWORD`.
pub(crate) fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for character in name.chars() {
        let separates = !character.is_ascii_alphanumeric();
        if (separates || (character.is_ascii_uppercase() && after_lower)) && words.last().is_some_and(|w| !w.is_empty())
        {
            words.push(String::new());
        }
        if !separates && let Some(word) = words.last_mut() {
            word.push(character.to_ascii_uppercase());
        }
        after_lower = character.is_ascii_lowercase() || character.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

pub(crate) fn is_secret_word(word: &str) -> bool {
    const WHOLE: [&str; 10] =
        ["KEY", "PASS", "PWD", "AUTH", "AUTHORIZATION", "CREDENTIAL", "CREDENTIALS", "COOKIE", "PAT", "DSN_KEY"];
    const ENDINGS: [&str; 9] =
        ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY", "PWD", "DBPASS", "SECRETKEY"];
    WHOLE.contains(&word) || ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// Masks the password of every `scheme://user:password@`. An unencoded `/` or `@` in it does not end it: the last
/// `@` before a blank or a quote does, so that no part of a password passes for a host.
fn mask_urls(text: &str) -> String {
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end =
            after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>')).unwrap_or(after.len());
        // A second URL in the same word (`a://…,b://…`) is looked at by itself.
        let end = after[..end].find("://").map_or(end, |next| after[..next].rfind([',', ';', '|', '=']).unwrap_or(end));
        let (url, behind) = after.split_at(end);
        shown.push_str(&match url.rsplit_once('@') {
            Some((login, place)) => match login.split_once(':') {
                Some((user, _)) if !user.contains(['/', '?']) => format!("{user}:{MASK}@{place}"),
                Some(_) => format!("{MASK}@{place}"),
                // Many services take a token for the user's name.
                None if before.to_ascii_lowercase().ends_with("http://")
                    || before.to_ascii_lowercase().ends_with("https://")
                    || login.contains(['/', '@']) =>
                {
                    format!("{MASK}@{place}")
                }
                None => url.to_owned(),
            },
            None => url.to_owned(),
        });
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// Masks the value of every `name=value` and `"name": "value"` whose name says that it is secret.
fn mask_named_values(text: &str) -> String {
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(['=', ':']) {
        let (before, after) = rest.split_at(at + 1);
        shown.push_str(before);
        rest = after;
        let key = before[..at].trim_end_matches([' ', '"', '\'', '\\']);
        let start = key
            .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ')))
            .map_or(0, |at| at + key[at..].chars().next().map_or(0, char::len_utf8));
        let name = key[start..].trim();
        // In `host=a password=b` the name is the last word; `User Password=b` of ADO.NET is one name of two.
        if name.is_empty() || !says_secret(name.rsplit(' ').next().unwrap_or(name)) || rest.starts_with("//") {
            continue;
        }
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        let value = &rest[blanks..];
        let separator = key[..start].chars().next_back();
        let length = value_length(value, separator, before.ends_with(':'));
        if length > 0 {
            shown.push_str(&rest[..blanks]);
            shown.push_str(MASK);
            rest = &value[length..];
        }
    }
    shown.push_str(rest);
    shown
}

/// How many bytes of `text` are the value, given what stands before its name.
fn value_length(text: &str, separator: Option<char>, colon: bool) -> usize {
    let bare = text.trim_start_matches('\\');
    let escapes = text.len() - bare.len();
    if let Some(quote) = bare.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return bare[1..].find(quote).map_or(text.len(), |end| escapes + end + 2);
    }
    let ends = |c: char| match separator {
        Some(';') => c == ';' || c == '"',
        Some('?' | '&') => matches!(c, '&' | '#' | '"' | '\'') || c.is_whitespace(),
        Some(_) | None if colon => matches!(c, '"' | '\'' | ',' | '}' | '\n'),
        Some(_) | None => c.is_whitespace() || matches!(c, '&' | ';' | '"' | '\''),
    };
    text.find(ends).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ];
        let plain =
            ["DATABASE_URL", "DB_HOST", "KEYSPACE", "PASSENGER_ENV", "COMPASS", "MONKEY", "TOKENS_PER_DAY", "x"];
        for name in secret {
            assert!(says_secret(name), "{name}");
        }
        for name in plain {
            assert!(!says_secret(name), "{name}");
        }
    }

    #[test]
    fn a_tool_s_words_lose_their_passwords() {
        let cases = [
            ("dial postgres://a:b@c/d failed", "dial postgres://a:***@c/d failed"),
            ("password = 'a b' user = x", "password = *** user = x"),
            ("Server=h;User Id=a;Password=b", "Server=h;User Id=a;Password=***"),
            ("error: nothing to hide", "error: nothing to hide"),
            ("a=b: 12:30:00 ok", "a=b: 12:30:00 ok"),
            ("é=ü password=ö", "é=ü password=***"),
            ("password=", "password="),
        ];
        for (text, expected) in cases {
            assert_eq!(redact_text(text, &[]), expected, "{text}");
        }
    }
}
