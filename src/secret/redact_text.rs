//! Text as it may be written down: passwords in it masked, wherever its grammar puts them.
//!
//! Masks too much rather than too little: the password part of anything with `://`, and the values of names that say they
//! are secret. What is masked cannot be told apart by its length. Each pattern is compiled when a text first has the
//! character that it needs.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::secret::MASK;
use crate::secret::names::{pattern, says_secret};
use crate::secret::tokens::mask_tokens;

/// What follows a scheme, up to a blank or a quote.
static BEHIND_SCHEME: LazyLock<Regex> = LazyLock::new(|| pattern(r#"://[^\t-\r "'`<>]+"#));

/// A name before `=` or `:`, its quotes left out; of the ASCII characters it has letters, digits, `_`, `-`, `.`, blanks.
static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r##"([^\x00-\x1F!-,/:-@\[-^`{-\x7F]*)["'\\ ]*[=:]"##));

/// A value in quotes, which JSON in a shell's quotes escapes; SQL Server's have an `N` before them.
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"^N?\\*(?:"(?:[^"\\]|\\[^"])*(?:\\?"|\z)|'(?:[^'\\]|\\.|'')*(?:'|\z))"#));

/// A name and, beside it, its value, as lists of variables in JSON have them.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r#"(\\*"(?i-u:name|key)\\*"[\t-\r ]*:[\t-\r ]*\\*"([^"\\]*)\\*"[\t-\r ]*,[\t-\r ]*"#,
        r#"\\*"(?i-u:value)\\*"[\t-\r ]*:[\t-\r ]*)\\*"(?:[^"\\]|\\[^"])*(?:\\?"|\z)"#
    ))
});

/// The password of a statement in SQL, or of a call that logs in.
static SQL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?-u:\b)((?:(?i-u:identified)[\t-\r ]+(?:(?i-u:with)[\t-\r ]+[^\t-\r ]+[\t-\r ]+)?(?i-u:by)|(?i-u:password))",
        r"[\t-\r ]+|(?i-u:set)[\t-\r ]+(?i-u:password)[^=;]*=[\t-\r ]*(?:(?i-u:password)[\t-\r ]*\([\t-\r ]*)?",
        r#"|(?i-u:pdo|connect|getconnection)[\t-\r ]*\((?:[\t-\r ]*["'][^"']*["'][\t-\r ]*,){2}[\t-\r ]*"#,
        r#"|(?i-u:auth)[\t-\r ]*\([\t-\r ]*["'][^"']*["'][\t-\r ]*,[\t-\r ]*)(?:'(?:[^']|'')*'?|"[^"]*"?)"#,
        r#"|(?-u:\b)((?i-u:identified)[\t-\r ]+(?i-u:by)[\t-\r ]+)[^\t-\r '";]+"#
    ))
});

/// A login without a scheme: `app:secret@host`, also `//app:secret@host`.
static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"((?:^|[\t-\r "'=,;(\[])(?://|\./)?)([^\t-\r "'=,;:@/(\[]*):([^\t-\r "'@/\\][^\t-\r "']*)@"#)
});

/// What stands before a colon that is no user: `npm install x@npm:y@1`.
const NO_USERS: [&str; 6] = ["file", "github", "link", "mailto", "npm", "workspace"];

/// The login of Oracle's thin driver: `thin:app/secret@host`.
static SLASH_LOGIN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"((?-u:\b)(?:(?i-u:thin)|(?i-u:oci)8?):[^/\t-\r @]+/)[^\t-\r ]*@"));

/// A name and its value that are percent-encoded, as a part of a URL.
static ENCODED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"([A-Za-z_]+)%3[Dd](?:[^%&\t-\r "']|%[0-24-9A-Fa-f][0-9A-Fa-f]|%3[0-9AC-Fac-f])+"#));

/// Masks every secret that stands in a URL or behind a name that says so.
#[must_use]
pub(crate) fn redact_text(text: &str) -> String {
    let mut shown = Cow::Borrowed(text);
    if shown.contains("://") {
        shown = Cow::Owned(mask_urls(&shown));
    }
    if shown.contains(['=', ':']) {
        if shown.to_ascii_lowercase().contains("value") {
            shown = Cow::Owned(mask_pairs(&shown));
        }
        shown = Cow::Owned(mask_named_values(&shown));
    }
    if shown.contains('@') {
        shown = Cow::Owned(SLASH_LOGIN.replace_all(&shown, format!("${{1}}{MASK}@")).into_owned());
        shown = Cow::Owned(mask_logins(&shown));
    }
    if shown.contains("%3") {
        shown = Cow::Owned(mask_encoded(&shown));
    }
    if shown.contains(['\'', '"']) || shown.to_ascii_lowercase().contains("identified") {
        shown = Cow::Owned(SQL.replace_all(&shown, format!("${{1}}${{2}}{MASK}")).into_owned());
    }
    mask_tokens(&shown).into_owned()
}

/// Masks what needs no name to be told: logins and tokens. For patterns and words of people, where `token: expires` is no
/// assignment.
#[must_use]
pub(crate) fn redact_prose(text: &str) -> String {
    mask_tokens(&mask_logins(&mask_urls(text))).into_owned()
}

/// Masks the values of names that stand beside them: `{"name": "DB_PASSWORD", "value": "…"}`.
fn mask_pairs(text: &str) -> String {
    let mask = |found: &Captures<'_>| match says_secret(&found[2]) {
        true => format!("{}{MASK}", &found[1]),
        false => found[0].to_owned(),
    };
    PAIR.replace_all(text, mask).into_owned()
}

fn mask_logins(text: &str) -> String {
    let mask = |found: &Captures<'_>| {
        let behind = found.get(0).map_or("", |whole| &text[whole.end()..]);
        // An image's digest: `db:16@sha256:…`.
        if NO_USERS.contains(&&found[2]) || behind.starts_with("sha256:") {
            return found[0].to_owned();
        }
        format!("{}{}:{MASK}@", &found[1], &found[2])
    };
    LOGIN.replace_all(text, mask).into_owned()
}

fn mask_encoded(text: &str) -> String {
    let mask = |found: &Captures<'_>| match says_secret(&found[1]) {
        true => format!("{}%3D{MASK}", &found[1]),
        false => found[0].to_owned(),
    };
    ENCODED.replace_all(text, mask).into_owned()
}

/// Masks the password of every `scheme://user:password@`. An unencoded `/` or `@` in it does not end it: the last
/// `@` before a blank or a quote does, so that no part of a password passes for a host.
fn mask_urls(text: &str) -> String {
    let mask = |found: &Captures<'_>| {
        let from = found.get(0).map_or(0, |found| found.start());
        let mut takes_tokens = takes_tokens(&text[..from]);
        let mut shown = String::new();
        let mut rest = &found[0];
        while let Some(after) = rest.strip_prefix("://") {
            // A second URL in the same word (`a://…,b://…`) is looked at by itself.
            let end = after
                .find("://")
                .map_or(after.len(), |next| after[..next].rfind([',', ';', '|', '=']).unwrap_or(after.len()));
            shown.push_str("://");
            shown.push_str(&masked_login(&after[..end], takes_tokens));
            let next = after[end..].find("://").map_or(after.len(), |next| end + next);
            shown.push_str(&after[end..next]);
            takes_tokens = self::takes_tokens(&after[end..next]);
            rest = &after[next..];
        }
        shown
    };
    BEHIND_SCHEME.replace_all(text, mask).into_owned()
}

/// Tells whether a text ends in a scheme whose servers take a token for the user's name.
fn takes_tokens(text: &str) -> bool {
    let schemes = ["http", "https", "redis", "rediss", "libsql"];
    schemes.iter().any(|scheme| {
        let start = text.len().checked_sub(scheme.len());
        start.and_then(|start| text.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(scheme))
    })
}

/// Tells what follows `scheme://`, without its password.
fn masked_login(url: &str, takes_tokens: bool) -> Cow<'_, str> {
    let Some((login, place)) = url.rsplit_once('@') else { return Cow::Borrowed(url) };
    match login.split_once(':') {
        Some((user, _)) if !user.contains(['/', '?']) => Cow::Owned(format!("{user}:{MASK}@{place}")),
        Some(_) => Cow::Owned(format!("{MASK}@{place}")),
        None if takes_tokens || login.contains(['/', '@']) => Cow::Owned(format!("{MASK}@{place}")),
        None => Cow::Borrowed(url),
    }
}

/// Masks the value of every `name=value` and `"name": "value"` whose name says that it is secret.
fn mask_named_values(text: &str) -> String {
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(found) = NAME.captures_at(text, at) {
        let (Some(whole), Some(name)) = (found.get(0), found.get(1)) else { break };
        shown.push_str(&text[at..whole.end()]);
        at = whole.end();
        let rest = &text[at..];
        // In `host=a password=b` the name is the last word; `User Password=b` of ADO.NET is one name of two.
        let last = name.as_str().trim().rsplit(' ').next().unwrap_or_default();
        let separator = text[..name.start()].chars().next_back();
        // `?code=` in a URL is a token, elsewhere a number.
        let is_code = matches!(separator, Some('?' | '&')) && last.eq_ignore_ascii_case("code");
        let is_path = rest.starts_with("//") || rest.starts_with(':') && whole.as_str().ends_with(':');
        if last.is_empty() || !(says_secret(last) || is_code) || is_path || is_no_secret(last, separator, rest) {
            continue;
        }
        let value = rest.trim_start_matches(' ');
        let blanks = rest.len() - value.len();
        let length = match whole.as_str().ends_with(':') && last.len() == name.as_str().len() && separator.is_none() {
            // A header or a line of YAML.
            true => value.find('\n').unwrap_or(value.len()),
            false => value_length(value, separator, whole.as_str().ends_with(':')),
        };
        if length > 0 {
            shown.push_str(&rest[..blanks]);
            shown.push_str(MASK);
            at += blanks + length;
        }
    }
    shown.push_str(&text[at..]);
    shown
}

/// Tells whether a name that says secret names something else where it stands: a sort key (`key=name`), a line of a file
/// (`token.spec.ts:12`).
fn is_no_secret(name: &str, separator: Option<char>, rest: &str) -> bool {
    if name.eq_ignore_ascii_case("key") {
        return !separator.is_some_and(|separator| "?&;{\"'".contains(separator));
    }
    let is_file = name.rsplit_once('.').is_some_and(|(_, ending)| !says_secret(ending));
    is_file && rest.split([' ', ':', '\n']).next().is_some_and(|line| line.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Counts how many bytes of `text` are the value, given what stands before its name.
fn value_length(text: &str, separator: Option<char>, colon: bool) -> usize {
    if let Some(quoted) = QUOTED.find(text) {
        return quoted.end();
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
    fn a_tool_s_words_lose_their_passwords() {
        let cases = [
            ("dial postgres://a:b@c/d failed", "dial postgres://a:***@c/d failed"),
            ("password = 'a b' user = x", "password = *** user = x"),
            ("Server=h;User Id=a;Password=b", "Server=h;User Id=a;Password=***"),
            ("error: nothing to hide", "error: nothing to hide"),
            ("a=b: 12:30:00 ok", "a=b: 12:30:00 ok"),
            ("é=ü password=ö", "é=ü password=***"),
            ("password=", "password="),
            ("x a://u:p@h,https://token@g/x y", "x a://u:***@h,https://***@g/x y"),
            ("a://u:p@h://x", "a://u:***@h://x"),
            ("ALTER ROLE app WITH PASSWORD 'a''b c'", "ALTER ROLE app WITH PASSWORD ***"),
            ("identified with caching_sha2_password by \"x y\"", "identified with caching_sha2_password by ***"),
            ("token ghp_abcdefghij0 used", "token *** used"),
            ("said Basic dXNlcjpwYXNz", "said Basic ***"),
            ("?odbc=Server%3Dh%3BPWD%3Da%40b%3BX%3D1", "?odbc=Server%3Dh%3BPWD%3D***%3BX%3D1"),
            ("login u:p@h failed", "login u:***@h failed"),
            ("npm:a@1 h:5000/i@sha256:0 12:00 a@b", "npm:a@1 h:5000/i@sha256:0 12:00 a@b"),
            ("a: 1, password: x, y", "a: 1, password: ***, y"),
            ("x?code=a&b=c exit code=1", "x?code=***&b=c exit code=1"),
            ("token::tests::key ok", "token::tests::key ok"),
            ("FAIL auth/token.spec.ts:12:3", "FAIL auth/token.spec.ts:12:3"),
            ("select 1 where key = 'a'", "select 1 where key = 'a'"),
            ("https://h/x?key=a&b=c", "https://h/x?key=***&b=c"),
            ("{key: a}", "{key: ***}"),
            (r#"[{"name":"DB_PASSWORD","value":"x"}]"#, r#"[{"name":"DB_PASSWORD","value":***}]"#),
            (r#"[{"Name": "X", "Value": "x"}]"#, r#"[{"Name": "X", "Value": "x"}]"#),
            (r#"new PDO("mysql:host=h", "u", "x")"#, r#"new PDO("mysql:host=h", "u", ***)"#),
            (r#"{\"password\": \"a b\", \"n\": 1}"#, r#"{\"password\": ***, \"n\": 1}"#),
        ];
        for (text, expected) in cases {
            assert_eq!(redact_text(text), expected, "{text}");
        }
    }
}
