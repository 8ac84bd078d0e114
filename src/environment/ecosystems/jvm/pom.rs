//! A Maven project file: the properties of the build and what its plugins are told, as far as the chosen profiles count.
//!
//! Source: Maven's "POM Reference" and "Settings Reference": what profiles of the settings say beats the project's own, and
//! `-D` beats both.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::{maven_command, maven_profiles, maven_settings};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::{parent, up_to};
use crate::environment::readers::formats;
use crate::text::shown;

/// Properties, each with its line.
type Properties = HashMap<String, (String, u32)>;

/// What a project file says about the build.
#[derive(Default)]
pub(crate) struct Pom {
    pub(crate) path: PathBuf,
    /// The properties that count.
    properties: Properties,
    /// Those of each profile of which it is not known whether it is on.
    may_be: Vec<Properties>,
    pub(crate) plugins: Vec<Plugin>,
}

impl Pom {
    /// Lists what the file says a property to be, or what it may be: each with its name, its value and the line.
    pub(crate) fn said(&self) -> impl Iterator<Item = (&String, &String, u32)> {
        let all = self.may_be.iter().chain(std::iter::once(&self.properties)).flatten();
        all.map(|(name, (value, line))| (name, value, *line))
    }
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
    /// Those of the command over the module's own over inherited ones; several times where profiles may be on or off.
    pub(crate) properties: Vec<Rc<HashMap<String, String>>>,
}

impl Build {
    /// Gives what a property is, if that is known.
    pub(crate) fn property(&self, name: &str) -> Option<&String> {
        let mut found = self.properties.iter().map(|one| one.get(name));
        let first = found.next().flatten();
        first.filter(|_| found.all(|other| other == first))
    }
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
            // Maven looks for the files that profiles hang on from the module's folder, inherited profiles too; newer versions
            // say so of none but the module's own.
            let entries = scene.library.entries(&path, formats::xml::flatten);
            let asker =
                if entries.is_some_and(|entries| maven_profiles::look_for_files(&entries)) { home } else { &folder };
            let key = format!("pom {} for {}", shown(&path), shown(asker));
            scene.once(key, || read(scene, &path, &[&folder, home]).unwrap_or_default())
        };
        let poms: Vec<Rc<Pom>> = files.map(read_once).collect();
        let count = poms.iter().map(|pom| pom.may_be.len()).sum::<usize>();
        if count > MOST_UNKNOWN {
            let why = GivenUp::too_much("more than 32 profiles of the build may be on or off");
            scene.library.give_up(&path(scene, home), None, why);
        }
        let given = maven_command::given(scene);
        let mut properties = vec![layered(&poms, &given, |_| false)];
        for at in 0..=count.min(MOST_UNKNOWN) {
            // All of them together, and each alone.
            let more = layered(&poms, &given, |number| at == 0 || number == at - 1);
            if !properties.contains(&more) {
                properties.push(more);
            }
        }
        Build { poms, properties: properties.into_iter().map(Rc::new).collect() }
    })
}

/// Of more profiles of which it is not known whether they are on, not each is asked what it would change.
const MOST_UNKNOWN: usize = 32;

/// Lays the properties over each other; with those of a profile that may be on where it is one of the `wanted`.
fn layered(
    poms: &[Rc<Pom>],
    given: &HashMap<String, String>,
    wanted: impl Fn(usize) -> bool,
) -> HashMap<String, String> {
    let mut properties = HashMap::new();
    let mut number = 0;
    for pom in poms.iter().rev() {
        let mut add = |more: &Properties| {
            properties.extend(more.iter().map(|(name, (value, _))| (name.clone(), value.clone())));
        };
        add(&pom.properties);
        for more in &pom.may_be {
            if wanted(number) {
                add(more);
            }
            number += 1;
        }
    }
    properties.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
    properties
}

/// Reads a project file, or one of settings, whose profiles look for files from one of `folders`.
fn read(scene: &Scene<'_>, path: &Path, folders: &[&Path]) -> Option<Pom> {
    let entries = scene.library.entries(path, formats::xml::flatten)?;
    let counts = maven_profiles::counting(scene, &entries, folders);
    // What profiles say beats the rest of the file, wherever they stand.
    let [mut own, mut of_profiles] = [HashMap::new(), HashMap::new()];
    let mut may_be: Vec<Properties> = Vec::new();
    let mut plugins: Vec<(bool, Plugin)> = Vec::new();
    for (entry, counts) in entries.iter().zip(counts).filter(|(_, counts)| *counts != Some(false)) {
        let keys: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        let configured = keys.iter().position(|key| *key == "configuration");
        let is_in_profile = matches!(&keys[..], [_, "profiles", "profile", ..]);
        let last = plugins.last_mut().map(|(_, plugin)| plugin).filter(|_| keys.contains(&"plugin"));
        match (&keys[..], last) {
            ([.., "plugin"], _) if configured.is_none() => plugins.push((is_in_profile, Plugin::default())),
            ([_, "profiles", "profile"], _) if counts.is_none() => may_be.push(HashMap::new()),
            (["project", "properties", name], _) => {
                own.insert((*name).to_owned(), (entry.value.clone(), entry.line));
            }
            ([_, "profiles", "profile", "properties", name], _) => {
                let told = (entry.value.clone(), entry.line);
                let properties = if counts.is_some() { Some(&mut of_profiles) } else { may_be.last_mut() };
                properties.into_iter().for_each(|properties| drop(properties.insert((*name).to_owned(), told.clone())));
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
    may_be.retain(|properties| !properties.is_empty());
    plugins.sort_by_key(|(is_in_profile, _)| !is_in_profile);
    let plugins = plugins.into_iter().map(|(_, plugin)| plugin).collect();
    Some(Pom { path: path.to_owned(), properties: own, may_be, plugins })
}
