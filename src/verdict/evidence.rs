//! Everything that a verdict is a function of.

use crate::environment::{Condition, DriverEvidence, FileProblem, Project, Service, Setting};
use crate::policy::Policy;
use crate::reach::Target;
use crate::verdict::Machine;

#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// What the command could reach.
    pub(crate) targets: &'a [Target],
    /// The environment names that a plausible loader would set, from [`environment_names`](crate::verdict::environment_names()).
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
