//! Task runners whose file sets variables and names dotenv files: mise and Task (`Taskfile.yml`).
//!
//! Sources: mise's manual ("Environments", "Tasks"), taskfile.dev ("Environment variables", ".env files").

use std::path::{Path, PathBuf};

use crate::environment::follow::script::Script;
use crate::environment::follow::tasks;
use crate::environment::follow::tasks::Tasks;
use crate::environment::follow::{Effect, Expansion, FileReader, Step, WrapperFile};
use crate::environment::invocation::option_of;
use crate::environment::paths::{nearest, normal, parent};
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;

/// The names that a Taskfile has.
const TASKFILES: &[&str] = &[
    "Taskfile.yml",
    "taskfile.yml",
    "Taskfile.yaml",
    "taskfile.yaml",
    "Taskfile.dist.yml",
    "taskfile.dist.yml",
    "Taskfile.dist.yaml",
    "taskfile.dist.yaml",
];

/// How deep Taskfiles that include each other are read.
const MOST_INCLUDES: usize = 16;

impl Expansion<'_> {
    /// `mise run TASK` and `mise exec -- COMMAND`; empty for what else mise does.
    pub(crate) fn mise(&self, words: &[String]) -> (Vec<Step>, bool) {
        let option = |names: [&str; 2]| {
            let at = words.iter().position(|word| names.contains(&word.as_str()))?;
            words.get(at + 1).cloned()
        };
        let environment = option(["-E", "--env"]);
        let mut configured = Script::default();
        let mut entries: Vec<(PathBuf, FlatEntry)> = Vec::new();
        let mut is_plain = false;
        let named = environment.map(|name| [format!("mise.{name}.toml"), format!(".mise.{name}.toml")]);
        let names = ["mise.toml", ".mise.toml", ".config/mise.toml", "mise.local.toml", ".mise.local.toml"];
        for name in names.map(str::to_owned).into_iter().chain(named.into_iter().flatten()) {
            let found = nearest(self.files, &self.step.folder, &self.project.root, &[&name]);
            let Some(path) = found else { continue };
            let home = path.parent().unwrap_or(&self.step.folder).to_owned();
            is_plain = true;
            for entry in self.entries_of(&path, formats::toml::flatten).unwrap_or_default().iter() {
                match entry.path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                    ["env", "_", kind @ ("file" | "source"), ..] => configured.files.push(WrapperFile {
                        path: home.join(&entry.value),
                        reader: if kind == "file" { FileReader::Dotenv } else { FileReader::Shell },
                        overrides: true,
                    }),
                    ["env", "_", "path" | "python", ..] => {}
                    ["env", "_", ..] => is_plain = false,
                    ["env", name] => {
                        configured.set(name, &entry.value, self.place(&path, entry));
                    }
                    ["tasks", ..] => entries.push((path.clone(), entry.clone())),
                    _ => {}
                }
            }
        }
        let mut rest = words[1..].iter().skip_while(|word| word.starts_with('-')).map(String::as_str);
        match rest.next() {
            Some("exec" | "x") => {
                let Some(at) = words.iter().position(|word| word == "--") else { return (Vec::new(), false) };
                let mut step = self.inner();
                step.invocation.words = words[at + 1..].to_vec();
                step.invocation.assignments.extend(configured.assignments);
                step.invocation.placed(&configured.places);
                step.files.extend(configured.files);
                if !is_plain {
                    step.effects.push((Effect::Injects, "mise exec".to_owned()));
                }
                crate::environment::follow::only(step)
            }
            Some("run" | "r" | "watch") => {
                let Some(task) = rest.find(|word| !word.starts_with('-')) else { return (Vec::new(), false) };
                self.tasks(&Tasks { entries, common: configured, ..Tasks::default() }, &[task.to_owned()])
            }
            _ => (Vec::new(), false),
        }
    }

    /// Reads a Taskfile and those that it includes, whose tasks are named behind theirs: `db:reset`.
    fn read_taskfile(
        &self,
        path: &Path,
        space: &str,
        depth: usize,
        configured: &mut Script,
        entries: &mut Vec<(PathBuf, FlatEntry)>,
    ) {
        if depth > MOST_INCLUDES {
            return self.cut("its Taskfiles include each other more than 16 deep");
        }
        let home = parent(path);
        for entry in self.entries_of(path, formats::yaml::flatten).unwrap_or_default().iter() {
            let keys: Vec<&str> = entry.path.iter().map(String::as_str).collect();
            match keys[..] {
                ["dotenv", _] => configured.files.push(tasks::file(&entry.value).below(&home)),
                ["env", name] => configured.set(name, &entry.value, self.place(path, entry)),
                ["includes", name] | ["includes", name, "taskfile"] => {
                    let named = home.join(&entry.value);
                    let inside = TASKFILES.iter().map(|file| named.join(file));
                    let inside = inside.chain([named.clone()]).find(|file| self.files.exists(file));
                    if let Some(file) = inside {
                        self.read_taskfile(&normal(&file), &format!("{space}{name}:"), depth + 1, configured, entries);
                    }
                }
                ["tasks", name, ref rest @ ..] => {
                    // In an included file `reset` is its own.
                    let is_needed = matches!(rest, ["deps", _] | ["deps", _, "task"] | ["cmds", _, "task"]);
                    let own = entry.value.strip_prefix(':').map(str::to_owned);
                    let value = match own {
                        _ if !is_needed || space.is_empty() => entry.value.clone(),
                        Some(of_the_root) => of_the_root,
                        None => format!("{space}{}", entry.value),
                    };
                    let path_in = ["tasks".to_owned(), format!("{space}{name}")].into_iter();
                    let keys = path_in.chain(rest.iter().map(|key| (*key).to_owned())).collect();
                    entries.push((path.to_owned(), FlatEntry { path: keys, value, ..entry.clone() }));
                }
                _ => {}
            }
        }
    }

    /// `task NAME` of a Taskfile.
    pub(crate) fn task(&self, words: &[String]) -> (Vec<Step>, bool) {
        let (mut asked, mut named, mut folder) = (Vec::new(), None, self.step.folder.clone());
        let mut rest = words[1..].iter();
        while let Some(word) = rest.next() {
            let (option, attached) = option_of(word);
            let mut value = || attached.or_else(|| rest.next().map(String::as_str));
            match option {
                // What follows are arguments of the commands.
                "--" => break,
                "-t" | "--taskfile" => named = value(),
                "-d" | "--dir" => folder = value().map_or(folder, |to| self.step.folder.join(to)),
                "-o" | "--output" | "-I" | "--interval" | "-C" | "--concurrency" => drop(value()),
                _ if word.starts_with('-') || word.contains('=') => {}
                _ => asked.push(word.clone()),
            }
        }
        let path = match named {
            Some(name) => Some(folder.join(name)),
            None => nearest(self.files, &folder, &self.project.root, TASKFILES),
        };
        let Some(path) = path.filter(|path| self.files.exists(path)) else { return (Vec::new(), false) };
        let mut configured = Script::default();
        let mut entries = Vec::new();
        self.read_taskfile(&path, "", 0, &mut configured, &mut entries);
        let asked = if asked.is_empty() { vec!["default".to_owned()] } else { asked };
        self.tasks(&Tasks { entries, common: configured, ..Tasks::default() }, &asked)
    }
}
