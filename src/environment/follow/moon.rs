//! moon: `moon run PROJECT:TASK`, `moon check PROJECT`, `moon ci`.
//!
//! Source: moon's manual, "Targets", "Task inheritance", and the files `.moon/workspace.yml`, `.moon/tasks.yml` and
//! `moon.yml`. Which projects inherit a task hangs on languages and tags, so that each one may.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::environment::follow::script::Script;
use crate::environment::follow::{Expansion, Step, manifest_scripts, tasks};
use crate::environment::invocation::option_of;
use crate::environment::paths::{nearest, normal, parent};
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::workspace_patterns::expand;
use crate::text::shell_word;

/// The most tasks that one call is followed into.
const MOST_TASKS: usize = 4096;

/// Options of moon whose value is the next word.
const VALUED: &[&str] = &[
    "--base",
    "--cache",
    "--concurrency",
    "--head",
    "--job",
    "--jobs",
    "--log",
    "--log-file",
    "--query",
    "--remote",
    "-c",
];

/// Subcommands that run tasks of projects.
const RUNNING: &[&str] = &["check", "ci", "exec", "run", "x"];

/// Subcommands that run none of the project's commands.
const OTHERS: &[&str] = &[
    "action-graph",
    "bin",
    "clean",
    "completions",
    "docker",
    "ext",
    "generate",
    "hash",
    "init",
    "mcp",
    "migrate",
    "project",
    "project-graph",
    "projects",
    "query",
    "setup",
    "sync",
    "task",
    "task-graph",
    "tasks",
    "teardown",
    "templates",
    "toolchain",
    "upgrade",
];

/// A project of the workspace.
struct MoonProject {
    name: String,
    folder: PathBuf,
    /// What its own file says.
    own: Vec<FlatEntry>,
}

/// One task of one project, as it is put together.
#[derive(Default)]
struct MoonTask {
    script: Script,
    /// Where its command stands, else the first file that speaks of it.
    file: PathBuf,
    arguments: String,
    needs: Vec<String>,
    from_root: bool,
    is_there: bool,
}

/// The projects, and the tasks that all of them may have.
struct Workspace {
    root: PathBuf,
    projects: Vec<MoonProject>,
    /// With the file that each stands in.
    inherited: Vec<(PathBuf, Vec<FlatEntry>)>,
}

impl Expansion<'_> {
    /// What the targets run, and what they need first; `None` where the words name none.
    pub(crate) fn moon(&self, words: &[String]) -> Option<Vec<Step>> {
        let (targets, arguments, is_check) = asked(words)?;
        let mark = [".moon/workspace.yml", ".moon/workspace.yaml"];
        let root = parent(&parent(&nearest(self.files, &self.step.folder, &self.project.root, &mark)?));
        let workspace = self.workspace(root);
        let mut open: Vec<(usize, String)> = Vec::new();
        if is_check {
            // It builds and tests: all tasks of the projects but those that go on for ever.
            let is_asked = |project: &&MoonProject| targets.is_empty() || targets.contains(&project.name.as_str());
            let projects = workspace.projects.iter().enumerate().filter(|(_, project)| is_asked(project));
            open.extend(
                projects.flat_map(|(at, project)| workspace.names(project).into_iter().map(move |name| (at, name))),
            );
        }
        for target in targets.iter().filter(|_| !is_check) {
            let found = workspace.resolved(target, &self.step.folder, None);
            if found.is_empty() {
                self.cut("a task is asked for that its files do not hold");
            }
            open.extend(found);
        }
        let mut seen: HashSet<(usize, String)> = open.iter().cloned().collect();
        let asked = open.len();
        let mut steps = Vec::new();
        let mut at = 0;
        while let Some((project, name)) = open.get(at).cloned().filter(|_| at < MOST_TASKS) {
            let mut task = workspace.task(&workspace.projects[project], &name);
            let home = &workspace.projects[project].folder;
            if task.is_there {
                task.script.text.push_str(&task.arguments);
                if at < asked {
                    task.script.give(&arguments);
                }
                let folder = if task.from_root { &workspace.root } else { home };
                steps.extend(self.script(&task.file, folder, task.script));
            } else {
                steps.extend(self.of_manifest(home, &name));
            }
            for need in &task.needs {
                let needed = workspace.resolved(need, home, Some(project));
                open.extend(needed.into_iter().filter(|one| seen.insert(one.clone())));
            }
            at += 1;
        }
        if open.len() > MOST_TASKS {
            self.cut("it runs more than 4,096 tasks");
        }
        (!steps.is_empty()).then_some(steps)
    }

    /// A script of package.json, which moon can take for a task: `db:seed` is `db-seed` there.
    fn of_manifest(&self, folder: &Path, task: &str) -> Vec<Step> {
        let file = folder.join("package.json");
        let entries = self.entries_of(&file, formats::json::flatten).unwrap_or_default();
        let is_meant = |entry: &&FlatEntry| matches!(&entry.path[..], [section, key] if section == "scripts" && key.replace([':', '/'], "-") == task);
        let keys: Vec<&str> = entries.iter().filter(is_meant).map(|entry| entry.path[1].as_str()).collect();
        let scripts = keys.into_iter().flat_map(|key| manifest_scripts::of_package(&entries, key));
        scripts.flat_map(|script| self.script(&file, folder, script)).collect()
    }

    fn workspace(&self, root: PathBuf) -> Workspace {
        let read = |path: &Path| self.entries_of(path, formats::yaml::flatten).unwrap_or_default();
        let names = ["workspace.yml", "workspace.yaml"].map(|name| root.join(".moon").join(name));
        let mut projects: Vec<MoonProject> = Vec::new();
        let mut add = |name: &str, folder: PathBuf| {
            if projects.len() < MOST_TASKS && projects.iter().all(|known| known.folder != folder) {
                let own = ["moon.yml", "moon.yaml"].iter().flat_map(|name| read(&folder.join(name))).collect();
                projects.push(MoonProject { name: name.to_owned(), folder, own });
            }
        };
        for entry in names.iter().flat_map(|path| read(path)) {
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
            let expanded = expand(&root, entry.value.trim_end_matches("/moon.yml"), self.files);
            if expanded.is_cut {
                self.cut("a pattern of the workspace stands for more than 4,096 folders");
            }
            for folder in expanded.folders.into_iter().filter(|folder| self.files.folder(folder).is_some()) {
                let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                add(&name, folder.clone());
            }
        }
        let folder = root.join(".moon/tasks");
        let mut files: Vec<PathBuf> = self.files.list(&folder).iter().map(|name| folder.join(name)).collect();
        files.sort();
        let inside: Vec<PathBuf> = files.iter().filter(|path| self.files.folder(path).is_some()).cloned().collect();
        for folder in inside {
            files.extend(self.files.list(&folder).iter().map(|name| folder.join(name)));
        }
        files.splice(0..0, ["tasks.yml", "tasks.yaml"].map(|name| root.join(".moon").join(name)));
        files.retain(|path| path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml"));
        let inherited = files.into_iter().map(|path| (path.clone(), read(&path))).collect();
        Workspace { root, projects, inherited }
    }
}

impl Workspace {
    /// Lists the names of a project's tasks.
    fn names(&self, project: &MoonProject) -> Vec<String> {
        let entries = self.inherited.iter().flat_map(|(_, entries)| entries).chain(&project.own);
        let named = entries.filter(|entry| entry.path.len() > 1 && entry.path[0] == "tasks");
        let mut seen = HashSet::new();
        named.map(|entry| entry.path[1].clone()).filter(|name| seen.insert(name.clone())).collect()
    }

    /// Finds the tasks that a target means, for the project that lies in `folder`, or the one that needs it.
    fn resolved(&self, target: &str, folder: &Path, needing: Option<usize>) -> Vec<(usize, String)> {
        let (scope, task) = target.split_once(':').unwrap_or(("~", target));
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
            name => {
                let is_it = |project: &MoonProject| {
                    let own = project.own.iter().find(|entry| matches!(&entry.path[..], [key] if key == "id"));
                    project.name == name || own.is_some_and(|entry| entry.value == name)
                };
                all().filter(|(_, project)| is_it(project)).map(|(at, _)| at).collect()
            }
        };
        let is_named = !matches!(scope, "" | "^") && !scope.starts_with('#');
        let has = |at: &usize| is_named || self.names(&self.projects[*at]).iter().any(|name| name == task);
        projects.into_iter().filter(has).map(|at| (at, task.to_owned())).collect()
    }

    /// Puts a task of a project together: what all have, then what it says itself.
    fn task(&self, project: &MoonProject, name: &str) -> MoonTask {
        let mut task =
            MoonTask { script: Script { name: name.to_owned(), ..Script::default() }, ..MoonTask::default() };
        let own = project.folder.join("moon.yml");
        let inherited = self.inherited.iter().map(|(path, entries)| (path.as_path(), entries));
        for (path, entries) in inherited.chain([(own.as_path(), &project.own)]) {
            let bases = |name: &str| {
                let is_base = |entry: &&FlatEntry| matches!(&entry.path[..], [tasks, own, key] if tasks == "tasks" && own == name && key == "extends");
                entries.iter().find(is_base).map(|entry| entry.value.clone())
            };
            for name in bases(name).into_iter().chain([name.to_owned()]) {
                task.add(path, entries, &name, self, project);
            }
        }
        for entry in &project.own {
            if let [key, variable] = &entry.path[..]
                && key == "env"
            {
                task.script.assignments.insert(0, (variable.clone(), entry.value.clone()));
            }
        }
        task
    }
}

impl MoonTask {
    /// Adds what one file says about it.
    fn add(&mut self, path: &Path, entries: &[FlatEntry], name: &str, workspace: &Workspace, project: &MoonProject) {
        let place = |text: &str| {
            let text = text.replace("$workspaceRoot", &workspace.root.to_string_lossy());
            text.replace("$projectRoot", &project.folder.to_string_lossy())
        };
        let mut last = None;
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
                ["deps", _] | ["deps", _, "target"] => self.needs.push(entry.value.clone()),
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
        if self.file.as_os_str().is_empty() {
            path.clone_into(&mut self.file);
        }
    }

    fn argument(&mut self, word: &str, is_next: bool) {
        self.script.text.extend([if is_next { " " } else { "" }, &*shell_word(word)]);
    }
}

/// Takes a call of moon apart: the targets, what is given to them, and whether it names projects instead (`moon check`).
fn asked(words: &[String]) -> Option<(Vec<&str>, Vec<&str>, bool)> {
    let mut rest = words[1..].iter().map(String::as_str);
    let (mut targets, mut arguments, mut subcommand) = (Vec::new(), Vec::new(), None);
    while let Some(word) = rest.next() {
        let (option, attached) = option_of(word);
        match option {
            "--" => {
                arguments.extend(rest.by_ref());
                break;
            }
            option if VALUED.contains(&option) && attached.is_none() => drop(rest.next()),
            _ if word.starts_with('-') => {}
            _ if subcommand.is_none() && RUNNING.contains(&word) => subcommand = Some(word),
            _ if subcommand.is_none() && OTHERS.contains(&word) => return None,
            _ => {
                // `moon web:dev` is short for `moon run web:dev`.
                subcommand = subcommand.or(Some("run"));
                targets.push(word);
            }
        }
    }
    // `moon ci` alone runs what is affected: any.
    let is_check = subcommand == Some("check") || subcommand == Some("ci") && targets.is_empty();
    (is_check || !targets.is_empty()).then_some((targets, arguments, is_check))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_targets_of_a_call_are_told_from_its_options() {
        type Called = Option<(&'static str, &'static str, bool)>;
        let table: &[(&str, Called)] = &[
            ("moon run web:test api:test", Some(("web:test api:test", "", false))),
            ("moon --log debug run :test -c 2 -- --watch", Some((":test", "--watch", false))),
            ("moon web:dev", Some(("web:dev", "", false))),
            ("moon check web", Some(("web", "", true))),
            ("moon check --all", Some(("", "", true))),
            ("moon ci", Some(("", "", true))),
            ("moon ci :test", Some((":test", "", false))),
            ("moon query projects", None),
            ("moon", None),
        ];
        for (command, expected) in table {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            let found = asked(&words);
            let found = found.map(|(targets, arguments, is_check)| (targets.join(" "), arguments.join(" "), is_check));
            let found = found.as_ref().map(|(targets, arguments, is_check)| (&**targets, &**arguments, *is_check));
            assert_eq!(found, *expected, "{command}");
        }
    }
}
