//! .NET: user secrets over `appsettings.{Environment}.json` over `appsettings.json`, or the same in YAML; variables beat them
//! all.
//!
//! Source: AspNetCore.Docs `fundamentals/configuration`: without a name the environment is Production, but `dotnet run`
//! takes the one that its launch profile names, and `dotnet ef` Development. Keys ignore case; `__` in a variable nests.
//! Code adds further files. `security/app-secrets`: user secrets lie in the home folder, by the id in the project file, and are read in
//! Development; their keys nest by `:`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::environment::Setting;
use crate::environment::ecosystems::dotnet::projects::is_project_file;
use crate::environment::ecosystems::dotnet::{added_files, config, launch, projects};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::dotted::dotted;
use crate::environment::layering::Library;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::paths::up_to;
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::formats;

const DIALECTS: &[Dialect] = &[Dialect::Lenient];

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let folders = projects::folders(scene);
    let tests_start_in =
        || if folders.iter().any(|folder| has_test_host(scene, folder)) { "Development" } else { "Production" };
    let runs = [
        scene.purpose.test.then(|| Run::Tests { start_in: tests_start_in() }),
        scene.purpose.development.then_some(Run::Program),
    ];
    for home in &folders {
        readings.add_base(home);
        for run in runs.iter().flatten() {
            add_run(scene, readings, home, *run);
        }
    }
}

/// What is run of a project.
#[derive(Clone, Copy)]
enum Run {
    Program,
    Tests {
        /// The environment that they are in where nothing names one.
        start_in: &'static str,
    },
}

/// Packages that start a web application within its tests, in Development unless the tests say otherwise. Configuration that
/// tests put together by themselves, or by a host of their own, is that of Production.
///
/// Sources: dotnet/aspnetcore `WebApplicationFactory.cs`; Alba's manual, which is made of it; AspNetCore.Docs
/// `fundamentals/environments`.
const TEST_HOSTS: &[&str] = &["\"Microsoft.AspNetCore.Mvc.Testing\"", "\"Alba\""];

/// Tells whether the project in a folder starts a web application within its tests.
fn has_test_host(scene: &Scene<'_>, folder: &Path) -> bool {
    let mut files = scene.names_in(folder).into_iter().filter(|name| is_project_file(name));
    files.any(|name| {
        let text = scene.library.manifest(&folder.join(name));
        TEST_HOSTS.iter().any(|package| text.contains(package))
    })
}

/// Adds what a test run, or the program, of the project in `home` reads.
fn add_run(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>, home: &Path, run: Run) {
    let started = match run {
        Run::Tests { .. } => launch::of_tests(scene, home),
        Run::Program => launch::of_program(scene, home),
    };
    let is_started_with = |name: &str| started.iter().any(|setting| setting.name.eq_ignore_ascii_case(name));
    let has_yaml = scene.names_in(home).iter().any(|name| name.starts_with("appsettings") && !name.ends_with("json"));
    for environment in environments(scene, home, &started, run) {
        let mut sheet: Vec<Setting> = Vec::new();
        let mut known = HashSet::new();
        let mode = format!("appsettings.{environment}.json");
        let names = ["local.settings.json", "appsettings.json", &mode, "appsettings.Local.json"];
        let in_yaml = names.iter().flat_map(|name| ["yml", "yaml"].map(|ending| name.replace("json", ending)));
        let mut files: Vec<PathBuf> = in_yaml.filter(|_| has_yaml).map(|name| home.join(name)).collect();
        files.extend(names.map(|name| home.join(name)));
        let secrets = environment.eq_ignore_ascii_case("Development").then(|| secrets(scene, home)).flatten();
        let added = added_files::of(scene, home, &environment).into_iter().filter(|file| !files.contains(file));
        let added: Vec<PathBuf> = added.collect();
        for file in files.into_iter().chain(added).chain(secrets).rev() {
            for setting in read(scene.library, &file) {
                let names = [setting.name.replace('.', "__"), setting.name.replace('.', ":")];
                let is_set = names.iter().any(|name| scene.environment.get(name).is_some() || is_started_with(name));
                if !is_set && known.insert(setting.name.to_ascii_lowercase()) {
                    sheet.push(setting);
                }
            }
        }
        sheet.extend(config::of_framework(scene, home));
        // What a settings file of a test run says beats the environment; a launch profile's variables do so, too.
        let mut layers = vec![Layer::fixed(started.clone()), Layer::Environment];
        layers.extend(dotenv(scene, home));
        layers.push(Layer::fixed(sheet));
        readings.chain(".NET", DIALECTS, layers);
    }
}

/// Finds the `.env` that a library loads, where the project names one.
fn dotenv(scene: &Scene<'_>, home: &Path) -> Option<Layer> {
    let mut files = scene.names_in(home).into_iter().filter(|name| is_project_file(name));
    let loads = files.any(|name| {
        let text = scene.library.manifest(&home.join(name)).to_ascii_lowercase();
        ["dotnetenv", "dotenv.net", "net.dotenv"].iter().any(|library| text.contains(library))
    });
    let file =
        up_to(&scene.project.root, home).map(|folder| folder.join(".env")).find(|path| scene.library.exists(path));
    file.filter(|_| loads).map(Layer::file)
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

fn environments(scene: &Scene<'_>, home: &Path, started: &[Setting], run: Run) -> Vec<String> {
    let names = ["ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"];
    let by_start = names.iter().find_map(|name| started.iter().find(|setting| setting.name == *name));
    let set = by_start
        .map(|setting| setting.value.as_str())
        .or_else(|| names.iter().find_map(|name| scene.environment.get(name)));
    if let Some(name) = scene.purpose.named.as_deref().or(set).filter(|name| !name.is_empty()) {
        return vec![name.to_owned()];
    }
    let Run::Tests { start_in } = run else {
        // The tools of Entity Framework take Development where nothing says otherwise, a program Production.
        let is_ef = scene.words().iter().any(|word| word == "ef" || word == "dotnet-ef");
        return vec![if is_ef { "Development" } else { "Production" }.to_owned()];
    };
    // A test host has no launch settings; test projects commonly name their environment in code.
    let common = ["Testing", "Test", "IntegrationTest", "Development"];
    let files = |name: &str| ["json", "yml", "yaml"].map(|ending| home.join(format!("appsettings.{name}.{ending}")));
    let is_present = |name: &&str| files(name).iter().any(|path| scene.library.exists(path));
    let present = common.into_iter().filter(|name| is_present(name) && *name != start_in);
    present.chain([start_in]).map(str::to_owned).collect()
}

fn read(library: &Library<'_>, path: &Path) -> Vec<Setting> {
    let is_json = path.extension().is_some_and(|ending| ending == "json");
    let flatten = if is_json { formats::json::flatten } else { formats::yaml::flatten };
    let Some(entries) = library.entries(path, flatten) else { return Vec::new() };
    let mut settings = dotted(entries.to_vec(), &library.shown(path), None);
    for setting in &mut settings {
        // Azure Functions keep variables below `Values`.
        let name = setting.name.replace(':', ".");
        setting.name = name.strip_prefix("Values.").unwrap_or(&name).to_owned();
    }
    settings
}
