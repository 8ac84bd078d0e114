//! Task runners whose file sets variables and names dotenv files: mise and Task (`Taskfile.yml`).
//!
//! Sources: mise's manual ("Environments", "Tasks"), taskfile.dev ("Environment variables", ".env files").

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use crate::environment::follow::script::Script;
use crate::environment::follow::{Effect, Expansion, FileReader, Step, WrapperFile, non_empty};
use crate::environment::invocation::option_of;
use crate::environment::paths::nearest;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;

/// The most tasks that one call is followed into.
const MOST_TASKS: usize = 4096;

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
            for entry in self.entries_of(&path, formats::toml::flatten).unwrap_or_default() {
                match entry.path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                    ["env", "_", kind @ ("file" | "source"), ..] => configured.files.push(WrapperFile {
                        path: home.join(&entry.value),
                        reader: if kind == "file" { FileReader::Dotenv } else { FileReader::Shell },
                        overrides: true,
                    }),
                    ["env", "_", "path" | "python", ..] => {}
                    ["env", "_", ..] => is_plain = false,
                    ["env", name] => configured.assignments.push((name.to_owned(), entry.value)),
                    ["tasks", ..] => entries.push((path.clone(), entry)),
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
                step.files.extend(configured.files);
                if !is_plain {
                    step.effects.push((Effect::Injects, "mise exec".to_owned()));
                }
                crate::environment::follow::only(step)
            }
            Some("run" | "r" | "watch") => {
                let Some(task) = rest.find(|word| !word.starts_with('-')) else { return (Vec::new(), false) };
                self.tasks(&entries, &[task.to_owned()], &configured)
            }
            _ => (Vec::new(), false),
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
        let names = ["Taskfile.yml", "taskfile.yml", "Taskfile.yaml", "taskfile.yaml"].into_iter().chain([
            "Taskfile.dist.yml",
            "taskfile.dist.yml",
            "Taskfile.dist.yaml",
            "taskfile.dist.yaml",
        ]);
        let path = match named {
            Some(name) => Some(folder.join(name)),
            None => nearest(self.files, &folder, &self.project.root, &names.collect::<Vec<_>>()),
        };
        let Some(path) = path.filter(|path| self.files.exists(path)) else { return (Vec::new(), false) };
        let mut configured = Script::default();
        let mut entries = Vec::new();
        for entry in self.entries_of(&path, formats::yaml::flatten).unwrap_or_default() {
            match entry.path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["dotenv", _] => configured.files.push(dotenv(&entry.value)),
                ["env", name] => configured.assignments.push((name.to_owned(), entry.value)),
                ["tasks", ..] => entries.push((path.clone(), entry)),
                _ => {}
            }
        }
        let asked = if asked.is_empty() { vec!["default".to_owned()] } else { asked };
        self.tasks(&entries, &asked, &configured)
    }

    /// The commands of the tasks `asked` for, and of those that they need.
    fn tasks(&self, entries: &[(PathBuf, FlatEntry)], asked: &[String], configured: &Script) -> (Vec<Step>, bool) {
        let mut by_task: HashMap<&str, Vec<&(PathBuf, FlatEntry)>> = HashMap::new();
        let mut aliases: HashMap<&str, &str> = HashMap::new();
        for placed in entries {
            let name = placed.1.path.get(1).map_or("", String::as_str);
            by_task.entry(name).or_default().push(placed);
            if let [_, _, "alias" | "aliases", ..] = placed.1.path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                aliases.insert(&placed.1.value, name);
            }
        }
        let mut wanted = asked.to_vec();
        let mut known: HashSet<String> = asked.iter().cloned().collect();
        let mut steps = Vec::new();
        let mut at = 0;
        while at < wanted.len().min(MOST_TASKS) {
            let name = wanted[at].clone();
            let name = aliases.get(name.as_str()).map_or(name, |name| (*name).to_owned());
            if !by_task.contains_key(name.as_str()) {
                self.cut("a task is asked for that its file does not hold");
            }
            let mut script = Script { name: name.clone(), ..Script::default() };
            script.assignments.clone_from(&configured.assignments);
            script.files.clone_from(&configured.files);
            let mut file = None;
            for (path, entry) in by_task.get(name.as_str()).into_iter().flatten() {
                match entry.path[2..].iter().map(String::as_str).collect::<Vec<_>>()[..] {
                    ["env", name] => script.assignments.push((name.to_owned(), entry.value.clone())),
                    ["dotenv", _] => script.files.push(dotenv(&entry.value)),
                    ["depends" | "deps"]
                    | ["depends" | "deps", _]
                    | ["deps", _, "task"]
                    | ["cmds", _, "task"]
                    | ["cmds", _, "defer", "task"]
                        if known.insert(entry.value.clone()) =>
                    {
                        wanted.push(entry.value.clone());
                    }
                    [] | ["run" | "cmd" | "cmds"] | ["run" | "cmds", _] | ["cmds", _, "cmd" | "defer"] => {
                        script.line = if file.is_none() { entry.line } else { script.line };
                        file = Some(path);
                        script.text.push_str(&entry.value);
                        script.text.push('\n');
                    }
                    _ => {}
                }
            }
            if let Some(path) = file {
                let folder = path.parent().unwrap_or(&self.step.folder);
                steps.extend(self.script(path, folder, script));
            }
            at += 1;
        }
        if wanted.len() > MOST_TASKS {
            self.cut("it runs more than 4,096 tasks");
        }
        non_empty(steps)
    }
}

fn dotenv(path: &str) -> WrapperFile {
    WrapperFile { path: path.into(), reader: FileReader::Dotenv, overrides: false }
}
