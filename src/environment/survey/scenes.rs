//! The scenes of a command: each of its steps in each environment that it may start from, alike ones once.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::collections::{HashMap, HashSet};
use crate::environment::ecosystems;
use crate::environment::ecosystems::compose;
use crate::environment::ecosystems::compose::ServiceEnvironments;
use crate::environment::ecosystems::row::LoadOrder;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::follow::{Effect, Emptied, Step, WrapperFile};
use crate::environment::invocation::option_of;
use crate::environment::layering::readings_builder::FromFiles;
use crate::environment::layering::{Layer, Library, Memo, ReadingsBuilder, StartEnvironment};
use crate::environment::mode::Purpose;
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::expansion::referred_names;
use crate::environment::survey::input::SurveyInput;
use crate::environment::survey::{asked_files, command_files, named_files, wrapper_files};
use crate::environment::{Condition, Invocation, Origin};
use crate::tools::containers;
use crate::tools::providers;
use crate::tools::providers::Reach;

/// Groups of steps beyond this many are not followed.
const MOST_SCENES: usize = 16_384;

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
pub(crate) fn add<'l>(
    input: &SurveyInput<'l>,
    host: &StartEnvironment,
    steps: &[Step],
    library: &'l Library<'l>,
    readings: &mut ReadingsBuilder<'l>,
) {
    let mut seen: HashMap<_, Vec<SeenScene>> = HashMap::default();
    let mut scenes = 0;
    let (mut known, mut with_unknown) = (Starts::new(false), Starts::new(true));
    let (mut starts_servers, mut runs_others) = (false, false);
    // Everyday work of scripts to all else.
    for command in steps.iter().filter_map(|step| containers::removal_of_volumes(&step.invocation.words)) {
        readings.condition(Condition::RemovesVolumes { command });
    }
    for step in leaves(input, steps) {
        if let Some(step) = step {
            // `cd sub && sqlite3 app.db`: relative files start there.
            readings.add_base(&step.folder);
        }
        let in_services = step.map_or_else(Default::default, |step| service_environments(host, step, input, library));
        let is_in_service = !in_services.environments.is_empty();
        match step {
            Some(step) if in_services.only_servers && !is_in_service || starts_a_server(step) => starts_servers = true,
            _ => runs_others = true,
        }
        if let Some(step) = step {
            note_effects(step, &in_services, readings);
        }
        let mut environments = match step {
            _ if is_in_service => in_services.environments,
            None => vec![host.clone()],
            Some(step) => {
                let kept = |emptied: &Emptied| {
                    StartEnvironment::of(host.settings.iter().filter(|own| emptied.keeps(&own.name)).cloned())
                };
                let kept = step.emptied.as_ref().map(kept);
                let emptied = kept.and_then(|kept| Some(kept.with_assignments(&step.assigned_afresh()?)));
                // What is looked at first stands last.
                emptied.into_iter().chain([known.of(&step.invocation, host)]).collect()
            }
        };
        let mut unknown = step.map_or(&[][..], |step| &step.invocation.unknown);
        while let Some(environment) = environments.pop() {
            let acting = step.map(|step| acting(step, steps));
            let purpose = Purpose::of(acting.map(|step| &step.invocation));
            let folder = acting.map_or(&input.project.folder, |step| &step.folder);
            let scene = Scene {
                project: input.project,
                library,
                environment: &environment,
                step: acting,
                purpose,
                folder,
                made: Memo::default(),
            };
            let load_orders = ecosystems::plausible(&scene);
            let alike = seen.entry(fingerprint(&scene, &load_orders)).or_default();
            let same = alike.iter().position(|before| environment.agrees(&before.answers));
            let same = match same {
                Some(at) => {
                    let before = &mut alike[at];
                    if before.environments.insert(environment.fingerprint()) {
                        readings.add_environment(name_of(&scene), &environment);
                        // What the script of a build tool sets on its way says nothing about the build's files.
                        if acting.zip(step).is_none_or(|(acting, step)| std::ptr::eq(acting, step)) {
                            readings.add_again(&before.from_files, &environment);
                        }
                    }
                    at
                }
                None if scenes >= MOST_SCENES => {
                    let why = "it stands for more than 16,384 groups of commands that differ in what they load";
                    library.gaps.give_up(Origin::command_line(), GivenUp::too_much(why));
                    continue;
                }
                None => {
                    scenes += 1;
                    readings.confine(ecosystems::confines(&scene));
                    let from_files = add_scene(input, &scene, &load_orders, readings);
                    readings.derive(ecosystems::derivations(&scene));
                    let environments = HashSet::from_iter([environment.fingerprint()]);
                    alike.push(SeenScene { answers: environment.answers(), from_files, environments });
                    alike.len() - 1
                }
            };
            // What cannot be told matters where something hangs on it.
            let unknown = std::mem::take(&mut unknown);
            let was_asked = |name: &str| alike[same].answers.iter().any(|(asked, _)| asked == name);
            if let Some(step) = step.filter(|_| !is_in_service)
                && unknown.iter().any(|(_, name)| was_asked(name) || is_referred_to(name, &step.invocation))
            {
                environments.push(with_unknown.of(&step.invocation, host));
            }
        }
    }
    if starts_servers && !runs_others {
        readings.condition(Condition::OnlyServers);
    }
}

/// Scripts that a project brings along to start its build tool.
const BUILD_SCRIPTS: [&str; 4] = ["gradlew", "grailsw", "mvnw", "sbt"];

/// Finds the command that a step stands for. What is called in the script that starts a build tool does what that script
/// was told to do.
fn acting<'s>(step: &'s Step, steps: &'s [Step]) -> &'s Step {
    let script = step.invocation.origin.file.as_deref().and_then(Path::file_name).and_then(OsStr::to_str);
    let script = script.filter(|name| BUILD_SCRIPTS.contains(name));
    let starts = |one: &&Step| script.is_some_and(|name| one.invocation.program() == name);
    steps.iter().find(starts).unwrap_or(step)
}

/// Environments beyond this many are made again.
const MOST_PASSED: usize = 16;

/// The environments that invocations start from. Most of them begin as one shortly before did.
struct Starts<'s> {
    with_unknown: bool,
    /// Those that the next ones may go on from: each begins with all of the one before it.
    passed: VecDeque<Start<'s>>,
}

/// The environment after the first `count` of what an invocation assigns.
struct Start<'s> {
    invocation: &'s Invocation,
    count: usize,
    environment: StartEnvironment,
}

impl<'s> Starts<'s> {
    fn new(with_unknown: bool) -> Self {
        Starts { with_unknown, passed: VecDeque::new() }
    }

    /// Gives the environment of an invocation, of which nothing was asked so far.
    fn of(&mut self, invocation: &'s Invocation, host: &StartEnvironment) -> StartEnvironment {
        let shared = self.passed.back().map_or(0, |last| self.shared(last, invocation));
        while self.passed.back().is_some_and(|last| last.count > shared) {
            self.passed.pop_back();
        }
        if self.passed.back().is_some_and(|last| last.invocation.origin.file != invocation.origin.file) {
            self.passed.clear();
        }
        // What follows may differ there, too.
        self.pass(invocation, shared, host);
        self.pass(invocation, invocation.assigned(self.with_unknown).count(), host).afresh()
    }

    /// Counts what an invocation assigns as the last one does, in the same file.
    fn shared(&self, last: &Start<'_>, invocation: &Invocation) -> usize {
        if last.invocation.origin.file != invocation.origin.file {
            return 0;
        }
        let before = last.invocation.assigned(self.with_unknown).take(last.count);
        before.zip(invocation.assigned(self.with_unknown)).take_while(|(one, other)| one == other).count()
    }

    /// Goes on from the last one to the first `count` of what the invocation assigns.
    fn pass(&mut self, invocation: &'s Invocation, count: usize, host: &StartEnvironment) -> StartEnvironment {
        let further = match self.passed.back() {
            Some(last) if last.count == count => return last.environment.clone(),
            Some(last) => last
                .environment
                .assigned_further(invocation.assigned(self.with_unknown).take(count).skip(last.count), invocation),
            None => None,
        };
        let environment =
            further.unwrap_or_else(|| host.assigned(invocation.assigned(self.with_unknown).take(count), invocation));
        if self.passed.len() == MOST_PASSED {
            self.passed.pop_front();
        }
        self.passed.push_back(Start { invocation, count, environment: environment.clone() });
        environment
    }
}

/// Tells whether one of the values that an invocation assigns refers to the variable.
fn is_referred_to(name: &str, invocation: &Invocation) -> bool {
    invocation.assignments.iter().any(|(_, value)| referred_names(value).any(|referred| referred == name))
}

/// What a scene came to. Another environment that gives the same answers comes to the same.
struct SeenScene {
    answers: Vec<(String, Option<String>)>,
    from_files: Vec<FromFiles>,
    environments: HashSet<u64>,
}

/// Tells scenes apart but for their environment.
fn fingerprint(scene: &Scene<'_>, load_orders: &[&LoadOrder]) -> (PathBuf, String, String) {
    let files = scene.step.map_or(&[] as &[WrapperFile], |step| &step.files);
    let names: Vec<&str> = load_orders.iter().map(|load_order| load_order.name).collect();
    let settings = command_files::named_by_variables(scene);
    (
        scene.folder.to_owned(),
        format!("{names:?}{:?}{files:?}{settings:?}{}", scene.purpose, name_of(scene)),
        words_that_matter(scene, load_orders),
    )
}

/// Tells what the environment of the scene is called.
fn name_of(scene: &Scene<'_>) -> &'static str {
    let is_inside = scene.step.is_some_and(|step| step.effects.iter().any(|(effect, _)| effect.is_away()));
    if is_inside { "container environment" } else { "process environment" }
}

fn add_scene(
    input: &SurveyInput<'_>,
    scene: &Scene<'_>,
    load_orders: &[&LoadOrder],
    readings: &mut ReadingsBuilder<'_>,
) -> Vec<FromFiles> {
    readings.add_environment(name_of(scene), scene.environment);
    match input.only_files {
        Some(only) => asked_files::add_policy_files(only, scene, readings),
        None => {
            if !load_orders.is_empty() {
                command_files::add(scene, readings);
            }
            for load_order in load_orders {
                (load_order.add)(scene, readings);
            }
        }
    }
    let extra =
        asked_files::extra_files(input).into_iter().rev().flat_map(|path| named_files::layers(scene.library, &path));
    let wrappers = scene.step.map_or_else(Vec::new, wrapper_files::layers);
    readings.finish_scene(scene.environment, &wrappers, &extra.collect::<Vec<Layer>>())
}

/// Lists what load orders look at in the command itself.
fn words_that_matter(scene: &Scene<'_>, load_orders: &[&LoadOrder]) -> String {
    let words = scene.words();
    if load_orders.is_empty() {
        return String::new();
    }
    // What a function is called says nothing; its commands stand there by themselves.
    let is_function = scene.step.is_some_and(|step| step.calls_function);
    words.iter().skip(usize::from(is_function)).map(String::as_str).collect::<Vec<_>>().join("\0")
}

/// Lists the environments of the compose services that a step runs in, with what it assigns.
fn service_environments(
    host: &StartEnvironment,
    step: &Step,
    input: &SurveyInput<'_>,
    library: &Library<'_>,
) -> ServiceEnvironments {
    let is_compose = |(effect, program): &(Effect, String)| *effect == Effect::Container && program.contains("compose");
    if !step.effects.iter().any(is_compose) {
        return ServiceEnvironments::default();
    }
    let mut found = compose::service_environments(host, step, input.project, library);
    found.environments.iter_mut().for_each(|environment| *environment = environment.with_assignments(&step.invocation));
    found
}

/// Tells whether a step starts a container of a published server, and nothing of the project's own in it:
/// `docker run -d -p 5432:5432 postgres:16`.
fn starts_a_server(step: &Step) -> bool {
    let runs = step.effects.len() == 1 && step.effects[0].1.ends_with(" run") && !step.effects[0].1.contains("compose");
    let is_bare = step.invocation.words.first().is_some_and(|word| word == "(default)" || word.starts_with('-'));
    let has = |options: &[&str]| step.place.iter().any(|word| options.contains(&option_of(word).0));
    let has_files = has(&["-v", "--volume", "--mount"]);
    runs && is_bare
        && !has(&["--entrypoint"])
        && step.place.last().is_some_and(|image| compose::is_server(image, has_files))
}

fn note_effects(step: &Step, in_services: &ServiceEnvironments, readings: &mut ReadingsBuilder<'_>) {
    let command = providers::command_of(&step.invocation.words).filter(|command| command.reach != Reach::Unknown);
    if let Some(command) = command {
        let place = if command.reach == Reach::Elsewhere { step.invocation.words.clone() } else { Vec::new() };
        readings.condition(Condition::ContainerEnvironment { program: command.name(), place, is_declared: false });
    }
    // Of one container in another nothing is told.
    let is_declared = (in_services.is_whole || in_services.only_servers) && step.effects.len() == 1;
    for (effect, wrapper) in &step.effects {
        readings.condition(match effect {
            Effect::Nothing => continue,
            // What is started now is what the files say now.
            Effect::Container if is_declared && !wrapper.ends_with("exec") => continue,
            Effect::Container if starts_a_server(step) => continue,
            Effect::Injects => Condition::InjectedEnvironment {
                wrapper: wrapper.clone(),
                advice: format!("put safe-test inside: `{wrapper} … safe-test {} …`", step.invocation.program()),
            },
            Effect::Container => {
                Condition::ContainerEnvironment { program: wrapper.clone(), place: Vec::new(), is_declared }
            }
            Effect::Elsewhere => Condition::ContainerEnvironment {
                program: wrapper.clone(),
                place: step.place.clone(),
                is_declared: false,
            },
        });
    }
}
