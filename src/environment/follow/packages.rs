//! The packages of a workspace, what a command asks of them, and what they say about each other.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use crate::environment::follow::package_managers::OWN_WORDS;
use crate::environment::invocation::option_of;
use crate::environment::readers::formats::FlatEntry;

/// What Turborepo calls the root of the workspace.
pub(crate) const ROOT: &str = "//";

/// What the words ask for.
#[derive(Default)]
pub(crate) struct Asked<'w> {
    pub(crate) tasks: Vec<&'w str>,
    /// The packages by name or folder; empty for all of them.
    pub(crate) filters: Vec<&'w str>,
    /// The words behind a single task: its arguments.
    pub(crate) arguments: Vec<&'w str>,
    /// What may run in the packages besides scripts of theirs.
    pub(crate) program: Program,
}

/// Whether the words of a task may be a program with its arguments.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Program {
    #[default]
    Never,
    /// Where no package has a script of that name.
    WithoutScript,
    Always,
}

/// Options of package managers whose value is the next word, apart from filters.
const VALUED_BY_MANAGERS: &[&str] = &[
    "--cwd",
    "--dir",
    "--exclude",
    "--from",
    "--include",
    "--jobs",
    "--loglevel",
    "--package",
    "--prefix",
    "--reporter",
    "--resume-from",
    "--workspace-concurrency",
    "-C",
    "-j",
    "-p",
];

/// Takes a call of a package manager apart; `None` where it asks nothing of the packages.
pub(crate) fn of_package_manager<'w>(program: &str, words: &'w [String]) -> Option<Asked<'w>> {
    // npm knows its own words and scripts; the others run a program where there is no script of that name.
    let is_run = match program {
        "npm" | "bun" => Program::Never,
        "npx" => Program::Always,
        _ => Program::WithoutScript,
    };
    let mut asked = Asked { program: is_run, ..Asked::default() };
    let mut is_workspace = false;
    let mut at = 1;
    while let Some(word) = words.get(at).map(String::as_str) {
        at += 1;
        let (option, attached) = option_of(word);
        match option {
            "--" if asked.tasks.is_empty() && asked.program == Program::Always => {}
            "--" => {
                asked.arguments.extend(words[at..].iter().map(String::as_str));
                break;
            }
            "-r" | "--recursive" | "-ws" | "--workspaces" => is_workspace = true,
            "--filter" | "--filter-prod" | "-F" | "--workspace" | "-w" if !(program == "pnpm" && option == "-w") => {
                is_workspace = true;
                asked.filters.extend(attached.or_else(|| words.get(at).map(String::as_str)));
                at += usize::from(attached.is_none());
            }
            "workspaces" if program == "yarn" => is_workspace = true,
            "workspace" if program == "yarn" => {
                is_workspace = true;
                asked.filters.extend(words.get(at).map(String::as_str));
                at += 1;
            }
            // The text of a command, in a shell.
            "-c" if asked.program == Program::Always && program != "pnpm" => {
                asked.tasks.push("sh");
                asked.arguments = words.get(at - 1..=at)?.iter().map(String::as_str).collect();
                break;
            }
            option if VALUED_BY_MANAGERS.contains(&option) => at += usize::from(attached.is_none()),
            "run" | "run-script" | "foreach" => {}
            "exec" | "x" if asked.program != Program::Always => asked.program = Program::Always,
            _ if word.starts_with('-') => {}
            // npm looks for its options up to a `--`.
            _ if !asked.tasks.is_empty() => asked.arguments.push(word),
            _ => {
                asked.tasks.push(if matches!(word, "t" | "tst") && program == "npm" { "test" } else { word });
                if program != "npm" || asked.program == Program::Always {
                    asked.arguments = words[at..].iter().map(String::as_str).collect();
                    break;
                }
            }
        }
    }
    if asked.program == Program::WithoutScript && asked.tasks.iter().any(|word| OWN_WORDS.contains(word)) {
        asked.program = Program::Never;
    }
    (is_workspace && !asked.tasks.is_empty()).then_some(asked)
}

/// Options of turbo, lerna and nx whose value is the next word, apart from filters.
const VALUED: &[&str] =
    &["--concurrency", "--cache-dir", "--env-mode", "--log-order", "--output-logs", "--parallel", "-c"];

/// `lerna run TASK`, `lerna exec -- PROGRAM`.
pub(crate) fn of_lerna(words: &[String]) -> Option<Asked<'_>> {
    let Some(at) = words.iter().position(|word| word == "exec") else { return of_runner(words) };
    let mut asked = Asked { program: Program::Always, ..Asked::default() };
    let mut at = at + 1;
    while let Some(word) = words.get(at).map(String::as_str) {
        at += 1;
        let (option, attached) = option_of(word);
        let is_scope = option == "--scope";
        if !word.starts_with('-') {
            asked.tasks.push(word);
            asked.arguments = words[at..].iter().map(String::as_str).collect();
            return Some(asked);
        }
        let next =
            words.get(at).map(String::as_str).filter(|_| attached.is_none() && (is_scope || VALUED.contains(&option)));
        at += usize::from(next.is_some());
        asked.filters.extend(attached.or(next).filter(|_| is_scope));
    }
    None
}

/// `turbo run TASK`, `turbo run PACKAGE#TASK`.
pub(crate) fn of_runner(words: &[String]) -> Option<Asked<'_>> {
    let mut asked = Asked::default();
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

/// A package of the workspace, with what its files say.
pub(crate) struct Package {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Rc<Vec<FlatEntry>>,
    /// What Nx's `project.json` says.
    pub(crate) targets: Rc<Vec<FlatEntry>>,
    /// What its own turbo.json says.
    pub(crate) tasks: Rc<Vec<FlatEntry>>,
    /// It lies where the workspace does.
    pub(crate) is_root: bool,
}

impl Package {
    /// Lists what its own files say that a task needs, with the task.
    pub(crate) fn needs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.targets.iter().chain(self.manifest.iter()).chain(self.tasks.iter()).filter_map(need_of)
    }

    /// Lists the tasks of the package that these ones need in the package itself.
    pub(crate) fn needed(&self, asked: &[&str]) -> Vec<String> {
        let mut edges: HashMap<String, Vec<String>> = HashMap::new();
        for (task, need) in self.needs().filter(|(_, need)| is_for_itself(need)) {
            edges.entry(task.to_owned()).or_default().push(need.to_owned());
        }
        closure(&edges, asked)
    }
}

/// Tells whether a need means a task of the same package.
pub(crate) fn is_for_itself(need: &str) -> bool {
    !need.contains(['^', '#'])
}

/// Reads an entry that says what a task needs: of turbo.json, nx.json, project.json, or package.json's `nx`.
pub(crate) fn need_of(entry: &FlatEntry) -> Option<(&str, &str)> {
    let keys: Vec<&str> = entry.path.iter().map(String::as_str).collect();
    match keys.strip_prefix(&["nx"]).unwrap_or(&keys) {
        ["tasks" | "pipeline" | "targetDefaults" | "targets", task, "dependsOn" | "with", _]
        | ["targetDefaults" | "targets", task, "dependsOn", _, "target"] => {
            let task = entry.path.iter().find(|key| key == task)?;
            Some((task.as_str(), entry.value.as_str()))
        }
        _ => None,
    }
}

/// Lists what can be reached from `asked`, each once.
pub(crate) fn closure(edges: &HashMap<String, Vec<String>>, asked: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    let mut open: Vec<String> = asked.iter().map(|task| (*task).to_owned()).collect();
    while let Some(task) = open.pop() {
        for name in edges.get(&task).into_iter().flatten() {
            if seen.insert(name.clone()) {
                found.push(name.clone());
                open.push(name.clone());
            }
        }
    }
    found
}

/// Lists the folders of packages with those of the packages that they depend on, at any distance. Packages of Nx say in
/// code what they depend on, so that all of them count.
pub(crate) fn made_of<'p>(all: &'p [Package], asked: impl Iterator<Item = &'p Package>) -> HashSet<PathBuf> {
    if all.iter().any(|package| !package.targets.is_empty()) {
        return all.iter().map(|package| package.folder.clone()).collect();
    }
    let mut open: Vec<&Package> = asked.collect();
    let mut found: HashSet<PathBuf> = open.iter().map(|package| package.folder.clone()).collect();
    let name = |package: &Package| {
        let entry = package.manifest.iter().find(|entry| entry.path.len() == 1 && entry.path[0] == "name");
        entry.map(|entry| entry.value.clone())
    };
    let by_name: HashMap<String, &Package> = all.iter().filter_map(|package| Some((name(package)?, package))).collect();
    while let Some(package) = open.pop() {
        for entry in package.manifest.iter() {
            let [section, dependency] = &entry.path[..] else { continue };
            if section.to_ascii_lowercase().ends_with("dependencies")
                && let Some(other) = by_name.get(dependency)
                && found.insert(other.folder.clone())
            {
                open.push(other);
            }
        }
    }
    found
}

/// Whether a filter means the package. What is no plain name or folder means every one.
pub(crate) fn selects(filter: &str, package: &Package) -> bool {
    if filter == ROOT {
        return package.is_root;
    }
    let bare = filter.trim_start_matches("...").trim_end_matches("...").trim_end_matches('^').trim_start_matches("./");
    if bare.is_empty() || bare.starts_with(['[', '{', '!', '.', '^']) || bare.contains(['*', '$']) {
        return true;
    }
    let has_name = |entries: &[FlatEntry]| {
        entries.iter().any(|entry| {
            let is_name = matches!(&entry.path[..], [key] if key == "name");
            is_name && (entry.value == bare || entry.value.rsplit('/').next() == Some(bare))
        })
    };
    package.folder.ends_with(bare) || has_name(&package.manifest) || has_name(&package.targets)
}
