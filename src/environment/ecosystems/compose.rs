//! docker compose: what a service's `environment` and `env_file` give to a command that runs in it.
//!
//! Source: docker/docs `envvars-precedence.md`: `run -e` over `environment` over `env_file`; `${X}` is filled in from
//! the shell, then from the project's `.env`. The host's own variables do not reach the container.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::environment::ecosystems::Scene;
use crate::environment::follow::Step;
use crate::environment::layering::library::{Dialect, Library};
use crate::environment::layering::{Draft, Layer, Lookup, Shell, expanded};
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Project, Setting};

/// What one service has in its environment.
#[derive(Debug, Default)]
struct Service {
    environment: Vec<Setting>,
    /// The weakest first, as they are listed.
    files: Vec<PathBuf>,
    /// It runs a program of the project's own, not a published image.
    is_built: bool,
}

const NAMES: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// Where no command is asked about, or an unknown one: services that run the project's own code may be where it runs.
/// What they are called by default (NODE_ENV=production) says nothing about a command that is not known yet.
pub(crate) fn add(scene: &Scene<'_>, draft: &mut Draft<'_>) {
    if scene.step.is_some() {
        return;
    }
    let Some(folder) = home(scene.folder, scene.project, scene.library) else { return };
    let services = services(&default_files(&folder, scene.library), &folder, scene.shell, scene.library);
    for service in services.into_values().filter(|service| service.is_built || !service.files.is_empty()) {
        let mut sheet = service.environment;
        sheet.retain(|setting| !names_environment(&setting.name));
        let mut layers = vec![Layer::Fixed(sheet.into())];
        layers.extend(service.files.into_iter().rev().map(Layer::file));
        layers.push(Layer::Shell);
        draft.chain("docker compose", &[Dialect::Compose], layers);
    }
}

fn names_environment(name: &str) -> bool {
    name.ends_with("_ENV")
        || name.ends_with("ENVIRONMENT")
        || matches!(name, "ENV" | "STAGE" | "SPRING_PROFILES_ACTIVE")
}

/// The environments of the services that the step may run in: those that `command` names; where it names none, those
/// that run the project's own code. Empty where no compose file tells.
pub(crate) fn service_shells(
    host: &Shell,
    step: &Step,
    project: &Project,
    library: &Library<'_>,
    command: &[OsString],
) -> Vec<Shell> {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let in_project = |name: &str| library.unexpanded(&step.folder.join(".env"), name);
    let variable = |name: &str| host.get(name).map(str::to_owned).or_else(|| in_project(name));
    let named = named_files(&words, &variable, &step.folder);
    let folder = match named.first() {
        Some(first) => first.parent().map_or_else(|| step.folder.clone(), Path::to_owned),
        None => match home(&step.folder, project, library) {
            Some(folder) => folder,
            None => return Vec::new(),
        },
    };
    let files = if named.is_empty() { default_files(&folder, library) } else { named };
    let services = services(&files, &folder, host, library);
    let is_named = |name: &str| words.iter().any(|word| word.split_whitespace().any(|part| part == name));
    let any_is_named = services.keys().any(|name| is_named(name));
    let shells = services
        .into_iter()
        .filter(|(name, service)| match any_is_named {
            true => is_named(name),
            false => service.is_built || !service.files.is_empty(),
        })
        .map(|(_, service)| {
            let mut settings = Vec::new();
            for path in &service.files {
                let look = |name: &str| host.get(name).map(str::to_owned);
                let sheet = library.dotenv(path, Dialect::Compose, &look);
                settings.extend(sheet.iter().flat_map(|sheet| sheet.iter().cloned()));
            }
            settings.extend(service.environment);
            Shell::of(settings)
        });
    shells.collect()
}

fn home(folder: &Path, project: &Project, library: &Library<'_>) -> Option<PathBuf> {
    let found = crate::environment::paths::nearest(library.files, folder, &project.root, NAMES)?;
    found.parent().map(Path::to_owned)
}

/// The files that `-f` or COMPOSE_FILE name instead of the usual ones, later ones over earlier ones.
fn named_files(words: &[Cow<'_, str>], variable: Lookup<'_>, folder: &Path) -> Vec<PathBuf> {
    let words: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    let start = words.iter().position(|word| word.contains("compose")).map_or(words.len(), |at| at + 1);
    let end = words.iter().skip(start).position(|word| ["run", "exec", "up"].contains(word));
    let own = &words[start..end.map_or(words.len(), |length| start + length)];
    let mut files = Vec::new();
    for (at, word) in own.iter().enumerate() {
        match word.strip_prefix("--file").or(word.strip_prefix("-f")) {
            Some("") => files.extend(own.get(at + 1).copied()),
            Some(rest) => files.push(rest.trim_start_matches('=')),
            None => {}
        }
    }
    if files.is_empty() {
        let separator = variable("COMPOSE_PATH_SEPARATOR").filter(|text| !text.is_empty());
        let listed = variable("COMPOSE_FILE").unwrap_or_default();
        let names = listed.split(separator.as_deref().unwrap_or(":")).filter(|name| !name.is_empty());
        return names.map(|name| folder.join(name)).collect();
    }
    files.into_iter().map(|name| folder.join(name)).collect()
}

/// The file that compose takes by itself, and its override.
fn default_files(folder: &Path, library: &Library<'_>) -> Vec<PathBuf> {
    let Some(name) = NAMES.iter().find(|name| library.exists(&folder.join(name))) else { return Vec::new() };
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "yml"));
    let overriding = folder.join(format!("{stem}.override.{extension}"));
    let mut files = vec![folder.join(name)];
    files.extend(Some(overriding).filter(|path| library.exists(path)));
    files
}

/// The services of the compose files, later files over earlier ones.
fn services(files: &[PathBuf], folder: &Path, shell: &Shell, library: &Library<'_>) -> BTreeMap<String, Service> {
    let mut services = BTreeMap::new();
    for path in files {
        let Some(text) = library.string(path) else { continue };
        let entries = formats::yaml::flatten(&text).unwrap_or_else(|error| error.entries);
        let shown = library.shown(path);
        let dotenv = folder.join(".env");
        let look = |name: &str| shell.get(name).map(str::to_owned).or_else(|| library.unexpanded(&dotenv, name));
        for entry in &entries {
            note(&mut services, entry, folder, &shown, &look);
        }
    }
    services
}

fn note(
    services: &mut BTreeMap<String, Service>,
    entry: &FlatEntry,
    folder: &Path,
    shown: &Path,
    look: &dyn Fn(&str) -> Option<String>,
) {
    let path: Vec<&str> = entry.path.iter().map(String::as_str).collect();
    let (name, rest) = match &path[..] {
        ["services", name, rest @ ..] => (*name, rest),
        // An excerpt: one service's own keys, or services without the key above them.
        ["environment" | "env_file" | "build", ..] => ("", &path[..]),
        [name, "environment" | "env_file" | "build", ..] => (*name, &path[1..]),
        _ => return,
    };
    let service = services.entry(name.to_owned()).or_default();
    match rest {
        ["build", ..] => service.is_built = true,
        ["env_file"] | ["env_file", _] | ["env_file", _, "path"] if !entry.value.is_empty() => {
            service.files.push(folder.join(expanded(&entry.value, look).0));
        }
        ["environment", key] => {
            let is_item = key.bytes().all(|byte| byte.is_ascii_digit());
            let (name, value) = match (is_item, entry.value.split_once('=')) {
                (true, Some((name, value))) => (name.to_owned(), value.to_owned()),
                (true, None) => (entry.value.clone(), look(&entry.value).unwrap_or_default()),
                (false, _) => ((*key).to_owned(), entry.value.clone()),
            };
            if name.is_empty() {
                return;
            }
            let (value, unresolved) = expanded(&value.replace("$$", "\u{E000}"), look);
            let value = value.replace('\u{E000}', "$");
            let origin = Origin::file(name.clone(), shown, entry.line);
            service.environment.push(Setting { name, value, origin, unresolved });
        }
        _ => {}
    }
}

/// A compose file that is named by itself: the environment of each of its services.
pub(crate) fn service_settings(
    entries: &[FlatEntry],
    shown: &Path,
    look: &dyn Fn(&str) -> Option<String>,
) -> Vec<Setting> {
    let mut services = BTreeMap::new();
    for entry in entries {
        note(&mut services, entry, Path::new(""), shown, look);
    }
    services.into_values().flat_map(|service| service.environment).collect()
}
