//! Nx: `nx test api`, `nx run api:test:ci`, `nx run-many -t test`, and what a target stands for.
//!
//! Sources: Nx's manual, "Project configuration", "nx.json" (`targetDefaults`, `plugins`), "Inferred tasks".

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::environment::follow::WrapperFile;
use crate::environment::follow::packages::{Asked, Package};
use crate::environment::follow::script::{PlacedScript, Script};
use crate::environment::follow::tasks;
use crate::environment::paths::normal;
use crate::environment::readers::formats::FlatEntry;

/// Takes a call of Nx apart.
pub(crate) fn asked(words: &[String]) -> Option<Asked<'_>> {
    let mut asked = Asked::default();
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
            let (project, task) = named.split_once(':')?;
            asked.filters.push(project);
            // A target's name may hold colons, and so begins that of a configuration.
            asked.tasks.push(task);
            asked.tasks.extend(task.rsplit_once(':').map(|(task, _)| task));
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

/// Lists what a target of a package runs besides a script of that name: what project.json and package.json say, what
/// nx.json says for all, else what a plugin infers from the package's files.
pub(crate) fn scripts(
    package: &Package,
    task: &str,
    is_script: bool,
    (root, workspace): (&Path, &[FlatEntry]),
    names: impl Fn() -> Vec<OsString>,
) -> Vec<PlacedScript> {
    let names = &names;
    if is_script {
        return Vec::new();
    }
    let placed = |file: &Path, script| PlacedScript { file: file.to_owned(), folder: package.folder.clone(), script };
    let own = [
        (package.folder.join("project.json"), executor(&package.targets, "targets", task)),
        (package.folder.join("package.json"), executor(&package.manifest, "targets", task)),
    ];
    let own: Vec<(PathBuf, Script)> = own.into_iter().filter_map(|(file, script)| Some((file, script?))).collect();
    let Some(first) = own.first().map(|(file, _)| file.clone()) else {
        let inferred = inferred(task, workspace, &names());
        let script = |(name, text): (String, String)| {
            let script = Script { name: task.to_owned(), text, line: 1, ..Script::default() };
            placed(&package.folder.join(name), script)
        };
        return inferred.map(script).into_iter().collect();
    };
    let for_all = executor(workspace, "targetDefaults", task).map(|script| (root.join("nx.json"), script));
    let mut script = Script::default();
    let mut file = first;
    let cwd = [workspace, &package.targets, &package.manifest].into_iter().rev().find_map(|entries| cwd(entries, task));
    let mut is_command = false;
    for (there, part) in for_all.into_iter().chain(own) {
        if !part.text.is_empty() {
            is_command = part.text.ends_with('\n');
            (script.name, script.text, script.line, file) = (part.name, part.text, part.line, there);
        } else if script.text.is_empty() {
            (script.name, script.line) = (part.name, part.line);
        }
        script.assignments.extend(part.assignments);
        script.files.extend(part.files);
    }
    if script.text.is_empty() {
        script.text = format!("node {task}");
    }
    // Nx loads the files of variables that lie beside the package itself.
    let present: Vec<String> = names().into_iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let of_target = [format!(".env.{task}.local"), format!(".env.{task}"), format!(".{task}.env")];
    let always = [".env.local", ".local.env", ".env"].map(str::to_owned);
    let own = of_target.into_iter().chain(always).filter(|name| present.contains(name));
    let own: Vec<_> = own.map(|name| tasks::file(&package.folder.join(name).to_string_lossy())).collect();
    script.files.splice(0..0, own);
    let place = |text: &str| {
        let text = text.replace("{workspaceRoot}", &root.to_string_lossy());
        text.replace("{projectRoot}", &package.folder.to_string_lossy())
    };
    script.text = place(&script.text);
    for named in &mut script.files {
        let there = root.join(place(&named.path.to_string_lossy()));
        named.path = normal(&there);
    }
    // A command runs in the workspace's own folder, unless it is told another one.
    let folder = match cwd {
        Some(cwd) => normal(&root.join(place(&cwd))),
        None if is_command => root.to_owned(),
        None => package.folder.clone(),
    };
    vec![PlacedScript { file, folder, script }]
}

/// Finds the folder that a target's command runs in, where it is told.
fn cwd(entries: &[FlatEntry], task: &str) -> Option<String> {
    let is_it = |entry: &&FlatEntry| {
        let keys: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        matches!(keys.strip_prefix(&["nx"]).unwrap_or(&keys), ["targets" | "targetDefaults", name, "options", "cwd"] if *name == task)
    };
    entries.iter().find(is_it).map(|entry| entry.value.clone())
}

/// What a plugin makes of a file: how its name begins, the targets that it has, and the command.
const INFERRED: &[(&str, &[&str], &str)] = &[
    ("jest.config.", &["test", "test-ci"], "jest"),
    ("vitest.config.", &["test"], "vitest"),
    ("vite.config.", &["test"], "vitest"),
    ("vite.config.", &["dev", "preview", "serve"], "vite"),
    ("playwright.config.", &["e2e", "e2e-ci"], "playwright test"),
    ("cypress.config.", &["component-test", "e2e", "e2e-ci", "open-cypress"], "cypress run"),
    ("next.config.", &["dev", "serve"], "next dev"),
    ("next.config.", &["serve-static", "start"], "next start"),
    ("nuxt.config.", &["dev", "serve"], "nuxt dev"),
    ("remix.config.", &["dev", "serve", "start"], "remix dev"),
];

/// Finds the file and the command of a target that only a plugin knows; nx.json may give it another name
/// (`"testTargetName": "unit"`).
fn inferred(task: &str, workspace: &[FlatEntry], names: &[OsString]) -> Option<(String, String)> {
    let is_renamed = |tool: &str| {
        let options = workspace.iter().filter(|entry| entry.value == task);
        options.filter(|entry| entry.path.len() == 4 && entry.path[0] == "plugins").any(|option| {
            let is_plugin = |entry: &&FlatEntry| {
                matches!(&entry.path[..], [_, at, key] if *at == option.path[1] && key == "plugin")
            };
            workspace.iter().find(is_plugin).is_some_and(|plugin| plugin.value.contains(tool))
        })
    };
    INFERRED.iter().find_map(|(start, tasks, command)| {
        let tool = start.split('.').next().unwrap_or_default();
        let name = names.iter().map(|name| name.to_string_lossy()).find(|name| name.starts_with(start))?;
        (tasks.contains(&task) || is_renamed(tool)).then(|| (name.into_owned(), (*command).to_owned()))
    })
}

/// A target of Nx as a command: the texts that it runs, the program that its executor stands for, or no text. What it sets
/// itself, and what a configuration of it does, comes with it.
///
/// Source: Nx's manual, "nx:run-commands".
fn executor(entries: &[FlatEntry], section: &str, task: &str) -> Option<Script> {
    let mut script = Script { name: task.to_owned(), ..Script::default() };
    let mut program = None;
    for entry in entries {
        let path: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        let [own, name, rest @ ..] = path.strip_prefix(&["nx"]).unwrap_or(&path) else { continue };
        if *own != section || *name != task {
            continue;
        }
        script.line = if script.line == 0 { entry.line } else { script.line };
        let own = match rest {
            ["options", own @ ..] | ["configurations", _, own @ ..] => own,
            own => own,
        };
        match own {
            ["command"] | ["commands", _] | ["commands", _, "command"] => {
                script.text.push_str(&entry.value);
                script.text.push('\n');
            }
            ["env", name] => script.assignments.push(((*name).to_owned(), entry.value.clone())),
            ["envFile"] => script.files.push(WrapperFile { overrides: true, ..tasks::file(&entry.value) }),
            ["executor"] => program = PROGRAMS.iter().find(|known| entry.value.contains(**known)),
            _ => {}
        }
    }
    if script.line == 0 {
        return None;
    }
    if let Some(program) = program.filter(|_| script.text.is_empty()) {
        script.text = format!("{program} {task}");
    }
    Some(script)
}

/// Programs that executors of Nx are named for.
const PROGRAMS: &[&str] = &["jest", "vitest", "playwright", "cypress"];

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::environment::readers::formats::json;

    fn entries(text: &str) -> Vec<FlatEntry> {
        json::flatten(text).whole().unwrap()
    }

    #[test]
    fn a_target_is_what_the_files_say_else_what_a_plugin_infers() {
        let workspace = r#"{"plugins": ["@nx/eslint/plugin", {"plugin": "@nx/vite/plugin", "options": {"testTargetName": "unit"}}],
            "targetDefaults": {"seed": {"options": {"env": {"A": "1"}}}}}"#;
        for (targets, manifest, task, expected) in [
            (r#"{"targets": {"seed": {"command": "tsx seed.ts"}}}"#, "{}", "seed", &["tsx seed.ts"][..]),
            ("{}", r#"{"nx": {"targets": {"seed": {"command": "tsx a.ts"}}}}"#, "seed", &["tsx a.ts"]),
            ("{}", "{}", "unit", &["vitest"]),
            ("{}", "{}", "serve", &["vite"]),
            ("{}", "{}", "absent", &[]),
        ] {
            let (manifest, targets) = (Rc::new(entries(manifest)), Rc::new(entries(targets)));
            let package = Package { folder: "/p/a".into(), manifest, targets, tasks: Rc::default(), is_root: false };
            let found = scripts(&package, task, false, (Path::new("/p"), &entries(workspace)), || {
                vec!["vite.config.ts".into()]
            });
            let texts: Vec<&str> = found.iter().map(|placed| placed.script.text.trim()).collect();
            assert_eq!(texts, expected, "{task}");
        }
    }
}
