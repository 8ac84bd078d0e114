//! The survey: every plausible reading of the environment that a command would see.
//!
//! It asks which program would run, in which mode, and which loaders that makes plausible; each of them gives one
//! [`Reading`] for each way its files can be understood. It judges nothing.

mod command_files;
mod named_files;
mod wrapper_files;

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::environment::ecosystems;
use crate::environment::ecosystems::compose;
use crate::environment::ecosystems::row::LoadOrder;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::follow::{Effect, MOST_STEPS, Step, WrapperFile, steps};
use crate::environment::layering::readings_builder::Built;
use crate::environment::layering::{Layer, Library, ReadingsBuilder, StartEnvironment};
use crate::environment::mode::Purpose;
use crate::environment::readers::dotenv::EVERY_DIALECT;
use crate::environment::{Condition, FileProblem, Files, Invocation, ProblemKind, Project, Reading};
use crate::tools::providers;
use crate::tools::providers::Reach;

/// What a survey looks at: all of it values.
#[derive(Clone, Copy)]
pub(crate) struct SurveyInput<'a> {
    /// The process environment, as the command would inherit it.
    pub(crate) process: &'a [(OsString, OsString)],
    /// Where the command would run.
    pub(crate) project: &'a Project,
    /// The view of the file system.
    pub(crate) files: &'a dyn Files,
    /// The program and its arguments; `None` where no command is asked about.
    pub(crate) command: Option<&'a [OsString]>,
    /// `--env-file`: added to what is judged; relative paths start at the project's folder.
    pub(crate) extra_files: &'a [PathBuf],
    /// The policy's `[environment] files`, which replace discovery; relative paths start at the root.
    pub(crate) only_files: Option<&'a [PathBuf]>,
}

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
    /// The loaders that were taken for plausible, by name.
    pub(crate) loaders: Vec<String>,
    /// The folders that relative paths of database files may start at, absolute.
    pub(crate) bases: Vec<PathBuf>,
}

/// Groups of steps beyond this many are not followed.
const MOST_SCENES: usize = 128;

/// Finds every plausible reading of the environment that a command would see.
///
/// Never fails: what keeps a file from being read is in [`Survey::problems`] and [`Survey::conditions`].
#[must_use]
pub(crate) fn survey(input: &SurveyInput<'_>) -> Survey {
    let library = Library::new(input.files, input.project);
    let steps = input.command.map_or_else(Vec::new, |command| steps(command, input.project, input.files));
    let host = StartEnvironment::of_process(input.process);
    let mut readings = ReadingsBuilder::new(&library, input.project);
    readings.add_base(&input.project.folder);

    add_process_reading(&host, &steps, &mut readings);
    let is_cut = add_scenes(input, &host, &steps, &library, &mut readings);
    if is_cut {
        let why = "it stands for more commands than can be followed".to_owned();
        readings.condition(Condition::UnreadableFile { file: "the command".into(), why });
    }
    add_extra_files(input, &host, &library, &mut readings);
    let Built { readings, mut conditions, loaders, bases } = readings.finish();
    let (files, problems, of_files) = library.into_parts();
    conditions.extend(of_files);
    conditions.extend(protection_disabled(&readings));
    let invocations = steps.into_iter().map(|step| step.invocation).collect();
    Survey { readings, invocations, files, problems, conditions, loaders, bases }
}

/// Keeps the steps that stand for no other; drops the everyday work of scripts unless nothing else is left. `None`
/// stands for a command that is not asked about.
fn leaves<'s>(input: &SurveyInput<'_>, steps: &'s [Step]) -> Vec<Option<&'s Step>> {
    if input.command.is_none() {
        return vec![None];
    }
    let leaves = || steps.iter().filter(|step| !step.stands_for_others);
    let all_plain = leaves().all(|step| ecosystems::is_plain(&step.invocation));
    leaves().filter(|step| all_plain || !ecosystems::is_plain(&step.invocation)).map(Some).collect()
}

/// Adds what the loaders of each step would do, in each environment that it may start from, alike scenes once.
///
/// Returns whether there are more steps or scenes than are followed.
fn add_scenes<'l>(
    input: &SurveyInput<'l>,
    host: &StartEnvironment,
    steps: &[Step],
    library: &'l Library<'l>,
    readings: &mut ReadingsBuilder<'l>,
) -> bool {
    let mut seen = HashSet::new();
    let mut is_cut = steps.len() >= MOST_STEPS;
    for step in leaves(input, steps) {
        if let Some(step) = step {
            // `cd sub && sqlite3 app.db`: relative files start there.
            readings.add_base(&step.folder);
            note_effects(step, readings);
        }
        for environment in environments(host, step, input.project, library, input.command.unwrap_or_default()) {
            let purpose = Purpose::of(step.map(|step| &step.invocation));
            let folder = step.map_or(&input.project.folder, |step| &step.folder);
            let scene = Scene { project: input.project, library, environment: &environment, step, purpose, folder };
            let load_orders = ecosystems::plausible(&scene);
            if !seen.insert(fingerprint(&scene, &load_orders)) {
                continue;
            }
            if seen.len() > MOST_SCENES {
                is_cut = true;
                continue;
            }
            add_scene(input, &scene, &load_orders, readings);
        }
    }
    is_cut
}

/// Tells scenes apart.
fn fingerprint(scene: &Scene<'_>, load_orders: &[&LoadOrder]) -> (u64, PathBuf, String, String) {
    let files = scene.step.map_or(&[] as &[WrapperFile], |step| &step.files);
    let names: Vec<&str> = load_orders.iter().map(|load_order| load_order.name).collect();
    (
        scene.environment.fingerprint(),
        scene.folder.to_owned(),
        format!("{names:?}{:?}{files:?}", scene.purpose),
        words_that_matter(scene, load_orders),
    )
}

fn add_scene(
    input: &SurveyInput<'_>,
    scene: &Scene<'_>,
    load_orders: &[&LoadOrder],
    readings: &mut ReadingsBuilder<'_>,
) {
    let is_inside = scene.step.is_some_and(|step| step.effects.iter().any(|(effect, _)| *effect == Effect::Container));
    let name = if is_inside { "container environment" } else { "process environment" };
    readings.add_environment(name, scene.environment);
    match input.only_files {
        Some(only) => add_policy_files(only, scene, readings),
        None => {
            if !load_orders.is_empty() {
                command_files::add(scene, readings);
            }
            for load_order in load_orders {
                (load_order.add)(scene, readings);
            }
        }
    }
    let extra = extra_files(input).into_iter().rev().flat_map(|path| named_files::layers(scene.library, &path));
    let wrappers = scene.step.map_or_else(Vec::new, wrapper_files::layers);
    readings.finish_scene(scene.environment, &wrappers, &extra.collect::<Vec<Layer>>());
}

/// Lists the files of `--env-file`, absolute.
fn extra_files(input: &SurveyInput<'_>) -> Vec<PathBuf> {
    input.extra_files.iter().map(|path| input.project.folder.join(path)).collect()
}

/// Adds each file of `--env-file` as a candidate by itself.
fn add_extra_files(
    input: &SurveyInput<'_>,
    host: &StartEnvironment,
    library: &Library<'_>,
    readings: &mut ReadingsBuilder<'_>,
) {
    for path in extra_files(input) {
        if !library.exists(&path) {
            let message = "was asked for and is not there".to_owned();
            let (file, kind) = (library.shown(&path), ProblemKind::Missing);
            library.problem(FileProblem { file, line: None, message, kind });
        }
        let mut layers = named_files::layers(library, &path);
        layers.push(Layer::Environment);
        readings.add_alone("--env-file", EVERY_DIALECT, layers, host);
    }
}

/// Lists what load orders look at in the command itself: the program with its subcommands, and options that name files.
fn words_that_matter(scene: &Scene<'_>, load_orders: &[&LoadOrder]) -> String {
    let words = scene.words();
    if load_orders.is_empty() {
        return String::new();
    }
    let names_something = |word: &&String| word.starts_with('-') || word.contains('=') || word.contains("env");
    let options = words.iter().enumerate().filter(|(at, word)| {
        *at < 2 || names_something(word) || at.checked_sub(1).is_some_and(|at| words[at].starts_with('-'))
    });
    options.map(|(_, word)| word.as_str()).collect::<Vec<_>>().join(" ")
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

/// Lists the environments that a step may start from: this machine's, or those of the compose services it runs in.
fn environments(
    host: &StartEnvironment,
    step: Option<&Step>,
    project: &Project,
    library: &Library<'_>,
    command: &[OsString],
) -> Vec<StartEnvironment> {
    let Some(step) = step else { return vec![host.clone()] };
    let mut environments = Vec::new();
    if step.effects.iter().any(|(effect, program)| *effect == Effect::Container && program.contains("compose")) {
        environments = compose::service_environments(host, step, project, library, command);
    }
    if environments.is_empty() {
        environments.push(host.clone());
    }
    environments.into_iter().map(|environment| environment.with_assignments(&step.invocation)).collect()
}

fn note_effects(step: &Step, readings: &mut ReadingsBuilder<'_>) {
    let command = providers::command_of(&step.invocation.words).filter(|command| command.reach != Reach::Unknown);
    if let Some(command) = command {
        readings.condition(Condition::ContainerEnvironment { program: command.name() });
    }
    for (effect, wrapper) in &step.effects {
        readings.condition(match effect {
            Effect::Nothing => continue,
            Effect::Injects => Condition::InjectedEnvironment {
                wrapper: wrapper.clone(),
                advice: format!("put safe-test inside: `{wrapper} … safe-test {} …`", step.invocation.program()),
            },
            Effect::Container => Condition::ContainerEnvironment { program: wrapper.clone() },
        });
    }
}

/// Finds the variable that makes Rails let `db:drop` through to production, whatever its value, where a loader sets it.
fn protection_disabled(readings: &[Reading]) -> Option<Condition> {
    let setting = readings.iter().find_map(|reading| reading.get("DISABLE_DATABASE_ENVIRONMENT_CHECK"))?;
    Some(Condition::ProtectionDisabled { origin: setting.origin.clone() })
}

/// Adds the files that a policy names, each by itself and all together, the last one the strongest.
fn add_policy_files(only: &[PathBuf], scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let paths: Vec<PathBuf> = only.iter().map(|path| scene.project.root.join(path)).collect();
    let mut layers = vec![Layer::Environment];
    layers.extend(paths.iter().rev().flat_map(|path| named_files::layers(scene.library, path)));
    readings.chain("policy files", EVERY_DIALECT, layers);
    for path in paths {
        readings.file("policy file", EVERY_DIALECT, path);
    }
}

#[cfg(test)]
mod tests;
