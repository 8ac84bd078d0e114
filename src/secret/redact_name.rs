//! What a value gives for a host, a user, a database, a path or an environment's name, as it may be shown.
//!
//! A grammar can be wrong about where a password ends, and a value can stand under the wrong name (`DB_NAME=` holds a
//! URL). So what has the shape of more than a name is cut to the part that surely is none of a secret.

use std::borrow::Cow;
use std::ffi::OsStr;

use crate::secret::MASK;
use crate::secret::names::says_secret;
use crate::secret::tokens::first_token;
use crate::text::shown;

/// Shows a name: `shop`, `app@server`. A URL, a login, an option or a token in it is cut off with all that follows.
#[must_use]
pub(crate) fn redact_name(name: &str) -> Cow<'_, str> {
    let is_hidden = match name.split_once("://") {
        Some((scheme, _)) => !scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')),
        None => is_login(name, [':', '/']),
    };
    if is_hidden { Cow::Borrowed(MASK) } else { cut(name) }
}

/// Shows a path: like a name, but for folders that begin with `@`.
#[must_use]
pub(crate) fn redact_path(path: &str) -> Cow<'_, str> {
    let login = is_login(path, [':', ':']).then(|| path.find(':')).flatten();
    match login {
        Some(colon) => {
            let folder = path[..colon].rfind('/').map_or(0, |at| at + 1);
            Cow::Owned(format!("{}{MASK}", cut(&path[..folder])))
        }
        None => cut(path),
    }
}

/// Shows a path of the system as [`redact_path`] does.
#[must_use]
pub(crate) fn shown_path<P: AsRef<OsStr> + ?Sized>(path: &P) -> String {
    redact_path(&shown(path)).into_owned()
}

/// Tells whether an `@` stands behind one of these marks, as it does behind a password.
fn is_login(text: &str, marks: [char; 2]) -> bool {
    text.find(marks).is_some_and(|mark| text[mark..].contains('@'))
}

/// Cuts a text before the first option, token or place of a URL.
fn cut(text: &str) -> Cow<'_, str> {
    let url = text.find("://").map(|at| at + "://".len()).filter(|at| !is_plain_place(&text[*at..]));
    let option = text.match_indices(['=', ':']).find_map(|(at, mark)| option_at(text, at, mark));
    let Some(end) = [url, option, first_token(text)].into_iter().flatten().min() else { return Cow::Borrowed(text) };
    if url == Some(end) {
        return Cow::Owned(format!("{}{MASK}", &text[..end]));
    }
    let kept = text[..end].trim_end_matches(|c: char| c.is_whitespace() || "$?;&,|\"'\\{([".contains(c));
    if kept.is_empty() { Cow::Borrowed(MASK) } else { Cow::Borrowed(kept) }
}

/// Tells whether what follows a scheme is a host and nothing else.
fn is_plain_place(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'))
}

/// Finds where the option begins whose name ends at `at`: behind `?` or `;` any, elsewhere one that says that it is secret.
fn option_at(text: &str, at: usize, mark: &str) -> Option<usize> {
    let is_wrapping = |c: char| matches!(c, '"' | '\'' | '\\' | ' ');
    let name_end = text[..at].trim_end_matches(is_wrapping).len();
    let before = text[..name_end].trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let (start, name) = (before.len(), &text[before.len()..name_end]);
    let separator = before.trim_end_matches(is_wrapping).chars().next_back();
    let is_option = match (mark, separator) {
        ("=", Some('?' | ';')) => true,
        ("=", _) => says_secret(name),
        // `secret-project:europe-west1:main` is an instance, `key:5432` a host with its port.
        (_, Some(':')) => false,
        _ => says_secret(name) && !text[at + 1..].contains(':') && !is_number(&text[at + 1..]),
    };
    is_option.then_some(start)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_whole() {
        for name in [
            "shop",
            "app_test",
            "app@myserver",
            "x@y",
            "a/b",
            "a&b=c",
            "d?b#1",
            "db.example.net",
            "key:5432",
            "::1",
            "my-secret:europe-west1:main",
            "prisma://accelerate.prisma-data.net",
            "${db_host}",
            "${DB_HOST:-localhost}",
            "we ird",
            "q'uote",
            "/cloudsql/a-b:eu:main",
            "config.settings.production",
            "test,ci",
            "tokens",
        ] {
            assert_eq!(redact_name(name), name);
        }
        for path in ["/p/app.db", "/p/node_modules/@prisma/x.db", "/p/a:b/x.db", "/home/x@y/a.db", "../x.db"] {
            assert_eq!(redact_path(path), path);
        }
    }

    #[test]
    fn what_could_hold_a_secret_is_cut_off() {
        for (name, expected) in [
            ("db;password=P", "db"),
            ("db;Extra=P", "db"),
            ("db?api_key=P", "db"),
            ("db?x=P", "db"),
            ("${url}?x=P", "${url}"),
            ("db,PASSWORD=P", "db"),
            ("db password=P", "db"),
            ("db User Password = P", "db User"),
            ("password=P", "***"),
            ("password: P", "***"),
            (r#"{"user":"a","password":"P"}"#, r#"{"user":"a"#),
            (r#"{\"password\":\"P\"}"#, "***"),
            ("https://h.net/x?api_key=P", "https://***"),
            ("https://hooks.net/services/P", "https://***"),
            ("postgres://u:P@h/db", "postgres://***"),
            ("app:P@host", "***"),
            ("//u:P@h", "***"),
            ("u/P@//h:1521/XE", "***"),
            ("app:P/w@h/db", "***"),
            ("ghp_abcdefghij0123", "***"),
            ("x ghp_abcdefghij0123", "x"),
            ("${password:-P}", "***"),
            ("u:P://@h", "***"),
            ("jdbc:x://u:P@h", "***"),
        ] {
            assert_eq!(redact_name(name), expected, "{name}");
        }
        for (path, expected) in [
            ("/p/x.db;Password=P", "/p/x.db"),
            ("/p/user:P@host/x", "/p/***"),
            ("/p/user:P/w@host/x", "/p/***"),
            ("/p/.env.postgres:/u:P@h", "/p/***"),
            ("/p/postgres://h/P", "/p/postgres://***"),
        ] {
            assert_eq!(redact_path(path), expected, "{path}");
        }
    }
}
