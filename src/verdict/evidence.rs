//! Everything that a verdict is a function of.

use crate::environment::{Condition, DriverEvidence, FileProblem, Project, Service, Setting};
use crate::policy::Policy;
use crate::reach::Target;
use crate::verdict::Machine;

/// The database files that lie in the project.
#[derive(Clone, Copy)]
pub(crate) struct Lying<'a> {
    /// How many of the targets they are: the last ones.
    pub(crate) count: usize,
    /// Why not all of the project was looked through, a phrase; `None` where it was.
    pub(crate) cut: Option<&'a str>,
}

#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// What the command could reach.
    pub(crate) targets: &'a [Target],
    /// Pairs of targets that their servers showed to be one database, by their indices.
    pub(crate) same_database: &'a [(usize, usize)],
    /// What of it lies in the project without being named; `None` where nobody has looked.
    pub(crate) lying: Option<Lying<'a>>,
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
    /// The drivers that the project's manifests name; `None` where nobody has looked.
    pub(crate) drivers: Option<&'a DriverEvidence>,
    /// The database client that the command is, where it is one.
    pub(crate) client: Option<&'a str>,
    /// What the command does to databases without connecting to them, a phrase.
    pub(crate) unseen: Option<&'a str>,
    /// The policy in force.
    pub(crate) policy: &'a Policy,
    /// The folders that the command is judged in.
    pub(crate) project: &'a Project,
}

impl Evidence<'_> {
    /// Tells whether any target is named, by a value, a file or the command's own words.
    pub(crate) fn names_a_database(&self) -> bool {
        self.targets.len() > self.lying.map_or(0, |lying| lying.count)
    }
}
