//! Tasks out of a runner's file: what a task runs, what it needs first, and which variables and files it gives to both.
//!
//! The runners agree on little but use few words for it, so that one reader knows them all. Sources: the manuals of
//! cargo-make, Hatch, mise, PDM, Pixi, Poe the Poet, Rye and Task.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use crate::environment::follow::script::Script;
use crate::environment::follow::{Expansion, FileReader, Step, WrapperFile, non_empty};
use crate::environment::readers::formats::FlatEntry;

/// The most tasks that one call is followed into.
const MOST_TASKS: usize = 4096;

/// The tasks of a runner's files.
#[derive(Default)]
pub(crate) struct Tasks {
    /// Each entry with its file; its path is `tasks`, a task's name, and what stands below that.
    pub(crate) entries: Vec<(PathBuf, FlatEntry)>,
    /// What every task gets.
    pub(crate) common: Script,
    /// A command may begin with the name of another task and mean that.
    pub(crate) name_each_other: bool,
    /// The words that are given to the task that is asked for.
    pub(crate) arguments: Vec<String>,
}

/// What an entry is to its task.
#[derive(Debug, PartialEq, Eq)]
enum Part<'e> {
    Variable(&'e str),
    File,
    Folder,
    Needed,
    Command,
    /// A word behind the command that stands apart.
    Argument,
    Other,
}

impl Part<'_> {
    fn of<'e>(path: &[&'e str]) -> Part<'e> {
        let is_index = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
        let (head, rest) = match path {
            [] => return Part::Command,
            [index, rest @ ..] if is_index(index) => ("sequence", rest),
            [head, rest @ ..] => (*head, rest),
        };
        let rest = match rest {
            [index, rest @ ..] if is_index(index) => rest,
            rest => rest,
        };
        match (head, rest) {
            ("env" | "env-vars" | "env_vars" | "set_env" | "environment", [name]) => Part::Variable(name),
            (
                "dotenv" | "env_file" | "env-file" | "envfile" | "env_files",
                [] | ["path" | "override" | "expected" | "optional"],
            ) => Part::File,
            ("cwd" | "dir" | "working_dir" | "changedir", []) => Part::Folder,
            ("depends" | "deps" | "depends-on" | "depends_on" | "dependencies" | "run_task" | "ref" | "uses", []) => {
                Part::Needed
            }
            (_, ["task" | "name" | "ref"] | ["defer", "task"]) => Part::Needed,
            ("args", []) => Part::Argument,
            (
                "cmd" | "cmds" | "command" | "commands" | "commands_pre" | "run" | "script" | "sequence" | "shell",
                [],
            ) => Part::Command,
            ("chain" | "composite", []) => Part::Command,
            ("cmds" | "sequence" | "run", ["cmd" | "shell" | "defer" | "script"]) => Part::Command,
            _ => Part::Other,
        }
    }
}

impl Expansion<'_> {
    /// The commands of the tasks `asked` for, and of those that they need.
    pub(crate) fn tasks(&self, tasks: &Tasks, asked: &[String]) -> (Vec<Step>, bool) {
        let mut by_task: HashMap<&str, Vec<&(PathBuf, FlatEntry)>> = HashMap::new();
        let mut aliases: HashMap<&str, &str> = HashMap::new();
        for placed in &tasks.entries {
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
            script.assignments.clone_from(&tasks.common.assignments);
            script.places = Rc::clone(&tasks.common.places);
            script.files.clone_from(&tasks.common.files);
            let (mut file, mut folder, mut arguments) = (None, None, Vec::new());
            for (path, entry) in by_task.get(name.as_str()).into_iter().flatten() {
                let below: Vec<&str> = entry.path[2..].iter().map(String::as_str).collect();
                let first = entry.value.split_ascii_whitespace().next().unwrap_or_default();
                let mut needed = |task: &str| {
                    if known.insert(task.to_owned()) {
                        wanted.push(task.to_owned());
                    }
                };
                match Part::of(&below) {
                    Part::Variable(name) => script.set(name, &entry.value, self.place(path, entry)),
                    Part::File => script.files.push(self::file(&entry.value)),
                    Part::Folder => folder = Some(&entry.value),
                    Part::Needed => needed(&entry.value),
                    Part::Argument => arguments.push(entry.value.clone()),
                    Part::Command if tasks.name_each_other && first != name && by_task.contains_key(first) => {
                        needed(first);
                    }
                    Part::Command if entry.value.is_empty() => {}
                    Part::Command => {
                        script.line = if file.is_none() { entry.line } else { script.line };
                        file = Some(path);
                        script.text.push_str(entry.value.trim_end());
                        script.text.push('\n');
                    }
                    Part::Other => {}
                }
            }
            if let Some(path) = file {
                script.text.truncate(script.text.trim_end().len());
                script.give(&arguments);
                if at == 0 {
                    script.give(&tasks.arguments);
                }
                let home = path.parent().unwrap_or(&self.step.folder);
                let home = folder.map_or_else(|| home.to_owned(), |folder| home.join(folder));
                steps.extend(self.script(path, &home, script));
            }
            at += 1;
        }
        if wanted.len() > MOST_TASKS {
            self.cut("it runs more than 4,096 tasks");
        }
        non_empty(steps)
    }
}

/// A file of variables that a task names.
pub(crate) fn file(path: &str) -> WrapperFile {
    WrapperFile { path: path.into(), reader: FileReader::Dotenv, overrides: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_all_runners_are_known() {
        for (path, expected) in [
            ("", Part::Command),
            ("0", Part::Command),
            ("cmds.0", Part::Command),
            ("cmds.1.cmd", Part::Command),
            ("sequence.1.shell", Part::Command),
            ("composite.0", Part::Command),
            ("cmds.0.task", Part::Needed),
            ("depends-on.0", Part::Needed),
            ("depends-on.0.task", Part::Needed),
            ("run_task.name", Part::Needed),
            ("env.A", Part::Variable("A")),
            ("env-vars.A", Part::Variable("A")),
            ("env_file", Part::File),
            ("env_file.override", Part::File),
            ("envfile.0", Part::File),
            ("cwd", Part::Folder),
            ("args.3", Part::Argument),
            ("help", Part::Other),
            ("env.A.default", Part::Other),
        ] {
            let path: Vec<&str> = path.split('.').filter(|key| !key.is_empty()).collect();
            assert_eq!(Part::of(&path), expected, "{path:?}");
        }
    }
}
