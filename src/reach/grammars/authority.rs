//! Where a URL's login ends and its hosts begin: at the last `@` before the options, for drivers that take raw
//! delimiters in a password. Those for which the first of them ends the authority are in `whatwg`.

/// A URL after its `scheme://`, taken apart. All parts are still percent-encoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    /// `user[:password]`, where there is one.
    pub(crate) login: Option<&'a str>,
    /// The hosts, separated by commas; empty for the driver's default.
    pub(crate) hosts: &'a str,
    /// The path without its first slash.
    pub(crate) path: &'a str,
    /// The query without its question mark.
    pub(crate) query: &'a str,
}

/// Takes apart `rest`, the URL after `scheme://`; `masked` is the same text with its templates overwritten.
pub(crate) fn split<'a>(rest: &'a str, masked: &str) -> Authority<'a> {
    let query_at = query_start(masked);
    let region = &masked[..query_at.unwrap_or(masked.len())];
    let last_at = region.rfind('@');
    let host_start = last_at.map_or(0, |at| at + 1);
    let login = last_at.map(|at| &rest[..at]);
    let after = &rest[host_start..];
    let masked_after = &masked[host_start..];
    let end = masked_after.find(['/', '?', '#', '\\']).unwrap_or(masked_after.len());
    let hosts = &after[..end];
    let (path_and_query, masked_tail) = (&after[end..], &masked_after[end..]);
    let path_end = masked_tail.find(['?', '#']).unwrap_or(masked_tail.len());
    let path = path_and_query[..path_end].trim_start_matches('\\');
    let path = path.strip_prefix('/').unwrap_or(path);
    let query = path_and_query[path_end..].strip_prefix('?').unwrap_or("");
    Authority { login, hosts, path, query: query.split('#').next().unwrap_or("") }
}

/// Finds the first `?` behind which a `key=` stands, or nothing at all; any other may belong to a password.
fn query_start(text: &str) -> Option<usize> {
    text.match_indices('?').map(|(at, _)| at).find(|at| {
        let rest = &text[at + 1..];
        let key = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']')));
        rest.is_empty() || key.is_some_and(|end| end > 0 && rest[end..].starts_with('='))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::grammars::text::mask_templates;

    #[test]
    fn logins_end_where_drivers_say_they_end() {
        // login, hosts, path, query
        let cases = [
            ("u:p@h:1/db?a=b", Some("u:p"), "h:1", "db", "a=b"),
            ("h/db", None, "h", "db", ""),
            ("/db", None, "", "db", ""),
            ("", None, "", "", ""),
            ("u:p@localhost@db.example.net/app", Some("u:p@localhost"), "db.example.net", "app", ""),
            ("u:p@ss/word@localhost/app", Some("u:p@ss/word"), "localhost", "app", ""),
            ("app:x@db.example.net\\@localhost/app", Some("app:x@db.example.net\\"), "localhost", "app", ""),
            ("u:p#w@h/db", Some("u:p#w"), "h", "db", ""),
            ("u:p?w@h/db", Some("u:p?w"), "h", "db", ""),
            ("localhost:5432/app?user=a@b.example.net", None, "localhost:5432", "app", "user=a@b.example.net"),
            ("${U}:${P}@${H:-a/b}/${D}", Some("${U}:${P}"), "${H:-a/b}", "${D}", ""),
            ("h1:1,h2:2/db?x=1#f", None, "h1:1,h2:2", "db", "x=1"),
        ];
        for (text, login, hosts, path, query) in cases {
            assert_eq!(split(text, &mask_templates(text)), Authority { login, hosts, path, query }, "{text}");
        }
    }
}
