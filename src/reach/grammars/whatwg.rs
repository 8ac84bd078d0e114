//! The reading of drivers that take URLs apart as browsers do (WHATWG): sqlx, SeaORM, Prisma, and all that ask Node's
//! `new URL`. It is `url`'s.
//!
//! For plain URLs it is also this crate's own (a property test compares them). They part where a login holds a raw
//! delimiter, and where an option names another database than the path does.

use url::Url;

use crate::reach::grammars::text::percent_decode;

/// What such a driver makes of a URL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UrlReading {
    /// The host as it stands, still percent-encoded; empty where none is named.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// The path without its first slash and without slashes at its end, percent-decoded.
    pub(crate) path: String,
}

/// Reads `scheme://rest`; `None` where it is no URL to them.
pub(crate) fn read(scheme: &str, rest: &str) -> Option<UrlReading> {
    // All other schemes are read alike, also those with letters that no scheme may have.
    let scheme = if ["http", "https", "ws", "wss"].contains(&scheme) { scheme } else { "db" };
    let url = Url::parse(&format!("{scheme}://{rest}")).ok()?;
    let path = url.path();
    Some(UrlReading {
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port(),
        path: percent_decode(path.strip_prefix('/').unwrap_or(path)).trim_end_matches('/').to_owned(),
    })
}

/// Finds the hosts that are dialled where a delimiter in `login` ends the authority of `rest`; templates are masked in
/// both.
pub(crate) fn hosts_of_shorter_authority(scheme: &str, rest: &str, login: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    if login.contains(['/', '?', '#']) {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        hosts.extend(read(scheme, rest).map(|reading| reading.host).or_else(|| unchecked_host(&rest[..end])));
    }
    // Of the web's own schemes a backslash is a slash; Node's `url.parse` and what replaces the scheme by `http` before
    // it asks take it for one in all.
    if let Some(end) = rest.find('\\').filter(|_| login.contains('\\')) {
        hosts.extend(read("http", rest).map(|reading| reading.host).or_else(|| unchecked_host(&rest[..end])));
    }
    hosts
}

/// Finds the host in an authority that is no URL's: Node's `url.parse` and Python's `urlsplit` check neither its letters nor its
/// port. Without a login in front, what a colon follows is one that was cut short.
fn unchecked_host(authority: &str) -> Option<String> {
    let host = match authority.rsplit_once('@') {
        Some((_, host)) => host,
        None if authority.contains(':') => return None,
        None => authority,
    };
    Some(host.split(':').next().unwrap_or(host).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::testing::line;
    use proptest::prelude::*;

    #[test]
    fn urls_are_read_as_browsers_do() {
        // host, port, path; `None` where it is no URL
        let cases = [
            ("postgres", "user:p@ss@host/db", Some(("host", None, "db"))),
            ("postgres", "u:p@h\\x@localhost/db", Some(("localhost", None, "db"))),
            ("http", "u:p@h\\x@localhost/db", Some(("h", None, "x@localhost/db"))),
            ("postgres", "db%2Eshop.net:05432/a/", Some(("db%2Eshop.net", Some(5432), "a"))),
            ("postgres", "lo\tcal\nhost/a", Some(("localhost", None, "a"))),
            ("postgres", "0x7f.1/a", Some(("0x7f.1", None, "a"))),
            ("http", "0x7f.1/a", Some(("127.0.0.1", None, "a"))),
            ("https", "b\u{fc}cher.example/", Some(("xn--bcher-kva.example", None, ""))),
            ("postgres", "[0:0::1]:1/a", Some(("[::1]", Some(1), "a"))),
            ("postgres", "h/a/../b", Some(("h", None, "b"))),
            ("postgres", "/a", Some(("", None, "a"))),
            ("ibm_db_sa", "h/a", Some(("h", None, "a"))),
            ("postgres", "h:99999/a", None),
            ("postgres", "h:port/a", None),
            ("postgres", "u:p@/a", None),
            ("postgres", "a:1,b:2/a", None),
            ("postgres", "u:p@a b/c", None),
        ];
        for (scheme, rest, expected) in cases {
            let expected =
                expected.map(|(host, port, path)| UrlReading { host: host.to_owned(), port, path: path.to_owned() });
            assert_eq!(read(scheme, rest), expected, "{scheme}://{rest}");
        }
    }

    #[test]
    fn a_delimiter_in_a_login_gives_another_host() {
        let cases: [(&str, &str, &[&str]); 9] = [
            ("u:p@ss/word@localhost/app", "u:p@ss/word", &["ss"]),
            ("u:p@db.example.net\\@localhost/app", "u:p@db.example.net\\", &["db.example.net"]),
            ("u:p@db.example.net:x/y@localhost/app", "u:p@db.example.net:x/y", &["db.example.net"]),
            ("u:p@s^s/word@localhost/app", "u:p@s^s/word", &["s^s"]),
            ("u:12/ss@h/app", "u:12/ss", &["u"]),
            ("u:/ss@h/app", "u:/ss", &["u"]),
            ("u:pa/ss@h/app", "u:pa/ss", &[]),
            ("u:p@h/app", "u:p", &[]),
            ("pa/ss@h", "pa/ss", &["pa"]),
        ];
        for (rest, login, expected) in cases {
            assert_eq!(hosts_of_shorter_authority("postgres", rest, login), expected, "{rest}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn plain_urls_are_read_alike(
            login in "([a-z]{1,8}(:[a-zA-Z0-9%._~-]{0,8})?@)?",
            host in "[a-z][a-z0-9-]{0,8}(\\.[a-z][a-z0-9]{0,8}){0,3}|127\\.0\\.0\\.1|\\[::1\\]|\\[2001:db8::7\\]",
            port in prop::option::of(1u16..),
            path in "[a-zA-Z0-9_-]{1,12}(/[a-z]{1,5})?/?",
            query in "(\\?q[a-z]{1,3}=[a-z/@]{0,6})?",
        ) {
            let port_text = port.map_or(String::new(), |port| format!(":{port}"));
            let rest = format!("{login}{host}{port_text}/{path}{query}");
            let mut own = crate::reach::grammars::url::parse(&format!("postgres://{rest}")).unwrap();
            // `todo` and the like are placeholders.
            own.doubts.clear();
            let reading = read("postgres", &rest).unwrap();
            let host = reading.host.trim_matches(['[', ']']);
            let port = reading.port.map_or(String::new(), |port| format!(":{port}"));
            let login = own.user.as_deref().map_or(String::new(), |user| format!(" u={user}"));
            prop_assert_eq!(line(&own), format!("postgres {}{} {}{}", host, port, reading.path, login), "{}", rest);
        }
    }
}
