//! Host names and addresses: which spellings mean this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::lists::{List, list};
use crate::reach::{Place, Target};

static LOCAL_NAMES: List = list!("local_names.txt");

/// Reads the address that `host` spells, in any form that `inet_aton` and resolvers take: `127.1`, `0x7f.0.0.1`,
/// `2130706433`, `::ffff:127.0.0.1`, with or without a zone (`fe80::1%eth0`).
#[must_use]
pub(crate) fn parse_address(host: &str) -> Option<IpAddr> {
    let bare = host.split('%').next().unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(unmapped(address));
    }
    parse_aton(bare).map(IpAddr::V4)
}

/// Tells whether `address` is this machine whatever its interfaces are: loopback, or the unspecified address, which
/// clients reach this machine by.
#[must_use]
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    match unmapped(address) {
        IpAddr::V4(v4) => v4.is_loopback() || v4 == Ipv4Addr::UNSPECIFIED,
        IpAddr::V6(v6) => v6.is_loopback() || v6 == Ipv6Addr::UNSPECIFIED,
    }
}

/// Tells whether the name means this machine without asking anybody: `localhost` in its spellings, `*.localhost` (RFC
/// 6761, section 6.3), a container's name for its host, and OrbStack's names for its containers (`*.orb.local`).
///
/// Source: OrbStack's documentation, "Container domains".
#[must_use]
pub(crate) fn is_local_name(host: &str) -> bool {
    let below = |ending: &str| host.strip_suffix(ending).is_some_and(|rest| !rest.is_empty());
    LOCAL_NAMES.contains(host) || below(".localhost") || below(".orb.local")
}

/// Tells whether a host is this machine by its spelling alone.
#[must_use]
pub(crate) fn is_this_machine(host: &str) -> bool {
    parse_address(host).map_or_else(|| is_local_name(host), is_loopback)
}

/// Tells whether two targets may be of one server by the spelling of their places: the same, or the same port of this
/// machine by two of its names, or by a socket.
#[must_use]
pub(crate) fn may_be_one_server(one: &Target, other: &Target) -> bool {
    let here = |target: &Target| -> Option<Vec<u16>> {
        let port = |place: &Place| match place {
            Place::Host { name, port } => port.or(target.engine.default_port()).filter(|_| is_this_machine(name)),
            Place::Socket { port, .. } => port.or(target.engine.default_port()),
            Place::File { .. } | Place::Memory | Place::Instance { .. } => None,
        };
        target.places.iter().map(port).collect()
    };
    one.places == other.places
        || here(one).zip(here(other)).is_some_and(|(one, other)| one.iter().any(|port| other.contains(port)))
}

/// Tells whether the name has one label, so that no public name server knows it. A name whose last part is a number
/// (`postgres-9.6`) is one too: no top-level domain is a number (RFC 3696, section 2).
#[must_use]
pub(crate) fn is_single_label(host: &str) -> bool {
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    host.rsplit_once('.').is_none_or(|(before, last)| {
        numeric(last) && before.contains(|c: char| c.is_ascii_alphabetic()) && is_single_label(before)
    })
}

/// Tells whether the name can never be a real server's: reserved for tests and documentation (RFC 2606, RFC 6761).
#[must_use]
pub(crate) fn is_reserved_name(host: &str) -> bool {
    const ENDINGS: [&str; 3] = ["test", "example", "invalid"];
    const DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];
    let last = host.rsplit('.').next().unwrap_or(host);
    (host.contains('.') && ENDINGS.contains(&last))
        || DOMAINS.iter().any(|domain| host == *domain || host.ends_with(&format!(".{domain}")))
}

/// Tells whether a name is one of those that everybody's name servers give the address of loopback for. Who holds the
/// domain can change that.
#[must_use]
pub(crate) fn leads_here_by_agreement(host: &str) -> bool {
    static DOMAINS: List = list!("loopback_domains.txt");
    let lower = host.to_ascii_lowercase();
    let mut ends = lower.char_indices().filter(|(_, c)| *c == '.').map(|(at, _)| &lower[at + 1..]);
    DOMAINS.contains(&lower) || ends.any(|end| DOMAINS.contains(end))
}

fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Reads the classic forms with one to four parts, each decimal, octal or hexadecimal; the last part fills what is left.
fn parse_aton(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u64> = text.split('.').map(parse_number).collect::<Option<_>>()?;
    let (last, front) = parts.split_last()?;
    if parts.len() > 4 || front.iter().any(|part| *part > 0xff) || *last >= 1 << (8 * (4 - front.len() as u64)) {
        return None;
    }
    let mut value = *last;
    for (at, part) in front.iter().enumerate() {
        value |= part << (8 * (3 - at));
    }
    u32::try_from(value).ok().map(Ipv4Addr::from)
}

fn parse_number(text: &str) -> Option<u64> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok();
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) || text.is_empty() || text.len() > 10 {
        return None;
    }
    if text.len() > 1 && text.starts_with('0') { u64::from_str_radix(text, 8).ok() } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::Engine;
    use crate::verdict::testing::Bench;

    #[test]
    fn a_version_in_a_name_does_not_make_it_a_domain() {
        for host in ["db", "postgres-9.6", "mysql-5.7.44", "db_test"] {
            assert!(is_single_label(host), "{host}");
        }
        for host in ["db.shop.net", "db.local", "1.2.3.4", "db.prod.6", "postgres-9.6.shop.net", "db."] {
            assert!(!is_single_label(host), "{host}");
        }
    }

    #[test]
    fn every_spelling_of_loopback_is_recognised() {
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1.1",
            "0.0.0.0",
            "0",
            "::1",
            "0:0:0:0:0:0:0:1",
            "::",
            "::ffff:127.0.0.1",
            "0x7f.1",
            "2130706433",
            "0177.0.0.1",
        ] {
            assert!(parse_address(host).is_some_and(is_loopback), "{host}");
        }
    }

    #[test]
    fn other_addresses_are_not_loopback() {
        for host in [
            "10.0.0.1",
            "203.0.113.9",
            "::ffff:203.0.113.9",
            "fe80::1%eth0",
            "192.168.1.200",
            "2130706432000",
            "128.0.0.1",
        ] {
            assert!(!parse_address(host).is_some_and(is_loopback), "{host}");
        }
    }

    #[test]
    fn names_are_not_addresses() {
        for host in ["localhost", "127.0.0.1.evil.test", "db", "1a", "", "a.b", "127.0.0.256", "1.2.3.4.5"] {
            assert_eq!(parse_address(host), None, "{host}");
        }
    }

    #[test]
    fn local_names_are_whole_names() {
        for host in [
            "localhost",
            "app.localhost",
            "host.docker.internal",
            "ip6-localhost",
            "docker.for.mac.localhost",
            "host.orb.internal",
            "db.shop.orb.local",
        ] {
            assert!(is_local_name(host), "{host}");
        }
        for host in ["localhost.evil.com", "notlocalhost", "lоcalhost", ".localhost", "docker.internal"] {
            assert!(!is_local_name(host), "{host}");
        }
    }

    #[test]
    fn a_server_of_this_machine_has_several_names() {
        let at = |host: &str, port| Bench::place(Engine::Postgres, place(host, port), Some("shop")).targets.remove(0);
        for (one, other, expected) in [
            (at("localhost", Some(5432)), at("::1", None), true),
            (at("127.0.0.1", None), at("/run/postgresql", None), true),
            (at("localhost", None), at("localhost", Some(5433)), false),
            (at("db.test", None), at("db.test", None), true),
            (at("db.test", None), at("localhost", None), false),
        ] {
            assert_eq!(may_be_one_server(&one, &other), expected, "{one:?} {other:?}");
        }
    }

    fn place(host: &str, port: Option<u16>) -> Place {
        match host.starts_with('/') {
            true => Place::Socket { path: host.into(), port },
            false => Place::Host { name: host.to_owned(), port },
        }
    }

    #[test]
    fn names_that_lead_here_by_agreement_are_known() {
        for (host, expected) in
            [("db.localtest.me", true), ("LVH.me", true), ("mylvh.me", false), ("lvh.me.test", false)]
        {
            assert_eq!(leads_here_by_agreement(host), expected, "{host}");
        }
    }

    #[test]
    fn reserved_names_are_known() {
        for host in ["db.test", "db.example", "x.invalid", "example.com", "db.example.org"] {
            assert!(is_reserved_name(host), "{host}");
        }
        for host in ["test", "latest", "db.contest", "myexample.com", "example.com.evil.net"] {
            assert!(!is_reserved_name(host), "{host}");
        }
    }
}
