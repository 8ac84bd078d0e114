//! Which variables name an environment: `APP_ENV`, `RAILS_ENV`, `SPRING_PROFILES_ACTIVE`, and their like.

use crate::collections::{HashMap, HashSet};
use crate::environment::{Invocation, Origin, Reading, Setting, is_plain, named_environment};
use crate::lists::{List, list};

static NAMES: List = list!("environment_names.txt");
static FOREIGN_SERVICES: List = list!("foreign_services.txt");

/// Endings that make a name an environment's, unless a service of somebody else owns the name.
const ENDINGS: [&str; 7] =
    ["_ENV", "_ENVIRONMENT", "_ENVIRONMENT_NAME", "_STAGE", "_PROFILES_ACTIVE", "_ENV_NAME", "_RUN_MODE"];

/// How a variable tells of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameKind {
    /// Its value is a name, or a list of names.
    Named,
    /// Its value is on or off.
    Flag,
}

/// Finds how a variable tells of the environment, if it does.
pub(crate) fn kind_of(variable: &str) -> Option<NameKind> {
    let upper = variable.replace(['.', '-'], "_").to_uppercase();
    let upper = upper.as_str();
    match NAMES.find(upper) {
        Some("flag") => return Some(NameKind::Flag),
        Some(_) => return Some(NameKind::Named),
        None => {}
    }
    let is_foreign = || upper.match_indices('_').any(|(at, _)| FOREIGN_SERVICES.contains(&upper[..at]));
    let named = ENDINGS.iter().any(|ending| upper.ends_with(ending)) && !is_foreign();
    named.then_some(NameKind::Named)
}

/// Lists the environment names that plausible loaders would set, each different value once.
///
/// An assignment in front of every command (`NODE_ENV=test jest`) replaces what the environment says; one that is to be
/// filled in (`NODE_ENV=$1 jest`) does not: what it comes to stands in the readings.
#[must_use]
pub(crate) fn environment_names<'a>(readings: &'a [Reading], invocations: &'a [Invocation]) -> Vec<Setting> {
    let mut names: Vec<Setting> = Vec::new();
    let mut seen: HashSet<Setting> = HashSet::default();
    let mut add = |setting: Setting| {
        if !setting.value.trim().is_empty() && seen.insert(setting.clone()) {
            names.push(setting);
        }
    };
    let assigned_everywhere = |name: &str| {
        !invocations.is_empty()
            && invocations.iter().all(|one| {
                let assigned = one.assignments.iter().rev().find(|(assigned, _)| assigned == name);
                assigned.is_some_and(|(_, value)| !value.contains(['$', '`']))
            })
    };
    // The readings mostly hold the same variables.
    let mut known: HashMap<&'a str, bool> = HashMap::default();
    let mut is_name = |name: &'a str| *known.entry(name).or_insert_with(|| kind_of(name).is_some());
    for setting in readings.iter().flat_map(|reading| &reading.settings) {
        if is_name(&setting.name) && !assigned_everywhere(&setting.name) {
            add(Setting::clone(setting));
        }
    }
    // What a compiler or `rm` is given says nothing, unless nothing else runs.
    let is_plain = |one: &&Invocation| is_plain(one);
    let all_plain = invocations.iter().all(|one| is_plain(&one));
    for invocation in invocations.iter().filter(|one| all_plain || !is_plain(one)) {
        if let Some((name, value)) = named_environment(invocation) {
            add(Setting { name, value, origin: invocation.origin.clone(), unresolved: None });
        }
        // Of several assignments of one name the last counts.
        let mut later = HashSet::default();
        let named = invocation.assignments.iter().rev().filter(|(name, _)| is_name(name));
        let last: Vec<_> = named.filter(|(name, _)| later.insert(name)).collect();
        for (name, value) in last.into_iter().rev() {
            let origin = Origin { variable: name.clone(), ..invocation.origin.clone() };
            add(Setting { name: name.clone(), value: value.clone(), origin, unresolved: None });
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_names_are_told_from_other_variables() {
        for name in [
            "APP_ENV",
            "NODE_ENV",
            "DJANGO_SETTINGS_MODULE",
            "SPRING_PROFILES_ACTIVE",
            "spring.profiles.active",
            "SHOP_ENV",
            "STAGE",
            "MYAPP_ENVIRONMENT",
        ] {
            assert_eq!(kind_of(name), Some(NameKind::Named), "{name}");
        }
        for name in ["IS_PRODUCTION", "PRODUCTION"] {
            assert_eq!(kind_of(name), Some(NameKind::Flag), "{name}");
        }
        for name in [
            "STRIPE_LIVE",
            "S3_BUCKET",
            "MAIL_HOST",
            "SENTRY_ENVIRONMENT",
            "DD_ENV",
            "VIRTUAL_ENV",
            "PATH",
            "DATABASE_URL",
            "CONDA_ENV",
        ] {
            assert_eq!(kind_of(name), None, "{name}");
        }
    }

    #[test]
    fn an_assignment_before_every_command_replaces_the_environment() {
        let reading = Reading {
            loader: "process environment".into(),
            settings: vec![Setting::known("NODE_ENV", "production", Origin::process("NODE_ENV")).into()],
        };
        let invocation = |assignments: &[(&str, &str)]| Invocation {
            unknown: Vec::new(),
            assignments: assignments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            words: vec!["jest".into()],
            origin: Origin::process("command"),
            places: std::rc::Rc::default(),
        };
        let values = |invocations: &[Invocation]| -> Vec<String> {
            environment_names(std::slice::from_ref(&reading), invocations).into_iter().map(|name| name.value).collect()
        };
        assert_eq!(values(&[]), ["production"]);
        assert_eq!(values(&[invocation(&[("NODE_ENV", "test")])]), ["test"]);
        assert_eq!(values(&[invocation(&[("NODE_ENV", "test")]), invocation(&[])]), ["production", "test"]);
    }

    #[test]
    fn every_name_is_a_name_or_a_flag() {
        for (name, kind) in NAMES.iter() {
            assert!(["name", "flag"].contains(&kind), "{name}");
        }
    }
}
