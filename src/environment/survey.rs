//! The survey: every plausible reading of the environment that a command would see.
//!
//! It asks which program would run, in which mode, and which loaders that makes plausible; each of them gives one
//! [`Reading`] for each way its files can be understood. It judges nothing.

mod condition;

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::environment::ecosystems::Scene;
use crate::environment::ecosystems::choice;
use crate::environment::ecosystems::choice::Loader;
use crate::environment::follow::{Effect, MOST_STEPS, Step, WrapperFile, reaches_a_provider, steps};
use crate::environment::layering::library::Library;
use crate::environment::layering::{Draft, Layer, Shell};
use crate::environment::mode::Purpose;
use crate::environment::{Files, Invocation, Project, Reading};

pub(crate) use crate::environment::survey::condition::{Condition, FileProblem, LARGEST_FILE, ProblemKind};

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
    let host = Shell::of_process(input.process);
    let mut draft = Draft::new(&library, input.project);
    draft.extra = input.extra_files.iter().map(|path| input.project.folder.join(path)).collect();
    draft.add_base(&input.project.folder);

    add_process_reading(&host, &steps, &mut draft);
    let is_cut = add_scenes(input, &host, &steps, &library, &mut draft);
    if is_cut {
        let why = "it stands for more commands than can be followed".to_owned();
        draft.condition(Condition::UnreadableFile { file: "the command".into(), why });
    }
    draft.add_extra_files(&host);
    let mut survey = draft.into_survey();
    let (files, problems, conditions) = library.into_parts();
    survey.files = files;
    survey.problems = problems;
    survey.conditions.extend(conditions);
    survey.conditions.extend(protection_disabled(&survey.readings));
    survey.invocations = steps.into_iter().map(|step| step.invocation).collect();
    survey
}

/// The steps whose loaders count: those that stand for no other; the everyday work of scripts only where there is
/// nothing else. `None` stands for a command that is not asked about.
fn leaves<'s>(input: &SurveyInput<'_>, steps: &'s [Step]) -> Vec<Option<&'s Step>> {
    if input.command.is_none() {
        return vec![None];
    }
    let leaves = || steps.iter().filter(|step| !step.stands_for_others);
    let all_plain = leaves().all(|step| choice::is_plain(&step.invocation));
    leaves().filter(|step| all_plain || !choice::is_plain(&step.invocation)).map(Some).collect()
}

/// Adds what the loaders of each step would do, in each environment that it may start from, alike scenes once.
///
/// Returns whether there are more steps or scenes than are followed.
fn add_scenes<'l>(
    input: &SurveyInput<'l>,
    host: &Shell,
    steps: &[Step],
    library: &'l Library<'l>,
    draft: &mut Draft<'l>,
) -> bool {
    let mut seen = HashSet::new();
    let mut is_cut = steps.len() >= MOST_STEPS;
    for step in leaves(input, steps) {
        if let Some(step) = step {
            // `cd sub && sqlite3 app.db`: relative files start there.
            draft.add_base(&step.folder);
            note_effects(step, draft);
        }
        for shell in shells(host, step, input.project, library, input.command.unwrap_or_default()) {
            let purpose = Purpose::of(step.map(|step| &step.invocation));
            let folder = step.map_or(&input.project.folder, |step| &step.folder);
            let scene = Scene { project: input.project, library, shell: &shell, step, purpose, folder };
            let loaders = choice::loaders(&scene);
            if !seen.insert(fingerprint(&scene, &loaders)) {
                continue;
            }
            if seen.len() > MOST_SCENES {
                is_cut = true;
                continue;
            }
            add_scene(input, &scene, loaders, draft);
        }
    }
    is_cut
}

/// What tells scenes apart.
fn fingerprint(scene: &Scene<'_>, loaders: &[Loader]) -> (u64, PathBuf, String, String) {
    let files = scene.step.map_or(&[] as &[WrapperFile], |step| &step.files);
    (
        scene.shell.fingerprint(),
        scene.folder.to_owned(),
        format!("{loaders:?}{:?}{files:?}", scene.purpose),
        words_that_matter(scene, loaders),
    )
}

fn add_scene(input: &SurveyInput<'_>, scene: &Scene<'_>, loaders: Vec<Loader>, draft: &mut Draft<'_>) {
    let is_inside = scene.step.is_some_and(|step| step.effects.iter().any(|(effect, _)| *effect == Effect::Container));
    draft.add_shell(if is_inside { "container environment" } else { "process environment" }, scene.shell);
    match input.only_files {
        Some(only) => add_policy_files(only, input.project, draft),
        None => {
            if !loaders.is_empty() {
                crate::environment::ecosystems::add_own_files(scene, draft);
            }
            for loader in loaders {
                crate::environment::ecosystems::add(loader, scene, draft);
            }
        }
    }
    draft.finish_scene(scene.shell, scene.step.map_or(&[], |step| &step.files), scene.folder);
}

/// What load orders look at in the command itself: the program with its subcommands, and options that name files.
fn words_that_matter(scene: &Scene<'_>, loaders: &[Loader]) -> String {
    let words = scene.words();
    if loaders.is_empty() {
        return String::new();
    }
    let names_something = |word: &&String| word.starts_with('-') || word.contains('=') || word.contains("env");
    let options = words.iter().enumerate().filter(|(at, word)| {
        *at < 2 || names_something(word) || at.checked_sub(1).is_some_and(|at| words[at].starts_with('-'))
    });
    options.map(|(_, word)| word.as_str()).collect::<Vec<_>>().join(" ")
}

/// The process environment as the command gets it: with the assignments that stand before all of it.
fn add_process_reading(host: &Shell, steps: &[Step], draft: &mut Draft<'_>) {
    let mut leaves = steps.iter().filter(|step| !step.stands_for_others);
    let Some(first) = leaves.next() else { return draft.add_shell("process environment", host) };
    let mut common = first.invocation.clone();
    for step in leaves {
        let same = common.assignments.iter().zip(&step.invocation.assignments).take_while(|(one, other)| one == other);
        let count = same.count();
        common.assignments.truncate(count);
    }
    draft.add_shell("process environment", &host.with_assignments(&common));
}

/// The environments that a step may start from: this machine's, or those of the compose services it runs in.
fn shells(
    host: &Shell,
    step: Option<&Step>,
    project: &Project,
    library: &Library<'_>,
    command: &[OsString],
) -> Vec<Shell> {
    let Some(step) = step else { return vec![host.clone()] };
    let mut shells = Vec::new();
    if step.effects.iter().any(|(effect, program)| *effect == Effect::Container && program.contains("compose")) {
        shells = crate::environment::ecosystems::compose::service_shells(host, step, project, library, command);
    }
    if shells.is_empty() {
        shells.push(host.clone());
    }
    shells.into_iter().map(|shell| shell.with_assignments(&step.invocation)).collect()
}

fn note_effects(step: &Step, draft: &mut Draft<'_>) {
    if let Some(program) = reaches_a_provider(&step.invocation.words) {
        draft.condition(Condition::ContainerEnvironment { program });
    }
    for (effect, wrapper) in &step.effects {
        draft.condition(match effect {
            Effect::Nothing => continue,
            Effect::Injects => Condition::InjectedEnvironment {
                wrapper: wrapper.clone(),
                advice: format!("put safe-test inside: `{wrapper} … safe-test {} …`", step.invocation.program()),
            },
            Effect::Container => Condition::ContainerEnvironment { program: wrapper.clone() },
        });
    }
}

/// Whether any loader would set the variable that makes Rails let `db:drop` through to production, whatever its value.
fn protection_disabled(readings: &[Reading]) -> Option<Condition> {
    let setting = readings.iter().find_map(|reading| reading.get("DISABLE_DATABASE_ENVIRONMENT_CHECK"))?;
    Some(Condition::ProtectionDisabled { origin: setting.origin.clone() })
}

/// The files that a policy names, each by itself and all together, the last one the strongest.
fn add_policy_files(only: &[PathBuf], project: &Project, draft: &mut Draft<'_>) {
    let paths: Vec<PathBuf> = only.iter().map(|path| project.root.join(path)).collect();
    let layered = paths.iter().rev().flat_map(|path| draft.any_file(path));
    let layers: Vec<Layer> = std::iter::once(Layer::Shell).chain(layered).collect();
    draft.chain("policy files", crate::environment::readers::dotenv::EVERY_DIALECT, layers);
    for path in &paths {
        crate::environment::ecosystems::single(
            draft,
            "policy file",
            crate::environment::readers::dotenv::EVERY_DIALECT,
            path,
        );
    }
}

#[cfg(test)]
mod tests;
