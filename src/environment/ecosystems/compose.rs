//! docker compose: what a service's `environment` and `env_file` give to a command that runs in it.
//!
//! Source: docker/docs `envvars-precedence.md`: `run -e` over `environment` over `env_file`; `${X}` is filled in from
//! the shell, then from the project's `.env`. The host's own variables do not reach the container.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::dockerfile;
use crate::environment::ecosystems::row::{LoadOrder, always};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::follow::Step;
use crate::environment::follow::env_programs::is_named_for_variables;
use crate::environment::layering::Library;
use crate::environment::layering::{Layer, ReadingsBuilder, StartEnvironment};
use crate::environment::paths::normal;
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::expansion::compose::{Broken, substitute};
use crate::environment::readers::expansion::{Budget, Scope, Unset};
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::services::compose_files::option_values;
use crate::environment::{Invocation, Origin, Project, Setting, Unresolved};
use crate::lists::{List, list};

pub(crate) static COMPOSE: LoadOrder = LoadOrder { name: "docker compose", applies: always, add };

/// Published images of servers that run nothing of a project's own.
static SERVERS: List = list!("servers.txt");

/// Tells whether an image is a published server that runs nothing of a project's own.
pub(crate) fn is_server(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default().split([':', '@']).next().unwrap_or_default();
    SERVERS.contains(name)
}

/// How many services are followed that extend each other.
const MOST_BASES: usize = 16;
/// How many files are read that others include or extend.
const MOST_FURTHER: usize = 64;

/// What one service has in its environment.
#[derive(Debug, Clone, Default)]
struct ServiceEnvironment {
    environment: Vec<Setting>,
    /// The weakest first, as they are listed.
    files: Vec<PathBuf>,
    /// It runs a program of the project's own, not a published image.
    is_built: bool,
    /// The folder that its image is built from.
    context: Option<PathBuf>,
    dockerfile: Option<String>,
    /// What its image is built with.
    arguments: Vec<(String, String)>,
    /// The command that it runs instead of its image's own.
    command: Option<String>,
    image: String,
    /// Files of the project are mounted into it.
    has_files_of_ours: bool,
    /// The services that are started before it.
    needs: Vec<String>,
    /// The service that it extends, and the file that it stands in, where that is another one.
    base: Option<String>,
    base_file: Option<PathBuf>,
    /// Something else gives it variables, too.
    is_partial: bool,
}

impl ServiceEnvironment {
    /// Tells whether it runs code of the project's own, and no published server.
    fn is_own(&self) -> bool {
        let is_told = self.command.is_some() && self.has_files_of_ours && !self.environment.is_empty();
        self.is_built || !self.is_server() && (!self.files.is_empty() || is_told)
    }

    fn is_server(&self) -> bool {
        is_server(&self.image)
    }

    /// Gives what names a database among its variables; `None` where nothing does.
    fn named_databases(&self) -> Option<StartEnvironment> {
        let names_one = |setting: &Setting| {
            let is_host = setting.name.ends_with("HOST") && !setting.name.ends_with("ROOT_HOST");
            setting.value.contains("://") || is_host
        };
        if !self.environment.iter().any(names_one) {
            return None;
        }
        let told = self.environment.iter().filter(|setting| !names_environment(&setting.name));
        Some(StartEnvironment::of(told.cloned().map(Rc::new)))
    }

    /// Takes over from the service that it extends what it does not set itself.
    fn extend(&mut self, base: &ServiceEnvironment) {
        self.environment.splice(0..0, base.environment.iter().cloned());
        self.files.splice(0..0, base.files.iter().cloned());
        self.is_built |= base.is_built;
        self.is_partial |= base.is_partial;
        self.context = self.context.take().or_else(|| base.context.clone());
        self.dockerfile = self.dockerfile.take().or_else(|| base.dockerfile.clone());
        self.command = self.command.take().or_else(|| base.command.clone());
    }
}

/// The environments of the services that a command runs in.
#[derive(Default)]
pub(crate) struct ServiceEnvironments {
    pub(crate) environments: Vec<StartEnvironment>,
    /// The project's files say all that gives a variable to them.
    pub(crate) is_whole: bool,
    /// Nothing but published servers is started: no command of the project runs there.
    pub(crate) only_servers: bool,
}

const NAMES: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

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

fn names_environment(name: &str) -> bool {
    name.ends_with("_ENV")
        || name.ends_with("ENVIRONMENT")
        || matches!(name, "ENV" | "STAGE" | "SPRING_PROFILES_ACTIVE")
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
    let own = own_words(&words);
    let env_files = env_files(own, host, &step.folder);
    let of_folder = |folder: &Path| match &env_files[..] {
        [] => variables(&[folder.join(".env")], host, library),
        named => variables(named, host, library),
    };
    let named = named_files(own, &of_folder(&step.folder).with(&step.invocation), &step.folder);
    let folder = match named.first() {
        Some(first) => first.parent().map_or_else(|| step.folder.clone(), Path::to_owned),
        None => match home(&step.folder, project, library) {
            Some(folder) => folder,
            None => return ServiceEnvironments::default(),
        },
    };
    let files = if named.is_empty() { default_files(&folder, library) } else { named };
    let services = services(&files, &folder, &of_folder(&folder), library, &Cell::new(MOST_FURTHER));
    let mut chosen: Vec<&str> = services.keys().map(String::as_str).filter(|name| words.contains(name)).collect();
    let is_named = !chosen.is_empty();
    let is_up = words.contains(&"up");
    if !is_named {
        chosen = services.keys().map(String::as_str).collect();
    } else if is_up {
        let mut at = 0;
        while let Some(name) = chosen.get(at).copied() {
            let needs = services.get(name).into_iter().flat_map(|service| service.needs.iter().map(String::as_str));
            let new: Vec<&str> = needs.filter(|need| !chosen.contains(need)).collect();
            chosen.extend(new);
            at += 1;
        }
    }
    let chosen: Vec<&ServiceEnvironment> = chosen.iter().filter_map(|name| services.get(*name)).collect();
    let counts = |service: &&&ServiceEnvironment| match (is_up, is_named) {
        (true, _) => service.is_own(),
        (false, true) => true,
        (false, false) => service.is_built || !service.files.is_empty(),
    };
    let counting: Vec<&ServiceEnvironment> = chosen.iter().filter(counts).copied().collect();
    // What is published may reach the databases that it is told; how it calls its own environment says nothing.
    let told = chosen.iter().filter(|service| is_up && !service.is_own());
    let told: Vec<StartEnvironment> = told.filter_map(|service| service.named_databases()).collect();
    let is_here = !is_at_another_engine(&words, host);
    let is_whole = is_here
        && (is_named || is_up)
        && !counting.is_empty()
        && counting.iter().all(|service| service.is_built && !service.is_partial);
    let only_servers = is_here && is_up && counting.is_empty() && !chosen.is_empty();
    let environments = counting.iter().map(|service| environment_of(service, &folder, host, library));
    let environments = environments.chain(told).collect();
    ServiceEnvironments { environments, is_whole, only_servers }
}

/// What the image sets, then the files, then the service itself, the weakest first.
fn environment_of(
    service: &ServiceEnvironment,
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

/// Tells whether an image is built from what is fetched, so that nobody here knows what it sets.
///
/// Source: Docker's "Build context": URLs, `git@…`, and `github.com/…` without a scheme.
fn is_elsewhere(context: &str) -> bool {
    context.contains("://") || context.starts_with("git@") || context.starts_with("github.com/")
}

/// Tells whether compose talks to a container engine that may be another machine's.
fn is_at_another_engine(words: &[&str], host: &StartEnvironment) -> bool {
    let at = words.iter().position(|word| word.contains("compose") || ["run", "exec", "up"].contains(word));
    let of_engine = &words[..at.unwrap_or(words.len())];
    let names_one = of_engine
        .iter()
        .any(|word| ["-H", "-c", "--host", "--context"].contains(&word.split('=').next().unwrap_or(word)));
    let variables = [host.get("DOCKER_HOST").filter(|url| !url.starts_with("unix:")), host.get("DOCKER_CONTEXT")];
    names_one || variables.into_iter().flatten().any(|value| !matches!(value, "" | "default"))
}

fn home(folder: &Path, project: &Project, library: &Library<'_>) -> Option<PathBuf> {
    let found = crate::environment::paths::nearest(library.files, folder, &project.root, NAMES)?;
    found.parent().map(Path::to_owned)
}

/// Finds compose's own options among the words: those between its name and its subcommand.
fn own_words<'w>(words: &'w [&'w str]) -> &'w [&'w str] {
    let start = words.iter().position(|word| word.contains("compose")).map_or(words.len(), |at| at + 1);
    let end = words[start..].iter().position(|word| ["run", "exec", "up"].contains(word));
    &words[start..end.map_or(words.len(), |length| start + length)]
}

/// Lists the files that `-f` or COMPOSE_FILE name instead of the usual ones, later ones over earlier ones.
fn named_files(own: &[&str], variables: &Variables<'_>, folder: &Path) -> Vec<PathBuf> {
    let named = option_values(own, &["--file", "-f"]);
    if !named.is_empty() {
        return named.into_iter().map(|name| named_file(name, variables, folder)).collect();
    }
    let separator = variables.get("COMPOSE_PATH_SEPARATOR").filter(|text| !text.is_empty());
    let listed = variables.get("COMPOSE_FILE").unwrap_or_default();
    let names = listed.split(separator.as_deref().unwrap_or(":")).filter(|name| !name.is_empty());
    names.map(|name| folder.join(name)).collect()
}

/// Finds the file that a word names. Where the word begins with what a script computes (`"$ROOT/compose.yml"`), its plain
/// end is looked for in the folder.
fn named_file(word: &str, variables: &Variables<'_>, folder: &Path) -> PathBuf {
    let name = word.trim_matches('"').strip_prefix('$').map(|name| name.trim_matches(['{', '}']));
    let value = name.and_then(|name| variables.get(name));
    let word = value.as_deref().unwrap_or(word).trim_matches('"');
    let computed = word.rfind(['$', '`', ')', '}']);
    let plain = match computed.and_then(|at| word[at..].split_once('/')) {
        Some((_, plain)) => plain,
        None => word,
    };
    normal(&folder.join(plain))
}

/// Lists the files that `--env-file` or COMPOSE_ENV_FILES name instead of `.env`, later ones over earlier ones.
fn env_files(own: &[&str], host: &StartEnvironment, folder: &Path) -> Vec<PathBuf> {
    let mut named = option_values(own, &["--env-file"]);
    if named.is_empty() {
        named.extend(host.get("COMPOSE_ENV_FILES").unwrap_or_default().split(',').filter(|name| !name.is_empty()));
    }
    named.into_iter().map(|name| folder.join(name)).collect()
}

/// What a compose file's values are filled in from: the shell, then the files that compose reads for that.
#[derive(Clone)]
struct Variables<'a> {
    host: &'a StartEnvironment,
    of_files: HashMap<String, String>,
    /// What a script assigns before.
    assigned: HashMap<String, String>,
}

fn variables<'a>(files: &[PathBuf], host: &'a StartEnvironment, library: &Library<'_>) -> Variables<'a> {
    let mut variables = Variables { host, of_files: HashMap::new(), assigned: HashMap::new() };
    files.iter().for_each(|path| variables.read(path, library));
    variables
}

impl Variables<'_> {
    /// Adds what stands before the command, over the rest.
    fn with(mut self, invocation: &Invocation) -> Self {
        self.assigned.extend(invocation.assignments.iter().cloned());
        self
    }

    /// Reads one more file, over those before it.
    fn read(&mut self, path: &Path, library: &Library<'_>) {
        let sheet = library.dotenv(path, Dialect::Compose, &|name| self.host.get(name).map(str::to_owned));
        let known = sheet.iter().flat_map(|sheet| sheet.iter()).filter(|setting| setting.unresolved.is_none());
        self.of_files.extend(known.map(|setting| (setting.name.clone(), setting.value.clone())));
    }

    /// Gives those that fill in a file which lies in `folder`: what its own `.env` says counts where nothing else does.
    fn within(&self, folder: &Path, named: &[PathBuf], library: &Library<'_>) -> Self {
        let mut inner = Variables { host: self.host, of_files: HashMap::new(), assigned: HashMap::new() };
        inner.read(&folder.join(".env"), library);
        named.iter().for_each(|path| inner.read(path, library));
        inner.of_files.extend(self.of_files.iter().map(|(name, value)| (name.clone(), value.clone())));
        inner
    }

    fn get(&self, name: &str) -> Option<String> {
        let assigned = self.assigned.get(name).cloned();
        assigned.or_else(|| self.host.get(name).map(str::to_owned)).or_else(|| self.of_files.get(name).cloned())
    }
}

/// Finds the file that compose takes by itself, and its override.
fn default_files(folder: &Path, library: &Library<'_>) -> Vec<PathBuf> {
    let Some(name) = NAMES.iter().find(|name| library.exists(&folder.join(name))) else { return Vec::new() };
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "yml"));
    let overriding = folder.join(format!("{stem}.override.{extension}"));
    let mut files = vec![folder.join(name)];
    files.extend(Some(overriding).filter(|path| library.exists(path)));
    files
}

/// Reads the services of the compose files, later files over earlier ones, with those that they include, and what they
/// take over from the services of other files.
///
/// Source: the Compose specification, "include", "extends": paths in such a file begin in its own folder.
fn services(
    files: &[PathBuf],
    folder: &Path,
    variables: &Variables<'_>,
    library: &Library<'_>,
    further: &Cell<usize>,
) -> BTreeMap<String, ServiceEnvironment> {
    let look = |name: &str| variables.get(name);
    let mut services = Services::new(folder, &look);
    for path in files {
        let Some(entries) = library.entries(path, formats::yaml::flatten) else { continue };
        let shown = library.shown(path);
        for entry in entries.iter() {
            services.note(entry, &shown);
        }
    }
    let is_readable = |path: &PathBuf| {
        let left = further.get();
        further.set(left.saturating_sub(1));
        left > 0 && library.exists(path)
    };
    let includes = std::mem::take(&mut services.includes);
    for Include { paths, variables: named, home } in includes.into_values() {
        let home = home.or_else(|| Some(paths.first()?.parent()?.to_owned()));
        let Some(home) = home.filter(|_| paths.iter().all(is_readable)) else {
            services.is_cut = true;
            continue;
        };
        let inner = variables.within(&home, &named, library);
        for (name, service) in self::services(&paths, &home, &inner, library, further) {
            services.found.entry(name).or_insert(service);
        }
    }
    let of_other_files = services.found.iter().filter_map(|(name, service)| {
        let (base, file) = (service.base.as_ref()?, service.base_file.clone()?);
        let home = file.parent().map_or_else(|| folder.to_owned(), Path::to_owned);
        let found = is_readable(&file).then(|| self::services(&[file], &home, variables, library, further));
        Some((name.clone(), found.and_then(|mut found| found.remove(base))))
    });
    let of_other_files: Vec<(String, Option<ServiceEnvironment>)> = of_other_files.collect();
    for (name, base) in of_other_files {
        let Some(service) = services.found.get_mut(&name) else { continue };
        service.base = None;
        match base {
            Some(base) => service.extend(&base),
            None => service.is_partial = true,
        }
    }
    services.finish()
}

/// What `include` names at one place.
#[derive(Default)]
struct Include {
    /// The first file, and those over it.
    paths: Vec<PathBuf>,
    /// The files that its values are filled in from.
    variables: Vec<PathBuf>,
    /// The folder that its paths begin in, where it is told.
    home: Option<PathBuf>,
}

/// The services of compose files, as they are read.
struct Services<'a> {
    found: BTreeMap<String, ServiceEnvironment>,
    folder: &'a Path,
    look: Lookup<'a>,
    budget: Budget,
    /// Further files that are a part of these, by their place in the list.
    includes: BTreeMap<String, Include>,
    /// Such a file could not be read.
    is_cut: bool,
}

impl<'a> Services<'a> {
    fn new(folder: &'a Path, look: Lookup<'a>) -> Self {
        Services {
            found: BTreeMap::new(),
            folder,
            look,
            budget: Budget::new(),
            includes: BTreeMap::new(),
            is_cut: false,
        }
    }

    /// Gives the services, each with what it takes over from others.
    fn finish(mut self) -> BTreeMap<String, ServiceEnvironment> {
        let declared = self.found.clone();
        for service in self.found.values_mut() {
            let mut base = service.base.clone();
            for _ in 0..MOST_BASES {
                let Some(name) = base.take() else { break };
                match declared.get(&name) {
                    Some(other) => {
                        service.extend(other);
                        base.clone_from(&other.base);
                    }
                    None => service.is_partial = true,
                }
            }
        }
        if self.is_cut || !self.includes.is_empty() {
            self.found.values_mut().for_each(|service| service.is_partial = true);
        }
        self.found
    }

    fn note(&mut self, entry: &FlatEntry, shown: &Path) {
        let path: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        let (name, rest) = match &path[..] {
            ["services", name, rest @ ..] => (*name, rest),
            // An excerpt: one service's own keys, or services without the key above them.
            ["environment" | "env_file" | "build", ..] => ("", &path[..]),
            ["include", at, rest @ ..] if !entry.value.is_empty() => {
                let (path, _) = filled(&entry.value, self.look, &mut self.budget);
                let path = normal(&self.folder.join(path));
                let include = self.includes.entry((*at).to_owned()).or_default();
                match rest {
                    [] | ["path"] | ["path", _] => include.paths.push(path),
                    ["env_file", ..] => include.variables.push(path),
                    ["project_directory"] => include.home = Some(path),
                    _ => {}
                }
                return;
            }
            [name, "environment" | "env_file" | "build", ..] => (*name, &path[1..]),
            _ => return,
        };
        let service = self.found.entry(name.to_owned()).or_default();
        match rest {
            ["build", rest @ ..] => {
                service.is_built = true;
                service.context.get_or_insert_with(|| self.folder.to_owned());
                match rest {
                    [] | ["context"] => {
                        service.is_partial |= is_elsewhere(&entry.value);
                        service.context = Some(self.folder.join(&entry.value));
                    }
                    ["dockerfile_inline"] => service.is_partial = true,
                    ["dockerfile"] => service.dockerfile = Some(entry.value.clone()),
                    ["args", key] => {
                        let is_item = key.bytes().all(|byte| byte.is_ascii_digit());
                        let pair = if is_item { entry.value.split_once('=') } else { Some((*key, &*entry.value)) };
                        let filled = |(name, value): (&str, &str)| {
                            (name.to_owned(), filled(value, self.look, &mut self.budget).0)
                        };
                        service.arguments.extend(pair.map(filled));
                    }
                    _ => {}
                }
            }
            ["image"] => service.image.clone_from(&entry.value),
            ["command", ..] => {
                service.command.get_or_insert_default().push_str(&entry.value);
            }
            ["depends_on" | "links", at, rest @ ..] => {
                let is_item = rest.is_empty() && at.bytes().all(|byte| byte.is_ascii_digit());
                let name = if is_item { entry.value.split(':').next().unwrap_or_default() } else { at };
                service.needs.push(name.to_owned());
            }
            ["extends"] | ["extends", "service"] => service.base = Some(entry.value.clone()),
            ["extends", "file"] => service.base_file = Some(normal(&self.folder.join(&entry.value))),
            // A file that is put where the program looks for its variables.
            ["volumes", _] => {
                let (source, target) = entry.value.split_once(':').unwrap_or_default();
                let target = target.split(':').next().unwrap_or_default();
                service.has_files_of_ours |= source.starts_with('.');
                if is_named_for_variables(Path::new(target)) && source.starts_with(['.', '/']) {
                    service.files.push(self.folder.join(source));
                }
            }
            ["env_file"] | ["env_file", _] | ["env_file", _, "path"] if !entry.value.is_empty() => {
                let (path, _) = filled(&entry.value, self.look, &mut self.budget);
                service.files.push(self.folder.join(path));
            }
            ["environment", key] => {
                let is_item = key.bytes().all(|byte| byte.is_ascii_digit());
                let (name, value) = match entry.value.split_once('=') {
                    Some((name, value)) if is_item => (name, Some(value)),
                    None if is_item => (entry.value.as_str(), None),
                    // An empty value may be none at all.
                    _ => (*key, Some(entry.value.as_str()).filter(|value| !value.is_empty())),
                };
                // A name without a value is handed on.
                let (value, unresolved) = match value {
                    Some(written) => filled(written, self.look, &mut self.budget),
                    None => ((self.look)(name).unwrap_or_default(), None),
                };
                if !name.is_empty() {
                    let (name, origin) = (name.to_owned(), Origin::file(name, shown, entry.line));
                    service.environment.push(Setting { name, value, origin, unresolved });
                }
            }
            _ => {}
        }
    }
}

/// Fills a value of a compose file in; what is not set stays as written, since it may be set where we do not look.
fn filled(text: &str, look: Lookup<'_>, budget: &mut Budget) -> (String, Option<Unresolved>) {
    match substitute(text, &Scope::new(look), budget, Unset::AsWritten) {
        Ok(Ok(value)) => (value, None),
        Ok(Err(obstacle)) => (text.to_owned(), Some(obstacle.into())),
        Err(Broken(_)) => (text.to_owned(), Some(Unresolved::Template)),
    }
}

/// Lists what a compose file that is named by itself gives to its services.
pub(crate) fn service_settings(entries: &[FlatEntry], shown: &Path, look: Lookup<'_>) -> Vec<Setting> {
    let mut services = Services::new(Path::new(""), look);
    for entry in entries {
        services.note(entry, shown);
    }
    services.finish().into_values().flat_map(|service| service.environment).collect()
}
