//! One `host[:port]`, as it stands in a URL's authority, in a list, or in a variable.

use crate::reach::grammars::placeholder;
use std::net::Ipv6Addr;
use std::path::PathBuf;

use crate::reach::grammars::placeholder::{host_doubt, is_unexpanded};
use crate::reach::grammars::text::{mask_templates, percent_decode};
use crate::reach::{Doubt, Place};
use crate::secret::MASK;

/// A place with what keeps it from being dialled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Located {
    /// `None` where the text names nothing.
    pub(crate) place: Option<Place>,
    pub(crate) doubts: Vec<Doubt>,
}

/// Reads `host`, `host:port`, `[v6]:port`, or the folder of a socket. Percent-encoding in the host is decoded.
pub(crate) fn locate(text: &str) -> Located {
    let text = text.trim();
    let mut doubts = Vec::new();
    let (host, port) = split_port(text);
    let host = percent_decode(host);
    let port = match port {
        None | Some("") => None,
        Some(port) => number(port, &mut doubts),
    };
    let place = place(&host, port, &mut doubts);
    Located { place, doubts }
}

/// Makes a place of a host, already decoded, and a port.
pub(crate) fn place(host: &str, port: Option<u16>, doubts: &mut Vec<Doubt>) -> Option<Place> {
    let host = host.trim();
    if host.is_empty() {
        return None;
    }
    // libpq: a host that begins with a slash is the socket's folder, one with `@` an abstract socket.
    if host.starts_with('/') || host.starts_with("@/") {
        doubts.extend(placeholder::name_doubt(host));
        return Some(Place::Socket { path: PathBuf::from(host), port });
    }
    Some(Place::Host { name: host_name(host, doubts), port })
}

/// Spells the host as the rules compare it: lower case, without brackets and one trailing dot.
fn host_name(host: &str, doubts: &mut Vec<Doubt>) -> String {
    let bare = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
    let bare = bare.strip_suffix('.').filter(|bare| !bare.is_empty()).unwrap_or(bare);
    if let Some(doubt) = host_doubt(bare) {
        doubts.push(doubt);
        if doubt_hides(bare) {
            return MASK.to_owned();
        }
    } else if !is_dialable(bare) {
        doubts.push(Doubt::Syntax);
        // What is no host name may be the remains of a password.
        if bare.contains(['@', '/', '\\', '#', '?']) {
            return MASK.to_owned();
        }
    }
    bare.to_lowercase()
}

fn doubt_hides(bare: &str) -> bool {
    let masked = mask_templates(bare);
    masked.contains(['@', '/', '\\']) && !(bare.starts_with('@') && bare.ends_with('@'))
}

/// Tells whether some driver would take the text for a host name or an address.
fn is_dialable(host: &str) -> bool {
    let without_zone = host.split('%').next().unwrap_or(host);
    if without_zone.contains(':') {
        return without_zone.parse::<Ipv6Addr>().is_ok();
    }
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.') || (!c.is_ascii() && !is_invisible(c));
    // No resolver takes an empty label: `.sqlexpress`, `db..net`.
    !without_zone.is_empty() && without_zone.chars().all(fits) && without_zone.split('.').all(|label| !label.is_empty())
}

fn is_invisible(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{00ad}')
}

/// Splits the port off; the host keeps its brackets.
fn split_port(text: &str) -> (&str, Option<&str>) {
    // Colons are a part of `/cloudsql/project:region:instance`.
    let encoded = text.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("%2f"));
    let numbered = text.rsplit(':').next().is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    if text.starts_with(['/', '@']) || encoded && !numbered {
        return (text, None);
    }
    let masked = mask_templates(text);
    if masked.starts_with('[')
        && let Some(end) = masked.find(']')
    {
        let port = text[end + 1..].strip_prefix(':');
        return (&text[..=end], port);
    }
    let Some(last) = masked.rfind(':') else { return (text, None) };
    let several = masked[..last].contains(':');
    if several && text.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()) {
        return (text, None);
    }
    (&text[..last], Some(&text[last + 1..]))
}

/// Reads the port in `text`; [`Doubt::Port`] or [`Doubt::Unexpanded`] where it is no number up to 65535. None is dialled
/// by the number 0: MySQL's clients take it for the usual one, tests write it for none.
pub(crate) fn number(text: &str, doubts: &mut Vec<Doubt>) -> Option<u16> {
    let text = text.trim();
    match text.parse::<u16>() {
        Ok(0) if text == "0" => None,
        Ok(port) if port > 0 && !text.starts_with('+') => Some(port),
        _ => {
            doubts.push(if is_unexpanded(text) { Doubt::Unexpanded } else { Doubt::Port });
            None
        }
    }
}

/// Reads a list of `host[:port]`, separated by commas or blanks; what is `key=value` in it is an option and skipped.
pub(crate) fn locate_list(text: &str) -> (Vec<Place>, Vec<Doubt>) {
    let (mut places, mut doubts) = (Vec::new(), Vec::new());
    let text = without_brackets(text.trim());
    let masked = mask_templates(text);
    let mut start = 0;
    let ends = masked.match_indices([',', ' ', '\n', '\t']).map(|(at, _)| at).chain([text.len()]);
    for end in ends {
        let item = text.get(start..end).unwrap_or("").trim().trim_matches(['"', '\'']);
        start = end + 1;
        if item.is_empty() || item.contains('=') {
            continue;
        }
        // SQL Server: `host,1433`
        if let (Some(Place::Host { port: port @ None, .. }), Ok(number)) = (places.last_mut(), item.parse::<u16>()) {
            *port = Some(number);
            continue;
        }
        let bare = item.split_once("://").map_or(item, |(_, rest)| rest.split('/').next().unwrap_or(rest));
        let located = locate(bare);
        places.extend(located.place);
        doubts.extend(located.doubts);
    }
    (places, doubts)
}

/// Takes the brackets off `["a","b"]`; those of an IPv6 address stay.
fn without_brackets(text: &str) -> &str {
    match text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(inner) if inner.parse::<Ipv6Addr>().is_err() && !text.contains("]:") => inner,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(located: &Located) -> String {
        let place = match &located.place {
            None => "-".to_owned(),
            Some(Place::Host { name, port }) => format!("{name}|{}", port.map_or(String::new(), |p| p.to_string())),
            Some(Place::Socket { path, port }) => format!("socket {} {port:?}", path.display()),
            Some(other) => format!("{other:?}"),
        };
        format!("{place} {:?}", located.doubts)
    }

    #[test]
    fn hosts_are_read_as_drivers_read_them() {
        let cases = [
            ("localhost:5432", "localhost|5432 []"),
            ("LOCALHOST.", "localhost| []"),
            ("db%2Eprod%2Enet", "db.prod.net| []"),
            ("[::1]:5434", "::1|5434 []"),
            ("[::FFFF:203.0.113.9]", "::ffff:203.0.113.9| []"),
            ("[fe80::1%25eth0]:5432", "fe80::1%eth0|5432 []"),
            ("::1", "::1| []"),
            ("%2Fvar%2Frun%2Fpostgresql", "socket /var/run/postgresql None []"),
            ("/cloudsql/a:b:c", "socket /cloudsql/a:b:c None []"),
            ("mysql_test", "mysql_test| []"),
            ("bücher-db.net", "bücher-db.net| []"),
            ("lоcalhost", "lоcalhost| []"),
            ("host:port", "host| [Port, Placeholder]"),
            ("${DB_HOST}:${DB_PORT}", "${db_host}| [Unexpanded, Unexpanded]"),
            ("${H:-a:1}:5432", "${h:-a:1}|5432 [Unexpanded]"),
            ("db:0", "db| []"),
            ("db:", "db| []"),
            ("", "- []"),
            ("a b", "a b| [Syntax]"),
            ("\u{200b}localhost", "\u{200b}localhost| [Syntax]"),
            ("pa@ss", "***| [Syntax]"),
            (".sqlexpress", ".sqlexpress| [Syntax]"),
            ("db..shop.net", "db..shop.net| [Syntax]"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(&locate(text)), expected, "{text}");
        }
    }

    #[test]
    fn lists_of_hosts_are_taken_apart() {
        let host = |name: &str, port| Place::Host { name: name.to_owned(), port };
        let cases = [
            ("a:9092,b:9092", vec![host("a", Some(9092)), host("b", Some(9092))]),
            ("sql01,1433", vec![host("sql01", Some(1433))]),
            ("PLAINTEXT://a:9092,SSL://b:9093", vec![host("a", Some(9092)), host("b", Some(9093))]),
            ("a, b", vec![host("a", None), host("b", None)]),
            ("localhost:6379,password=x,ssl=True", vec![host("localhost", Some(6379))]),
            ("http://es1:9200,http://es2:9200/x", vec![host("es1", Some(9200)), host("es2", Some(9200))]),
            ("[\"a\", \"b\"]", vec![host("a", None), host("b", None)]),
            ("[::1]:1,b", vec![host("::1", Some(1)), host("b", None)]),
        ];
        for (text, expected) in cases {
            assert_eq!(locate_list(text).0, expected, "{text}");
        }
    }
}
