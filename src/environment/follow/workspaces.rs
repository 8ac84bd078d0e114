//! Commands that run one task in the packages of a workspace: `pnpm -r test`, `turbo run test`, `nx test api`,
//! `npm test --workspaces`, `lerna run test`, `yarn workspaces run test`.
//!
//! Sources: the manuals of npm, pnpm, Yarn, Turborepo, Nx and Lerna. A filter that is no plain name or folder is taken
//! to mean every package.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::follow::manifest_scripts;
use crate::environment::follow::nx;
use crate::environment::follow::packages::{
    Asked, Package, Program, ROOT, closure, is_for_itself, made_of, need_of, of_lerna, of_package_manager, of_runner,
    selects,
};
use crate::environment::follow::script::PlacedScript;
use crate::environment::follow::{Emptied, Expansion, Step};
use crate::environment::paths::{nearest, outermost};
use crate::environment::readers::formats;
use crate::environment::readers::formats::{FlatEntry, Flatten};
use crate::environment::workspace_patterns::expand;

/// The most packages that are looked into.
const MOST_PACKAGES: usize = 4096;

/// Files that mark the root of a workspace.
pub(crate) const MARKS: &[&str] = &["pnpm-workspace.yaml", "turbo.json", "turbo.jsonc", "nx.json", "lerna.json"];

/// The files of Turborepo.
const OF_TURBO: &[&str] = &["turbo.json", "turbo.jsonc"];

impl Expansion<'_> {
    /// What the words run in the packages of the workspace: scripts, or a program; `None` where they are no such command,
    /// or nothing was found.
    pub(crate) fn in_packages(&self, program: &str, words: &[String]) -> Option<Vec<Step>> {
        let asked = match program {
            "npm" | "pnpm" | "yarn" | "bun" | "npx" => of_package_manager(program, words)?,
            "lerna" => of_lerna(words)?,
            "turbo" => of_runner(words)?,
            "nx" => nx::asked(words)?,
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
        // Package managers know nothing of what a task needs.
        let is_runner = matches!(program, "turbo" | "nx" | "lerna");
        // The root is a package where it is named, but not one of all of them. Turborepo's own file may give it tasks.
        let is_named = !asked.filters.is_empty() || program == "turbo";
        let is_listed = packages.iter().any(|folder| folder == root);
        let own = Some(root.to_owned()).filter(|_| is_named && !is_listed);
        let packages: Vec<Package> =
            packages.into_iter().take(MOST_PACKAGES).chain(own).map(|folder| self.package(folder, root)).collect();
        let of_root = if program == "turbo" { self.tasks_of_root(root, &packages) } else { Vec::new() };
        let (needed, names_packages) =
            if is_runner { self.needed_tasks(root, &packages, &asked.tasks) } else { Default::default() };
        let needed = Asked { tasks: needed.iter().map(String::as_str).collect(), ..Asked::default() };
        let workspace = if program == "nx" {
            self.entries_of(&root.join("nx.json"), formats::json::flatten).unwrap_or_default()
        } else {
            Rc::default()
        };
        let asked_of = |package: &&Package| {
            let is_all = asked.filters.is_empty() && (is_listed || !package.is_root);
            is_all || asked.filters.iter().any(|filter| selects(filter, package))
        };
        let scripts = |asked: &Asked<'_>, package: &Package| match asked.program {
            Program::Always => Vec::new(),
            _ => self.scripts_of(package, asked, (program, root), &workspace),
        };
        // What a task needs runs in its package and in those that this one is made of.
        let starts = packages.iter().filter(|package| names_packages || asked_of(package));
        let made_of = made_of(&packages, starts);
        let of_package = |package: &Package| {
            let own = if asked_of(&package) { scripts(&asked, package) } else { Vec::new() };
            if package.is_root && program == "turbo" {
                let asked = asked.tasks.iter().filter(|_| own.is_empty());
                let tasks = asked.chain(&needed.tasks).filter(|task| of_root.iter().any(|own| own == *task));
                let of_root = Asked { tasks: tasks.copied().collect(), ..Asked::default() };
                return [scripts(&of_root, package), Vec::new(), own];
            }
            let before = if made_of.contains(&package.folder) { scripts(&needed, package) } else { Vec::new() };
            let for_itself = if is_runner && asked_of(&package) { package.needed(&asked.tasks) } else { Vec::new() };
            let for_itself = Asked { tasks: for_itself.iter().map(String::as_str).collect(), ..Asked::default() };
            [before, scripts(&for_itself, package), own]
        };
        let found = packages.iter().flat_map(of_package).flatten().flat_map(|script| self.placed(script));
        let mut found: Vec<Step> = found.collect();
        let run: Vec<&str> = asked.tasks.iter().chain(&needed.tasks).copied().collect();
        let handed_on = if program == "turbo" { self.handed_on(root, &packages, &run, words) } else { None };
        if let Some(kept) = handed_on {
            let emptied = Emptied { before: self.step.invocation.assignments.len(), kept: Rc::new(kept) };
            for step in &mut found {
                step.emptied.get_or_insert_with(|| emptied.clone());
            }
        }
        if let (true, [name]) = (found.is_empty() && asked.program != Program::Never, &asked.tasks[..]) {
            let words = || std::iter::once(*name).chain(asked.arguments.iter().copied());
            let step = |package: &Package| Step { folder: package.folder.clone(), ..self.inner() }.running(words());
            found.extend(packages.iter().filter(asked_of).map(step));
        }
        (!found.is_empty()).then_some(found)
    }

    /// Lists the variables that turbo hands on to tasks: those that turbo.json lists for all of them, or for these; `None`
    /// where it hands all on, as it does when it is told to be loose. Then each task reads its own files as if the others
    /// were not set.
    ///
    /// Source: Turborepo's manual, "Using environment variables", from version 2 on (`tasks` in turbo.json).
    fn handed_on(&self, root: &Path, packages: &[Package], asked: &[&str], words: &[String]) -> Option<Vec<String>> {
        if words.iter().any(|word| word.ends_with("loose")) {
            return None;
        }
        let of_root = self.of_turbo(root);
        let keys = |entry: &FlatEntry| entry.path.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        let is_loose = of_root.iter().any(|entry| keys(entry) == "envMode" && entry.value == "loose");
        if is_loose || !of_root.iter().any(|entry| entry.path[0] == "tasks") {
            return None;
        }
        let is_listed = |entry: &&FlatEntry| match &entry.path[..] {
            [list, _] => matches!(list.as_str(), "globalEnv" | "globalPassThroughEnv"),
            [tasks, task, list, _] => {
                let own = task.rsplit('#').next().unwrap_or(task);
                tasks == "tasks" && matches!(list.as_str(), "env" | "passThroughEnv") && asked.contains(&own)
            }
            _ => false,
        };
        let all = of_root.iter().chain(packages.iter().flat_map(|package| package.tasks.iter()));
        Some(all.filter(is_listed).map(|entry| entry.value.clone()).collect())
    }

    /// Lists the tasks of the root itself, as Turborepo's files name them (`//#seed`): those that are there and those that
    /// others need.
    fn tasks_of_root(&self, root: &Path, packages: &[Package]) -> Vec<String> {
        let of_root = self.of_turbo(root);
        let named = of_root.iter().chain(packages.iter().flat_map(|package| package.tasks.iter()));
        let named = named.filter(|entry| entry.path.first().is_some_and(|key| key == "tasks" || key == "pipeline"));
        let words = named.flat_map(|entry| entry.path.get(1).into_iter().chain([&entry.value]));
        words
            .filter_map(|word| word.trim_start_matches('^').strip_prefix(ROOT)?.strip_prefix('#'))
            .map(str::to_owned)
            .collect()
    }

    /// Reads Turborepo's file in a folder.
    fn of_turbo(&self, folder: &Path) -> Rc<Vec<FlatEntry>> {
        let read = |name: &&str| self.entries_of(&folder.join(name), formats::json::flatten);
        OF_TURBO.iter().find_map(read).unwrap_or_default()
    }

    fn package(&self, folder: PathBuf, root: &Path) -> Package {
        let entries = |name: &str| self.entries_of(&folder.join(name), formats::json::flatten).unwrap_or_default();
        let (manifest, targets) = (entries("package.json"), entries("project.json"));
        // At the root it is that of all packages.
        let is_root = folder == root;
        let tasks = if is_root { Rc::default() } else { self.of_turbo(&folder) };
        Package { manifest, targets, tasks, folder, is_root }
    }
}

impl Expansion<'_> {
    /// Lists what the tasks of a program are in a package. `workspace` is what Nx's own file says.
    fn scripts_of(
        &self,
        package: &Package,
        asked: &Asked<'_>,
        (program, root): (&str, &Path),
        workspace: &[FlatEntry],
    ) -> Vec<PlacedScript> {
        let mut found = Vec::new();
        for task in &asked.tasks {
            let mut scripts = manifest_scripts::of_package(&package.manifest, task);
            scripts.iter_mut().filter(|script| script.name == *task).for_each(|script| script.give(&asked.arguments));
            let beside = |script| PlacedScript::beside(&package.folder.join("package.json"), script);
            let is_script = !scripts.is_empty();
            found.extend(scripts.into_iter().map(beside));
            // Nobody else knows of its targets.
            if program == "nx" {
                let names = || self.files.list(&package.folder);
                found.extend(nx::scripts(package, task, is_script, (root, workspace), names));
            }
        }
        found
    }

    /// The tasks that the asked ones depend on, as turbo.json and nx.json have it for all packages, and those of the
    /// packages for themselves. The flag says that they name packages of their own for some (`web#build`).
    fn needed_tasks(&self, root: &Path, packages: &[Package], asked: &[&str]) -> (Vec<String>, bool) {
        let mut names_packages = false;
        let mut edges: HashMap<String, Vec<String>> = HashMap::new();
        let of_nx = self.entries_of(&root.join("nx.json"), formats::json::flatten).unwrap_or_default();
        let of_files: [Rc<Vec<FlatEntry>>; 2] = [self.of_turbo(root), of_nx];
        let of_packages = packages.iter().flat_map(Package::needs).filter(|(_, need)| !is_for_itself(need));
        for (task, need) in of_files.iter().flat_map(|entries| entries.iter()).filter_map(need_of).chain(of_packages) {
            let needed = need.rsplit('#').next().unwrap_or_default().trim_start_matches('^');
            names_packages |= need.contains('#');
            let task = task.rsplit('#').next().unwrap_or(task);
            edges.entry(task.to_owned()).or_default().push(needed.to_owned());
        }
        (closure(&edges, asked), names_packages)
    }

    /// The folders of the packages, as the workspace's files list them; those of Nx lie where it puts them.
    fn packages(&self, root: &Path) -> Vec<PathBuf> {
        let listed = |name: &str, flatten: Flatten, key: &str| {
            let entries = self.entries_of(&root.join(name), flatten).unwrap_or_default();
            let values = entries.iter().filter(|entry| entry.path.first().is_some_and(|first| first == key));
            values.map(|entry| entry.value.clone()).collect::<Vec<_>>()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::follow::testing;

    fn folders(command: &str) -> Vec<String> {
        let files = [
            (
                "package.json",
                r#"{"workspaces": ["apps/*", "packages/db"], "scripts": {"seed": "psql", "lint": "eslint"}}"#,
            ),
            ("apps/api/package.json", r#"{"name": "@shop/api", "scripts": {"test": "jest", "e2e": "jest"}}"#),
            ("apps/web/package.json", r#"{"name": "web", "scripts": {"test": "vitest run"}}"#),
            ("packages/db/project.json", r#"{"name": "db", "targets": {"test": {"executor": "@nx/jest:jest"}}}"#),
            ("packages/aside/package.json", r#"{"scripts": {"test": "jest"}}"#),
            (
                "turbo.jsonc",
                "{\n// said\n\"tasks\": {\"e2e\": {\"dependsOn\": [\"//#seed\"], \"with\": [\"web#test\"]}, \"//#seed\": {}}}",
            ),
        ];
        let in_packages =
            |expansion: &Expansion<'_>, words: &[String]| expansion.in_packages(&words[0], words).unwrap_or_default();
        let (found, _) = testing::followed(command, &files, &[], in_packages);
        found.iter().map(testing::folder).collect()
    }

    #[test]
    fn a_task_is_followed_into_the_packages_that_it_runs_in() {
        let all: &[&str] = &["apps/api", "apps/web", "packages/db"];
        let with_script: &[&str] = &["apps/api", "apps/web"];
        let table: &[(&str, &[&str])] = &[
            ("pnpm -r test", with_script),
            ("pnpm -r run test", with_script),
            ("npm test --workspaces", with_script),
            ("npm run test -ws --if-present", with_script),
            ("yarn workspaces foreach -A run test", with_script),
            ("turbo run test --concurrency 2", with_script),
            ("lerna run test", with_script),
            ("nx run-many -t test", all),
            ("nx affected --target=test", all),
            ("npm test -w apps/web", &["apps/web"]),
            ("npm test --workspace=@shop/api", &["apps/api"]),
            ("pnpm --filter @shop/api test", &["apps/api"]),
            ("pnpm --filter api... test", &["apps/api"]),
            ("pnpm --filter [main] test", with_script),
            ("yarn workspace web test", &["apps/web"]),
            ("turbo test --filter=web", &["apps/web"]),
            ("turbo run @shop/api#test", &["apps/api"]),
            ("turbo run //#seed", &[""]),
            ("turbo run seed", &[""]),
            ("turbo run @shop/api#e2e", &["apps/api", "apps/api", "apps/web", ""]),
            ("turbo run //#seed lint", &["", ""]),
            ("turbo run //#lint", &[""]),
            ("nx test db", &["packages/db"]),
            ("nx run db:test", &["packages/db"]),
            ("nx run db:test:ci", &["packages/db"]),
            ("pnpm -r exec prisma", all),
            ("pnpm --filter web exec prisma", &["apps/web"]),
            ("pnpm -F @shop/api prisma migrate", &["apps/api"]),
            ("yarn workspace web prisma migrate", &["apps/web"]),
            ("yarn workspaces foreach -A exec prisma", all),
            ("npm exec -w @shop/api -- prisma migrate", &["apps/api"]),
            ("npx --workspace=web prisma", &["apps/web"]),
            ("npx -w web -c prisma", &["apps/web"]),
            ("lerna exec --scope web --concurrency 1 -- prisma", &["apps/web"]),
            ("npm run -w web nothing", &[]),
            ("pnpm --filter web add x", &[]),
            ("pnpm --filter nothing exec prisma", &[]),
            ("npm test", &[]),
            ("turbo run lint", &[]),
        ];
        for (command, expected) in table {
            assert_eq!(folders(command), *expected, "{command}");
        }
    }
}
