//! A Maven project file: the properties of the build and what its plugins are told, as far as the chosen profiles count.
//!
//! Source: Maven's "Introduction to Build Profiles", "POM Reference" and "Settings Reference": profiles are chosen by `-P`,
//! by the settings' `<activeProfiles>`, by a property or variable that their `<activation>` names, or by default; what
//! profiles of the settings say beats the project's own, and `-D` beats both.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::maven_profiles::Chosen;
use crate::environment::ecosystems::jvm::{maven_command, maven_settings};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::paths::up_to;
use crate::environment::readers::formats;
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
    let profiles = maven_command::words(scene).join(" ");
    let read_once = |path: PathBuf| {
        scene.library.once(format!("pom {profiles} {}", shown(&path)), || read(scene, &path).unwrap_or_default())
    };
    of_settings(scene).into_iter().chain(present.map(read_once)).collect()
}

/// Gathers the properties of a module, those of the command over its own over inherited ones.
pub(crate) fn properties(scene: &Scene<'_>, poms: &[Rc<Pom>]) -> HashMap<String, String> {
    let inherited = poms.iter().rev().flat_map(|pom| &pom.properties);
    let mut all: HashMap<String, String> = inherited.map(|(name, (value, _))| (name.clone(), value.clone())).collect();
    all.extend(maven_command::given(scene));
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

/// Reads the properties of the profiles that count, as project files that beat the project's own.
fn of_settings(scene: &Scene<'_>) -> Vec<Rc<Pom>> {
    let told = maven_command::words(scene).join(" ");
    let read_once = |path: PathBuf| {
        scene
            .library
            .once(format!("settings {told} {}", shown(&path)), || read_settings(scene, &path).unwrap_or_default())
    };
    maven_settings::paths(scene).into_iter().map(read_once).collect()
}

/// Reads one settings file.
fn read_settings(scene: &Scene<'_>, path: &Path) -> Option<Pom> {
    let entries = scene.library.entries(path, formats::xml::flatten)?;
    let chosen = Chosen::of(scene);
    let mut file = Pom { path: path.to_owned(), ..Pom::default() };
    let mut is_on = false;
    let mut condition = String::new();
    // A profile's activation may stand behind its properties.
    let mut waiting = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let keys: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        match &keys[..] {
            [_, "profiles", "profile"] => {
                is_on = false;
                waiting.clear();
            }
            [_, "profiles", "profile", "id"] => is_on |= chosen.names(&entry.value),
            [_, "profiles", "profile", "activation", rest @ ..] => {
                is_on |= chosen.fits(rest, entry, entries.get(at + 1), &mut condition);
            }
            [_, "profiles", "profile", "properties", name] => {
                waiting.push(((*name).to_owned(), (entry.value.clone(), entry.line)));
            }
            _ => {}
        }
        if is_on {
            file.properties.extend(waiting.drain(..));
        }
    }
    Some(file)
}
