//! What starts a program of .NET, or its tests, with variables of its own: `launchSettings.json` and `.runsettings`.
//!
//! Sources: AspNetCore.Docs `fundamentals/environments` (`dotnet run` takes the first profile of the command `Project`, or
//! the one of `--launch-profile`); "Configure unit tests by using a .runsettings file" (`EnvironmentVariables`,
//! `RunSettingsFilePath`).

use std::path::{Path, PathBuf};

use crate::environment::ecosystems::dotnet::projects::is_project_file;
use crate::environment::ecosystems::manifest::between;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::paths::{normal, parent, up_to};
use crate::environment::readers::formats;
use crate::environment::{Origin, Setting};

/// Lists the variables that `dotnet run` sets for the project in `home`.
pub(crate) fn of_program(scene: &Scene<'_>, home: &Path) -> Vec<Setting> {
    let word = |wanted: &str| scene.words().iter().any(|word| word == wanted);
    if word("--no-launch-profile") || word("ef") {
        return Vec::new();
    }
    let path = home.join("Properties/launchSettings.json");
    let Some(entries) =
        scene.library.exists(&path).then(|| scene.library.entries(&path, formats::json::flatten)).flatten()
    else {
        return Vec::new();
    };
    let named = scene.option("--launch-profile").or(scene.option("-lp"));
    let starts_project = entries.iter().find_map(|entry| match &entry.path[..] {
        [profiles, name, command] if profiles == "profiles" && command == "commandName" => {
            (entry.value == "Project").then_some(name.as_str())
        }
        _ => None,
    });
    let first = || {
        entries
            .iter()
            .find(|entry| entry.path.len() > 2 && entry.path[0] == "profiles")
            .map(|entry| entry.path[1].as_str())
    };
    let Some(profile) = named.or(starts_project).or_else(first) else { return Vec::new() };
    let shown = scene.library.shown(&path);
    let own = entries.iter().filter_map(|entry| match &entry.path[..] {
        [profiles, name, variables, variable]
            if profiles == "profiles" && name == profile && variables == "environmentVariables" =>
        {
            let origin = Origin::file(variable, &shown, entry.line);
            Some(Setting::known(variable, entry.value.clone(), origin))
        }
        _ => None,
    });
    own.collect()
}

/// Lists the variables and parameters that a test run of the project in `home` gets from its settings file.
pub(crate) fn of_tests(scene: &Scene<'_>, home: &Path) -> Vec<Setting> {
    let mut settings = Vec::new();
    for path in run_settings(scene, home) {
        let Some(entries) = scene.library.entries(&path, formats::xml::flatten) else { continue };
        let shown = scene.library.shown(&path);
        let mut parameter = String::new();
        for entry in entries.iter() {
            let path: Vec<&str> = entry.path.iter().map(String::as_str).collect();
            let origin = |name: &str| Origin::file(name, &shown, entry.line);
            match &path[..] {
                [.., "EnvironmentVariables", name] if !name.starts_with('@') => {
                    settings.push(Setting::known(*name, entry.value.clone(), origin(name)));
                }
                [.., "Parameter", "@name"] => parameter.clone_from(&entry.value),
                [.., "Parameter", "@value"] => {
                    settings.push(Setting::known(parameter.clone(), entry.value.clone(), origin(&parameter)));
                }
                _ => {}
            }
        }
    }
    settings
}

/// Lists the settings files of a test run: the one that the command names, else those that the project does.
fn run_settings(scene: &Scene<'_>, home: &Path) -> Vec<PathBuf> {
    let glued =
        scene.words().iter().find_map(|word| word.strip_prefix("/Settings:").or(word.strip_prefix("--Settings:")));
    if let Some(name) = scene.option("--settings").or(scene.option("-s")).or(glued) {
        return vec![normal(&scene.path(&name.replace('\\', "/")))];
    }
    let of_project = scene.names_in(home).into_iter().filter(|name| is_project_file(name)).map(|name| home.join(name));
    let shared = up_to(&scene.project.root, home).map(|folder| folder.join("Directory.Build.props"));
    let files = of_project.chain(shared.filter(|path| scene.library.exists(path)));
    let named = files.filter_map(|path| {
        let text = scene.library.manifest(&path);
        let name = between(&text, "<RunSettingsFilePath>", "<")?.replace('\\', "/");
        let name = name.replace("$(MSBuildProjectDirectory)/", "").replace("$(MSBuildThisFileDirectory)", "");
        let found = [parent(&path), scene.folder.to_owned(), scene.project.root.clone()];
        let mut found = found.into_iter().map(|folder| normal(&folder.join(name.replace("$(SolutionDir)", ""))));
        found.find(|path| scene.library.exists(path))
    });
    named.collect()
}
