//! `environment-production`: an environment name says production, prod or live.
//!
//! A file that is named for an environment (`.env.production`, `application-prod.yml`, `.envs/.production/`) is such
//! a name too, once something loads a database from it: the name is what the mode selects it by.

use std::path::Path;

use crate::secret::{redact_name, shown_path};
use crate::verdict::environment_names::{NameKind, kind_of};
use crate::verdict::rules::no_database;
use crate::verdict::subject::Subject;
use crate::verdict::{Finding, Level, words};

/// The id of this rule.
pub(crate) const ID: &str = "environment-production";

pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let policy = subject.evidence.policy;
    let mut findings = Vec::new();
    for name in subject.evidence.environment {
        let says_production = match kind_of(&name.name) {
            Some(NameKind::Named) => named_production(&name.value, &policy.production.words),
            Some(NameKind::Flag) => is_on(&name.value),
            None => false,
        };
        if !says_production {
            continue;
        }
        let pair = format!("{}={}", name.name, redact_name(name.value.trim()));
        let message = format!("the environment name {pair} says production");
        let silenced = policy.allow.environments.contains(&pair) && subject.everything_is_local_and_test_shaped();
        // A build that sets NODE_ENV says nothing about a database that the project cannot have.
        let idle = name.origin.file.is_some() && no_database::is_shown(subject);
        findings.push(Finding {
            rule: ID,
            level: if silenced || idle { Level::Note } else { Level::Production },
            target: None,
            message: if silenced {
                format!("{message}; the policy allows it while every target is local and test-shaped")
            } else if idle {
                format!("{message}; the project has no database")
            } else {
                message
            },
            remedy: format!("set {} to the name of a test environment for this command", name.name).into(),
            origin: Some(name.origin.clone()),
        });
    }
    findings.extend(production_files(subject));
    findings
}

/// Targets that can be dialled as they stand and come from a file named for production.
fn production_files(subject: &Subject<'_>) -> Vec<Finding> {
    let own_words = &subject.evidence.policy.production.words;
    let mut findings = Vec::new();
    for (at, target, _) in subject.targets().filter(|(_, target, _)| target.doubts.is_empty()) {
        let named = target.origins.iter().find_map(|origin| {
            let file = origin.file.as_deref().filter(|file| is_production_file(file, own_words))?;
            Some((origin, file))
        });
        let Some((origin, file)) = named else { continue };
        findings.push(Finding {
            rule: ID,
            level: Level::Production,
            target: Some(at),
            message: format!("the file {} is named for production", shown_path(file)),
            remedy: "run the command with the file of a test environment".into(),
            origin: Some(origin.clone()),
        });
    }
    findings
}

/// Tells whether the name of an environment file, or of a folder of the project that it is in, says production.
fn is_production_file(file: &Path, own_words: &[String]) -> bool {
    let is_ours = file.is_relative();
    let mut names = file.iter().rev().map(|name| name.to_string_lossy());
    let by_name = names.next().is_some_and(|name| words::production_word(&name, own_words).is_some());
    // A folder counts by its whole name: `live/` may be a product, `product-live/` certainly is one.
    by_name
        || (is_ours
            && names.any(|folder| {
                let folder = folder.trim_start_matches('.');
                words::is_production_word(folder) && !folder.eq_ignore_ascii_case("live")
            }))
}

/// Tells whether one of the names in a value (`prod,cloud`, `shop.settings.production`) says production; a profile that
/// is negated (`!prod`) does not.
fn named_production(value: &str, own_words: &[String]) -> bool {
    // `test # production is elsewhere`: to most loaders what follows is a comment, and no program knows such a name.
    let comment = value.match_indices('#').map(|(at, _)| at).find(|at| value[..*at].ends_with([' ', '\t']));
    value[..comment.unwrap_or(value.len())]
        .split([',', ';', ' ', '\t', '|', '&'])
        .map(|name| name.trim_matches(|c: char| c == '"' || c == '\'' || c.is_whitespace()))
        .any(|name| !name.starts_with('!') && words::production_word(name, own_words).is_some())
}

fn is_on(value: &str) -> bool {
    ["1", "true", "yes", "on", "y", "t"].iter().any(|on| value.trim().eq_ignore_ascii_case(on))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_production_is_found_in_any_case_spacing_and_list() {
        for value in [
            "production",
            "PRODUCTION",
            "production ",
            "prod",
            "prd",
            "live",
            "prod-eu-1",
            "eu,prod",
            "shop.settings.production",
            "'Production'",
            "production # of the shop",
            "a#production",
        ] {
            assert!(named_production(value, &[]), "{value}");
        }
        for value in [
            "testing",
            "preprod",
            "nonprod",
            "!prod",
            "development",
            "staging",
            "product",
            "",
            "test,local",
            "test # production",
        ] {
            assert!(!named_production(value, &[]), "{value}");
        }
    }

    #[test]
    fn environment_production_takes_flags_as_flags() {
        assert!(is_on("true") && is_on(" 1 ") && is_on("YES"));
        assert!(!is_on("false") && !is_on("0") && !is_on("") && !is_on("never"));
    }

    #[test]
    fn environment_production_knows_files_that_are_named_for_it() {
        for file in [
            ".env.production",
            ".env.prod.local",
            "src/main/resources/application-prod.yml",
            "appsettings.Production.json",
            ".envs/.production/.postgres",
            "docker/production/db.env",
            "/srv/shop/.env.production",
        ] {
            assert!(is_production_file(Path::new(file), &[]), "{file}");
        }
        for file in [
            ".env",
            ".env.testing",
            "products/.env",
            "lib/shop/live/.env",
            "config/database.yml",
            ".env.preprod",
            "/srv/production/.env",
            "production.d/x.env",
        ] {
            assert!(!is_production_file(Path::new(file), &[]), "{file}");
        }
    }
}
