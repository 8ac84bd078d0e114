//! The projects that a command of .NET is about: those that it names, those of the solution, and those they refer to.
//!
//! Sources: the manual of the `dotnet` command (`--project`, `--startup-project`, the argument of `test` and `build`) and
//! of MSBuild (`ProjectReference`); Visual Studio's "Solution (.sln) file".

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use crate::environment::ecosystems::manifest::between;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::{may_be_a_folder, normal, parent};

/// More folders are not looked into.
const MOST_FOLDERS: usize = 4096;
/// How deep projects are looked for where no solution lists them.
const DEEPEST: usize = 3;

/// Tells a project file by its name.
pub(crate) fn is_project_file(name: &str) -> bool {
    [".csproj", ".fsproj", ".vbproj"].iter().any(|ending| name.ends_with(ending))
}

fn is_solution(name: &str) -> bool {
    [".sln", ".slnx", ".slnf"].iter().any(|ending| name.ends_with(ending))
}

/// Lists the folders of the projects.
pub(crate) fn folders(scene: &Scene<'_>) -> Vec<PathBuf> {
    let mut waiting: VecDeque<PathBuf> = named(scene).into();
    let mut folders = Vec::new();
    if waiting.is_empty() {
        folders.push(scene.folder.to_owned());
        waiting = around(scene).into();
    }
    while let Some(path) = waiting.pop_front() {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if is_solution(&name) {
            waiting.extend(of_solution(scene, &path));
            continue;
        }
        let folder = if is_project_file(&name) { parent(&path) } else { path };
        if folders.contains(&folder) && folder != scene.folder {
            continue;
        }
        if folders.len() == MOST_FOLDERS {
            give_up(scene);
            break;
        }
        if !folders.contains(&folder) {
            folders.push(folder.clone());
        }
        let referred = references(scene, &folder);
        waiting.extend(referred.into_iter().filter(|path| !folders.contains(&parent(path))));
    }
    folders
}

/// Lists the projects that a command names, and those they refer to, where it names some.
pub(crate) fn confines(scene: &Scene<'_>) -> Option<Vec<PathBuf>> {
    (!named(scene).is_empty()).then(|| folders(scene))
}

/// Lists the project files, solutions and folders that the command names.
fn named(scene: &Scene<'_>) -> Vec<PathBuf> {
    let is_ef = scene.words().iter().any(|word| word == "ef" || word == "dotnet-ef");
    // The settings are those of the project that starts.
    let options: &[&str] = if is_ef { &["--startup-project", "-s"] } else { &["--project"] };
    let option = options.iter().find_map(|option| scene.option(option));
    let option =
        option.or_else(|| scene.option("--project")).or_else(|| scene.option("-p").filter(|name| !name.contains(':')));
    if let Some(name) = option {
        return vec![path(scene, name)];
    }
    let words = scene.words().iter().skip(1).take_while(|word| *word != "--").filter(|word| !word.starts_with('-'));
    let paths = words.map(|word| path(scene, word));
    paths.filter(|path| is_a_project(scene, path)).collect()
}

fn path(scene: &Scene<'_>, name: &str) -> PathBuf {
    normal(&scene.path(&name.replace('\\', "/")))
}

fn is_a_project(scene: &Scene<'_>, path: &Path) -> bool {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    if is_project_file(&name) || is_solution(&name) {
        return scene.library.exists(path);
    }
    path != scene.folder && scene.names_in(path).iter().any(|name| is_project_file(name) || is_solution(name))
}

/// Lists the projects of the folder that the command runs in: the solution's, else those below it.
fn around(scene: &Scene<'_>) -> Vec<PathBuf> {
    let names = scene.names();
    let mut solutions: Vec<PathBuf> =
        names.iter().filter(|name| is_solution(name)).map(|name| scene.path(name)).collect();
    if solutions.is_empty() && !names.iter().any(|name| is_project_file(name)) {
        solutions = below(scene);
    } else {
        solutions.push(scene.folder.to_owned());
        // What has settings of its own right below is started from here, too.
        let with_settings =
            below(scene).into_iter().filter(|folder| scene.library.exists(&folder.join("appsettings.json")));
        solutions.extend(with_settings);
    }
    solutions
}

/// Lists the folders below the command's that have a project file.
fn below(scene: &Scene<'_>) -> Vec<PathBuf> {
    let mut waiting = VecDeque::from([(scene.folder.to_owned(), 0)]);
    let (mut found, mut looked) = (Vec::new(), 0);
    while let Some((folder, depth)) = waiting.pop_front() {
        looked += 1;
        if looked > MOST_FOLDERS {
            give_up(scene);
            break;
        }
        let names = scene.names_in(&folder);
        if depth > 0 && names.iter().any(|name| is_project_file(name) || name == "appsettings.json") {
            found.push(folder.clone());
        }
        let skipped = ["bin", "obj", "node_modules", "docs", "wwwroot", "packages"];
        let is_wanted = |name: &&String| may_be_a_folder(name) && !skipped.contains(&name.as_str());
        if depth < DEEPEST {
            waiting.extend(names.iter().filter(is_wanted).map(|name| (folder.join(name), depth + 1)));
        }
    }
    found
}

fn give_up(scene: &Scene<'_>) {
    let why = GivenUp::too_much("it has more than 4,096 folders that may be projects");
    scene.library.give_up(scene.folder, None, why);
}

/// Reads `Project("{…}") = "Api", "src\Api\Api.csproj", "{…}"`, and the `Path="…"` of the newer form.
fn of_solution(scene: &Scene<'_>, solution: &Path) -> Vec<PathBuf> {
    let text = scene.library.manifest(solution);
    let words = text.split('"').filter(|word| is_project_file(word));
    let folder = parent(solution);
    words.map(|word| normal(&folder.join(word.replace("\\\\", "/").replace('\\', "/")))).collect()
}

/// Lists the project files that those of a folder refer to: `<ProjectReference Include="..\Api\Api.csproj" />`.
fn references(scene: &Scene<'_>, folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in scene.names_in(folder).iter().filter(|name| is_project_file(name)) {
        let text = scene.library.manifest(&folder.join(name));
        let includes = text.split("<ProjectReference").skip(1).filter_map(|rest| between(rest, "Include=\"", "\""));
        found.extend(includes.map(|name| normal(&folder.join(name.replace('\\', "/")))));
    }
    found
}
