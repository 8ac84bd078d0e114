//! Managed providers, recognised by the end of a host name, an ARN or an instance's name.
//!
//! A managed host is not this machine, whatever its database is called.

use crate::lists::{List, list};

static PROVIDERS: List = list!("providers.txt");

/// First labels of hosts that providers serve pages and interfaces of their own from.
const WEB_SERVICES: &[&str] =
    &["api", "app", "auth", "cloud", "console", "dashboard", "docs", "qstash", "status", "www"];

/// Finds the rows of the list that `host` (lower case) ends in, the longest ending first.
fn rows(host: &str) -> impl Iterator<Item = (&str, &'static str, &'static str)> {
    let starts = [0].into_iter().chain(host.match_indices('.').map(|(at, _)| at + 1));
    starts.filter_map(|start| {
        let (what, provider) = PROVIDERS.find(&host[start..])?.split_once(' ')?;
        Some((&host[..start], what, provider.trim_start()))
    })
}

/// Finds the provider that runs `host` (lower case) by its ending.
///
/// `dpg-<id>-a` is Render's internal name of a PostgreSQL server, `red-<id>` of a Redis one; they have one label only.
#[must_use]
pub(crate) fn provider_of_host(host: &str) -> Option<&'static str> {
    if let Some((_, _, provider)) = rows(host).next() {
        return Some(provider);
    }
    let postgres = host.starts_with("dpg-") && host.ends_with("-a") && host.len() > 10 && !host.contains('.');
    let id = host.strip_prefix("red-c").filter(|id| id.len() >= 15);
    let redis = id.is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    (postgres || redis).then_some("Render")
}

/// Tells whether `host` (lower case) can only be a database's, by its ending: it is one whatever its variable is
/// called.
#[must_use]
pub(crate) fn serves_only_databases(host: &str) -> bool {
    // `dpg-<id>-a.frankfurt-postgres.render.com`
    let region_of_render = host.starts_with("dpg-") && host.ends_with("-postgres.render.com");
    // A provider's own services on the web stand beside the databases: `console.neon.tech`, `qstash-eu-1.upstash.io`.
    let is_web = |front: &str| {
        let first = front.split('.').next().unwrap_or_default();
        WEB_SERVICES.contains(&first) || first.split('-').next() == Some("qstash")
    };
    region_of_render || rows(host).any(|(front, what, _)| what == "databases" && front.len() > 1 && !is_web(front))
}

/// Finds the provider behind an instance's name, an ARN or a socket folder of a connector.
#[must_use]
pub(crate) fn provider_of_instance(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    if lower.starts_with("arn:aws") {
        return Some("Amazon Web Services");
    }
    if lower.starts_with("/cloudsql/") || lower.starts_with("cloudsql/") {
        return Some("Google Cloud SQL");
    }
    if lower.starts_with("prisma:") || lower.starts_with("prisma+postgres:") {
        return Some("Prisma");
    }
    let parts: Vec<&str> = lower.split(':').collect();
    // `project:region:instance`, as Cloud SQL's connectors take it; a region has a hyphen and ends in a digit.
    let is_region = |text: &str| text.contains('-') && text.ends_with(|c: char| c.is_ascii_digit());
    if parts.len() >= 3 && is_region(parts[parts.len() - 2]) {
        return Some("Google Cloud SQL");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_providers_are_named() {
        let cases = [
            ("shop.cluster-c0ffee.eu-west-1.rds.amazonaws.com", Some("Amazon RDS")),
            ("ep-cool-12345.eu-central-1.aws.neon.tech", Some("Neon")),
            ("aws-0-eu-west-1.pooler.supabase.com", Some("Supabase")),
            ("dpg-abcdefgh12345-a", Some("Render")),
            ("red-cabc0123456789defghi", Some("Render")),
            ("red-cache", None),
            ("red-carpet-redis-server-1", None),
            ("shop-db.flycast", Some("Fly.io")),
            ("postgres.production.svc.cluster.local", Some("a Kubernetes cluster")),
            ("neon.tech.evil.net", None),
            ("notneon.tech", None),
            ("db.northwind-shop.net", None),
            ("postgres", None),
        ];
        for (host, provider) in cases {
            assert_eq!(provider_of_host(host), provider, "{host}");
        }
    }

    #[test]
    fn endings_under_which_there_are_only_databases_are_told_from_others() {
        for host in
            ["x.rds.amazonaws.com", "c0.mongodb.net", "dpg-x-a.frankfurt-postgres.render.com", "a.proxy.rlwy.net"]
        {
            assert!(serves_only_databases(host), "{host}");
        }
        for host in [
            "shop.fly.dev",
            "shop.up.railway.app",
            "x.supabase.co",
            "s3.amazonaws.com",
            "evilmongodb.net",
            "mongodb.net",
        ] {
            assert!(!serves_only_databases(host), "{host}");
        }
    }

    #[test]
    fn every_row_says_what_is_there_and_who_runs_it() {
        for (ending, row) in PROVIDERS.iter() {
            let known = |what: &str| ["databases", "anything"].contains(&what);
            assert!(
                row.split_once(' ').is_some_and(|(what, provider)| known(what) && !provider.is_empty()),
                "{ending}"
            );
        }
    }

    #[test]
    fn instances_of_providers_are_named() {
        let cases = [
            ("contoso-prod:europe-west1:main", Some("Google Cloud SQL")),
            ("/cloudsql/contoso-prod:europe-west1:main", Some("Google Cloud SQL")),
            ("arn:aws:rds:eu-west-1:123456789012:cluster:shop", Some("Amazon Web Services")),
            ("shop_high", None),
        ];
        for (name, provider) in cases {
            assert_eq!(provider_of_instance(name), provider, "{name}");
        }
    }
}
