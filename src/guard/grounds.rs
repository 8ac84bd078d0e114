//! What the rules of a watch follow from.

use crate::own_tools::ToolEnvironment;
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
    /// The hosts that the project's own remotes are fetched from by ssh, in lower case.
    pub(crate) git_hosts: &'a [String],
    /// The process environment.
    pub(crate) environment: &'a [(String, String)],
    /// Where programs of ours come from.
    pub(crate) tools: &'a ToolEnvironment,
}

impl<'a> Grounds<'a> {
    /// Lists the variables of the process environment.
    pub(super) fn environment(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Lists the targets that have a receipt, by their indices.
    pub(super) fn cleared(&self) -> impl Iterator<Item = (usize, &'a Target, &'a Receipt)> {
        let targets = self.targets.iter().copied().enumerate();
        targets.filter_map(|(at, target)| Some((at, target, self.receipts.iter().find(|one| one.target() == at)?)))
    }

    /// Lists the hosts and ports that the policy allows.
    pub(super) fn allowed(&self) -> impl Iterator<Item = (String, u16)> {
        self.policy.allow.iter().filter_map(|pair| host_and_port(pair))
    }
}

/// Reads `host:port`; the host of IPv6 may stand in brackets.
fn host_and_port(pair: &str) -> Option<(String, u16)> {
    let (host, port) = pair.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some((host.to_ascii_lowercase(), port.parse().ok()?))
}
