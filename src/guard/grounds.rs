//! What the rules of a watch follow from.

use crate::policy::GuardRules;
use crate::reach::Target;
use crate::snapshot::Receipt;

/// The run as it was judged and saved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grounds<'a> {
    /// Every judged target, in the order of the judgement.
    pub(crate) targets: &'a [&'a Target],
    /// What was done about each.
    pub(crate) receipts: &'a [Receipt],
    /// What the policy says of the guard.
    pub(crate) policy: &'a GuardRules,
    /// Whether the run goes on though nothing that names its databases was found.
    pub(crate) is_unnamed: bool,
    /// Whether a person reads what is said, who may loosen something.
    pub(crate) is_person: bool,
    /// The process environment.
    pub(crate) environment: &'a [(String, String)],
}

impl<'a> Grounds<'a> {
    /// Lists the variables of the process environment.
    pub(super) fn environment(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
