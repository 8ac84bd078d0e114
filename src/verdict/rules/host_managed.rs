//! `host-managed`: the host, socket, ARN or instance name belongs to a managed provider.

use crate::reach::{Engine, Place, has_gap, provider_of_host, provider_of_instance};
use crate::verdict::Finding;
use crate::verdict::subject::{Subject, allowed, origin_of, point_elsewhere, production};

/// The id of this rule.
pub(crate) const ID: &str = "host-managed";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, target, _) in subject.targets() {
        let Some(origin) = origin_of(target) else { continue };
        for place in &target.places {
            let (name, provider) = match place {
                // What was never filled in is `value-unclear`.
                Place::Host { name, .. } | Place::Instance { name } if has_gap(name) => continue,
                Place::Host { name, port } if subject.evidence.policy.allows_host(name, *port) => {
                    findings.extend(provider_of_host(name).map(|provider| {
                        allowed(ID, at, origin, format!("`{name}` belongs to {provider}; the policy allows it"))
                    }));
                    continue;
                }
                Place::Host { name, .. } => (name.clone(), provider_of_host(name)),
                Place::Socket { path, .. } => {
                    let path = path.to_string_lossy().into_owned();
                    let provider = provider_of_instance(&path);
                    (path, provider)
                }
                Place::Instance { name } if target.engine == Engine::Dynamodb => {
                    (name.clone(), Some("Amazon DynamoDB"))
                }
                Place::Instance { name } => {
                    (name.clone(), Some(provider_of_instance(name).unwrap_or("a provider or service")))
                }
                Place::File { .. } | Place::Memory => continue,
            };
            if let Some(provider) = provider {
                findings.push(production(
                    ID,
                    at,
                    origin,
                    format!("`{name}` belongs to {provider}"),
                    point_elsewhere(target),
                ));
            }
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
    fn host_managed_names_the_provider() {
        let cases = [
            (Place::Host { name: "shop.c0ffee.eu-west-1.rds.amazonaws.com".into(), port: None }, "Amazon RDS"),
            (Place::Socket { path: "/cloudsql/contoso:europe-west1:main".into(), port: None }, "Google Cloud SQL"),
            (Place::Instance { name: "arn:aws:rds:eu-west-1:1:cluster:shop".into() }, "Amazon Web Services"),
            (Place::Instance { name: "shop_high".into() }, "a provider or service"),
            (Place::Host { name: "dpg-abcdefgh12345-a".into(), port: None }, "Render"),
        ];
        let gap = Place::Host { name: "<cluster>.mongodb.net".into(), port: None };
        assert_eq!(Bench::place(Engine::Mongodb, gap, Some("app")).judge().verdict, Verdict::Unverified);
        for (place, provider) in cases {
            let judgement = Bench::place(Engine::Postgres, place.clone(), Some("app_test")).judge();
            assert_eq!(judgement.verdict, Verdict::Production, "{place:?}");
            assert!(
                judgement
                    .findings
                    .iter()
                    .any(|finding| finding.rule == super::ID && finding.message.contains(provider)),
                "{place:?}"
            );
        }
    }
}
