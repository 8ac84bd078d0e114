//! May any of the databases that the command could reach be production?
//!
//! Each production indicator is a rule with an id and a file of its own in `rules/`; every rule looks at the whole
//! [`Evidence`] and adds [`Finding`]s. The worst finding is the verdict. The verdict is a function of the evidence
//! and has no memory. Nothing here reads a file, asks DNS or connects.
#![forbid(unsafe_code)]

mod addresses;
mod environment_names;
mod locality;
mod machine;
mod model;
mod rules;
#[cfg(test)]
mod testing;
mod words;

pub(crate) use crate::verdict::environment_names::environment_names;
pub(crate) use crate::verdict::locality::{Locality, Surroundings};
pub(crate) use crate::verdict::machine::{Interface, Machine};
pub(crate) use crate::verdict::model::{Finding, JudgedTarget, Judgement, Level, Verdict};
pub(crate) use crate::verdict::rules::MACHINE_MARK;

use crate::environment::{Condition, DriverEvidence, FileProblem, Project, Service, Setting};
use crate::policy::Policy;
use crate::reach::Target;

/// Everything that a verdict is a function of.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// What the command could reach.
    pub(crate) targets: &'a [Target],
    /// The environment names that a plausible loader would set, from [`environment_names`].
    pub(crate) environment: &'a [Setting],
    /// The names and values of the process environment, for the marks of hosting platforms.
    pub(crate) process: &'a [(String, String)],
    /// The machine that the command would run on.
    pub(crate) machine: &'a Machine,
    /// The container services that the project declares.
    pub(crate) services: &'a [Service],
    /// What the survey of the environment met besides values.
    pub(crate) conditions: &'a [Condition],
    /// What is wrong with files that a loader would read.
    pub(crate) problems: &'a [FileProblem],
    /// The drivers that the project's manifests name.
    pub(crate) drivers: &'a DriverEvidence,
    /// The database client that the command is, where it is one.
    pub(crate) client: Option<&'a str>,
    /// The policy in force.
    pub(crate) policy: &'a Policy,
    /// The folders that the command is judged in.
    pub(crate) project: &'a Project,
}

/// Judges the run: every rule on every target, the worst finding wins.
pub(crate) fn judge(evidence: &Evidence<'_>) -> Judgement {
    let subject = rules::Subject::new(evidence);
    let mut findings = Vec::new();
    for check in rules::ALL {
        findings.extend(check(&subject));
    }
    let located = subject
        .located
        .iter()
        .zip(evidence.targets)
        .map(|(places, target)| {
            let locality = places.iter().map(|place| place.locality).max().unwrap_or(Locality::Unknown);
            let shown_by =
                places.iter().filter(|place| !place.shown_by.is_empty()).map(|place| place.shown_by.clone()).collect();
            (target.clone(), locality, shown_by)
        })
        .collect();
    Judgement::new(located, findings, evidence.environment.to_vec())
}
