//! `host-unknown`: a host that is neither shown to be local nor known to be far.

use crate::reach::Place;
use crate::verdict::subject::{Subject, allowed, origin_of, unverified};
use crate::verdict::{Finding, Locality, Remedy, addresses};

/// The id of this rule.
pub(crate) const ID: &str = "host-unknown";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, target, located) in subject.targets() {
        for place in located.iter().filter(|place| place.locality == Locality::Unknown) {
            let Place::Host { name, .. } = place.place else { continue };
            let (message, remedy) = if addresses::is_reserved_name(name) {
                (
                    format!("`{name}` is a reserved name: no server can be known behind it"),
                    Remedy::from(format!("replace `{name}` by the host that tests use")),
                )
            } else if addresses::leads_here_by_agreement(name) {
                (
                    format!("`{name}` leads to this machine only while the owner of its domain says so"),
                    Remedy::from(format!("use localhost in place of `{name}`")),
                )
            } else {
                (
                    format!("nothing shows where `{name}` is"),
                    Remedy::from(format!("declare `{name}` in the project's compose or CI file, or use localhost"))
                        .or_loosen("name the database so that it is seen to be a test's (`…_test`)"),
                )
            };
            findings.push(unverified(ID, at, origin_of(target), message, remedy));
        }
        let Some(origin) = origin_of(target) else { continue };
        for place in located.iter().filter(|place| place.without_policy == Some(Locality::Unknown)) {
            let message = format!("nothing but the policy shows where `{}` is", place.place);
            findings.push(allowed(ID, at, origin, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::reach::{Engine, Place};
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn host_unknown_is_a_single_label_that_nothing_declares() {
        assert_eq!(Bench::postgres("postgres", "shop").judge().verdict, Verdict::Unverified);
        assert_eq!(Bench::postgres("postgres", "shop").service("postgres").judge().verdict, Verdict::Safe);
        assert_eq!(Bench::postgres("postgres", "shop_test").judge().verdict, Verdict::Safe);
        assert_eq!(Bench::postgres("db.example", "shop_test").judge().verdict, Verdict::Unverified);
    }

    #[test]
    fn what_a_domain_s_owner_can_move_elsewhere_is_not_local() {
        for (host, expected) in [
            ("db.lvh.me", Verdict::Unverified),
            ("localtest.me", Verdict::Unverified),
            ("lvh.me.northwind-shop.net", Verdict::Production),
            // A name that says that nothing is there is a name as others are.
            ("mock.db.url", Verdict::Production),
        ] {
            assert_eq!(Bench::postgres(host, "shop_test").judge().verdict, expected, "{host}");
        }
    }

    #[test]
    fn a_cache_goes_with_the_databases_beside_it() {
        let with_cache = |database: &str| {
            let mut bench = Bench::postgres("postgres", database);
            let cache = Bench::place(Engine::Redis, Place::Host { name: "redis".into(), port: Some(6379) }, None);
            bench.targets.extend(cache.targets);
            bench.judge().verdict
        };
        assert_eq!(with_cache("shop_test"), Verdict::Safe);
        assert_eq!(with_cache("shop"), Verdict::Unverified);
        let alone = Bench::place(Engine::Redis, Place::Host { name: "redis".into(), port: Some(6379) }, None);
        assert_eq!(alone.judge().verdict, Verdict::Unverified);
    }

    #[test]
    fn a_hosts_file_shows_a_name_to_be_this_machine() {
        let judge = |name: &str| {
            Bench::postgres(name, "shop")
                .machine(|machine| {
                    machine.hosts.push(("127.0.0.1".parse().unwrap(), vec!["postgres".into(), "db.test".into()]))
                })
                .judge()
                .verdict
        };
        assert_eq!(judge("postgres"), Verdict::Safe);
        assert_eq!(judge("db.test"), Verdict::Safe);
        assert_eq!(judge("other"), Verdict::Unverified);
    }
}
