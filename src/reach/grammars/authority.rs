//! Where a URL's login ends and its hosts begin: the point on which URL parsers disagree.
//!
//! A raw `@`, `/`, `?`, `#` or backslash in a password moves that point. Every host that some parser could dial is
//! reported, but what may be a part of the password never appears as one: it becomes [`Authority::hidden`].

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
    /// Parsers disagree on where the login ends.
    pub(crate) ambiguous: bool,
    /// One of them could dial a remote host that cannot be told from a part of the password.
    pub(crate) hidden: bool,
}

/// Takes apart `rest`, the URL after `scheme://`; `masked` is the same text with its templates overwritten.
pub(crate) fn split<'a>(rest: &'a str, masked: &str) -> Authority<'a> {
    let query_at = query_start(masked);
    let region = &masked[..query_at.unwrap_or(masked.len())];
    let strict_end = region.find(['/', '?', '#', '\\']).unwrap_or(region.len());
    let last_at = region.rfind('@');
    let (host_start, ambiguous, hidden) = match last_at {
        None => (0, false, false),
        Some(at) if at < strict_end => (at + 1, false, false),
        Some(at) => {
            let strict = &region[..strict_end];
            let first_at = strict.find('@');
            let dialled = &strict[first_at.map_or(0, |at| at + 1)..];
            // Without a login before it, `u:pa` of `u:pa/ss@host` is a host only where `pa` is a port.
            let dialable = first_at.is_some() || dialled.rsplit_once(':').is_none_or(|(_, port)| is_port(port));
            (at + 1, dialable, dialable && looks_remote(dialled))
        }
    };
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
    Authority { login, hosts, path, query: query.split('#').next().unwrap_or(""), ambiguous, hidden }
}

/// The first `?` behind which a `key=` stands, or nothing at all; any other may belong to a password.
fn query_start(text: &str) -> Option<usize> {
    text.match_indices('?').map(|(at, _)| at).find(|at| {
        let rest = &text[at + 1..];
        let key = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']')));
        rest.is_empty() || key.is_some_and(|end| end > 0 && rest[end..].starts_with('='))
    })
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a driver that dialled this would leave the machine: a name with a dot, other than loopback.
fn looks_remote(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host).trim_end_matches('.');
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.contains('.')
        && name.chars().all(fits)
        && name.split('.').all(|label| !label.is_empty())
        && !name.starts_with("127.")
        && name != "0.0.0.0"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::grammars::text::mask_templates;

    #[test]
    fn logins_end_where_drivers_say_they_end() {
        // login, hosts, path, query, ambiguous, hidden
        let cases = [
            ("u:p@h:1/db?a=b", Some("u:p"), "h:1", "db", "a=b", false, false),
            ("h/db", None, "h", "db", "", false, false),
            ("/db", None, "", "db", "", false, false),
            ("", None, "", "", "", false, false),
            ("u:p@localhost@db.example.net/app", Some("u:p@localhost"), "db.example.net", "app", "", false, false),
            ("u:p@ss/word@localhost/app", Some("u:p@ss/word"), "localhost", "app", "", true, false),
            ("u:p@db.example.net/x@localhost/app", Some("u:p@db.example.net/x"), "localhost", "app", "", true, true),
            (
                "app:x@db.example.net\\@localhost/app",
                Some("app:x@db.example.net\\"),
                "localhost",
                "app",
                "",
                true,
                true,
            ),
            ("u:pa/ss@h/app", Some("u:pa/ss"), "h", "app", "", false, false),
            ("u:12/ss@h/app", Some("u:12/ss"), "h", "app", "", true, false),
            ("u:p#w@h/db", Some("u:p#w"), "h", "db", "", false, false),
            ("u:p?w@h/db", Some("u:p?w"), "h", "db", "", false, false),
            (
                "localhost:5432/app?user=a@b.example.net",
                None,
                "localhost:5432",
                "app",
                "user=a@b.example.net",
                false,
                false,
            ),
            ("${U}:${P}@${H:-a/b}/${D}", Some("${U}:${P}"), "${H:-a/b}", "${D}", "", false, false),
            ("h1:1,h2:2/db?x=1#f", None, "h1:1,h2:2", "db", "x=1", false, false),
        ];
        for (text, login, hosts, path, query, ambiguous, hidden) in cases {
            let expected = Authority { login, hosts, path, query, ambiguous, hidden };
            assert_eq!(split(text, &mask_templates(text)), expected, "{text}");
        }
    }
}
