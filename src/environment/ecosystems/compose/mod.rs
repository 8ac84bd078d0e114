//! docker compose: what a service's `environment` and `env_file` give to a command that runs in it.
//!
//! Source: docker/docs `envvars-precedence.md`: `run -e` over `environment` over `env_file`; `${X}` is filled in from
//! the shell, then from the project's `.env`. The host's own variables do not reach the container.

mod command;
mod reader;
mod service;
mod variables;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::HashSet;
use crate::environment::ecosystems::compose::command::{
    default_files, env_files, home, is_at_another_engine, named_files, own_words,
};
use crate::environment::ecosystems::compose::reader::{MOST_FURTHER, services};
use crate::environment::ecosystems::compose::service::{Service, names_environment};
use crate::environment::ecosystems::compose::variables::variables;
use crate::environment::ecosystems::dockerfile;
use crate::environment::ecosystems::row::{LoadOrder, always};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::follow::Step;
use crate::environment::layering::{Layer, Library, ReadingsBuilder, StartEnvironment};
use crate::environment::paths::normal;
use crate::environment::readers::dotenv::Dialect;
use crate::environment::services::compose_files::option_values;
use crate::environment::{Files, Project, Setting};

pub(crate) use crate::environment::ecosystems::compose::reader::service_settings;
pub(crate) use crate::environment::ecosystems::compose::service::is_server;

pub(crate) static COMPOSE: LoadOrder = LoadOrder { name: "docker compose", applies: always, add };

/// The environments of the services that a command runs in.
#[derive(Default)]
pub(crate) struct ServiceEnvironments {
    pub(crate) environments: Vec<StartEnvironment>,
    /// The project's files say all that gives a variable to them.
    pub(crate) is_whole: bool,
    /// Nothing is started but published servers, and programs whose databases the files tell: no command of the project
    /// runs there.
    pub(crate) only_servers: bool,
}

/// Adds the services that run the project's own code where no command is asked about, or an unknown one: it may run there.
/// What they are called by default (NODE_ENV=production) says nothing about a command that is not known yet.
fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    if scene.step.is_some() {
        return;
    }
    let Some(folder) = home(scene.folder, scene.project, scene.library) else { return };
    let variables = variables(&[folder.join(".env")], scene.environment, scene.library);
    let services =
        services(&default_files(&folder, scene.library), &folder, &variables, scene.library, &Cell::new(MOST_FURTHER));
    for service in services.into_values().filter(|service| service.is_built || !service.files.is_empty()) {
        let mut sheet = service.environment;
        sheet.retain(|setting| !names_environment(&setting.name));
        let mut layers = vec![Layer::fixed(sheet)];
        layers.extend(service.files.into_iter().rev().map(Layer::file));
        layers.push(Layer::Environment);
        readings.chain("docker compose", &[Dialect::Compose], layers);
    }
}

/// Gives the environments of the services that the step may run in: those that compose is told, else those that run the
/// project's own code. Empty where no compose file tells.
pub(crate) fn service_environments(
    host: &StartEnvironment,
    step: &Step,
    project: &Project,
    library: &Library<'_>,
) -> ServiceEnvironments {
    let words: Vec<&str> = step.place.iter().map(String::as_str).collect();
    let Some((folder, services)) = told(&words, host, step, project, library) else {
        return ServiceEnvironments::default();
    };
    let (chosen, is_named) = started(&words, &services);
    let is_up = words.contains(&"up");
    let chosen: Vec<&Service> = chosen.iter().filter_map(|name| services.get(*name)).collect();
    let counts = |service: &&&Service| match (is_up, is_named) {
        (true, _) => service.is_own(),
        (false, true) => true,
        (false, false) => service.is_built || !service.files.is_empty(),
    };
    let counting: Vec<&Service> = chosen.iter().filter(counts).copied().collect();
    // What is published may reach the databases that it is told; how it calls its own environment says nothing.
    let published: Vec<(&Service, Option<StartEnvironment>)> = chosen
        .iter()
        .filter(|service| is_up && !service.is_own())
        .map(|service| (*service, named_databases(service, &folder, host, library)))
        .collect();
    let is_here = !is_at_another_engine(&words, host);
    // What an image of somebody's own has in it is not known.
    let are_known = published.iter().all(|(service, told)| service.is_server() || told.is_some());
    let is_whole = is_here
        && (is_named || is_up)
        && !counting.is_empty()
        && are_known
        && counting.iter().all(|service| service.is_built && !service.is_partial);
    let only_servers = is_here && is_up && counting.is_empty() && !chosen.is_empty() && are_known;
    let environments = counting.iter().map(|service| environment_of(service, &folder, host, library));
    let environments = environments.chain(published.into_iter().filter_map(|(_, told)| told)).collect();
    ServiceEnvironments { environments, is_whole, only_servers }
}

/// Finds the services that a call of compose is told of, by name, and the folder that their paths begin in; `None` where no
/// compose file is there.
fn told(
    words: &[&str],
    host: &StartEnvironment,
    step: &Step,
    project: &Project,
    library: &Library<'_>,
) -> Option<(PathBuf, BTreeMap<String, Service>)> {
    let own = own_words(words);
    let env_files = env_files(own, host, &step.folder);
    let told_folder = option_values(own, &["--project-directory"]).pop().map(|name| normal(&step.folder.join(name)));
    let of_folder = |folder: &Path| {
        let of_files = match &env_files[..] {
            [] => variables(&[folder.join(".env")], host, library),
            named => variables(named, host, library),
        };
        of_files.with(&step.invocation)
    };
    let start = told_folder.as_ref().unwrap_or(&step.folder);
    let named = named_files(own, &of_folder(start), &step.folder);
    let of_first = named.first().map(|first| first.parent().map_or_else(|| step.folder.clone(), Path::to_owned));
    let folder = if named.is_empty() { home(start, project, library) } else { told_folder.clone().or(of_first) };
    let folder = folder?;
    let files = if named.is_empty() { default_files(&folder, library) } else { named };
    let services = services(&files, &folder, &of_folder(&folder), library, &Cell::new(MOST_FURTHER));
    Some((folder, services))
}

/// Lists the services that the words of compose mean, and whether they name them: with `up` also those that these need.
fn started<'s>(words: &[&str], services: &'s BTreeMap<String, Service>) -> (Vec<&'s str>, bool) {
    let mut chosen: Vec<&str> = services.keys().map(String::as_str).filter(|name| words.contains(name)).collect();
    let is_named = !chosen.is_empty();
    if !is_named {
        chosen = services.keys().map(String::as_str).collect();
    } else if words.contains(&"up") {
        let mut seen: HashSet<&str> = chosen.iter().copied().collect();
        let mut at = 0;
        while let Some(name) = chosen.get(at).copied() {
            let needs = services.get(name).into_iter().flat_map(|service| service.needs.iter().map(String::as_str));
            chosen.extend(needs.filter(|need| seen.insert(need)));
            at += 1;
        }
    }
    (chosen, is_named)
}

/// Lists what the services run that a step starts, where they say so themselves: each as a text for a shell, with the folder
/// that its image is built from. A service of a profile is started by name, or with the profile.
pub(crate) fn commands_of_services(step: &Step, project: &Project, files: &dyn Files) -> Vec<(String, PathBuf)> {
    let words: Vec<&str> = step.place.iter().map(String::as_str).collect();
    let (library, host) = (Library::new(files, project), StartEnvironment::of([]));
    let Some((folder, services)) = told(&words, &host, step, project, &library) else { return Vec::new() };
    let (chosen, is_named) = started(&words, &services);
    let profiles = option_values(&words, &["--profile"]);
    let is_started = |service: &&Service| {
        let is_meant = |profile: &String| profiles.iter().any(|meant| *meant == "*" || meant == profile);
        is_named || service.profiles.is_empty() || service.profiles.iter().any(is_meant)
    };
    let services = chosen.into_iter().filter_map(|name| services.get(name)).filter(is_started);
    let of = |service: &Service| (service.runs(), service.context.clone().unwrap_or_else(|| folder.clone()));
    services.map(of).filter(|(text, _)| !text.trim().is_empty()).collect()
}

/// Gives what a published program is told, where that names a database; `None` where nothing does.
fn named_databases(
    service: &Service,
    folder: &Path,
    host: &StartEnvironment,
    library: &Library<'_>,
) -> Option<StartEnvironment> {
    let told = environment_of(service, folder, host, library);
    // The file of all variables is often handed to servers, too: what they do not look at must not count.
    let counts = |setting: &Setting| {
        let is_of_the_web =
            setting.value.starts_with("http") || ["MAIL", "SMTP"].iter().any(|word| setting.name.contains(word));
        !(service.is_server() && is_of_the_web)
    };
    let names_one = |setting: &Setting| {
        let is_host = setting.name.ends_with("HOST") && !setting.name.ends_with("ROOT_HOST");
        (setting.value.contains("://") || is_host) && counts(setting)
    };
    if !told.settings.iter().any(|setting| names_one(setting)) {
        return None;
    }
    Some(StartEnvironment::of(told.settings.iter().filter(|setting| !names_environment(&setting.name)).cloned()))
}

/// What the image sets, then the files, then the service itself, the weakest first.
fn environment_of(
    service: &Service,
    folder: &Path,
    host: &StartEnvironment,
    library: &Library<'_>,
) -> StartEnvironment {
    let mut settings = Vec::new();
    if service.is_built {
        let context = service.context.as_deref().unwrap_or(folder);
        let path = context.join(service.dockerfile.as_deref().unwrap_or("Dockerfile"));
        if library.exists(&path) {
            let of_image = dockerfile::variables(&library.manifest(&path), &library.shown(&path), &service.arguments);
            settings.extend(of_image.into_iter().map(Rc::new));
        }
    }
    for path in &service.files {
        let look = |name: &str| host.get(name).map(str::to_owned);
        let sheet = library.dotenv(path, Dialect::Compose, &look);
        settings.extend(sheet.iter().flat_map(|sheet| sheet.iter().cloned()));
    }
    settings.extend(service.environment.iter().cloned().map(Rc::new));
    StartEnvironment::of(settings)
}
