//! The survey: every plausible reading of the environment that a command would see.
//!
//! It asks which program would run, in which mode, and which loaders that makes plausible; each of them gives one
//! [`Reading`] for each way its files can be understood. It judges nothing.

mod asked_files;
mod command_files;
mod input;
mod named_files;
mod scenes;
mod wrapper_files;

use std::path::PathBuf;

use crate::environment::follow::shell_scripts::take_texts;
use crate::environment::follow::{Step, steps};
use crate::environment::layering::readings_builder::Built;
use crate::environment::layering::{Library, ReadingsBuilder, StartEnvironment};
use crate::environment::{Condition, Derivation, FileProblem, Invocation, Reading};

pub(crate) use crate::environment::survey::input::SurveyInput;

/// What [`survey`] found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The plausible environments, the process environment alone first; none twice.
    pub(crate) readings: Vec<Reading>,
    /// What the command visibly stands for, the command line first; empty where no command is asked about.
    pub(crate) invocations: Vec<Invocation>,
    /// The files that were read for values, absolute.
    pub(crate) files: Vec<PathBuf>,
    /// What is wrong with files that a loader would read, by file and line.
    pub(crate) problems: Vec<FileProblem>,
    /// Facts that a judge turns into findings.
    pub(crate) conditions: Vec<Condition>,
    /// How tests derive databases from the configured ones.
    pub(crate) derivations: Vec<Derivation>,
    /// The loaders that were taken for plausible, by name.
    pub(crate) loaders: Vec<String>,
    /// The folders that relative paths of database files may start at, absolute.
    pub(crate) bases: Vec<PathBuf>,
    /// The folders whose manifests alone concern the command; `None` where all of the project may.
    pub(crate) confined: Option<Vec<PathBuf>>,
}

/// Finds every plausible reading of the environment that a command would see.
///
/// Never fails: what keeps a file from being read is in [`Survey::problems`] and [`Survey::conditions`].
#[must_use]
pub(crate) fn survey(input: &SurveyInput<'_>) -> Survey {
    let library = Library::new(input.files, input.project);
    let steps = input
        .command
        .map_or_else(Vec::new, |command| steps(command, input.process, input.project, input.files, &library.gaps));
    let mut readings = ReadingsBuilder::new(&library, input.project);
    readings.add_base(&input.project.folder);

    for host in StartEnvironment::of_process(input.process) {
        add_process_reading(&host, &steps, &mut readings);
        scenes::add(input, &host, &steps, &library, &mut readings);
        asked_files::add_extra_files(input, &host, &library, &mut readings);
    }
    let Built { readings, mut conditions, derivations, loaders, bases, confined } = readings.finish();
    let (files, problems, of_files) = library.into_parts();
    conditions.extend(of_files);
    conditions.extend(protection_disabled(&readings));
    let invocations = steps.into_iter().map(invocation_of).collect();
    Survey { readings, invocations, files, problems, conditions, derivations, loaders, bases, confined }
}

fn invocation_of(mut step: Step) -> Invocation {
    if step.stands_for_others {
        take_texts(&mut step.invocation.words);
    }
    step.invocation
}

/// Adds the process environment as the command gets it: with the assignments that stand before all of it.
fn add_process_reading(host: &StartEnvironment, steps: &[Step], readings: &mut ReadingsBuilder<'_>) {
    let mut leaves = steps.iter().filter(|step| !step.stands_for_others);
    let Some(first) = leaves.next() else { return readings.add_environment("process environment", host) };
    let mut common = first.invocation.clone();
    for step in leaves {
        let same = common.assignments.iter().zip(&step.invocation.assignments).take_while(|(one, other)| one == other);
        let count = same.count();
        common.assignments.truncate(count);
    }
    readings.add_environment("process environment", &host.with_assignments(&common));
}

/// Finds the variable that makes Rails let `db:drop` through to production, whatever its value, where a loader sets it.
fn protection_disabled(readings: &[Reading]) -> Option<Condition> {
    let setting = readings.iter().find_map(|reading| reading.get("DISABLE_DATABASE_ENVIRONMENT_CHECK"))?;
    Some(Condition::ProtectionDisabled { origin: setting.origin.clone() })
}

#[cfg(test)]
mod tests;
