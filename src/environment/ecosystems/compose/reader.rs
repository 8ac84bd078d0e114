//! Compose files: their services, with those of the files that they include and extend.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::environment::ecosystems::compose::service::Service;
use crate::environment::ecosystems::compose::variables::Variables;
use crate::environment::follow::env_programs::is_named_for_variables;
use crate::environment::layering::Library;
use crate::environment::paths::normal;
use crate::environment::readers::expansion::{Budget, Lookup};
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::services::further::{Include, filled, includes};
use crate::environment::{Origin, Setting};

/// How many services are followed that extend each other.
const MOST_BASES: usize = 16;
/// How many files are read that others include or extend.
pub(crate) const MOST_FURTHER: usize = 64;

/// Reads the services of the compose files, later files over earlier ones, with those that they include, and what they
/// take over from the services of other files.
///
/// Source: the Compose specification, "include", "extends": paths in such a file begin in its own folder.
pub(crate) fn services(
    files: &[PathBuf],
    folder: &Path,
    variables: &Variables<'_>,
    library: &Library<'_>,
    further: &Cell<usize>,
) -> BTreeMap<String, Service> {
    let look = |name: &str| variables.get(name);
    let mut services = Services::new(folder, &look);
    for path in files {
        let Some(entries) = library.entries(path, formats::yaml::flatten) else { continue };
        let shown = library.shown(path);
        for entry in entries.iter() {
            services.note(entry, &shown);
        }
        services.includes.extend(includes(&entries, folder, &look, &mut services.budget));
        services.mount();
    }
    let is_readable = |path: &PathBuf| {
        let left = further.get();
        further.set(left.saturating_sub(1));
        left > 0 && library.exists(path)
    };
    let includes = std::mem::take(&mut services.includes);
    for include in includes {
        let Some(home) = include.home().filter(|_| include.paths.iter().all(is_readable)) else {
            services.is_cut = true;
            continue;
        };
        let inner = variables.within(&home, &include.variables, library);
        for (name, service) in self::services(&include.paths, &home, &inner, library, further) {
            services.found.entry(name).or_insert(service);
        }
    }
    let of_other_files = services.found.iter().filter_map(|(name, service)| {
        let (base, file) = (service.base.as_ref()?, service.base_file.clone()?);
        let home = file.parent().map_or_else(|| folder.to_owned(), Path::to_owned);
        let found = is_readable(&file).then(|| self::services(&[file], &home, variables, library, further));
        Some((name.clone(), found.and_then(|mut found| found.remove(base))))
    });
    let of_other_files: Vec<(String, Option<Service>)> = of_other_files.collect();
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

/// The services of compose files, as they are read.
struct Services<'a> {
    found: BTreeMap<String, Service>,
    folder: &'a Path,
    look: Lookup<'a>,
    budget: Budget,
    /// Further files that are a part of these.
    includes: Vec<Include>,
    /// Such a file could not be read.
    is_cut: bool,
}

impl<'a> Services<'a> {
    fn new(folder: &'a Path, look: Lookup<'a>) -> Self {
        Services { found: BTreeMap::new(), folder, look, budget: Budget::new(), includes: Vec::new(), is_cut: false }
    }

    /// Gives the services, each with what it takes over from others.
    fn finish(mut self) -> BTreeMap<String, Service> {
        self.mount();
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
        if self.is_cut {
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
            [name, "environment" | "env_file" | "build", ..] => (*name, &path[1..]),
            _ => return,
        };
        let (value, unresolved) = filled(&entry.value, self.look, &mut self.budget);
        let there = self.path(&value);
        let is_told = unresolved.is_none() && !value.contains('$');
        let service = self.found.entry(name.to_owned()).or_default();
        match rest {
            ["build", rest @ ..] => {
                service.is_built = true;
                service.context.get_or_insert_with(|| self.folder.to_owned());
                match rest {
                    [] | ["context"] => {
                        service.is_partial |= is_elsewhere(&value) || !is_told;
                        service.context = Some(there);
                    }
                    ["dockerfile_inline"] => service.is_partial = true,
                    ["dockerfile"] => {
                        service.is_partial |= !is_told;
                        service.dockerfile = Some(value);
                    }
                    ["args", key] => {
                        let pair = if is_item(key) { value.split_once('=') } else { Some((*key, &*value)) };
                        service.arguments.extend(pair.map(|(name, value)| (name.to_owned(), value.to_owned())));
                    }
                    _ => {}
                }
            }
            ["image"] => service.image = value,
            ["command", at @ ..] => add_word(&mut service.command, at, value),
            ["entrypoint", at @ ..] => add_word(&mut service.entry_point, at, value),
            ["profiles", _] => service.profiles.push(value),
            ["depends_on" | "links", at, rest @ ..] => {
                let is_item = rest.is_empty() && is_item(at);
                let name = if is_item { value.split(':').next().unwrap_or_default() } else { at };
                service.needs.push(name.to_owned());
            }
            ["extends"] | ["extends", "service"] => service.base = Some(value),
            ["extends", "file"] => {
                service.is_partial |= !is_told;
                service.base_file = Some(there);
            }
            ["volumes", at] => {
                let (source, target) = value.split_once(':').unwrap_or_default();
                let target = target.split(':').next().unwrap_or_default();
                service.mounts.insert((*at).to_owned(), (source.to_owned(), target.to_owned()));
            }
            ["volumes", at, "source" | "src"] => service.mounts.entry((*at).to_owned()).or_default().0 = value,
            ["volumes", at, "target" | "dst" | "destination"] => {
                service.mounts.entry((*at).to_owned()).or_default().1 = value;
            }
            ["env_file"] | ["env_file", _] | ["env_file", _, "path"] if !entry.value.is_empty() => {
                service.is_partial |= !is_told;
                service.files.push(there);
            }
            ["environment", key] => {
                let (name, value) = match value.split_once('=') {
                    Some((name, value)) if is_item(key) => (name, Some(value)),
                    None if is_item(key) => (value.as_str(), None),
                    // An empty value may be none at all.
                    _ => (*key, Some(value.as_str()).filter(|_| !entry.value.is_empty())),
                };
                // A name without a value is handed on.
                let value = value.map_or_else(|| (self.look)(name).unwrap_or_default(), str::to_owned);
                if !name.is_empty() {
                    let (name, origin) = (name.to_owned(), Origin::file(name, shown, entry.line));
                    service.environment.push(Setting { name, value, origin, unresolved });
                }
            }
            _ => {}
        }
    }

    fn path(&self, value: &str) -> PathBuf {
        normal(&self.folder.join(value))
    }

    /// Notes what was mounted in one file: later ones may put something else at the same place of the list.
    fn mount(&mut self) {
        for service in self.found.values_mut() {
            for (source, target) in std::mem::take(&mut service.mounts).into_values() {
                service.has_files_of_ours |= source.starts_with('.');
                if source.starts_with(['.', '/', '~', '$']) {
                    let is_ours = !source.starts_with('/') || Path::new(&source).starts_with(self.folder);
                    service.has_programs_of_ours |= is_ours && !is_configuration(&source);
                    service.mounted.push(target.clone());
                }
                // A file that is put where the program looks for its variables.
                if is_named_for_variables(Path::new(&target)) && source.starts_with(['.', '/']) {
                    service.files.push(self.folder.join(source));
                }
            }
        }
    }
}

/// Tells whether a key is the place of an item in a list.
fn is_item(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_digit())
}

/// Tells whether a file holds settings or data by its name, and no program.
fn is_configuration(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str).unwrap_or_default();
    ["cfg", "cnf", "conf", "ini", "json", "properties", "sql", "toml", "xml", "yaml", "yml"].contains(&extension)
}

/// Adds a word to a command; where another one begins (a text, or the first word of a list), it replaces that.
fn add_word(command: &mut Option<Vec<String>>, at: &[&str], word: String) {
    if matches!(at, [] | ["0"]) {
        *command = None;
    }
    command.get_or_insert_default().push(word);
}

/// Lists what a compose file that is named by itself gives to its services.
pub(crate) fn service_settings(entries: &[FlatEntry], shown: &Path, look: Lookup<'_>) -> Vec<Setting> {
    let mut services = Services::new(Path::new(""), look);
    for entry in entries {
        services.note(entry, shown);
    }
    services.finish().into_values().flat_map(|service| service.environment).collect()
}
/// Tells whether an image is built from what is fetched, so that nobody here knows what it sets.
///
/// Source: Docker's "Build context": URLs, `git@…`, and `github.com/…` without a scheme.
fn is_elsewhere(context: &str) -> bool {
    context.contains("://") || context.starts_with("git@") || context.starts_with("github.com/")
}
