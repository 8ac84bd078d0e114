//! `environment-production`: an environment name says production, prod or live.

use super::Subject;
use crate::verdict::names::{NameKind, kind_of};
use crate::verdict::{Finding, Level, words};

/// The id of this rule.
pub(super) const ID: &str = "environment-production";

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
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
        let pair = format!("{}={}", name.name, name.value.trim());
        let message = format!("the environment name {pair} says production");
        let silenced = policy.allow.environments.contains(&pair) && subject.everything_is_local_and_test_shaped();
        findings.push(Finding {
            rule: ID,
            level: if silenced { Level::Note } else { Level::Production },
            target: None,
            message: if silenced {
                format!("{message}; the policy allows it while every target is local and test-shaped")
            } else {
                message
            },
            remedy: format!("set {} to the name of a test environment for this command", name.name),
            origin: Some(name.origin.clone()),
        });
    }
    findings
}

/// Whether one of the names in a value (`prod,cloud`, `shop.settings.production`) says production; a profile that
/// is negated (`!prod`) does not.
fn named_production(value: &str, own_words: &[String]) -> bool {
    value
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
        ] {
            assert!(named_production(value, &[]), "{value}");
        }
        for value in ["testing", "preprod", "nonprod", "!prod", "development", "staging", "product", "", "test,local"] {
            assert!(!named_production(value, &[]), "{value}");
        }
    }

    #[test]
    fn environment_production_takes_flags_as_flags() {
        assert!(is_on("true") && is_on(" 1 ") && is_on("YES"));
        assert!(!is_on("false") && !is_on("0") && !is_on("") && !is_on("never"));
    }
}
