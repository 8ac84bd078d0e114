//! `host-production-word`: a label of the host says prod, production or live; or primary or master, unless the
//! project's own files declare that host.

use crate::reach::{Place, has_gap};
use crate::verdict::locality::declared;
use crate::verdict::subject::{Subject, origin_of, point_elsewhere, production};
use crate::verdict::{Finding, words};

/// The id of this rule.
pub(crate) const ID: &str = "host-production-word";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let policy = subject.evidence.policy;
    let mut findings = Vec::new();
    for (at, target, _) in subject.targets() {
        let Some(origin) = origin_of(target) else { continue };
        for place in &target.places {
            let Place::Host { name, port } = place else { continue };
            if policy.production.names_host(name) {
                findings.push(production(
                    ID,
                    at,
                    origin,
                    format!("the policy says that the host `{name}` is production"),
                    point_elsewhere(target),
                ));
                continue;
            }
            // What was never filled in is `value-unclear`.
            if has_gap(name) {
                continue;
            }
            let word = words::production_word(name, &policy.production.words);
            let leading = words::has_word(name, &["primary", "master"])
                && declared(name, subject.evidence.services).is_none()
                && !policy.allows_host(name, *port);
            if let Some(word) = word.or(leading.then_some("primary or master")) {
                findings.push(production(
                    ID,
                    at,
                    origin,
                    format!("the host's name `{name}` says production (`{word}`)"),
                    point_elsewhere(target),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::verdict::Verdict;
    use crate::verdict::testing::Bench;

    #[test]
    fn host_production_word_is_found_in_single_labels() {
        let cases = [
            ("postgres-prod", Verdict::Production),
            ("live-db", Verdict::Production),
            ("pg-primary", Verdict::Production),
            ("mysql-master", Verdict::Production),
            ("product-db", Verdict::Safe),
            ("db", Verdict::Safe),
        ];
        for (host, verdict) in cases {
            assert_eq!(Bench::postgres(host, "app_test").judge().verdict, verdict, "{host}");
        }
    }

    #[test]
    fn a_declared_primary_is_the_projects_own_but_a_declared_prod_is_not() {
        assert_eq!(Bench::postgres("pg-primary", "app").service("pg-primary").judge().verdict, Verdict::Safe);
        assert_eq!(Bench::postgres("pg-prod", "app").service("pg-prod").judge().verdict, Verdict::Production);
    }

    #[test]
    fn a_policy_names_hosts_by_pattern() {
        let judgement = Bench::postgres("localhost", "app_test")
            .policy(|policy| policy.production.hosts.push("local*".into()))
            .judge();
        assert_eq!(judgement.verdict, Verdict::Production);
    }
}
