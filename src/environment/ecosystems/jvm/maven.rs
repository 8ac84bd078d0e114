//! Maven: what `pom.xml` tells the plugins of Flyway and Liquibase, and those that start tests and the program.
//!
//! Sources: the plugins' manuals (Surefire and Failsafe: `systemPropertyVariables`, `environmentVariables`, `argLine`).

use std::path::Path;
use std::rc::Rc;

use crate::environment::ecosystems::jvm::modules;
use crate::environment::ecosystems::jvm::options;
use crate::environment::ecosystems::jvm::plugins::{KEYS, PluginSetting, push};
use crate::environment::ecosystems::jvm::pom::{self, Plugin, Pom};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::ReadingsBuilder;
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::{Origin, Setting};

pub(crate) fn is_used(scene: &Scene<'_>) -> bool {
    matches!(scene.program(), "mvn" | "mvnw" | "mvnd")
}

/// Adds the settings of Flyway's and Liquibase's plugins, where this command runs them.
pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in modules::homes(scene).iter() {
        let build = pom::build(scene, home);
        for pom in &build.poms {
            let mut named: Vec<PluginSetting> = pom.plugins.iter().flat_map(|one| of_migration(scene, one)).collect();
            for (name, value, line) in pom.said() {
                if matches!(name.split_once('.'), Some(("flyway" | "liquibase", key)) if KEYS.contains(&key)) {
                    named.push(PluginSetting { name: name.clone(), text: value.clone(), line });
                }
            }
            for properties in &build.properties {
                push(scene, readings, "Maven", &pom.path, named.clone(), Rc::clone(properties));
            }
        }
    }
}

/// Lists what a plugin of Flyway or Liquibase is told, if this command runs it.
fn of_migration(scene: &Scene<'_>, plugin: &Plugin) -> Vec<PluginSetting> {
    let tool = ["flyway", "liquibase"].into_iter().find(|tool| plugin.artifact == format!("{tool}-maven-plugin"));
    let Some(tool) = tool.filter(|tool| plugin.is_bound || scene.words().iter().any(|word| word.contains(tool))) else {
        return Vec::new();
    };
    let own =
        plugin.configuration.iter().filter(|told| matches!(&told.path[..], [key] if KEYS.contains(&key.as_str())));
    own.map(|told| PluginSetting {
        name: format!("{tool}.{}", told.path[0]),
        text: told.value.clone(),
        line: told.line,
    })
    .collect()
}

/// Collects what the build tells the tests, or the program, of the module in `home`.
pub(crate) fn told(scene: &Scene<'_>, home: &Path, is_test: bool) -> Vec<Setting> {
    if !is_used(scene) {
        return Vec::new();
    }
    let build = pom::build(scene, home);
    let known = |name: &str| match name.strip_prefix("env.") {
        Some(name) => scene.environment.get(name).map(str::to_owned),
        None => build.property(name).cloned(),
    };
    let placeholders = Placeholders::of_file(&known);
    let mut told = Vec::new();
    for pom in &build.poms {
        for (name, value, line) in pom.said().filter(|(name, ..)| options::is_carrier(name)) {
            let origin = Origin::file(name, scene.library.shown(&pom.path), line);
            told.extend(options::of_text(&placeholders.filled(value), &origin));
        }
        for plugin in &pom.plugins {
            let tool =
                plugin.artifact.strip_suffix("-maven-plugin").filter(|tool| matches!(*tool, "flyway" | "liquibase"));
            let names_files = plugin
                .configuration
                .iter()
                .filter(|one| matches!(one.path.first().map(String::as_str), Some("propertyFile" | "configFiles")));
            for (tool, one) in tool.into_iter().flat_map(|tool| names_files.clone().map(move |one| (tool, one))) {
                let origin = Origin::file(&one.path[0], scene.library.shown(&pom.path), one.line);
                told.push(Setting::known(format!("{tool}.{}", one.path[0]), placeholders.filled(&one.value), origin));
            }
        }
        for plugin in pom.plugins.iter().filter(|plugin| starts(&plugin.artifact, is_test)) {
            told.extend(of_plugin(scene, pom, plugin, &placeholders));
        }
    }
    told
}

/// Tells whether the plugin of that name starts the tests, or the program.
fn starts(artifact: &str, is_test: bool) -> bool {
    match artifact {
        "maven-surefire-plugin" | "maven-failsafe-plugin" | "scalatest-maven-plugin" => is_test,
        "spring-boot-maven-plugin"
        | "exec-maven-plugin"
        | "quarkus-maven-plugin"
        | "micronaut-maven-plugin"
        | "jetty-maven-plugin" => !is_test,
        _ => false,
    }
}

fn of_plugin(scene: &Scene<'_>, pom: &Pom, plugin: &Plugin, placeholders: &Placeholders<'_>) -> Vec<Setting> {
    let mut told = Vec::new();
    // `<property><name>a</name><value>b</value></property>`
    let mut property = String::new();
    for one in &plugin.configuration {
        let path: Vec<&str> = one.path.iter().map(String::as_str).collect();
        let value = placeholders.filled(&one.value);
        let origin = |name: &str| Origin::file(name, scene.library.shown(&pom.path), one.line);
        match &path[..] {
            ["systemProperties" | "systemPropertyVariables", "property", "name"] => property = value,
            ["systemProperties" | "systemPropertyVariables", "property", "value"] => {
                told.push(Setting::known(property.clone(), value, origin(&property)));
            }
            ["systemProperties" | "systemPropertyVariables" | "environmentVariables", name] => {
                told.push(Setting::known(*name, value, origin(name)));
            }
            ["systemProperties", "systemProperty", key] => match *key {
                "key" => property = value,
                _ => told.push(Setting::known(property.clone(), value, origin(&property))),
            },
            ["profiles", ..] if !value.is_empty() => {
                told.push(Setting::known("spring.profiles.active", value, origin("profiles")));
            }
            [name @ ("argLine" | "arguments" | "jvmArguments" | "jvmArgs" | "commandlineArgs"), ..] => {
                told.extend(options::of_text(&value, &origin(name)));
            }
            _ => {}
        }
    }
    told
}
