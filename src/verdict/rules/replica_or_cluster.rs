//! `replica-or-cluster`: a read replica, a cluster endpoint, `mongodb+srv`, or several hosts.

use crate::reach::{Place, has_gap};
use crate::verdict::locality::declared;
use crate::verdict::subject::{Subject, origin_of, point_elsewhere, production};
use crate::verdict::{Finding, words};

/// The id of this rule.
pub(crate) const ID: &str = "replica-or-cluster";

/// Words in a host's name that only replicated set-ups use.
const WORDS: [&str; 9] =
    ["replica", "replicas", "readonly", "reader", "standby", "slave", "follower", "secondary", "cluster"];

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, target, located) in subject.targets() {
        let Some(origin) = origin_of(target) else { continue };
        let all_local = located.iter().all(|place| place.locality.is_local());
        let mut found = |message: String| findings.push(production(ID, at, origin, message, point_elsewhere(target)));
        let is_gap = |place: &Place| matches!(place, Place::Host { name, .. } if has_gap(name));
        if target.places.iter().all(is_gap) {
            continue;
        }
        if target.is_srv() && !all_local {
            found("mongodb+srv looks the servers of a cluster up in DNS".to_owned());
        }
        if target.places.len() > 1 && !all_local {
            found(format!("{} hosts are named, and not all of them are positively local", target.places.len()));
        }
        for place in &target.places {
            let Place::Host { name, port } = place else { continue };
            let is_own =
                declared(name, subject.evidence.services).is_some() || subject.evidence.policy.allows_host(name, *port);
            if !is_own && (words::has_word(name, &WORDS) || is_cluster_endpoint(name)) {
                found(format!("the host's name `{name}` is a replica's or a cluster's"));
            }
        }
    }
    findings
}

/// Aurora's endpoints: `<name>.cluster-<id>.…`, `<name>.cluster-ro-<id>.…`, `<name>.proxy-<id>.…`, `<name>.global-<id>.…`.
///
/// Source: the host patterns of AWS's JDBC wrapper.
fn is_cluster_endpoint(host: &str) -> bool {
    host.ends_with(".rds.amazonaws.com")
        && host
            .split('.')
            .any(|label| ["cluster-", "proxy-", "shardgrp-", "global-"].iter().any(|start| label.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use crate::reach::{Engine, Place};
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    fn hosts(names: &[&str]) -> Bench {
        let mut bench = Bench::postgres(names[0], "app_test");
        for name in &names[1..] {
            bench.targets[0].places.push(Place::Host { name: (*name).to_owned(), port: Some(5432) });
        }
        bench
    }

    #[test]
    fn replica_or_cluster_lets_several_hosts_pass_only_when_all_are_local() {
        assert_eq!(hosts(&["127.0.0.1", "::1"]).judge().verdict, Verdict::Safe);
        let mixed = hosts(&["127.0.0.1", "db2.northwind-shop.net"]).judge();
        assert!(mixed.findings.iter().any(|finding| finding.rule == super::ID));
    }

    #[test]
    fn replica_or_cluster_goes_by_the_words_of_a_host() {
        for host in
            ["pg-replica-1", "db-standby", "redis-cluster", "shop.cluster-ro-c0ffee.eu-west-1.rds.amazonaws.com"]
        {
            let judgement = Bench::postgres(host, "app_test").judge();
            assert!(judgement.findings.iter().any(|finding| finding.rule == super::ID), "{host}");
        }
        assert_eq!(Bench::postgres("pg-replica", "app_test").service("pg-replica").judge().verdict, Verdict::Safe);
    }

    #[test]
    fn replica_or_cluster_takes_srv_as_a_cluster() {
        let place = Place::Host { name: "dev.ab1cd.mongodb.net".into(), port: None };
        let mut bench = Bench::place(Engine::Mongodb, place, Some("shop_test"));
        bench.targets[0].parameters.push(("srv".into(), "true".into()));
        assert!(bench.judge().findings.iter().any(|finding| finding.rule == super::ID));
    }
}
