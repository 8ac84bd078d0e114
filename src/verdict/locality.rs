//! Where a place is, as far as that can be known without asking the network.

use std::fmt;

use crate::environment::Service;
use crate::reach::{Place, Target, has_gap, is_open_ended, provider_of_host, provider_of_instance};
use crate::text::shown;
use crate::verdict::{Evidence, addresses, words};

/// How near a target is. DNS is never asked: a verdict must not depend on where it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Locality {
    /// In the memory of the process.
    Memory,
    /// A file on this machine.
    File,
    /// A Unix socket on this machine.
    Socket,
    /// This machine, in any spelling.
    Loopback,
    /// A container of the project or of this machine, or a host that a trusted policy declares local.
    Service,
    /// Not shown to be near, not known to be far.
    Unknown,
    /// Another machine.
    Remote,
}

impl Locality {
    /// Tells whether the place is positively local.
    #[must_use]
    pub(crate) fn is_local(self) -> bool {
        !matches!(self, Locality::Unknown | Locality::Remote)
    }

    /// Returns the word in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Locality::Memory => "memory",
            Locality::File => "file",
            Locality::Socket => "socket",
            Locality::Loopback => "loopback",
            Locality::Service => "service",
            Locality::Unknown => "unknown",
            Locality::Remote => "remote",
        }
    }
}

impl fmt::Display for Locality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A place with its locality and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocatedPlace<'a> {
    /// The place.
    pub(crate) place: &'a Place,
    /// Where it is.
    pub(crate) locality: Locality,
    /// Where it would be if the policy did not allow the host; `None` where the policy says nothing of it.
    pub(crate) without_policy: Option<Locality>,
    /// What shows it, for people: `compose.yaml:4 declares it`; empty where the spelling itself does.
    pub(crate) shown_by: String,
}

/// Locates every place of `target`.
pub(crate) fn locate_places<'a>(target: &'a Target, evidence: &Evidence<'a>) -> Vec<LocatedPlace<'a>> {
    target
        .places
        .iter()
        .map(|place| {
            let (locality, shown_by) = match place {
                Place::Memory => (Locality::Memory, String::new()),
                Place::File { .. } => (Locality::File, String::new()),
                Place::Socket { path, .. } if provider_of_instance(&path.to_string_lossy()).is_some() => {
                    (Locality::Remote, "the socket is a connector's".to_owned())
                }
                Place::Socket { .. } => (Locality::Socket, String::new()),
                Place::Instance { name } if has_gap(name) => (Locality::Unknown, String::new()),
                Place::Instance { .. } => (Locality::Remote, "a provider resolves this name".to_owned()),
                Place::Host { name, .. } => locate_host(name, target, evidence),
            };
            match place {
                Place::Host { name, port } if evidence.policy.allows_host(name, *port) => LocatedPlace {
                    place,
                    locality: Locality::Service,
                    without_policy: Some(locality),
                    shown_by: format!("{} allows it", crate::policy::FILE_NAME),
                },
                _ => LocatedPlace { place, locality, without_policy: None, shown_by },
            }
        })
        .collect()
}

/// What the locality of targets hangs on besides the spelling of their hosts. What it does not hang on need not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// The interfaces of this machine.
    pub(crate) interfaces: bool,
    /// The names that the hosts file and the project's service files declare.
    pub(crate) names: bool,
}

impl Surroundings {
    /// Finds what the locality of `targets` hangs on.
    pub(crate) fn of(targets: &[Target]) -> Surroundings {
        let mut matter = Surroundings { interfaces: false, names: false };
        for place in targets.iter().flat_map(|target| &target.places) {
            let Place::Host { name, .. } = place else { continue };
            match addresses::parse_address(name) {
                Some(address) => matter.interfaces |= !addresses::is_loopback(address),
                None => matter.names |= !name.eq_ignore_ascii_case("localhost"),
            }
        }
        matter
    }
}

fn locate_host<'a>(host: &str, target: &'a Target, evidence: &Evidence<'a>) -> (Locality, String) {
    let machine = evidence.machine;
    if let Some(address) = addresses::parse_address(host) {
        if addresses::is_loopback(address) {
            return (Locality::Loopback, String::new());
        }
        if let Some(own) = machine.own_interface(address) {
            return (Locality::Loopback, format!("this machine's own address on {}", own.name));
        }
        return match machine.container_bridge(address) {
            Some(bridge) => (Locality::Service, format!("in the network of the container bridge {}", bridge.name)),
            None => (Locality::Remote, String::new()),
        };
    }
    if has_gap(host) || is_open_ended(host) {
        return (Locality::Unknown, String::new());
    }
    if addresses::is_local_name(host) {
        return (Locality::Loopback, String::new());
    }
    if provider_of_host(host).is_some() {
        return (Locality::Remote, String::new());
    }
    let is_single_label = addresses::is_single_label(host);
    if is_single_label && !host.is_ascii() {
        return (Locality::Unknown, "its letters are not those of a container's name".to_owned());
    }
    if is_single_label && let Some(service) = declared(host, evidence.services) {
        return (Locality::Service, format!("{}:{} declares it", shown(&service.file), service.line));
    }
    if (is_single_label || host.ends_with(".test")) && machine.maps_only_to_loopback(host) {
        return (Locality::Loopback, "the hosts file maps it to this machine".to_owned());
    }
    if addresses::is_reserved_name(host) {
        return (Locality::Unknown, "a reserved name".to_owned());
    }
    if addresses::leads_here_by_agreement(host) {
        return (Locality::Unknown, "a public name that leads to the machine that asks".to_owned());
    }
    if !is_single_label {
        return (Locality::Remote, String::new());
    }
    match vouching_test_name(target, evidence) {
        Some(database) => {
            (Locality::Service, format!("a name of one label with the test-shaped database `{database}`"))
        }
        None => (Locality::Unknown, String::new()),
    }
}

/// Finds the test-shaped database that vouches for a host: its own, or for a cache, a search index or a broker, which have
/// none, the first of those beside it, if all of them are test-shaped.
fn vouching_test_name<'a>(target: &'a Target, evidence: &Evidence<'a>) -> Option<&'a str> {
    let test_shaped = |target: &'a Target| target.database.as_deref().filter(|name| words::is_test_shaped(name));
    if !target.engine.is_auxiliary() {
        return test_shaped(target);
    }
    let mut beside = evidence.targets.iter().filter(|other| !other.engine.is_auxiliary()).map(test_shaped);
    let first = beside.next()??;
    beside.all(|name| name.is_some()).then_some(first)
}

/// Finds the service by which the project's files declare `host`.
pub(crate) fn declared<'s>(host: &str, services: &'s [Service]) -> Option<&'s Service> {
    services.iter().find(|service| service.host.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::testing::Bench;

    #[test]
    fn what_a_host_says_by_itself_needs_no_surroundings() {
        for (host, interfaces, names) in [
            ("localhost", false, false),
            ("127.1", false, false),
            ("0.0.0.0", false, false),
            ("::ffff:127.0.0.1", false, false),
            ("primary.localhost", false, true),
            ("10.1.2.3", true, false),
            ("172.17.0.1", true, false),
            ("fd00::1", true, false),
            ("db", false, true),
            ("localhost-db", false, true),
            ("shop.test", false, true),
            ("db.example.com", false, true),
        ] {
            let bench = Bench::postgres(host, "app_test");
            let expected = Surroundings { interfaces, names };
            assert_eq!(Surroundings::of(&bench.targets), expected, "{host}");
        }
        assert_eq!(Surroundings::of(&[]), Surroundings { interfaces: false, names: false });
    }
}
