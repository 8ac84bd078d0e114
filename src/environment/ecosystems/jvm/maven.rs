//! Maven: the configuration of Flyway's and Liquibase's plugins in `pom.xml`, and the properties of the build.
//!
//! Sources: the plugins' manuals; Maven's "Introduction to Build Profiles".

use std::collections::HashMap;

use crate::environment::ecosystems::jvm::plugins::{KEYS, PluginSetting, push};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::ReadingsBuilder;
use crate::environment::readers::formats;

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    matches!(scene.program(), "mvn" | "mvnw")
}

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let path = scene.option("-f").or(scene.option("--file")).map_or(scene.path("pom.xml"), |name| scene.path(name));
    let Some(entries) = scene.library.entries(&path, formats::xml::flatten) else { return };
    let mut properties: HashMap<String, String> = HashMap::new();
    let mut named = Vec::new();
    let (mut profile, mut plugin, mut is_bound) = (None, String::new(), false);
    let mut of_plugin: Vec<PluginSetting> = Vec::new();
    for entry in entries.iter() {
        let path: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        match &path[..] {
            ["project", "build" | "profiles" | "properties"] | [.., "plugin" | "profile"] => {
                close(scene, &plugin, is_bound, &mut of_plugin, &mut named);
                (plugin, is_bound) = (String::new(), false);
                if path.last() == Some(&"profile") {
                    profile = Some(false);
                } else if path.len() == 2 {
                    profile = None;
                }
            }
            [.., "profile", "id"] => profile = Some(is_chosen(scene, &entry.value)),
            [.., "profile", "activation", "activeByDefault"] if entry.value == "true" => {
                profile = profile.map(|chosen| chosen || chosen_profiles(scene).next().is_none());
            }
            _ if profile == Some(false) => {}
            ["project", "properties", name] | [.., "profile", "properties", name] => {
                properties.insert((*name).to_owned(), entry.value.clone());
                if matches!(name.split_once('.'), Some(("flyway" | "liquibase", key)) if KEYS.contains(&key)) {
                    named.push(PluginSetting { name: (*name).to_owned(), text: entry.value.clone(), line: entry.line });
                }
            }
            [.., "plugin", "artifactId"] => plugin.clone_from(&entry.value),
            [.., "plugin", "executions", "execution", "goals", "goal"] => is_bound = true,
            [.., "configuration", key] if KEYS.contains(key) => {
                of_plugin.push(PluginSetting { name: (*key).to_owned(), text: entry.value.clone(), line: entry.line });
            }
            _ => {}
        }
    }
    close(scene, &plugin, is_bound, &mut of_plugin, &mut named);
    for word in scene.words() {
        if let Some((name, value)) = word.strip_prefix("-D").and_then(|word| word.split_once('=')) {
            properties.insert(name.to_owned(), value.to_owned());
        }
    }
    push(scene, readings, "Maven", &path, named, properties);
}

/// Takes over what a plugin's element said, if this command runs that plugin.
fn close(
    scene: &Scene<'_>,
    plugin: &str,
    is_bound: bool,
    of_plugin: &mut Vec<PluginSetting>,
    named: &mut Vec<PluginSetting>,
) {
    let own = ["flyway", "liquibase"].into_iter().find(|tool| plugin == format!("{tool}-maven-plugin"));
    let taken = std::mem::take(of_plugin).into_iter();
    if let Some(tool) = own.filter(|tool| is_bound || scene.words().iter().any(|word| word.contains(tool))) {
        named.extend(taken.map(|one| PluginSetting { name: format!("{tool}.{}", one.name), ..one }));
    }
}

fn chosen_profiles<'s>(scene: &'s Scene<'_>) -> impl Iterator<Item = &'s str> {
    let words = scene.words();
    let glued = words.iter().filter_map(|word| word.strip_prefix("-P")).filter(|names| !names.is_empty());
    let apart = words.windows(2).filter(|pair| pair[0] == "-P" || pair[0] == "--activate-profiles");
    glued.chain(apart.map(|pair| pair[1].as_str())).flat_map(|names| names.split(','))
}

fn is_chosen(scene: &Scene<'_>, id: &str) -> bool {
    chosen_profiles(scene).any(|name| name.trim_start_matches(['+', '?']) == id)
}
