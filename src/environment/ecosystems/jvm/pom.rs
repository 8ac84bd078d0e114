//! A Maven project file: the properties of the build and what its plugins are told, as far as the chosen profiles count.
//!
//! Source: Maven's "Introduction to Build Profiles", "POM Reference" and "Settings Reference": profiles are chosen by `-P`,
//! by the settings' `<activeProfiles>`, by a property or variable that their `<activation>` names, or by default; what
//! profiles of the settings say beats the project's own, and `-D` beats both.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::maven_settings;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::StartEnvironment;
use crate::environment::paths::up_to;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::text::shown;

/// What a project file says about the build.
#[derive(Default)]
pub(crate) struct Pom {
    pub(crate) path: PathBuf,
    /// The properties, each with its line.
    pub(crate) properties: HashMap<String, (String, u32)>,
    pub(crate) plugins: Vec<Plugin>,
}

/// What one plugin is told.
#[derive(Default)]
pub(crate) struct Plugin {
    pub(crate) artifact: String,
    /// It runs by itself in some phase of the build.
    pub(crate) is_bound: bool,
    pub(crate) configuration: Vec<Told>,
}

/// One value below `<configuration>`.
pub(crate) struct Told {
    pub(crate) path: Vec<String>,
    pub(crate) value: String,
    pub(crate) line: u32,
}

/// Finds the project file of the module in `home`: the one that the command names, if it lies there.
pub(crate) fn path(scene: &Scene<'_>, home: &Path) -> PathBuf {
    let named = scene.option("-f").or(scene.option("--file")).map(|name| scene.path(name));
    let is_own = |path: &PathBuf| path.parent() == Some(home) && path.extension().is_some_and(|ending| ending == "xml");
    named.filter(is_own).unwrap_or_else(|| home.join("pom.xml"))
}

/// Reads the user's settings, the project file of the module in `home` and those of the folders above it, which it commonly
/// inherits from; the strongest first.
pub(crate) fn with_parents(scene: &Scene<'_>, home: &Path) -> Vec<Rc<Pom>> {
    let own = std::iter::once(path(scene, home));
    let above = up_to(&scene.project.root, home).skip(1).map(|folder| folder.join("pom.xml"));
    let present = own.chain(above).filter(|path| scene.library.exists(path));
    let profiles = told(scene).join(" ");
    let read_once = |path: PathBuf| {
        scene.library.once(format!("pom {profiles} {}", shown(&path)), || read(scene, &path).unwrap_or_default())
    };
    maven_settings::files(scene).into_iter().chain(present.map(read_once)).collect()
}

/// Gathers the properties of a module, those of the command over its own over inherited ones.
pub(crate) fn properties(scene: &Scene<'_>, poms: &[Rc<Pom>]) -> HashMap<String, String> {
    let inherited = poms.iter().rev().flat_map(|pom| &pom.properties);
    let mut all: HashMap<String, String> = inherited.map(|(name, (value, _))| (name.clone(), value.clone())).collect();
    all.extend(given(scene));
    all
}

/// Reads one project file.
fn read(scene: &Scene<'_>, path: &Path) -> Option<Pom> {
    let entries = scene.library.entries(path, formats::xml::flatten)?;
    let mut pom = Pom { path: path.to_owned(), ..Pom::default() };
    let chosen = Chosen::of(scene);
    let mut profile = None;
    let mut condition = String::new();
    let mut plugin: Option<Plugin> = None;
    for (at, entry) in entries.iter().enumerate() {
        let keys: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        let configured = keys.iter().position(|key| *key == "configuration");
        match &keys[..] {
            ["project", "build" | "profiles" | "properties" | "dependencies"] => {
                pom.plugins.extend(plugin.take());
                profile = None;
            }
            [.., "profile"] if configured.is_none() => {
                pom.plugins.extend(plugin.take());
                profile = Some(false);
            }
            [.., "profile", "id"] if configured.is_none() => {
                profile = profile.map(|is_on| is_on || chosen.names(&entry.value));
            }
            [_, "profiles", "profile", "activation", rest @ ..] => {
                let fits = chosen.fits(rest, entry, entries.get(at + 1), &mut condition);
                profile = profile.map(|is_on| is_on || fits);
            }
            _ if profile == Some(false) => {}
            [.., "plugin"] if configured.is_none() => {
                pom.plugins.extend(plugin.replace(Plugin::default()));
            }
            ["project", "properties", name] | [.., "profile", "properties", name] => {
                pom.properties.insert((*name).to_owned(), (entry.value.clone(), entry.line));
            }
            [.., "plugin", "artifactId"] => {
                plugin.iter_mut().for_each(|plugin| plugin.artifact.clone_from(&entry.value));
            }
            [.., "plugin", "executions", "execution", "goals", "goal"] => {
                plugin.iter_mut().for_each(|plugin| plugin.is_bound = true);
            }
            [.., last] if !last.starts_with('@') => {
                if let (Some(at), Some(plugin)) = (configured, &mut plugin) {
                    let path = entry.path[at + 1..].to_vec();
                    plugin.configuration.push(Told { path, value: entry.value.clone(), line: entry.line });
                }
            }
            _ => {}
        }
    }
    pom.plugins.extend(plugin);
    Some(pom)
}

/// What chooses among the profiles of a build.
pub(crate) struct Chosen<'s> {
    names: Vec<String>,
    /// By `-P`, so that what is on by default is not.
    is_asked: bool,
    properties: HashMap<String, String>,
    environment: &'s StartEnvironment,
}

impl<'s> Chosen<'s> {
    /// Gathers what the command and the settings choose.
    pub(crate) fn of(scene: &Scene<'s>) -> Self {
        let asked = asked_profiles(scene);
        let is_asked = asked.iter().any(|name| !name.starts_with(['!', '-']));
        let mut names: Vec<String> =
            asked.into_iter().map(|name| name.trim_start_matches(['+', '?']).to_owned()).collect();
        let active = maven_settings::active(scene);
        let by_settings: Vec<String> =
            active.iter().filter(|name| !names.contains(&format!("!{name}"))).cloned().collect();
        names.extend(by_settings);
        Chosen { names, is_asked, properties: given(scene), environment: scene.environment }
    }

    /// Tells whether the profile of that id is chosen by its name.
    pub(crate) fn names(&self, id: &str) -> bool {
        self.names.iter().any(|name| name == id)
    }

    /// Tells whether an entry below `<activation>` turns its profile on; `condition` keeps the name of a property for the
    /// value behind it.
    pub(crate) fn fits(
        &self,
        path: &[&str],
        entry: &FlatEntry,
        next: Option<&FlatEntry>,
        condition: &mut String,
    ) -> bool {
        let value = entry.value.as_str();
        match path {
            ["activeByDefault"] => value == "true" && !self.is_asked,
            ["property", "name"] => {
                value.clone_into(condition);
                let has_value =
                    next.is_some_and(|next| next.path.ends_with(&["property".to_owned(), "value".to_owned()]));
                match value.strip_prefix('!') {
                    Some(name) => self.property(name).is_none(),
                    None => !has_value && self.property(value).is_some(),
                }
            }
            ["property", "value"] => {
                let own = self.property(condition);
                match value.strip_prefix('!') {
                    Some(other) => own.is_none_or(|own| own != other),
                    None => own == Some(value),
                }
            }
            _ => false,
        }
    }

    fn property(&self, name: &str) -> Option<&str> {
        match name.strip_prefix("env.") {
            Some(name) => self.environment.get(name),
            None => self.properties.get(name).map(String::as_str),
        }
    }
}

/// Lists what Maven is told on its command line: by `.mvn/maven.config`, then by MAVEN_ARGS, then by the words themselves.
pub(crate) fn told(scene: &Scene<'_>) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(path) = scene.find_upwards(&[".mvn/maven.config"]) {
        let text = scene.library.string(&path).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        told.extend(lines.flat_map(str::split_whitespace).map(str::to_owned));
    }
    told.extend(scene.environment.get("MAVEN_ARGS").unwrap_or_default().split_whitespace().map(str::to_owned));
    told.extend(scene.words().iter().skip(1).cloned());
    told
}

/// Lists the properties that the command gives: `-Dname=value`, and `-Dname` for `true`.
fn given(scene: &Scene<'_>) -> HashMap<String, String> {
    let of_opts = scene.environment.get("MAVEN_OPTS").unwrap_or_default().to_owned();
    let words = of_opts.split_whitespace().map(str::to_owned).chain(told(scene));
    let named = words.filter_map(|word| {
        let own = word.strip_prefix("-D")?;
        let (name, value) = own.split_once('=').unwrap_or((own, "true"));
        (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    });
    named.collect()
}

/// Lists the profiles of `-P`.
fn asked_profiles(scene: &Scene<'_>) -> Vec<String> {
    let words = told(scene);
    let glued = words.iter().filter_map(|word| word.strip_prefix("-P")).filter(|names| !names.is_empty());
    let apart = words.windows(2).filter(|pair| pair[0] == "-P" || pair[0] == "--activate-profiles");
    let names = glued.chain(apart.map(|pair| pair[1].as_str())).flat_map(|names| names.split(','));
    names.map(|name| name.trim().to_owned()).collect()
}
