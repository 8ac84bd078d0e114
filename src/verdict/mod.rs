//! May any of the databases that the command could reach be production?
//!
//! Each production indicator is a rule with an id and a file of its own in `rules/`; every rule looks at the whole
//! [`Evidence`] and adds [`Finding`]s. The worst finding is the verdict. The verdict is a function of the evidence
//! and has no memory. Nothing here reads a file, asks DNS or connects.
#![forbid(unsafe_code)]

mod addresses;
mod environment_names;
mod evidence;
mod locality;
mod machine;
mod model;
mod remedy;
mod rules;
mod subject;
#[cfg(test)]
mod testing;
mod unnamed;
mod words;

#[cfg(target_os = "linux")]
pub(crate) use crate::verdict::addresses::parse_address;
pub(crate) use crate::verdict::addresses::{is_this_machine, may_be_one_server};
pub(crate) use crate::verdict::environment_names::environment_names;
pub(crate) use crate::verdict::evidence::{Evidence, Lying};
pub(crate) use crate::verdict::locality::{Locality, Surroundings};
#[cfg(target_os = "linux")]
pub(crate) use crate::verdict::machine::is_bridge_name;
pub(crate) use crate::verdict::machine::{Interface, Machine};
pub(crate) use crate::verdict::model::{Finding, JudgedTarget, Judgement, Level, Verdict};
pub(crate) use crate::verdict::remedy::Remedy;
pub(crate) use crate::verdict::rules::MACHINE_MARK;

use crate::verdict::subject::Subject;

/// Judges the run: every rule on every target, the worst finding wins.
pub(crate) fn judge(evidence: &Evidence<'_>) -> Judgement {
    let subject = Subject::new(evidence);
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
    Judgement::new(located, findings, evidence.environment.to_vec(), unnamed::hindrance(evidence))
}
