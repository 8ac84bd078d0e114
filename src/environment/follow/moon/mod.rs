//! moon: `moon run PROJECT:TASK`, `moon check PROJECT`, `moon ci`.
//!
//! Source: moon's manual, "Targets", "Task inheritance", and the files `.moon/workspace.yml`, `.moon/tasks.yml` and
//! `moon.yml`. Which projects inherit a task hangs on languages and tags, so that each one may.

mod workspace;

use std::collections::HashSet;
use std::path::Path;

use crate::environment::follow::moon::workspace::{MOST_TASKS, MoonProject, Need};
use crate::environment::follow::{Expansion, Step, manifest_scripts};
use crate::environment::invocation::option_of;
use crate::environment::paths::{nearest, parent};
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;

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

impl Expansion<'_> {
    /// What the targets run, and what they need first; `None` where the words name none.
    pub(crate) fn moon(&self, words: &[String]) -> Option<Vec<Step>> {
        let (targets, arguments, is_check) = asked(words)?;
        let mark = [".moon/workspace.yml", ".moon/workspace.yaml"];
        let root = parent(&parent(&nearest(self.files, &self.step.folder, &self.project.root, &mark)?));
        let workspace = self.workspace(root);
        let mut open: Vec<(usize, Need)> = Vec::new();
        if is_check {
            // It builds and tests: all tasks of the projects but those that go on for ever.
            let is_asked = |project: &&MoonProject| targets.is_empty() || targets.contains(&project.name.as_str());
            let projects = workspace.projects.iter().enumerate().filter(|(_, project)| is_asked(project));
            open.extend(projects.flat_map(|(at, project)| project.tasks.iter().map(move |name| (at, Need::of(name)))));
        }
        for target in targets.iter().filter(|_| !is_check) {
            let found = workspace.resolved(&Need::of(target), &self.step.folder, None);
            if found.is_empty() {
                self.cut("a task is asked for that its files do not hold");
            }
            open.extend(found);
        }
        let mut seen: HashSet<(usize, Need)> = open.iter().cloned().collect();
        let asked = open.len();
        let mut steps = Vec::new();
        let mut at = 0;
        while let Some((project, need)) = open.get(at).cloned().filter(|_| at < MOST_TASKS) {
            let home = &workspace.projects[project].folder;
            let Some(mut task) = workspace.task(&workspace.projects[project], &need.target) else {
                self.cut("tasks of moon extend each other in a circle, or more than 16 of them");
                at += 1;
                continue;
            };
            if task.is_there {
                task.script.text.push_str(&task.arguments);
                need.add_to(&mut task.script);
                if at < asked {
                    task.script.give(&arguments);
                }
                let folder = if task.from_root { &workspace.root } else { home };
                steps.extend(self.script(&task.file, folder, task.script));
            } else {
                let of_manifest = self.of_manifest(home, &need);
                if of_manifest.is_empty() {
                    self.cut("a task is asked for that its files do not hold");
                }
                steps.extend(of_manifest);
            }
            for need in task.needs.iter().chain(&workspace.needed_by_all) {
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
    fn of_manifest(&self, folder: &Path, need: &Need) -> Vec<Step> {
        let file = folder.join("package.json");
        let entries = self.entries_of(&file, formats::json::flatten).unwrap_or_default();
        let is_meant = |entry: &&FlatEntry| matches!(&entry.path[..], [section, key] if section == "scripts" && key.replace([':', '/'], "-") == need.target);
        let keys: Vec<&str> = entries.iter().filter(is_meant).map(|entry| entry.path[1].as_str()).collect();
        let scripts = keys.into_iter().flat_map(|key| manifest_scripts::of_package(&entries, key));
        let scripts = scripts.map(|mut script| {
            need.add_to(&mut script);
            script
        });
        scripts.flat_map(|script| self.script(&file, folder, script)).collect()
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
    use crate::environment::follow::testing;

    /// The commands of a call in a small workspace, each with its folder and variables, and whether something was given up
    /// on.
    fn followed(command: &str, files: &[(&str, &str)]) -> (String, bool) {
        let moon = |expansion: &Expansion<'_>, words: &[String]| expansion.moon(words).unwrap_or_default();
        let (steps, is_told) = testing::followed(command, files, &[], moon);
        let shown = |step: &Step| {
            let variables = step.invocation.assignments.iter().map(|(name, value)| format!("{name}={value} "));
            format!("{}: {}{}", testing::folder(step), variables.collect::<String>(), step.invocation.words.join(" "))
        };
        let mut shown: Vec<String> = steps.iter().map(shown).collect();
        shown.sort();
        (shown.join("|"), is_told)
    }

    #[test]
    fn tasks_are_put_together_from_all_files_or_told() {
        let files = [
            (".moon/workspace.yml", "projects:\n  - apps/*\n"),
            (
                ".moon/tasks.yml",
                "tasks:\n  base:\n    command: psql -h db.test\n  circle:\n    extends: round\n  round:\n    extends: circle\n",
            ),
            (
                "apps/web/moon.yaml",
                "id: shop\ntasks:\n  seed:\n    extends: middle\n    args: -f seed.sql\n  middle:\n    extends: base\n",
            ),
            ("apps/api/moon.yml", "tasks:\n  seed:\n    command: tsx seed.ts\n"),
            ("apps/api/package.json", r#"{"scripts": {"db:drop": "dropdb x"}}"#),
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
            (".moon/workspace.yml", "projects:\n  - api\n"),
            ("api/moon.pkl", "x"),
            ("api/package.json", r#"{"scripts": {"a": "b"}}"#),
        ];
        assert_eq!(followed("moon run api:a", &other), ("api: b".to_owned(), true));
    }

    #[test]
    fn what_tasks_need_runs_with_what_it_is_given() {
        let files = [
            (".moon/workspace.yml", "projects:\n  - api\n  - db\n"),
            (
                "api/moon.yml",
                "tasks:\n  test:\n    command: jest\n    deps:\n      - args: ['-d', 'a b']\n        target: 'db:wipe'\n        \
                 env:\n          PGHOST: db.test\n      - target: 'db:wipe'\n        args: '-x'\n      - 'db:seed'\n  \
                 one:\n    command: ava\n    deps: 'db:seed'\n",
            ),
            (
                "db/moon.yml",
                "tasks:\n  wipe:\n    command: psql\n    env:\n      PGUSER: app\n  go:\n    command: make\n",
            ),
            ("db/package.json", r#"{"scripts": {"seed": "tsx seed.ts"}}"#),
        ];
        let needed = "db: PGUSER=app PGHOST=db.test psql -d a b|db: PGUSER=app psql -x|db: tsx seed.ts";
        assert_eq!(followed("moon run api:test", &files), (format!("api: jest|{needed}"), false));
        assert_eq!(followed("moon run api:one", &files), ("api: ava|db: tsx seed.ts".to_owned(), false));
        assert_eq!(followed("moon run db:go", &files), ("db: make".to_owned(), false));
        let for_all = (".moon/tasks/node.yml", "implicitDeps:\n  - target: 'db:wipe'\n    env:\n      A: b\n");
        let files: Vec<_> = files.into_iter().chain([for_all]).collect();
        let both = "db: PGUSER=app A=b psql|db: make".to_owned();
        assert_eq!(followed("moon run db:go", &files), (both, false));
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
