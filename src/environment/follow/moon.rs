//! moon: `moon run PROJECT:TASK`, `moon check PROJECT`, `moon ci`.
//!
//! Source: moon's manual, "Targets", "Task inheritance", and the files `.moon/workspace.yml`, `.moon/tasks.yml` and
//! `moon.yml`. Which projects inherit a task hangs on languages and tags, so that each one may.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

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

/// The files of projects, and the endings of those in other languages.
const OF_PROJECTS: &[&str] = &["moon.yml", "moon.yaml"];
const OTHER_LANGUAGES: &[&str] = &["hcl", "json", "jsonc", "pkl", "toml"];

/// How many tasks are followed that extend each other.
const MOST_BASES: usize = 16;

/// A project of the workspace.
struct MoonProject {
    name: String,
    folder: PathBuf,
    /// What its own file says.
    own: Rc<Vec<FlatEntry>>,
    file: PathBuf,
    /// The names of its tasks.
    tasks: HashSet<String>,
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
    inherited: Vec<(PathBuf, Rc<Vec<FlatEntry>>)>,
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
            open.extend(projects.flat_map(|(at, project)| project.tasks.iter().map(move |name| (at, name.clone()))));
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
            let home = &workspace.projects[project].folder;
            let Some(mut task) = workspace.task(&workspace.projects[project], &name) else {
                self.cut("tasks of moon extend each other in a circle, or more than 16 of them");
                at += 1;
                continue;
            };
            if task.is_there {
                task.script.text.push_str(&task.arguments);
                if at < asked {
                    task.script.give(&arguments);
                }
                let folder = if task.from_root { &workspace.root } else { home };
                steps.extend(self.script(&task.file, folder, task.script));
            } else {
                let of_manifest = self.of_manifest(home, &name);
                if of_manifest.is_empty() {
                    self.cut("a task is asked for that its files do not hold");
                }
                steps.extend(of_manifest);
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
        Workspace { root, projects, inherited }
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
            name => all().filter(|(_, project)| project.name == name).map(|(at, _)| at).collect(),
        };
        let is_named = !matches!(scope, "" | "^") && !scope.starts_with('#');
        let has = |at: &usize| is_named || self.projects[*at].tasks.contains(task);
        projects.into_iter().filter(has).map(|at| (at, task.to_owned())).collect()
    }

    /// Puts a task of a project together: what all have, then what it says itself, each time behind the tasks that it
    /// extends. `None` where these go in a circle.
    fn task(&self, project: &MoonProject, name: &str) -> Option<MoonTask> {
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
    use crate::environment::Project;
    use crate::environment::follow::Room;
    use crate::environment::memory::MemoryFiles;
    use crate::environment::not_followed::Gaps;

    /// The commands of a call in a small workspace, each with its folder, and whether something was given up on.
    fn followed(command: &str, files: &[(&str, &str)]) -> (String, bool) {
        let files = MemoryFiles::new(files);
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
        let step = Step::typed(words.clone(), Path::new("/p"));
        let (gaps, room) = (Gaps::default(), Room::of(1000));
        let expansion =
            Expansion { step: &step, process: &[], project: &project, files: &files, gaps: &gaps, room: &room };
        let steps = expansion.moon(&words).unwrap_or_default();
        let shown = |step: &Step| {
            let folder = step.folder.strip_prefix("/p").unwrap().display().to_string();
            format!("{folder}: {}", step.invocation.words.join(" "))
        };
        let mut shown: Vec<String> = steps.iter().map(shown).collect();
        shown.sort();
        (shown.join("|"), !gaps.into_inner().is_empty())
    }

    #[test]
    fn tasks_are_put_together_from_all_files_or_told() {
        let files = [
            ("/p/.moon/workspace.yml", "projects:\n  - apps/*\n"),
            (
                "/p/.moon/tasks.yml",
                "tasks:\n  base:\n    command: psql -h db.test\n  circle:\n    extends: round\n  round:\n    extends: circle\n",
            ),
            (
                "/p/apps/web/moon.yaml",
                "id: shop\ntasks:\n  seed:\n    extends: middle\n    args: -f seed.sql\n  middle:\n    extends: base\n",
            ),
            ("/p/apps/api/moon.yml", "tasks:\n  seed:\n    command: tsx seed.ts\n"),
            ("/p/apps/api/package.json", r#"{"scripts": {"db:drop": "dropdb x"}}"#),
        ];
        for (command, expected, is_told) in [
            ("moon run shop:seed", "apps/web: psql -h db.test -f seed.sql", false),
            ("moon run api:seed", "apps/api: tsx seed.ts", false),
            ("moon run :seed", "apps/api: tsx seed.ts|apps/web: psql -h db.test -f seed.sql", false),
            (
                "moon check shop",
                "apps/web: psql -h db.test|apps/web: psql -h db.test|apps/web: psql -h db.test -f seed.sql",
                true,
            ),
            ("moon run api:db-drop", "apps/api: dropdb x", false),
            ("moon run web:seed", "", true),
            ("moon run api:absent", "", true),
            ("moon run api:circle", "", true),
        ] {
            let (found, told) = followed(command, &files);
            assert_eq!((found.as_str(), told), (expected, is_told), "{command}");
        }
        let other = [
            ("/p/.moon/workspace.yml", "projects:\n  - api\n"),
            ("/p/api/moon.pkl", "x"),
            ("/p/api/package.json", r#"{"scripts": {"a": "b"}}"#),
        ];
        assert_eq!(followed("moon run api:a", &other), ("api: b".to_owned(), true));
    }

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
