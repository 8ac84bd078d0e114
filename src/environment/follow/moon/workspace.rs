//! The workspace of moon: its projects, and how their tasks are put together.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::follow::script::Script;
use crate::environment::follow::{Expansion, tasks};
use crate::environment::paths::normal;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::workspace_patterns::expand;
use crate::text::shell_word;

/// The most tasks that one call is followed into, and the most projects.
pub(crate) const MOST_TASKS: usize = 4096;

/// The files of projects, and the endings of those in other languages.
const OF_PROJECTS: &[&str] = &["moon.yml", "moon.yaml"];
const OTHER_LANGUAGES: &[&str] = &["hcl", "json", "jsonc", "pkl", "toml"];

/// How many tasks are followed that extend each other.
const MOST_BASES: usize = 16;

/// A project of the workspace.
pub(crate) struct MoonProject {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// What its own file says.
    own: Rc<Vec<FlatEntry>>,
    file: PathBuf,
    /// The names of its tasks.
    pub(crate) tasks: HashSet<String>,
}

/// One task of one project, as it is put together.
#[derive(Default)]
pub(crate) struct MoonTask {
    pub(crate) script: Script,
    /// Where its command stands, else the first file that speaks of it.
    pub(crate) file: PathBuf,
    pub(crate) arguments: String,
    pub(crate) needs: Vec<Need>,
    pub(crate) from_root: bool,
    pub(crate) is_there: bool,
}

/// A task that is needed, with what it is given.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Need {
    pub(crate) target: String,
    arguments: String,
    variables: Vec<(String, String)>,
}

impl Need {
    pub(crate) fn of(target: &str) -> Self {
        Need { target: target.to_owned(), ..Need::default() }
    }

    /// Hands its arguments and variables to the script that is needed.
    pub(crate) fn add_to(&self, script: &mut Script) {
        script.text.push_str(&self.arguments);
        script.assignments.extend(self.variables.iter().cloned());
    }
}

/// The needs of one list.
#[derive(Default)]
struct Needs {
    found: Vec<Need>,
    /// Where each stands, by its index in the list.
    places: HashMap<String, usize>,
}

impl Needs {
    /// Adds what an entry says of a list whose items begin at that depth: a target, or a part of what describes one.
    fn add(&mut self, entry: &FlatEntry, depth: usize) {
        let keys: Vec<&str> = entry.path.iter().skip(depth).map(String::as_str).collect();
        let place =
            *self.places.entry(keys.first().map_or_else(String::new, |key| (*key).to_owned())).or_insert_with(|| {
                self.found.push(Need::default());
                self.found.len() - 1
            });
        let need = &mut self.found[place];
        match keys.get(1..).unwrap_or_default() {
            [] | ["target"] => need.target.clone_from(&entry.value),
            // As a text they are words already.
            ["args"] => need.arguments.extend([" ", &entry.value]),
            ["args", _] => need.arguments.extend([" ", &*shell_word(&entry.value)]),
            ["env", variable] => need.variables.push(((*variable).to_owned(), entry.value.clone())),
            _ => {}
        }
    }
}

/// The projects, and the tasks that all of them may have.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) projects: Vec<MoonProject>,
    /// What every task needs besides.
    pub(crate) needed_by_all: Vec<Need>,
    /// With the file that each stands in.
    inherited: Vec<(PathBuf, Rc<Vec<FlatEntry>>)>,
}

impl Expansion<'_> {
    /// Reads the workspace below `root`.
    pub(crate) fn workspace(&self, root: PathBuf) -> Workspace {
        let read = |path: &Path| self.entries_of(path, formats::yaml::flatten).unwrap_or_default();
        let names = ["workspace.yml", "workspace.yaml"].map(|name| root.join(".moon").join(name));
        let inherited = self.inherited_by_all(&root);
        let for_all = task_names(inherited.iter().flat_map(|(_, entries)| entries.iter()));
        let (mut projects, mut seen): (Vec<MoonProject>, HashSet<PathBuf>) = (Vec::new(), HashSet::new());
        let mut add = |name: &str, folder: PathBuf| {
            if projects.len() >= MOST_TASKS {
                return self.cut("the workspace has more than 4,096 projects");
            }
            if !seen.insert(folder.clone()) {
                return;
            }
            let file = OF_PROJECTS.iter().map(|name| folder.join(name)).find(|path| self.files.exists(path));
            let file = file.unwrap_or_else(|| folder.join("moon.yml"));
            let own = read(&file);
            // An identifier of its own goes before the folder's name.
            let id = own.iter().find(|entry| matches!(&entry.path[..], [key] if key == "id"));
            let name = id.map_or(name, |entry| &entry.value).to_owned();
            let tasks = task_names(own.iter()).union(&for_all).cloned().collect();
            projects.push(MoonProject { name, folder, own, file, tasks });
        };
        let of_workspace: Vec<Rc<Vec<FlatEntry>>> = names.iter().map(|path| read(path)).collect();
        for entry in of_workspace.iter().flat_map(|entries| entries.iter()) {
            let keys: Vec<&str> = entry.path.iter().map(String::as_str).collect();
            let is_index = |key: &str| key.bytes().all(|byte| byte.is_ascii_digit());
            match keys[..] {
                ["projects", "globs", _] => {}
                ["projects", at] if is_index(at) => {}
                ["projects", "sources", name] | ["projects", name] => {
                    add(name, normal(&root.join(&entry.value)));
                    continue;
                }
                _ => continue,
            }
            let pattern = entry.value.strip_suffix("/moon.yml").or_else(|| entry.value.strip_suffix("/moon.yaml"));
            let expanded = expand(&root, pattern.unwrap_or(&entry.value), self.files);
            if expanded.is_cut {
                self.cut("a pattern of the workspace stands for more than 4,096 folders");
            }
            for folder in expanded.folders.into_iter().filter(|folder| self.files.folder(folder).is_some()) {
                let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                add(&name, folder.clone());
            }
        }
        // moon reads other languages, too, which are not read here.
        let is_other = |path: &&PathBuf| self.files.exists(path);
        let others = OTHER_LANGUAGES.iter().flat_map(|ending| {
            let of_root = ["workspace", "tasks"].map(|name| root.join(format!(".moon/{name}.{ending}")));
            of_root.into_iter().chain(projects.iter().map(move |project| project.folder.join(format!("moon.{ending}"))))
        });
        if others.collect::<Vec<_>>().iter().any(|path| is_other(&path)) {
            self.cut("its tasks stand in a file of moon in a language that is not read here");
        }
        let mut needed_by_all = Vec::new();
        for (_, entries) in &inherited {
            let mut needs = Needs::default();
            for entry in entries.iter().filter(|entry| entry.path.first().is_some_and(|key| key == "implicitDeps")) {
                needs.add(entry, 1);
            }
            needed_by_all.extend(needs.found);
        }
        Workspace { root, projects, needed_by_all, inherited }
    }

    /// The files of tasks that projects may inherit.
    fn inherited_by_all(&self, root: &Path) -> Vec<(PathBuf, Rc<Vec<FlatEntry>>)> {
        let folder = root.join(".moon/tasks");
        let mut files: Vec<PathBuf> = self.files.list(&folder).iter().map(|name| folder.join(name)).collect();
        files.sort();
        let inside: Vec<PathBuf> = files.iter().filter(|path| self.files.folder(path).is_some()).cloned().collect();
        for folder in inside {
            files.extend(self.files.list(&folder).iter().map(|name| folder.join(name)));
        }
        files.splice(0..0, ["tasks.yml", "tasks.yaml"].map(|name| root.join(".moon").join(name)));
        files.retain(|path| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml"));
        let read = |path: &Path| self.entries_of(path, formats::yaml::flatten).unwrap_or_default();
        files.into_iter().map(|path| (path.clone(), read(&path))).collect()
    }
}

impl Workspace {
    /// Finds the tasks that a target means, for the project that lies in `folder`, or the one that needs it, each with what
    /// it is given.
    pub(crate) fn resolved(&self, need: &Need, folder: &Path, needing: Option<usize>) -> Vec<(usize, Need)> {
        let (scope, task) = need.target.split_once(':').unwrap_or(("~", &need.target));
        let all = || self.projects.iter().enumerate();
        let own = || {
            needing.or_else(|| {
                let around = all().filter(|(_, project)| folder.starts_with(&project.folder));
                around.max_by_key(|(_, project)| project.folder.components().count()).map(|(at, _)| at)
            })
        };
        let projects: Vec<usize> = match scope {
            "~" => own().into_iter().collect(),
            // `^` is those that the project depends on, which its code may tell too; `#tag` those of a tag.
            "" | "^" => all().map(|(at, _)| at).filter(|at| Some(*at) != needing).collect(),
            scope if scope.starts_with('#') => all().map(|(at, _)| at).collect(),
            name => all().filter(|(_, project)| project.name == name).map(|(at, _)| at).collect(),
        };
        let is_named = !matches!(scope, "" | "^") && !scope.starts_with('#');
        let has = |at: &usize| is_named || self.projects[*at].tasks.contains(task);
        projects.into_iter().filter(has).map(|at| (at, Need { target: task.to_owned(), ..need.clone() })).collect()
    }

    /// Puts a task of a project together: what all have, then what it says itself, each time behind the tasks that it
    /// extends. `None` where these go in a circle.
    pub(crate) fn task(&self, project: &MoonProject, name: &str) -> Option<MoonTask> {
        let mut task =
            MoonTask { script: Script { name: name.to_owned(), ..Script::default() }, ..MoonTask::default() };
        let inherited = self.inherited.iter().map(|(path, entries)| (path.as_path(), entries));
        let files: Vec<(&Path, &Rc<Vec<FlatEntry>>)> =
            inherited.chain([(project.file.as_path(), &project.own)]).collect();
        let base = |name: &str| {
            let is_base = |entry: &&FlatEntry| matches!(&entry.path[..], [tasks, own, key] if tasks == "tasks" && own == name && key == "extends");
            files.iter().rev().find_map(|(_, entries)| entries.iter().find(is_base).map(|entry| entry.value.clone()))
        };
        let mut names = vec![name.to_owned()];
        while let Some(base) = names.last().and_then(|name| base(name)) {
            if names.contains(&base) || names.len() > MOST_BASES {
                return None;
            }
            names.push(base);
        }
        for name in names.iter().rev() {
            for (path, entries) in &files {
                task.add(path, entries, name, self, project);
            }
        }
        for entry in project.own.iter() {
            if let [key, variable] = &entry.path[..]
                && key == "env"
            {
                task.script.assignments.insert(0, (variable.clone(), entry.value.clone()));
            }
        }
        Some(task)
    }
}

/// Lists the names of the tasks that entries speak of.
fn task_names<'e>(entries: impl IntoIterator<Item = &'e FlatEntry>) -> HashSet<String> {
    let named = entries.into_iter().filter(|entry| entry.path.len() > 1 && entry.path[0] == "tasks");
    named.map(|entry| entry.path[1].clone()).collect()
}

impl MoonTask {
    /// Adds what one file says about it.
    fn add(&mut self, path: &Path, entries: &[FlatEntry], name: &str, workspace: &Workspace, project: &MoonProject) {
        let place = |text: &str| {
            let text = text.replace("$workspaceRoot", &workspace.root.to_string_lossy());
            text.replace("$projectRoot", &project.folder.to_string_lossy())
        };
        let mut last = None;
        let mut needs = Needs::default();
        for entry in entries {
            let keys: Vec<&str> = entry.path.iter().map(String::as_str).collect();
            let ["tasks", own, rest @ ..] = &keys[..] else { continue };
            if *own != name {
                continue;
            }
            match rest {
                ["command" | "script"] | ["command", _] => {
                    let is_next = last == Some("command") && rest.len() == 2;
                    if !is_next {
                        self.script.text.clear();
                        self.file = path.to_owned();
                        self.script.line = entry.line;
                    }
                    // A command in a list is words.
                    match rest.len() {
                        2 => self.argument(&place(&entry.value), is_next),
                        _ => self.script.text.push_str(&place(&entry.value)),
                    }
                    self.is_there = true;
                }
                // As a text they are words already.
                ["args"] => self.arguments.extend([" ", &place(&entry.value)]),
                ["args", _] => self.arguments.extend([" ", &*shell_word(&place(&entry.value))]),
                ["env", variable] => self.script.assignments.push(((*variable).to_owned(), place(&entry.value))),
                ["deps", ..] => needs.add(entry, 3),
                ["options", "envFile"] | ["options", "envFile", _] if entry.value != "false" => {
                    let named = if entry.value == "true" { ".env" } else { entry.value.as_str() };
                    let file = match named.strip_prefix('/') {
                        Some(from_root) => workspace.root.join(from_root),
                        None => project.folder.join(named),
                    };
                    self.script.files.push(tasks::file(&file.to_string_lossy()));
                }
                ["options", "runFromWorkspaceRoot"] => self.from_root = entry.value == "true",
                _ => {}
            }
            last = rest.first().copied();
        }
        self.needs.extend(needs.found);
        if self.file.as_os_str().is_empty() {
            path.clone_into(&mut self.file);
        }
    }

    fn argument(&mut self, word: &str, is_next: bool) {
        self.script.text.extend([if is_next { " " } else { "" }, &*shell_word(word)]);
    }
}
