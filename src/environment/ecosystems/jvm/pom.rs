//! A Maven project file: the properties of the build and what its plugins are told, as far as the chosen profiles count.
//!
//! Source: Maven's "POM Reference" and "Settings Reference": what profiles of the settings say beats the project's own, and
//! `-D` beats both.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::{maven_command, maven_profiles, maven_settings};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::paths::{parent, up_to};
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

/// The files that say how a module is built, the strongest first, and the properties that come of them.
pub(crate) struct Build {
    /// The user's settings, the project file of the module and those of the folders above it, which it commonly inherits
    /// from.
    pub(crate) poms: Vec<Rc<Pom>>,
    /// Those of the command over the module's own over inherited ones.
    pub(crate) properties: Rc<HashMap<String, String>>,
}

/// Reads how the module in `home` is built.
pub(crate) fn build(scene: &Scene<'_>, home: &Path) -> Rc<Build> {
    scene.once(format!("build of {}", shown(home)), || {
        let own = std::iter::once(path(scene, home));
        let above = up_to(&scene.project.root, home).skip(1).map(|folder| folder.join("pom.xml"));
        let present = own.chain(above).filter(|path| scene.library.exists(path));
        let of_settings = maven_settings::paths(scene).into_iter().map(|path| (path, scene.folder.to_owned()));
        let files = of_settings.chain(present.map(|path| (path.clone(), parent(&path))));
        let read_once = |(path, folder): (PathBuf, PathBuf)| {
            scene.once(format!("pom {}", shown(&path)), || read(scene, &path, &folder).unwrap_or_default())
        };
        let poms: Vec<Rc<Pom>> = files.map(read_once).collect();
        let inherited = poms.iter().rev().flat_map(|pom| &pom.properties);
        let mut properties: HashMap<String, String> =
            inherited.map(|(name, (value, _))| (name.clone(), value.clone())).collect();
        properties.extend(maven_command::given(scene).iter().map(|(name, value)| (name.clone(), value.clone())));
        Build { poms, properties: Rc::new(properties) }
    })
}

/// Reads a project file, or one of settings, whose profiles look for files from `folder`.
fn read(scene: &Scene<'_>, path: &Path, folder: &Path) -> Option<Pom> {
    let entries = scene.library.entries(path, formats::xml::flatten)?;
    let counts = maven_profiles::counting(scene, &entries, folder);
    // What profiles say beats the rest of the file, wherever they stand.
    let [mut own, mut of_profiles] = [HashMap::new(), HashMap::new()];
    let mut plugins: Vec<(bool, Plugin)> = Vec::new();
    for (entry, _) in entries.iter().zip(counts).filter(|(_, counts)| *counts) {
        let keys: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        let configured = keys.iter().position(|key| *key == "configuration");
        let is_in_profile = matches!(&keys[..], [_, "profiles", "profile", ..]);
        let last = plugins.last_mut().map(|(_, plugin)| plugin).filter(|_| keys.contains(&"plugin"));
        match (&keys[..], last) {
            ([.., "plugin"], _) if configured.is_none() => plugins.push((is_in_profile, Plugin::default())),
            (["project", "properties", name], _) => {
                own.insert((*name).to_owned(), (entry.value.clone(), entry.line));
            }
            ([_, "profiles", "profile", "properties", name], _) => {
                of_profiles.insert((*name).to_owned(), (entry.value.clone(), entry.line));
            }
            ([.., "plugin", "artifactId"], Some(plugin)) => plugin.artifact.clone_from(&entry.value),
            ([.., "plugin", "executions", "execution", "goals", "goal"], Some(plugin)) => plugin.is_bound = true,
            ([.., last], Some(plugin)) if !last.starts_with('@') => {
                if let Some(at) = configured {
                    let path = entry.path[at + 1..].to_vec();
                    plugin.configuration.push(Told { path, value: entry.value.clone(), line: entry.line });
                }
            }
            _ => {}
        }
    }
    own.extend(of_profiles);
    plugins.sort_by_key(|(is_in_profile, _)| !is_in_profile);
    let plugins = plugins.into_iter().map(|(_, plugin)| plugin).collect();
    Some(Pom { path: path.to_owned(), properties: own, plugins })
}
