//! The rules, one a file: each looks at the whole evidence and says what it found.

mod broken_file;
mod cached_configuration;
mod certificate_authentication;
mod container_environment;
mod database_name_production;
mod duplicate_key;
mod environment_file_missing;
mod environment_production;
mod file_unreadable;
mod host_managed;
mod host_production_word;
mod host_remote;
mod host_unknown;
mod injected_environment;
mod machine_production;
mod no_database;
mod one_database_two_names;
mod platform_production;
mod protection_disabled;
mod replica_or_cluster;
mod shadow_database;
mod value_unclear;

pub(crate) use crate::verdict::rules::machine_production::MARK as MACHINE_MARK;

use crate::environment::Origin;
use crate::reach::Target;
use crate::verdict::locality::{Located, locate};
use crate::verdict::{Evidence, Finding, Level, words};

/// One rule.
pub(crate) type Check = fn(&Subject<'_>) -> Vec<Finding>;

/// Every rule, in the order of the README.
pub(crate) const ALL: [Check; 22] = [
    environment_production::check,
    platform_production::check,
    machine_production::check,
    database_name_production::check,
    host_remote::check,
    host_managed::check,
    host_production_word::check,
    replica_or_cluster::check,
    certificate_authentication::check,
    host_unknown::check,
    value_unclear::check,
    one_database_two_names::check,
    shadow_database::check,
    cached_configuration::check,
    environment_file_missing::check,
    injected_environment::check,
    container_environment::check,
    file_unreadable::check,
    duplicate_key::check,
    protection_disabled::check,
    broken_file::check,
    no_database::check,
];

/// The evidence with the places of its targets already located.
pub(crate) struct Subject<'a> {
    pub(crate) evidence: &'a Evidence<'a>,
    /// The places of each target, in the order of the targets.
    pub(crate) located: Vec<Vec<Located<'a>>>,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(evidence: &'a Evidence<'a>) -> Self {
        Subject { evidence, located: evidence.targets.iter().map(|target| locate(target, evidence)).collect() }
    }

    /// The targets with their index and located places.
    fn targets(&self) -> impl Iterator<Item = (usize, &'a Target, &[Located<'a>])> {
        self.evidence
            .targets
            .iter()
            .zip(&self.located)
            .enumerate()
            .map(|(at, (target, located))| (at, target, located.as_slice()))
    }

    /// Whether every place of every target is positively local and every database is named like a test's.
    fn everything_is_local_and_test_shaped(&self) -> bool {
        self.targets().all(|(_, target, located)| {
            let in_memory = located.iter().all(|place| place.locality == crate::verdict::Locality::Memory);
            located.iter().all(|place| place.locality.is_local())
                && (in_memory
                    || target.engine.is_auxiliary()
                    || target.database.as_deref().is_some_and(words::is_test_shaped))
        }) && !self.evidence.targets.is_empty()
    }
}

/// A production finding about a target.
fn production(rule: &'static str, target: usize, origin: &Origin, message: String, remedy: String) -> Finding {
    Finding { rule, level: Level::Production, target: Some(target), message, remedy, origin: Some(origin.clone()) }
}

/// A finding that a target is not shown to be safe.
fn unverified(rule: &'static str, target: usize, origin: Option<&Origin>, message: String, remedy: String) -> Finding {
    Finding { rule, level: Level::Unverified, target: Some(target), message, remedy, origin: origin.cloned() }
}

/// What a rule would have found about a target if the policy did not allow it.
fn allowed(rule: &'static str, target: usize, origin: &Origin, message: String) -> Finding {
    let level = Level::Note;
    Finding { rule, level, target: Some(target), message, remedy: String::new(), origin: Some(origin.clone()) }
}

/// A finding about the run and none of its targets.
fn about_the_run(rule: &'static str, level: Level, message: String, remedy: String, origin: Option<Origin>) -> Finding {
    Finding { rule, level, target: None, message, remedy, origin }
}

/// The variable that names the place of a target.
fn origin_of(target: &Target) -> Option<&Origin> {
    target.origins.first()
}

/// What to set instead: the remedy that most findings about a target share.
fn point_elsewhere(target: &Target) -> String {
    let variable = origin_of(target).map_or("it", |origin| origin.variable.as_str());
    format!("point {variable} at a database on this machine that is made for tests")
}
