//! Settings files that a program's code adds: `AddJsonFile("shop.json")`, those of a neighbour by `SetBasePath`, and ABP's
//! secrets. By text, never executed.
//!
//! Sources: AspNetCore.Docs `fundamentals/configuration`; ABP's documentation ("Configuration": `AddAppSettingsSecretsJson`);
//! EF Core's "Design-time DbContext Creation".

use std::path::{Path, PathBuf};

use crate::environment::ecosystems::dotnet::projects::is_project_file;
use crate::environment::ecosystems::manifest::between;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::paths::{may_be_a_folder, normal};
use crate::text::shown;

/// Parts of the names of files that set up a program's configuration.
const SET_UP: &[&str] =
    &["Program", "Startup", "Factory", "Config", "Host", "Builder", "Fixture", "DbContext", "Module"];

/// How deep, and how many files of code, are looked at.
const DEEPEST: usize = 2;
const MOST_FILES: usize = 256;
const MOST_FOLDERS: usize = 256;

/// A file that code adds: the folder that it is looked for in, and its name with the environment's in braces.
struct Added {
    folder: PathBuf,
    name: String,
}

/// Lists the files that the code of the project in `home` adds, the weakest first.
pub(crate) fn of(scene: &Scene<'_>, home: &Path, environment: &str) -> Vec<PathBuf> {
    let added = scene.library.once(format!("added files {}", shown(home)), || find(scene, home));
    let paths = added.iter().map(|added| {
        let name = match added.name.split_once('{').zip(added.name.split_once('}')) {
            Some(((before, _), (_, behind))) => format!("{before}{environment}{behind}"),
            None => added.name.clone(),
        };
        normal(&added.folder.join(name))
    });
    paths.filter(|path| path.starts_with(&scene.project.root) && scene.library.exists(path)).collect()
}

fn find(scene: &Scene<'_>, home: &Path) -> Vec<Added> {
    let mut found = Vec::new();
    for path in code(scene, home) {
        let text = scene.library.manifest(&path);
        if text.contains("AddAppSettingsSecretsJson") {
            found.push(Added { folder: home.to_owned(), name: "appsettings.secrets.json".to_owned() });
        }
        if !text.contains("AddJsonFile(") {
            continue;
        }
        let base = between(&text, "SetBasePath(", ";").or_else(|| between(&text, "SetBasePath(", "\n")).unwrap_or("");
        let base = base.split("AddJsonFile").next().unwrap_or(base);
        let folder = texts(base).fold(home.to_owned(), |folder, part| folder.join(part.replace('\\', "/")));
        for inside in text.split("AddJsonFile(").skip(1) {
            let inside = inside.split([')', ';']).next().unwrap_or(inside);
            let name = texts(inside).map(|part| part.replace('\\', "/")).collect::<Vec<_>>().join("/");
            if name.ends_with(".json") {
                found.push(Added { folder: folder.clone(), name });
            }
        }
    }
    found
}

/// Finds the texts in double quotes.
fn texts(code: &str) -> impl Iterator<Item = &str> {
    code.split('"').skip(1).step_by(2)
}

/// Lists the files that set up the project in `home`, without those of projects below it.
fn code(scene: &Scene<'_>, home: &Path) -> Vec<PathBuf> {
    let mut waiting = vec![(home.to_owned(), 0)];
    let (mut files, mut looked) = (Vec::new(), 0);
    while let Some((folder, depth)) = waiting.pop() {
        looked += 1;
        let names = scene.names_in(&folder);
        if looked > MOST_FOLDERS || depth > 0 && names.iter().any(|name| is_project_file(name)) {
            continue;
        }
        if depth == 0 && !names.iter().any(|name| is_project_file(name)) {
            break;
        }
        for name in names {
            if files.len() < MOST_FILES
                && [".cs", ".fs", ".vb"].iter().any(|ending| name.ends_with(ending))
                && SET_UP.iter().any(|part| name.contains(part))
            {
                files.push(folder.join(&name));
            } else if depth < DEEPEST
                && may_be_a_folder(&name)
                && !["bin", "obj", "Migrations", "wwwroot", "node_modules"].contains(&name.as_str())
            {
                waiting.push((folder.join(&name), depth + 1));
            }
        }
    }
    files.sort();
    files
}
