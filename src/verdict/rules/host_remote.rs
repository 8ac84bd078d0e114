//! `host-remote`: the host is an IP address or a domain that is not this machine.

use crate::reach::Place;
use crate::verdict::subject::{Subject, allowed, origin_of, production};
use crate::verdict::{Finding, Locality, Remedy, addresses};

/// The id of this rule.
pub(crate) const ID: &str = "host-remote";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, target, located) in subject.targets() {
        let Some(origin) = origin_of(target) else { continue };
        for place in located.iter().filter(|place| place.locality == Locality::Remote) {
            let Place::Host { name, port } = place.place else { continue };
            let what = if addresses::parse_address(name).is_some() { "address" } else { "host" };
            let remedy = Remedy::from(format!("point {} at this machine", origin.named()));
            let remedy = match port {
                Some(port) => remedy.or_loosen(format!(
                    "if {name}:{port} really is a test server, put `hosts = [\"{name}:{port}\"]` below [allow] in .safe-test.toml and run `safe-test trust`"
                )),
                None => remedy,
            };
            findings.push(production(ID, at, origin, format!("the {what} `{name}` is not this machine"), remedy));
        }
        for place in located.iter().filter(|place| place.without_policy == Some(Locality::Remote)) {
            let message = format!("`{}` is not this machine; the policy allows it", place.place);
            findings.push(allowed(ID, at, origin, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn host_remote_is_every_place_but_this_machine() {
        let cases = [
            ("db.northwind-shop.net", Verdict::Production),
            ("10.1.2.3", Verdict::Production),
            ("192.168.1.200", Verdict::Production),
            ("db.local", Verdict::Production),
            ("nas.lan", Verdict::Production),
            ("ci-db.internal", Verdict::Production),
            ("localhost.northwind-evil.com", Verdict::Production),
            ("fe80::1%eth0", Verdict::Production),
            ("127.1", Verdict::Safe),
            ("localhost", Verdict::Safe),
            ("app.localhost", Verdict::Safe),
            ("host.docker.internal", Verdict::Safe),
        ];
        for (host, verdict) in cases {
            assert_eq!(Bench::postgres(host, "app_test").judge().verdict, verdict, "{host}");
        }
    }

    #[test]
    fn a_policy_makes_one_exact_host_and_port_local() {
        let judge = |host: &str| {
            Bench::postgres(host, "app_test")
                .policy(|policy| policy.allow.hosts.push("ci-db.internal:5432".into()))
                .judge()
                .verdict
        };
        assert_eq!(judge("ci-db.internal"), Verdict::Safe);
        assert_eq!(judge("other.internal"), Verdict::Production);
    }

    #[test]
    fn own_addresses_and_container_bridges_are_this_machine() {
        let judge = |host: &str| {
            Bench::postgres(host, "app")
                .machine(|machine| {
                    machine.interfaces = [("eth0", "10.1.2.3", 24), ("docker0", "172.17.0.1", 16)]
                        .map(|(name, address, prefix)| crate::verdict::Interface {
                            name: name.into(),
                            address: address.parse().unwrap(),
                            prefix,
                        })
                        .to_vec();
                })
                .judge()
                .verdict
        };
        assert_eq!(judge("10.1.2.3"), Verdict::Safe);
        assert_eq!(judge("172.17.0.2"), Verdict::Safe);
        assert_eq!(judge("10.1.2.4"), Verdict::Production);
    }
}
