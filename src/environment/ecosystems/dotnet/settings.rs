//! .NET: user secrets over `appsettings.{Environment}.json` over `appsettings.json`; variables beat them all.
//!
//! Source: AspNetCore.Docs `fundamentals/configuration`: without a name the environment is Production, but
//! `dotnet run` takes the one that `launchSettings.json` names. Keys ignore case; `__` in a variable nests.
//! `security/app-secrets`: user secrets lie in the home folder, by the id in the project file, and are read in
//! Development; their keys nest by `:`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::environment::Setting;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::dotted::dotted;
use crate::environment::layering::Library;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::formats;

const DIALECTS: &[Dialect] = &[Dialect::Lenient];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    for home in projects(scene) {
        readings.add_base(&home);
        for environment in environments(scene, &home) {
            let mut sheet: Vec<Setting> = Vec::new();
            let mut known = HashSet::new();
            let settings = ["appsettings.json", &format!("appsettings.{environment}.json")].map(|name| home.join(name));
            let secrets = environment.eq_ignore_ascii_case("Development").then(|| secrets(scene, &home)).flatten();
            for file in settings.into_iter().chain(secrets).rev() {
                for setting in read(scene.library, &file) {
                    if !is_set(scene, &setting.name) && known.insert(setting.name.to_ascii_lowercase()) {
                        sheet.push(setting);
                    }
                }
            }
            readings.chain(".NET", DIALECTS, vec![Layer::Environment, Layer::fixed(sheet)]);
        }
    }
}

/// More folders are not looked into.
const MOST_FOLDERS: usize = 4096;

/// Lists the command's folder, the folder of `--project`, and the project folders right below (a solution's).
fn projects(scene: &Scene<'_>) -> Vec<PathBuf> {
    let mut projects = vec![scene.folder.to_owned()];
    if let Some(project) = scene.option("--project").or(scene.option("-p")) {
        let path = scene.path(project);
        projects.push(if path.extension().is_some() { crate::environment::paths::parent(&path) } else { path });
    }
    let mut below: Vec<PathBuf> =
        scene.names().into_iter().filter(|name| !name.starts_with('.')).map(|name| scene.path(&name)).collect();
    // `src/Api` and `tests/Api.Tests`: a solution's usual folders.
    for parent in ["src", "test", "tests"]
        .map(|name| scene.path(name))
        .into_iter()
        .filter(|parent| below.contains(parent))
        .collect::<Vec<_>>()
    {
        below.extend(scene.library.files.list(&parent).iter().map(|name| parent.join(name)));
    }
    if below.len() > MOST_FOLDERS {
        scene.library.give_up(
            scene.folder,
            None,
            GivenUp::too_much("it has more than 4,096 folders that may be projects"),
        );
        below.truncate(MOST_FOLDERS);
    }
    for below in below {
        for folder in [below.join("src"), below] {
            if scene.library.exists(&folder.join("appsettings.json")) && !projects.contains(&folder) {
                projects.push(folder);
            }
        }
    }
    projects
}

/// Finds the user secrets of the project in `home`, where its project file names some.
fn secrets(scene: &Scene<'_>, home: &Path) -> Option<PathBuf> {
    let is_project =
        |path: &&PathBuf| path.extension().is_some_and(|ending| ending.to_string_lossy().ends_with("proj"));
    let files: Vec<PathBuf> = scene.library.files.list(home).iter().map(|name| home.join(name)).collect();
    let project = scene.library.files.read(files.iter().find(is_project)?).ok().flatten()?;
    let text = String::from_utf8_lossy(&project);
    let (id, _) = text.split_once("<UserSecretsId>")?.1.split_once('<')?;
    // An id is a folder's name, commonly a GUID; anything else would lead elsewhere.
    let id = Some(id.trim()).filter(|id| !id.is_empty() && !id.contains(['/', '\\', '$']) && !id.starts_with('.'))?;
    Some(scene.project.home.as_ref()?.join(".microsoft/usersecrets").join(id).join("secrets.json"))
}

fn environments(scene: &Scene<'_>, home: &Path) -> Vec<String> {
    let set = ["ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"].iter().find_map(|name| scene.environment.get(name));
    if let Some(name) = scene.purpose.named.as_deref().or(set).filter(|name| !name.is_empty()) {
        return vec![name.to_owned()];
    }
    let launch = home.join("Properties/launchSettings.json");
    let mut names: Vec<String> = Vec::new();
    if scene.purpose.development {
        for setting in read(scene.library, &launch) {
            let is_name = setting.name.ends_with("_ENVIRONMENT");
            if is_name && !names.contains(&setting.value) {
                names.push(setting.value);
            }
        }
        if names.is_empty() {
            names.push("Production".to_owned());
        }
    }
    if scene.purpose.test {
        // A test host has no launch settings; test projects commonly name their environment in code.
        let common = ["Testing", "Test", "IntegrationTest", "Development"];
        let present = common.iter().filter(|name| scene.library.exists(&home.join(format!("appsettings.{name}.json"))));
        let present: Vec<String> = present.map(|name| (*name).to_owned()).collect();
        names.extend(if present.is_empty() { vec!["Production".to_owned()] } else { present });
    }
    names.dedup();
    names
}

fn read(library: &Library<'_>, path: &Path) -> Vec<Setting> {
    let Some(entries) = library.entries(path, formats::json::flatten) else { return Vec::new() };
    let mut settings = dotted(entries.to_vec(), &library.shown(path), None);
    for setting in &mut settings {
        setting.name = setting.name.replace(':', ".");
    }
    settings
}

/// Tells whether a variable sets the key: `ConnectionStrings.Default` is `ConnectionStrings__Default` there.
fn is_set(scene: &Scene<'_>, name: &str) -> bool {
    [name.replace('.', "__"), name.replace('.', ":")].iter().any(|name| scene.environment.get(name).is_some())
}
