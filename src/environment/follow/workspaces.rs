//! Commands that run one task in the packages of a workspace: `pnpm -r test`, `turbo run test`, `nx test api`,
//! `npm test --workspaces`, `lerna run test`, `yarn workspaces run test`.
//!
//! Sources: the manuals of npm, pnpm, Yarn, Turborepo, Nx and Lerna. A filter that is no plain name or folder is taken
//! to mean every package.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::environment::follow::Expansion;
use crate::environment::follow::manifest_scripts;
use crate::environment::follow::script::{PlacedScript, Script};
use crate::environment::invocation::option_of;
use crate::environment::paths::{nearest, outermost};
use crate::environment::readers::formats;
use crate::environment::readers::formats::{FlatEntry, Flatten};
use crate::environment::workspace_patterns::expand;

/// The most packages that are looked into.
const MOST_PACKAGES: usize = 4096;

/// What the words ask for.
struct Asked<'w> {
    tasks: Vec<&'w str>,
    /// The packages by name or folder; empty for all of them.
    filters: Vec<&'w str>,
}

/// Files that mark the root of a workspace.
pub(crate) const MARKS: &[&str] = &["pnpm-workspace.yaml", "turbo.json", "nx.json", "lerna.json"];

impl Expansion<'_> {
    /// The scripts that the words run in the packages of the workspace; `None` where they are no such command, or
    /// nothing was found.
    pub(crate) fn workspace_scripts(&self, program: &str, words: &[String]) -> Option<Vec<PlacedScript>> {
        let asked = match program {
            "npm" | "pnpm" | "yarn" | "bun" => of_package_manager(program, words)?,
            "turbo" | "lerna" => of_runner(words)?,
            "nx" => of_nx(words)?,
            _ => return None,
        };
        let (folder, top) = (&self.step.folder, &self.project.root);
        let mark =
            nearest(self.files, folder, top, MARKS).or_else(|| outermost(self.files, folder, top, "package.json"))?;
        let root = mark.parent()?;
        let packages = self.packages(root);
        if packages.len() > MOST_PACKAGES {
            self.cut("the workspace has more than 4,096 packages");
        }
        let needed = self.needed_tasks(root, &asked.tasks);
        // What a task needs may run in any package.
        let needed = Asked { tasks: needed.iter().map(String::as_str).collect(), filters: Vec::new() };
        let of_package = |package: PathBuf| [self.tasks_of(&package, &needed), self.tasks_of(&package, &asked)];
        let found: Vec<PlacedScript> =
            packages.into_iter().take(MOST_PACKAGES).flat_map(of_package).flatten().collect();
        (!found.is_empty()).then_some(found)
    }

    /// What the tasks are in one package; nothing where the filters leave it out.
    fn tasks_of(&self, package: &Path, asked: &Asked<'_>) -> Vec<PlacedScript> {
        let (manifest_file, target_file) = (package.join("package.json"), package.join("project.json"));
        let manifest = self.entries_of(&manifest_file, formats::json::flatten).unwrap_or_default();
        let target = self.entries_of(&target_file, formats::json::flatten).unwrap_or_default();
        let is_asked = |filter: &&str| selects(filter, package, &manifest, &target);
        if !asked.filters.is_empty() && !asked.filters.iter().any(is_asked) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for task in &asked.tasks {
            let scripts = manifest_scripts::of_package(&manifest, task);
            let executed = if scripts.is_empty() { executor(&target, task) } else { None };
            found.extend(scripts.into_iter().map(|script| PlacedScript::beside(&manifest_file, script)));
            found.extend(executed.map(|script| PlacedScript::beside(&target_file, script)));
        }
        found
    }
}

impl Expansion<'_> {
    /// The tasks that the asked ones depend on, as turbo.json and nx.json have it for all packages.
    fn needed_tasks(&self, root: &Path, asked: &[&str]) -> Vec<String> {
        let mut edges: HashMap<String, Vec<String>> = HashMap::new();
        for name in ["turbo.json", "nx.json"] {
            for entry in self.entries_of(&root.join(name), formats::json::flatten).unwrap_or_default() {
                match entry.path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                    ["tasks" | "pipeline" | "targetDefaults", task, "dependsOn", _]
                    | ["targetDefaults", task, "dependsOn", _, "target"] => {
                        let needed = entry.value.rsplit('#').next().unwrap_or_default().trim_start_matches('^');
                        let task = task.rsplit('#').next().unwrap_or(task);
                        edges.entry(task.to_owned()).or_default().push(needed.to_owned());
                    }
                    _ => {}
                }
            }
        }
        let mut needed: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        let mut open: Vec<String> = asked.iter().map(|task| (*task).to_owned()).collect();
        while let Some(task) = open.pop() {
            for name in edges.get(&task).into_iter().flatten() {
                if seen.insert(name.clone()) {
                    needed.push(name.clone());
                    open.push(name.clone());
                }
            }
        }
        needed
    }

    /// The folders of the packages, as the workspace's files list them; those of Nx lie where it puts them.
    fn packages(&self, root: &Path) -> Vec<PathBuf> {
        let listed = |name: &str, flatten: Flatten, key: &str| {
            let entries = self.entries_of(&root.join(name), flatten).unwrap_or_default().into_iter();
            let values = entries.filter(|entry| entry.path.first().is_some_and(|first| first == key));
            values.map(|entry| entry.value).collect::<Vec<_>>()
        };
        let mut globs = listed("pnpm-workspace.yaml", formats::yaml::flatten, "packages");
        globs.extend(listed("package.json", formats::json::flatten, "workspaces"));
        globs.extend(listed("lerna.json", formats::json::flatten, "packages"));
        if globs.is_empty() || self.files.exists(&root.join("nx.json")) {
            globs.extend(["apps/*", "packages/*", "libs/*", "services/*"].map(str::to_owned));
        }
        let (mut packages, mut seen) = (Vec::new(), HashSet::new());
        for glob in globs.iter().filter(|glob| !glob.starts_with('!')) {
            let expanded = expand(root, glob, self.files);
            if expanded.is_cut {
                self.cut("a pattern of the workspace stands for more than 4,096 folders");
            }
            for folder in expanded.folders {
                let is_package =
                    ["package.json", "project.json"].iter().any(|name| self.files.exists(&folder.join(name)));
                if is_package && seen.insert(folder.clone()) {
                    packages.push(folder);
                }
            }
        }
        packages
    }
}

fn of_package_manager<'w>(program: &str, words: &'w [String]) -> Option<Asked<'w>> {
    let mut filters = Vec::new();
    let mut tasks = Vec::new();
    let mut is_workspace = false;
    let mut at = 1;
    while let Some(word) = words.get(at).map(String::as_str) {
        at += 1;
        let (option, attached) = option_of(word);
        match option {
            "--" => break,
            "-r" | "--recursive" | "-ws" | "--workspaces" => is_workspace = true,
            "--filter" | "-F" | "--workspace" | "-w" if !(program == "pnpm" && option == "-w") => {
                is_workspace = true;
                filters.extend(attached.or_else(|| words.get(at).map(String::as_str)));
                at += usize::from(attached.is_none());
            }
            "workspaces" if program == "yarn" => is_workspace = true,
            "workspace" if program == "yarn" => {
                is_workspace = true;
                filters.extend(words.get(at).map(String::as_str));
                at += 1;
            }
            "--prefix" | "-C" | "--dir" | "--cwd" | "--include" | "--exclude" | "-j" | "--jobs" => {
                at += usize::from(attached.is_none());
            }
            "run" | "run-script" | "foreach" | "exec" => {}
            _ if word.starts_with('-') => {}
            _ if tasks.is_empty() => tasks.push(if matches!(word, "t" | "tst") { "test" } else { word }),
            _ => break,
        }
    }
    (is_workspace && !tasks.is_empty()).then_some(Asked { tasks, filters })
}

/// Options of turbo, lerna and nx whose value is the next word, apart from filters.
const VALUED: &[&str] =
    &["--concurrency", "--cache-dir", "--env-mode", "--log-order", "--output-logs", "--parallel", "-c"];

fn of_runner(words: &[String]) -> Option<Asked<'_>> {
    let mut asked = Asked { tasks: Vec::new(), filters: Vec::new() };
    let mut rest = words[1..].iter().map(String::as_str);
    while let Some(word) = rest.next() {
        let (option, attached) = option_of(word);
        match option {
            "--" => break,
            "--filter" | "-F" | "--scope" => asked.filters.extend(attached.or_else(|| rest.next())),
            option if VALUED.contains(&option) && attached.is_none() => drop(rest.next()),
            "run" | "watch" => {}
            _ if word.starts_with('-') => {}
            // `turbo run web#test`: one task of one package.
            _ => match word.split_once('#') {
                Some((package, task)) => {
                    asked.filters.push(package);
                    asked.tasks.push(task);
                }
                None => asked.tasks.extend(word.split(',')),
            },
        }
    }
    (!asked.tasks.is_empty()).then_some(asked)
}

fn of_nx(words: &[String]) -> Option<Asked<'_>> {
    let mut asked = Asked { tasks: Vec::new(), filters: Vec::new() };
    let plain: Vec<&str> = words[1..].iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    match plain[..] {
        ["run-many" | "affected", ref rest @ ..] => {
            let at = words
                .iter()
                .position(|word| matches!(word.split('=').next(), Some("-t" | "--target" | "--targets")))?;
            match words[at].split_once('=') {
                Some((_, tasks)) => asked.tasks.extend(tasks.split(',')),
                None => asked.tasks.extend(rest.iter().flat_map(|task| task.split(','))),
            }
        }
        ["run", named, ..] => {
            let mut parts = named.split(':');
            asked.filters.extend(parts.next());
            asked.tasks.extend(parts.next());
        }
        [task, package, ..] => {
            asked.tasks.push(task);
            asked.filters.push(package);
        }
        [task] => asked.tasks.push(task),
        [] => return None,
    }
    Some(asked)
}

/// Whether a filter means the package. What is no plain name or folder means every one.
fn selects(filter: &str, package: &Path, manifest: &[FlatEntry], target: &[FlatEntry]) -> bool {
    let bare = filter.trim_start_matches("...").trim_end_matches("...").trim_end_matches('^').trim_start_matches("./");
    if bare.is_empty() || bare.starts_with(['[', '{', '!', '.', '^']) || bare.contains('*') {
        return true;
    }
    let has_name = |entries: &[FlatEntry]| {
        entries.iter().any(|entry| {
            let is_name = matches!(&entry.path[..], [key] if key == "name");
            is_name && (entry.value == bare || entry.value.rsplit('/').next() == Some(bare))
        })
    };
    package.ends_with(bare) || has_name(manifest) || has_name(target)
}

/// A target of Nx's `project.json` as a command: the text it runs, or the program that its executor stands for.
fn executor(entries: &[FlatEntry], task: &str) -> Option<Script> {
    let of_task =
        |entry: &&FlatEntry| matches!(&entry.path[..], [targets, name, ..] if targets == "targets" && name == task);
    let first = entries.iter().find(of_task)?;
    let value =
        |key: &str| entries.iter().filter(of_task).find(|entry| entry.path.last().is_some_and(|last| last == key));
    let text = match value("command") {
        Some(entry) => entry.value.clone(),
        None => {
            let executor = value("executor").map_or("", |entry| entry.value.as_str());
            let known = ["jest", "vitest", "playwright", "cypress"];
            let program = known.iter().find(|name| executor.contains(**name)).copied();
            format!("{} {task}", program.unwrap_or("node"))
        }
    };
    Some(Script { name: task.to_owned(), text, line: first.line, ..Script::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    use crate::environment::Project;
    use crate::environment::follow::Step;
    use crate::environment::memory::MemoryFiles;
    use crate::environment::not_followed::Gaps;

    fn folders(command: &str) -> Vec<String> {
        let files = MemoryFiles::new(&[
            ("/p/package.json", r#"{"workspaces": ["apps/*", "packages/db"]}"#),
            ("/p/apps/api/package.json", r#"{"name": "@shop/api", "scripts": {"test": "jest"}}"#),
            ("/p/apps/web/package.json", r#"{"name": "web", "scripts": {"test": "vitest run"}}"#),
            ("/p/packages/db/project.json", r#"{"name": "db", "targets": {"test": {"executor": "@nx/jest:jest"}}}"#),
            ("/p/packages/aside/package.json", r#"{"scripts": {"test": "jest"}}"#),
        ]);
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
        let step = Step::typed(words.clone(), Path::new("/p"));
        let (gaps, room) = (Gaps::default(), Cell::new(1000));
        let expansion = Expansion { step: &step, project: &project, files: &files, gaps: &gaps, room: &room };
        let found = expansion.workspace_scripts(&words[0], &words).unwrap_or_default();
        found.iter().map(|one| one.folder.strip_prefix("/p").unwrap().display().to_string()).collect()
    }

    #[test]
    fn a_task_is_followed_into_the_packages_that_it_runs_in() {
        let all: &[&str] = &["apps/api", "apps/web", "packages/db"];
        let table: &[(&str, &[&str])] = &[
            ("pnpm -r test", all),
            ("pnpm -r run test", all),
            ("npm test --workspaces", all),
            ("npm run test -ws --if-present", all),
            ("yarn workspaces foreach -A run test", all),
            ("turbo run test --concurrency 2", all),
            ("lerna run test", all),
            ("nx run-many -t test", all),
            ("nx affected --target=test", all),
            ("npm test -w apps/web", &["apps/web"]),
            ("npm test --workspace=@shop/api", &["apps/api"]),
            ("pnpm --filter @shop/api test", &["apps/api"]),
            ("pnpm --filter api... test", &["apps/api"]),
            ("pnpm --filter [main] test", all),
            ("yarn workspace web test", &["apps/web"]),
            ("turbo test --filter=web", &["apps/web"]),
            ("turbo run @shop/api#test", &["apps/api"]),
            ("nx test db", &["packages/db"]),
            ("nx run db:test", &["packages/db"]),
            ("npm test", &[]),
            ("turbo run lint", &[]),
        ];
        for (command, expected) in table {
            assert_eq!(folders(command), *expected, "{command}");
        }
    }
}
